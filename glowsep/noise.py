"""The two noises: dither on waveforms, and Gaussian noise of a known level in the flow's domain."""

import numpy as np


def dithered(waveform, rng):
    """The waveform with uniform noise of one 16-bit step added: digital silence has no density."""
    return waveform + rng.random(waveform.shape, np.float32) / 32768


def add_noise(u, noise, rng):
    """u + σε, with one level σ an item."""
    return u + noise[:, None, None] * channels_outermost(rng.standard_normal(u.shape, np.float32))


def channels_outermost(u):
    """The same array (batch, channels, frames) with the channels outermost in memory: one large product a layer."""
    return np.ascontiguousarray(u.swapaxes(0, 1)).swapaxes(0, 1)
