"""Sound at another sample rate."""

import math

import numpy as np
import scipy


def resample(waveform: np.ndarray, rate: int, new_rate: int) -> np.ndarray:
    """``waveform`` at another sample rate, after a linear-phase low-pass filter below both Nyquist frequencies.

    The rate is raised by an integer factor, the filter applied, and the rate lowered by an integer factor.

    Source: ``scipy.signal.resample_poly``; chapter 1.

    Parameters
    ----------
    waveform : numpy.ndarray, (..., samples)
    rate, new_rate : int
        Hz.

    Returns
    -------
    numpy.ndarray, (..., ceil(samples * new_rate / rate)), of the waveform's dtype
        The waveform itself if the rates are equal.

    Raises
    ------
    ValueError
        If a rate is not above 0.

    Examples
    --------
    >>> resample(np.zeros((2, 44100)), 44100, 22050).shape
    (2, 22050)
    """
    if rate < 1 or new_rate < 1:
        raise ValueError(f"rates are {rate} and {new_rate} Hz, but must be above 0")
    if rate == new_rate:
        return waveform
    shared = math.gcd(rate, new_rate)
    return scipy.signal.resample_poly(waveform, new_rate // shared, rate // shared, axis=-1)
