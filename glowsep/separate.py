"""Separation: a search on the mixture's magnitude, then masks at the mixture's own rate; songs of any length."""

from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from . import audio
from .backend import array_module, to_host
from .masks import apply_masks, ratio_masks
from .search import AnnealedSearch, Found
from .spectrogram import istft, stft

#: Seconds of a song that are searched at once, and of them that neighbours share.
SEGMENT, OVERLAP = 10.0, 1.0

#: Root mean square of Freedoom-4's training mixtures: the level at which the priors heard their instruments.
LEVEL = 0.06


@dataclass
class Separation:
    """What ``separate`` found.

    Attributes
    ----------
    estimates : (sources, channels, samples)
        In the priors' order, at the mixture's rate: the masks' shares, which add up to the mixture.
    magnitudes : (sources, bins, frames)
        The generated sources themselves, before the masks; ``unmasked`` makes them audible.
    latents : list of arrays
        One per source, as the search left them.
    history : list of dict
        The search's loss terms, per iteration.
    """

    estimates: np.ndarray
    magnitudes: np.ndarray
    latents: list
    history: list


def separate(mixture, priors, rate=22050, search=None, mask_exponent=2.0, rng=None, callback=None):
    r"""Separate a mixture into one estimate per prior.

    1. The mid of the channels, at the priors' rate and level, is the mixture :math:`x` that the search explains.
    2. The found magnitudes become masks :math:`\hat s_i^p / \sum_j \hat s_j^p`.
    3. Every channel's spectrum, at its own rate, is shared out by the masks; the mixture's phase leads back.

    Parameters
    ----------
    mixture : (channels, samples)
    priors : sequence of glowsep.Prior
        One per source, all of one rate and one STFT.
    rate : int
        Of the mixture, in Hz.
    search : callable, optional
        ``AnnealedSearch()`` (the default), ``LatentSearch()``, or your own: see :mod:`glowsep.search`.
    mask_exponent : float
        p above; 1 shares magnitudes, 2 powers.
    rng : numpy.random.Generator, optional
        For the search's noise; seed 0 where none is given.
    callback : callable, optional
        Called with (iteration, magnitudes, terms) at every iteration of the search.

    Returns
    -------
    Separation

    Raises
    ------
    ValueError
        For a mixture that is not (channels, samples) or not finite, no prior, or priors that do not fit together.

    References
    ----------
    Zhu et al. 2022, section III; chapter 12.
    """
    require_mixture(mixture)
    require_one_domain(priors)
    rng = np.random.default_rng(0) if rng is None else rng
    search = AnnealedSearch() if search is None else search
    mid = to_host(mixture.mean(axis=0))
    gain = level_gain([float((mid[start : start + rate] ** 2).mean()) for start in range(0, len(mid), rate)])
    found = search_segment(mixture, priors, rate, gain, search, rng, callback)
    estimates = share(mixture, rate, ratio_masks(found.magnitudes, mask_exponent), priors[0].config)
    return Separation(estimates, found.magnitudes / gain, found.latents, found.history)


def separate_file(song, folder, priors, search=None, mask_exponent=2.0, rng=None, progress=True):
    """Separate an audio file of any length into ``folder/<prior's name>.wav``, in bounded memory.

    The song is searched in segments of ``SEGMENT`` seconds; neighbours share ``OVERLAP`` seconds, over which the
    first fades out while the second fades in. The stems are written block by block, and take their names
    only when all of them are whole.

    Parameters
    ----------
    song, folder : path
    priors, search, mask_exponent, rng
        As for ``separate``.
    progress : bool
        Show a progress bar.

    Returns
    -------
    list of pathlib.Path
        The stems, in the priors' order.

    Raises
    ------
    AudioError
        Where the song cannot be read, or the stems cannot be written.
    ValueError
        As for ``separate``.
    """
    require_one_domain(priors)
    rng = np.random.default_rng(0) if rng is None else rng
    search = AnnealedSearch() if search is None else search
    info = audio.check(song)
    hop, overlap = round((SEGMENT - OVERLAP) * info.rate), round(OVERLAP * info.rate)
    gain = level_gain(mid_powers(song, info.rate))
    names = [prior.name for prior in priors]
    tail = np.zeros((len(priors), info.channels, 0), np.float32)  # of the segment before, to be faded out
    segments = 1 + max(0, -(-(info.samples - hop - overlap) // hop))
    bar = tqdm(audio.segments(song, hop + overlap, hop), str(song), segments, disable=not progress, unit="segment")
    with audio.StemWriter(folder, names, info.rate, info.channels) as stems:
        for start, mixture in bar:
            found = search_segment(mixture, priors, info.rate, gain, search, rng)
            estimates = to_host(share(mixture, info.rate, ratio_masks(found.magnitudes, mask_exponent), priors[0].config))
            shared = tail.shape[2]
            fade = np.linspace(0, 1, shared, endpoint=False, dtype=np.float32)
            estimates[:, :, :shared] = fade * estimates[:, :, :shared] + (1 - fade) * tail
            finished = estimates.shape[2] if start + mixture.shape[1] == info.samples else hop
            stems.write(estimates[:, :, :finished])
            tail = estimates[:, :, finished:]
    return [stems.folder / f"{name}.wav" for name in names]


def search_segment(mixture, priors, rate, gain, search, rng, callback=None):
    """Search the sources of one segment (channels, samples), its mid scaled by ``gain``."""
    mid = audio.resample(to_host(mixture.mean(axis=0, keepdims=True)), rate, priors[0].config.rate)[0]
    magnitude = priors[0].magnitudes(gain * array_module(mixture).asarray(mid))
    frames = magnitude.shape[1]
    if not magnitude.any():  # nothing to search, and the logarithm of nothing to avoid
        return Found(array_module(mixture).zeros((len(priors), *magnitude.shape), magnitude.dtype), [], [])
    found = search(priors[0].whole_blocks(magnitude), priors, rng, callback)
    found.magnitudes = found.magnitudes[:, :, :frames]
    return found


def share(mixture, rate, masks, config):
    """Share the mixture (channels, samples) out by ``masks`` (sources, bins, frames): (sources, channels, samples).

    The masks lie on the time-frequency grid of the priors' rate. The mixture's STFT, at the mixture's own rate, has a
    window of (about) the same duration, and the masks are interpolated to its grid; above the priors' highest bin
    the highest mask holds. Interpolated masks still sum to one, and so the estimates to the mixture.
    """
    hop = max(1, round(config.hop * rate / config.rate))
    window_length = hop * (config.window_length // config.hop)
    spectrum = stft(mixture, window_length, hop)
    bins, frames = spectrum.shape[1:]
    masks = interpolate(masks, np.arange(bins) * rate / window_length * config.window_length / config.rate, axis=1)
    masks = interpolate(masks, np.arange(frames) * hop / rate * config.rate / config.hop, axis=2)
    return istft(apply_masks(masks, spectrum), mixture.shape[1], window_length, hop)


def interpolate(array, positions, axis):
    """``array`` at fractional ``positions`` along ``axis``: linear, and constant beyond the ends."""
    positions = np.clip(positions, 0, array.shape[axis] - 1)
    below = np.floor(positions).astype(int)
    above = np.minimum(below + 1, array.shape[axis] - 1)
    xp = array_module(array)
    weight = xp.asarray((positions - below).astype(array.dtype)).reshape([-1 if k == axis else 1 for k in range(array.ndim)])
    return (1 - weight) * xp.take(array, xp.asarray(below), axis) + weight * xp.take(array, xp.asarray(above), axis)


def level_gain(powers):
    """The factor that brings a mixture to ``LEVEL``, from the mean squares of its mid's blocks of a second.

    Blocks 40 dB below the loudest are pauses and do not count.
    """
    powers = np.asarray(powers)
    playing = powers[powers > 1e-4 * powers.max(initial=0)]
    return LEVEL / np.sqrt(playing.mean()) if len(playing) else 1.0


def mid_powers(song, rate):
    """The mean squares of the mid of an audio file, second by second."""
    return [float((block.mean(axis=0) ** 2).mean()) for _, block in audio.segments(song, rate, rate)]


def require_mixture(mixture):
    if mixture.ndim != 2 or 0 in mixture.shape:
        raise ValueError(f"the mixture has the shape {mixture.shape}, but (channels, samples) is wanted, neither of them 0")
    if not array_module(mixture).isfinite(mixture).all():
        raise ValueError("the mixture has samples that are NaN or infinite, but only finite ones can be separated")


def require_one_domain(priors):
    """Refuse no prior at all, two of one name, or priors of different rates or windows."""
    if not priors:
        raise ValueError("no prior was given, but at least one is wanted")
    names = [prior.name for prior in priors]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two priors are named {name!r}, but every source needs a name of its own")
    for prior in priors:
        for field in ("rate", "window_length", "hop"):
            own, first = getattr(prior.config, field), getattr(priors[0].config, field)
            if own != first:
                raise ValueError(f"the prior {prior.name!r} has {field} {own}, but {priors[0].name!r} has {first}")
