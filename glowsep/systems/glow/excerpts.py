"""What a prior hears in training: random excerpts of solo recordings, augmented, and random noise levels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from glowsep.arrays.devices import on_device_of
from glowsep.arrays.integers import ceil_divide
from glowsep.arrays.library import array_module
from glowsep.layers.channels import channels_outermost
from glowsep.systems.glow.noise import dithered

if TYPE_CHECKING:
    from glowsep.systems.glow.prior import Prior, PriorConfig
    from glowsep.systems.glow.train import TrainingConfig


def random_batch(prior: Prior, solo: np.ndarray, config: TrainingConfig, rng: np.random.Generator) -> np.ndarray:
    """Random excerpts of the recordings (samples,), augmented: u (batch, bins, frames), on the prior's device.

    Channels outermost in memory.
    """
    length, edge = excerpt_length(prior.config, config.frames), edge_frames(prior.config)
    starts = rng.integers(0, len(solo) - length, config.batch)
    excerpts = on_device_of(np.stack([solo[start : start + length] for start in starts]), prior.mean)
    excerpts = overdriven(excerpts, config.drive, rng)
    magnitude = prior.magnitudes(dithered(excerpts, rng))[:, :, edge : edge + config.frames]
    decibels = on_device_of(random_equalisers(config, magnitude.shape[1], rng), magnitude)
    return channels_outermost(prior.compress(magnitude * 10 ** (decibels[:, :, None] / 20)))


def unaugmented(config: TrainingConfig) -> TrainingConfig:
    """The same training without augmentation: what is measured, and what training is validated on."""
    return replace(config, gain_db=0, equaliser_db=0, drive=0)


def edge_frames(config: PriorConfig) -> int:
    """Frames at each edge of an excerpt whose windows reach beyond it: half a window, in hops.

    They are drawn and cut off. In the middle of a song no window is half empty, so a prior should not hear any.
    """
    return ceil_divide(config.window_length, 2 * config.hop)


def excerpt_length(config: PriorConfig, frames: int) -> int:
    """Samples of which the STFT has ``frames`` frames between two edges."""
    return (frames + 2 * edge_frames(config) - 1) * config.hop


def random_equalisers(config: TrainingConfig, bins: int, rng: np.random.Generator, curves: int = 6) -> np.ndarray:
    r"""Smooth random filter curves in dB, (batch, bins): a random gain and ``curves`` cosines over log-frequency.

    A sound font, a microphone and a room colour an instrument: a prior that has heard one colour only mistrusts
    the same instrument in another.
    """
    position = np.log1p(np.arange(bins)) / np.log(bins)
    cosines = np.cos(np.pi * np.arange(1, curves + 1)[:, None] * position)
    weights = rng.standard_normal((config.batch, curves)) * config.equaliser_db * np.sqrt(2 / curves)
    gain = config.gain_db * rng.standard_normal((config.batch, 1))
    return (gain + weights @ cosines).astype(np.float32)


def overdriven(
    excerpts: np.ndarray, fraction: float, rng: np.random.Generator, lowest: float = 1.0, highest: float = 30.0
) -> np.ndarray:
    r"""Excerpts (batch, samples), about ``fraction`` of them through an amplifier that is too small for them.

    .. math:: y = a \tanh(g\, x / r), \qquad g = \textit{lowest}^{1-p}\, \textit{highest}^{p}, \quad p \sim \mathcal{U}

    with r the excerpt's root mean square, and a such that y has the same one: what is overdriven is as loud as before.
    A curve adds sums and differences of the frequencies that it is given. So an overdriven chord is more than the sum
    of its notes, and no equaliser makes one from the other. Nothing is drawn from ``rng`` if the fraction is 0.
    """
    if not fraction:
        return excerpts
    xp = array_module(excerpts)
    position, chosen = rng.random((len(excerpts), 1)), rng.random((len(excerpts), 1)) < fraction
    drive = on_device_of((lowest ** (1 - position) * highest**position).astype(np.float32), excerpts)
    loudness = _root_mean_square(excerpts)
    driven = xp.tanh(drive * excerpts / (loudness + 1e-6))  # digital silence stays silent
    driven *= loudness / (_root_mean_square(driven) + 1e-6)
    return xp.where(on_device_of(chosen, excerpts), driven, excerpts)


def random_noise_levels(config: PriorConfig, count: int, rng: np.random.Generator) -> np.ndarray:
    """Noise levels, uniform in their logarithm between the lowest and the highest: (count,).

    One in each of ``count`` equal parts of the range: every batch hears all of it, and its loss scatters less.
    """
    position = (np.arange(count) + rng.random(count)) / count
    return (config.sigma_min ** (1 - position) * config.sigma_max**position).astype(np.float32)


def _root_mean_square(excerpts):
    return array_module(excerpts).sqrt((excerpts**2).mean(axis=1, keepdims=True))
