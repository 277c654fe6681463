"""Separation: a search on the mixture's magnitude, then masks at the mixture's own rate; songs of any length."""

from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from glowsep.arrays.devices import on_device_of, to_host
from glowsep.signals import audio
from glowsep.signals.masks import ratio_masks, share
from glowsep.signals.phase import phase_of
from glowsep.signals.resampling import resample
from glowsep.signals.spectrogram import istft, stft
from glowsep.systems.search.annealed import AnnealedSearch
from glowsep.systems.search.found import Found

#: Seconds of a song that are searched at once, and of them that neighbours share.
SEGMENT, OVERLAP = 10.0, 1.0

#: Root mean square of Freedoom-4's validation mixtures (their mean): four instruments as loud as the priors know them.
LEVEL = 0.06

#: Root mean square below which a mixture counts as silence: a thirtieth of a 16-bit step.
QUIETEST = 1e-6


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
        One per source, as the search left them; none where the mixture is silent and nothing was searched.
    history : list of dict
        The search's loss terms, per iteration.
    """

    estimates: np.ndarray
    magnitudes: np.ndarray
    latents: list
    history: list


def separate(mixture, priors, rate=22050, search=None, mask_exponent=1.5, rng=None, callback=None):
    r"""Separate a mixture into one estimate per prior.

    1. The mid of the channels, at the priors' rate and level, is the mixture :math:`x` that the search explains.
    2. The found magnitudes become masks :math:`\hat s_i^p / \sum_j \hat s_j^p`.
    3. Every channel's spectrum, at its own rate, is shared out by the masks; the mixture's phase leads back.

    Parameters
    ----------
    mixture : (channels, samples)
        In any memory: the search and the masks are computed where the priors lie.
    priors : sequence of glowsep.Prior
        One per source, all of one rate and one STFT, and all on one device.
    rate : int
        Of the mixture, in Hz.
    search : callable, optional
        ``AnnealedSearch()`` (the default), ``LatentSearch()``, or your own: see :mod:`glowsep.systems.search.found`.
    mask_exponent : float
        p above; 1 shares magnitudes, 2 powers.
    rng : numpy.random.Generator, optional
        For the search's noise; seed 0 where none is given.
    callback : callable, optional
        Called with (iteration, magnitudes, terms) at every iteration of the search.

    Returns
    -------
    Separation
        Its arrays are NumPy's, in main memory.

    Raises
    ------
    ValueError
        For a mixture that is not (channels, samples) of finite floats, no prior, an untrained one, or priors that do
        not fit together.

    References
    ----------
    Zhu et al. 2022, section III; chapter 12.
    """
    mixture = to_host(mixture)
    require_mixture(mixture)
    require_one_domain(priors)
    rng = np.random.default_rng(0) if rng is None else rng
    search = AnnealedSearch() if search is None else search
    gain = level_gain([mid_power(mixture[:, start : start + rate]) for start in range(0, mixture.shape[1], rate)])
    found = search_segment(mixture, priors, rate, gain, search, rng, callback)
    estimates = masked(mixture, rate, found.magnitudes, mask_exponent, priors)
    latents = [to_host(latent) for latent in found.latents]
    return Separation(estimates, to_host(found.magnitudes / gain), latents, found.history)


def separate_file(song, folder, priors, search=None, mask_exponent=1.5, rng=None, progress=True, callback=None):
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
    callback : callable, optional
        As for ``separate``, segment after segment; each that is searched starts at iteration 0 again.

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
    gain = level_gain([mid_power(block) for _, block in audio.segments(song, info.rate, info.rate)])
    names = [prior.name for prior in priors]
    tail = np.zeros((len(priors), info.channels, 0), np.float32)  # of the segment before, to be faded out
    segments = 1 + max(0, -(-(info.samples - hop - overlap) // hop))
    bar = tqdm(audio.segments(song, hop + overlap, hop), str(song), segments, disable=not progress, unit="segment")
    with audio.StemWriter(folder, names, info.rate, info.channels) as stems:
        for start, mixture in bar:
            found = search_segment(mixture, priors, info.rate, gain, search, rng, callback)
            estimates = masked(mixture, info.rate, found.magnitudes, mask_exponent, priors)
            shared = tail.shape[2]
            fade = np.linspace(0, 1, shared, endpoint=False, dtype=np.float32)
            estimates[:, :, :shared] = fade * estimates[:, :, :shared] + (1 - fade) * tail
            finished = estimates.shape[2] if start + mixture.shape[1] == info.samples else hop
            stems.write(estimates[:, :, :finished])
            tail = estimates[:, :, finished:]
    return [stems.folder / f"{name}.wav" for name in names]


def search_segment(mixture, priors, rate, gain, search, rng, callback=None):
    """Search the sources of one segment (channels, samples), its mid scaled by ``gain``, where the priors lie."""
    mid = resample(mixture.mean(axis=0), rate, priors[0].config.rate)
    magnitude = priors[0].magnitudes(on_device_of(gain * mid, priors[0].mean))
    frames = magnitude.shape[1]
    if not magnitude.any():  # nothing to search, and the logarithm of nothing to avoid
        return Found(magnitude[None].repeat(len(priors), axis=0), [], [])
    found = search(priors[0].whole_blocks(magnitude), [prior.frozen() for prior in priors], rng, callback)
    found.magnitudes = found.magnitudes[:, :, :frames]
    return found


def masked(mixture, rate, magnitudes, exponent, priors):
    """The sources' shares of the mixture (channels, samples), in main memory: (sources, channels, samples)."""
    config, masks = priors[0].config, ratio_masks(magnitudes, exponent)
    return to_host(share(on_device_of(mixture, masks), rate, masks, config.rate, config.window_length, config.hop))


def unmasked(magnitudes, mixture, rate, config):
    """The generated magnitudes as sound, with the phase of the mixture's mid and no mask: they need not add up to it.

    Parameters
    ----------
    magnitudes : (sources, bins, frames)
        As in ``Separation``.
    mixture : (channels, samples)
    rate : int
        Of the mixture, in Hz.
    config : glowsep.PriorConfig
        The priors'.

    Returns
    -------
    (sources, samples)
        Mono, at the priors' rate ``config.rate``.
    """
    mid = resample(mixture.mean(axis=0), rate, config.rate)
    phase = phase_of(stft(mid, config.window_length, config.hop))
    with_nyquist = np.pad(magnitudes, ((0, 0), (0, 1), (0, 0))) * (config.window_length / 4)
    return istft(with_nyquist * phase, len(mid), config.window_length, config.hop)


def level_gain(powers):
    """The factor that brings a mixture to ``LEVEL``, from the mean squares of its mid's blocks of a second.

    Blocks 40 dB below the loudest are pauses and do not count. What lies below ``QUIETEST`` is not raised further.
    """
    powers = np.asarray(powers)
    playing = powers[powers > 1e-4 * powers.max()]
    # A number of Python's, not of NumPy's: a float64 of NumPy's would make all that it multiplies float64.
    return LEVEL / max(QUIETEST, float(np.sqrt(playing.mean()))) if len(playing) else 1.0


def mid_power(block):
    """The mean square of the mid of (channels, samples), in float64: squares of float32 leave its range early."""
    return float((block.mean(axis=0, dtype=np.float64) ** 2).mean())


def require_mixture(mixture):
    if mixture.ndim != 2 or 0 in mixture.shape:
        raise ValueError(f"the mixture has the shape {mixture.shape}, but (channels, samples) above 0 are wanted")
    if mixture.dtype.kind != "f":
        raise ValueError(f"the mixture is of {mixture.dtype}, but floats are wanted, with full scale 1")
    if not np.isfinite(mixture).all():
        raise ValueError("the mixture has samples that are NaN or infinite, but only finite ones can be separated")


def require_one_domain(priors):
    """Refuse no prior at all, two of one name, an untrained one, or priors of different rates or windows."""
    if not priors:
        raise ValueError("no prior was given, but at least one is wanted")
    names = [prior.name for prior in priors]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two priors are named {name!r}, but every source needs a name of its own")
    for prior in priors:
        if not prior.flow.initialised:
            raise ValueError(f"the prior {prior.name!r} is untrained: train it first")
        for field in ("rate", "window_length", "hop"):
            own, first = getattr(prior.config, field), getattr(priors[0].config, field)
            if own != first:
                raise ValueError(f"the prior {prior.name!r} has {field} {own}, but {priors[0].name!r} has {first}")
