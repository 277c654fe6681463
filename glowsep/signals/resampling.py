"""Chapter 1: audio files, in and out. A file is read whole or refused, and written whole or not at all."""

import math

import scipy

# Rates


def resample(waveform, rate, new_rate):
    """``waveform`` at another sample rate, through a linear-phase low-pass filter below both Nyquist rates.

    Parameters
    ----------
    waveform : numpy.ndarray, (..., samples)
    rate, new_rate : int
        Hz.

    Returns
    -------
    numpy.ndarray, (..., ceil(samples * new_rate / rate)), of the waveform's dtype
        The waveform itself where the rates are equal.

    Raises
    ------
    ValueError
        Where a rate is not above 0.

    Notes
    -----
    Chapter 1. `scipy.signal.resample_poly`: raise the rate by an integer, filter, lower it by an integer.
    """
    if rate < 1 or new_rate < 1:
        raise ValueError(f"rates are {rate} and {new_rate} Hz, but must be above 0")
    if rate == new_rate:
        return waveform
    shared = math.gcd(rate, new_rate)
    return scipy.signal.resample_poly(waveform, new_rate // shared, rate // shared, axis=-1)
