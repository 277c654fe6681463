"""Separation: a search block by block, then the generated sources themselves, or masks of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from glowsep.arrays.devices import on_device_of, to_host
from glowsep.arrays.integers import ceil_divide
from glowsep.arrays.library import array_module
from glowsep.arrays.threads import side_by_side
from glowsep.learning.panning import in_channels
from glowsep.signals.audible import audible
from glowsep.signals.masks import MASK_EXPONENT, ratio_masks, share_out
from glowsep.signals.mid import downmix, mean_magnitude
from glowsep.signals.phase import phase_of
from glowsep.signals.resampling import resample
from glowsep.signals.spectrogram import istft, stft
from glowsep.systems.gan_prior.gan import GAN, one_after_another
from glowsep.systems.gan_prior.search import ProjectedGradientDescent

#: Root mean square that a mixture is brought to: the mean of Freedoom-4's validation mixtures, whose sources are as
#: loud as the recordings that the generators have heard.
LEVEL = 0.06

#: Root mean square below which a mixture counts as silence: a thirtieth of a 16-bit step.
QUIETEST = 1e-6

#: Blocks, of a second each, that are searched at once on a core: memory does not grow with the song.
AT_ONCE = 8


@dataclass
class Separation:
    """What ``separate`` found.

    Attributes
    ----------
    estimates : (sources, channels, samples)
        In the generators' order, at the mixture's rate: the masks' shares, which add up to the mixture.
    raw : (sources, channels, samples)
        The generated sources themselves; they need not add up to the mixture, and end at half of the generators' rate.
    latents : (sources, blocks, dimensions)
    history : list of dict
        The losses of all blocks together, per iteration.

    Examples
    --------
    >>> Separation(np.ones((2, 1, 800)), np.ones((2, 1, 800)), np.zeros((2, 1, 100)), []).raw.shape
    (2, 1, 800)
    """

    estimates: np.ndarray
    raw: np.ndarray
    latents: np.ndarray
    history: list[dict[str, float]]


def separate(
    mixture: np.ndarray,
    gans: Sequence[GAN],
    rate: int,
    search: ProjectedGradientDescent | None = None,
    mask_exponent: float = MASK_EXPONENT,
) -> Separation:
    r"""Separate a mixture into one estimate per generator.

    1. What can be heard of the mixture, at the generators' rate and at the level `LEVEL`, is cut into blocks of a
       second. The search finds latents for each.
    2. The generated sources, one block after the other, are panned as the mixture's channels tell, see
       :mod:`glowsep.learning.panning`.
    3. Raw, a spectrogram takes the mixture's phase; a waveform has its own. Or the magnitudes become masks for the
       mixture at its own rate.

    Source: Narayanaswamy et al. 2020, section 3.

    Parameters
    ----------
    mixture : (channels, samples)
        On any device: everything is computed on the generators'.
    gans : sequence of GAN
        One per source, all of one configuration but for their channels, and all on one device.
    rate : int
        Of the mixture, in Hz.
    search : ProjectedGradientDescent, optional
    mask_exponent : float
        Masks divide the mixture in proportion to the magnitudes to this power.

    Returns
    -------
    Separation
        Its arrays are NumPy's, in main memory.
    """
    mixture, search = to_host(mixture), ProjectedGradientDescent() if search is None else search
    config, like = gans[0].config, next(iter(gans[0].generator.parameters().values()))
    window = config.window_length, config.hop
    heard = resample(audible(mixture, rate), rate, config.rate).astype(like.dtype)
    level = float(np.sqrt((heard.astype(np.float64) ** 2).mean()))
    if level < QUIETEST:  # nothing to explain, and no level to divide by
        silence = np.zeros((len(gans), *mixture.shape), mixture.dtype)
        return Separation(silence + mixture / len(gans), silence, np.zeros((len(gans), 0, config.latent)), [])
    heard = on_device_of(LEVEL / level * heard, like)
    spectrum = stft(heard, *window)[:, :-1]
    channels = array_module(heard).abs(spectrum)
    latents, history = searched(blocks_of(heard, channels, gans[0]), gans, search)
    generated = [spectrum_of(gan, z, spectrum.shape[-1]) for gan, z in zip(gans, latents, strict=True)]
    xp = array_module(heard)
    panned = in_channels(xp.stack([xp.abs(source) for source in generated]), channels)

    phases = phase_of(spectrum) if config.form == "spectrogram" else phase_of(xp.stack(generated))[:, None]
    whole = xp.pad(level / LEVEL * panned * phases, ((0, 0), (0, 0), (0, 1), (0, 0)))
    raw = resample(to_host(istft(whole, heard.shape[1], *window)), config.rate, rate)[..., : mixture.shape[1]]
    raw = np.pad(raw, ((0, 0), (0, 0), (0, mixture.shape[1] - raw.shape[-1]))).astype(mixture.dtype)

    masks = ratio_masks(to_host(panned).astype(mixture.dtype), mask_exponent)
    estimates = share_out(mixture, rate, masks, config.rate, *window)
    return Separation(estimates, raw, to_host(latents), history)


def searched(
    blocks: np.ndarray, gans: Sequence[GAN], search: ProjectedGradientDescent
) -> tuple[np.ndarray, list[dict[str, float]]]:
    """The latents (sources, blocks, dimensions) of a mixture's blocks, a few blocks at a time, and the losses."""
    networks, dimensions = [gan.frozen() for gan in gans], gans[0].config.latent
    parts = [blocks[first : first + AT_ONCE] for first in range(0, len(blocks), AT_ONCE)]
    with side_by_side(len(parts), blocks) as apply:
        latents, histories = zip(*apply(lambda part: search(part, networks, dimensions), parts), strict=True)
    history = [
        {name: float(sum(terms[name].sum() for terms in of_parts)) for name in of_parts[0]}
        for of_parts in zip(*histories, strict=True)
    ]
    return array_module(blocks).concatenate(latents, axis=1), history


def blocks_of(heard: np.ndarray, channels: np.ndarray, gan: GAN) -> np.ndarray:
    """The spectra of a mixture's blocks (blocks, components, bins, frames), silence appended to the last.

    ``heard`` are its waveforms (channels, samples), and ``channels`` their magnitudes (channels, bins, frames).
    """
    xp = array_module(heard)
    if gan.config.form == "spectrogram":
        magnitude = mean_magnitude(channels)
        blocks = ceil_divide(magnitude.shape[1], gan.frames)
        magnitude = xp.pad(magnitude, ((0, 0), (0, blocks * gan.frames - magnitude.shape[1])))
        return xp.moveaxis(magnitude.reshape(len(magnitude), blocks, gan.frames), 1, 0)[:, None]
    waveform = downmix(heard)
    blocks = ceil_divide(len(waveform), gan.shape[-1])
    waveform = xp.pad(waveform, (0, blocks * gan.shape[-1] - len(waveform)))
    return gan.spectra.forward(waveform.reshape(blocks, 1, -1), [])


def spectrum_of(gan: GAN, z: np.ndarray, frames: int) -> np.ndarray:
    """What a generator makes of its latents (blocks, dimensions), block after block: (bins, frames).

    Magnitudes; of waveforms the complex spectrum.
    """
    if gan.config.form == "spectrogram":
        return one_after_another(gan.frozen().forward(z, [])[:, 0])[:, :frames]
    waveform = gan.generator.frozen().forward(z, []).reshape(-1)
    return stft(waveform, gan.config.window_length, gan.config.hop)[:-1, :frames]
