"""The two noises: dither on waveforms, and Gaussian noise of a known level in the flow's domain."""

import numpy as np

from glowsep.arrays.devices import on_device_of
from glowsep.arrays.library import array_module


def dithered(waveform, rng):
    """The waveform (..., samples) with uniform noise of one 16-bit step added: digital silence has no density."""
    return waveform + on_device_of(rng.random(waveform.shape, np.float32) / 32768, waveform)


def add_noise(u, noise, rng):
    """u + σε, with u (batch, bins, frames) and one level σ an item, ``noise`` (batch,)."""
    return u + noise[:, None, None] * channels_outermost(on_device_of(rng.standard_normal(u.shape, np.float32), u))


def channels_outermost(u):
    """The same array (batch, channels, frames) with the channels outermost in memory: one large product a layer."""
    return array_module(u).ascontiguousarray(u.swapaxes(0, 1)).swapaxes(0, 1)
