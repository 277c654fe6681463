"""The mid of a recording, the mean of its channels: what systems listen to that find one mask for all channels."""

import numpy as np

from glowsep.arrays.devices import on_device_of, to_host
from glowsep.signals.resampling import resample
from glowsep.signals.spectrogram import stft

#: Hz; that of the shipped priors and of `glowsep.signals.masks.mask_waveform`: comparisons compare models, not rates.
RATE = 22_050


def mid(waveform: np.ndarray, rate: int, new_rate: int) -> np.ndarray:
    """The mean of all channels, resampled.

    Parameters
    ----------
    waveform : array, (..., channels, samples)
    rate, new_rate : int
        Hz.

    Returns
    -------
    array, (..., samples)

    Examples
    --------
    >>> mid(np.array([[1.0, 2.0], [3.0, 6.0]]), 22050, 22050)
    array([2., 4.])
    """
    # SciPy's filter runs on the CPU only.
    return on_device_of(resample(to_host(waveform.mean(axis=-2)), rate, new_rate), waveform)


def mid_magnitude(waveform: np.ndarray, rate: int) -> np.ndarray:
    """Magnitude spectrogram of the mid at 22,050 Hz, with the default window and hop of `glowsep.stft`.

    Parameters
    ----------
    waveform : array, (..., channels, samples)
    rate : int
        Hz.

    Returns
    -------
    array, (..., bins, frames)

    Examples
    --------
    >>> mid_magnitude(np.ones((2, 512)), 22050).shape
    (513, 3)
    """
    return np.abs(stft(mid(waveform, rate, RATE)))
