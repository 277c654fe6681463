"""The two noises: dither on waveforms, and Gaussian noise of a known level in the flow's domain."""

import numpy as np

from glowsep.arrays.devices import on_device_of
from glowsep.arrays.library import array_module
from glowsep.layers.channels import channels_outermost


def dithered(waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The waveform (..., samples) with uniform noise of one 16-bit step added: digital silence has no density."""
    return waveform + on_device_of(rng.random(waveform.shape, np.float32) / 32768, waveform)


def add_noise(u: np.ndarray, sigma: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """u + σε, with u (batch, bins, frames) and one level per item, ``sigma`` (batch,)."""
    noise = on_device_of(rng.standard_normal(u.shape, np.float32), u)
    return u + sigma[:, None, None] * channels_outermost(noise)


def log_volume(u: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """What dividing every frame of u by ``deviation`` (batch, bins, 1) takes from the log-volume: (batch,), in nats."""
    return u.shape[2] * array_module(u).log(deviation).sum(axis=(1, 2))
