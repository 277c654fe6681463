"""Signal-to-distortion ratios of a whole signal: the plain one, and the one that forgives a wrong gain."""

import numpy as np

from glowsep.arrays.library import array_module

DELTA = 1e-7  # keeps the ratio finite for a silent reference and for a perfect estimate


def sdr(reference: np.ndarray, estimate: np.ndarray) -> np.ndarray:
    """The global signal-to-distortion ratio, in decibels.

    ``10 log10((sum s^2 + delta) / (sum (s - s_hat)^2 + delta))``, with delta = 1e-7 and sums over all samples and
    channels.

    Source: Mitsufuji et al. 2022 (Music Demixing Challenge 2021); chapter 13.

    Parameters
    ----------
    reference, estimate : array (samples,), (channels, samples) or (sources, channels, samples)

    Returns
    -------
    float64 scalar, or array (sources,) if the sources are stacked

    Raises
    ------
    ValueError
        If the two shapes differ.

    Examples
    --------
    >>> reference = np.ones((2, 44100))
    >>> round(float(sdr(reference, 0.9 * reference)), 2)
    20.0
    """
    reference, estimate = _pair(reference, estimate)
    return _decibels(_energy(reference) + DELTA, _energy(reference - estimate) + DELTA)


def si_sdr(reference: np.ndarray, estimate: np.ndarray) -> np.ndarray:
    """The scale-invariant signal-to-distortion ratio, in decibels.

    ``10 log10(|alpha s|^2 / |alpha s - s_hat|^2)`` with ``alpha = <s_hat, s> / |s|^2``: the reference is
    first scaled to explain as much of the estimate as it can, so that an estimate's gain does not count. A constant
    offset does count; the score that ignores it too is ``si_sdr(remove_mean(s), remove_mean(s_hat))``.

    Source: Le Roux, Wisdom, Erdogan & Hershey 2019; chapter 13.

    Parameters
    ----------
    reference, estimate : array (samples,), (channels, samples) or (sources, channels, samples)
        One alpha for all channels of a source.

    Returns
    -------
    float64 scalar, or array (sources,) if the sources are stacked
        NaN for a silent reference, -inf for an estimate orthogonal to it.

    Raises
    ------
    ValueError
        If the two shapes differ.

    Examples
    --------
    >>> reference, error = np.array([1.0, 1.0, 1.0, 1.0]), np.array([0.1, -0.1, 0.1, -0.1])
    >>> round(float(si_sdr(reference, 3 * (reference + error))), 2)
    20.0
    """
    reference, estimate = _pair(reference, estimate)
    axes = _signal_axes(reference)
    with np.errstate(divide="ignore", invalid="ignore"):
        alpha = (estimate * reference).sum(axes, keepdims=True) / (reference**2).sum(axes, keepdims=True)
        target = alpha * reference
        return _decibels(_energy(target), _energy(target - estimate))


def remove_mean(waveform: np.ndarray) -> np.ndarray:
    """The waveform less its mean over time, channel by channel: the optional first step of SI-SDR.

    Parameters
    ----------
    waveform : array (..., samples)

    Returns
    -------
    array (..., samples)
    """
    return waveform - waveform.mean(axis=-1, keepdims=True)


def _pair(reference, estimate):
    """Both as float64 (float32 sums over minutes lose digits), once their shapes agree."""
    xp = array_module(reference)
    reference, estimate = xp.asarray(reference, np.float64), xp.asarray(estimate, np.float64)
    if reference.shape != estimate.shape:
        raise ValueError(f"estimate has shape {estimate.shape}, expected that of the reference, {reference.shape}")
    return reference, estimate


def _signal_axes(waveform):
    """The axes that one score sums over: the samples, and the channels if there are any."""
    return tuple(range(waveform.ndim))[-2:]


def _energy(waveform):
    return (waveform**2).sum(axis=_signal_axes(waveform))


def _decibels(signal, distortion):
    with np.errstate(divide="ignore", invalid="ignore"):
        return 10 * np.log10(signal / distortion)
