"""Separation: a search on the mixture's magnitude, then masks at the mixture's own rate; songs of any length."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np

from glowsep.arrays.devices import on_device_of, to_host
from glowsep.learning.panning import in_channels
from glowsep.signals import audio
from glowsep.signals.audible import audible
from glowsep.signals.masks import MASK_EXPONENT, ratio_masks, share_out
from glowsep.signals.mid import mean_magnitude, mid
from glowsep.signals.phase import phase_of
from glowsep.signals.resampling import resample
from glowsep.signals.spectrogram import full_scale, istft, stft
from glowsep.systems.glow.passages import Level
from glowsep.systems.glow.prior import Prior, PriorConfig
from glowsep.systems.per_source import require_alike
from glowsep.systems.search.constrained import ConstrainedLatentSearch
from glowsep.systems.search.found import Found
from glowsep.systems.songs import separate_song
from glowsep.systems.trust import Trust


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

    Examples
    --------
    >>> Separation(np.ones((2, 1, 800)), np.ones((2, 512, 5)), [], []).estimates.shape
    (2, 1, 800)
    """

    estimates: np.ndarray
    magnitudes: np.ndarray
    latents: list[np.ndarray]
    history: list[dict[str, float]]


def separate(
    mixture: np.ndarray,
    priors: Sequence[Prior],
    rate: int = 22050,
    search: Callable[..., Found] | None = None,
    mask_exponent: float = MASK_EXPONENT,
    rng: np.random.Generator | None = None,
    callback: Callable | None = None,
) -> Separation:
    r"""Separate a mixture into one estimate per prior.

    1. What can be heard of the channels, at the priors' rate and level, gives the magnitude :math:`x` of their mean
       power, which the search explains. Polarity and rumble do not matter, nor how loud a passage is.
    2. Where the channels differ, the found magnitudes are panned, see :mod:`glowsep.learning.panning`.
    3. They become masks :math:`\hat s_{ic}^p / \sum_j \hat s_{jc}^p` for each channel c.
    4. The masks are applied to every channel's spectrum, at its own rate; the mixture's phase leads back.

    Source: Zhu et al. 2022, section III; chapter 12.

    Parameters
    ----------
    mixture : (channels, samples)
        On any device: the search and the masks are computed on the priors'.
    priors : sequence of glowsep.Prior
        One per source, all of one rate and one STFT, and all on one device.
    rate : int
        Of the mixture, in Hz.
    search : callable, optional
        ``ConstrainedLatentSearch()`` (the default), ``AnnealedSearch()``, ``LatentSearch()``, or your own: see
        :mod:`glowsep.systems.search.found`.
    mask_exponent : float
        p above; 1 shares magnitudes, 2 powers.
    rng : numpy.random.Generator, optional
        For the search's noise; seed 0 by default.
    callback : callable, optional
        Called with (iteration, magnitudes, terms) at every iteration of the search.

    Returns
    -------
    Separation
        Its arrays are NumPy's, in main memory.

    Raises
    ------
    ValueError
        If the mixture is not (channels, samples) of finite floats, there is no prior, one is untrained, or they do not
        fit together.

    Warns
    -----
    SeparationWarning
        If the estimates are not to be trusted: the mixture is silent, out of the priors' range, or no instrument was
        found in it.
    """
    mixture = to_host(mixture)
    require_mixture(mixture)
    require_one_domain(priors)
    rng = np.random.default_rng(0) if rng is None else rng
    search = ConstrainedLatentSearch() if search is None else search
    level = Level.of((mixture[:, start : start + rate] for start in range(0, mixture.shape[1], rate)), rate)
    estimates, found = separate_segment(mixture, rate, 0, level, priors, search, mask_exponent, rng, callback)
    trust = Trust(priors[0].config.rate)
    trust.listen(mixture, rate, estimates)
    trust.warn()
    latents = [to_host(latent) for latent in found.latents]
    return Separation(estimates, to_host(found.magnitudes), latents, found.history)


def separate_file(
    song: str | PathLike,
    folder: str | PathLike,
    priors: Sequence[Prior],
    search: Callable[..., Found] | None = None,
    mask_exponent: float = MASK_EXPONENT,
    rng: np.random.Generator | None = None,
    progress: bool = True,
    callback: Callable | None = None,
    stems: audio.Stems | None = None,
) -> list[Path]:
    """Separate an audio file of any length into ``folder/<prior's name>.wav``, in bounded memory.

    Segment by segment, see :mod:`glowsep.systems.songs`; the level of each passage is that of the whole song, see
    :mod:`glowsep.systems.glow.passages`.
    Source: chapter 15.

    Parameters
    ----------
    song, folder : path
    priors, search, mask_exponent, rng
        As for `separate`.
    progress : bool
        Show a progress bar.
    callback : callable, optional
        As for `separate`, segment after segment; each that is searched starts at iteration 0 again.
    stems : glowsep.signals.audio.Stems, optional
        Which of the files to write, in which format, and whether they may replace files that glowsep did not write.

    Returns
    -------
    list of pathlib.Path
        The stems, in the priors' order.

    Raises
    ------
    AudioError
        If the song cannot be read, the stems cannot be written, or they would replace files of the user's.
    ValueError
        As for `separate`.
    """
    require_one_domain(priors)
    rng = np.random.default_rng(0) if rng is None else rng
    search = ConstrainedLatentSearch() if search is None else search
    rate = audio.check(song).rate
    level = Level.of((second for _, second in audio.segments(song, rate, rate)), rate)

    def separated(segment, rate, start):
        return separate_segment(segment, rate, start, level, priors, search, mask_exponent, rng, callback)[0]

    names = [prior.name for prior in priors]
    return separate_song(song, folder, names, separated, progress, stems, priors[0].config.rate)


def separate_segment(
    mixture: np.ndarray,
    rate: int,
    start: int,
    level: Level,
    priors: Sequence[Prior],
    search: Callable[..., Found],
    mask_exponent: float,
    rng: np.random.Generator,
    callback: Callable | None = None,
) -> tuple[np.ndarray, Found]:
    """The estimates of one segment (channels, samples) of a song, and what the search found, at the song's own level.

    ``start`` is the position of its first sample, and ``level`` that of the song. All but the estimates is on the
    priors' device.
    """
    config = priors[0].config
    waveforms = level.gain * resample(audible(mixture, rate), rate, config.rate)
    channels = priors[0].magnitudes(on_device_of(waveforms, priors[0].mean))
    frames = channels.shape[-1]
    lift = level.lift(start / rate + np.arange(frames) * config.hop / config.rate).astype(waveforms.dtype)
    lift = on_device_of(lift, channels)
    channels = channels * lift
    magnitude = mean_magnitude(channels)
    if magnitude.any():
        found = search(priors[0].whole_blocks(magnitude), [prior.frozen() for prior in priors], rng, callback)
        found.magnitudes = found.magnitudes[:, :, :frames]
    else:  # there is nothing to search, and the logarithm of nothing to avoid
        found = Found(magnitude[None].repeat(len(priors), axis=0), [], [])
    estimates = masked(mixture, rate, in_channels(found.magnitudes, channels), mask_exponent, priors)
    found.magnitudes = found.magnitudes / lift / level.gain
    return estimates, found


def masked(
    mixture: np.ndarray, rate: int, magnitudes: np.ndarray, exponent: float, priors: Sequence[Prior]
) -> np.ndarray:
    """The mixture (channels, samples), masked for each source: (sources, channels, samples), in main memory.

    ``magnitudes`` are (sources, bins, frames), or (sources, channels, bins, frames) for masks that differ between the
    channels.
    """
    config, masks = priors[0].config, ratio_masks(magnitudes, exponent)
    return to_host(share_out(mixture, rate, masks, config.rate, config.window_length, config.hop))


def unmasked(magnitudes: np.ndarray, mixture: np.ndarray, rate: int, config: PriorConfig) -> np.ndarray:
    """The generated magnitudes as sound, with the phase of the mixture's mid and no mask: they need not add up to it.

    Source: chapter 13.

    Parameters
    ----------
    magnitudes : (sources, bins, frames)
        As in `Separation`.
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
    waveform = mid(mixture, rate, config.rate)
    phase = phase_of(stft(waveform, config.window_length, config.hop))
    with_nyquist = np.pad(magnitudes, ((0, 0), (0, 1), (0, 0))) * full_scale(config.window_length)
    return istft(with_nyquist * phase, len(waveform), config.window_length, config.hop)


def require_mixture(mixture: np.ndarray) -> None:
    """Refuse what is not (channels, samples) of finite floats.

    Raises
    ------
    ValueError
        Says what was given and what is expected.

    Examples
    --------
    >>> require_mixture(np.zeros(800))
    Traceback (most recent call last):
        ...
    ValueError: the mixture has the shape (800,), expected (channels, samples), both non-zero
    """
    if mixture.ndim != 2 or 0 in mixture.shape:
        raise ValueError(f"the mixture has the shape {mixture.shape}, expected (channels, samples), both non-zero")
    if mixture.dtype.kind != "f":
        raise ValueError(f"the mixture is of {mixture.dtype}, expected floats with full scale 1")
    if not np.isfinite(mixture).all():
        raise ValueError("the mixture has samples that are NaN or infinite, expected finite ones only")


def require_one_domain(priors: Sequence[Prior], files: Sequence[str | PathLike] | None = None) -> None:
    """Refuse no prior at all, two of one name, an untrained one, or priors of different rates or windows.

    Parameters
    ----------
    priors : sequence of glowsep.Prior
    files : sequence of path, optional
        Where they come from, for the message.

    Raises
    ------
    ValueError
        Names the prior, or its file, and what to do.
    """
    require_alike(priors, "prior", ("rate", "window_length", "hop"), files)
    for position, prior in enumerate(priors):
        if not prior.flow.initialised:
            this = f"the prior {prior.name!r}" if files is None else files[position]
            raise ValueError(f"{this}: is untrained; train it first")
