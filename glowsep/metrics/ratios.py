"""Signal-to-distortion ratios of a whole signal: the challenge's, and the one that forgives a wrong gain."""

import numpy as np

from glowsep.arrays.library import array_module

DELTA = 1e-7  # keeps the ratio finite for a silent reference and for a perfect estimate


def sdr(reference, estimate):
    """The global signal-to-distortion ratio, in decibels.

    ``10 log10((sum s^2 + delta) / (sum (s - s_hat)^2 + delta))``, delta = 1e-7, the sums over all samples and
    channels.

    Parameters
    ----------
    reference, estimate : array (samples,), (channels, samples) or (sources, channels, samples)

    Returns
    -------
    float64 scalar, or array (sources,) where the sources are stacked

    Raises
    ------
    ValueError
        Where the two shapes differ.

    Notes
    -----
    Source: Music Demixing Challenge 2021 (Mitsufuji et al. 2022); chapter 13.
    """
    reference, estimate = _pair(reference, estimate)
    return _decibels(_energy(reference) + DELTA, _energy(reference - estimate) + DELTA)


def si_sdr(reference, estimate):
    """The scale-invariant signal-to-distortion ratio, in decibels.

    ``10 log10(|alpha s|^2 / |alpha s - s_hat|^2)`` with ``alpha = <s_hat, s> / |s|^2``: the reference is
    first scaled to explain as much of the estimate as it can, so that an estimate's gain does not count. The
    mean stays where it is; a score that is blind to it too is ``si_sdr(remove_mean(s), remove_mean(s_hat))``.

    Parameters
    ----------
    reference, estimate : array (samples,), (channels, samples) or (sources, channels, samples)
        One alpha for all channels of a source.

    Returns
    -------
    float64 scalar, or array (sources,) where the sources are stacked
        NaN for a silent reference, -inf for an estimate orthogonal to it.

    Raises
    ------
    ValueError
        Where the two shapes differ.

    Notes
    -----
    Source: Le Roux, Wisdom, Erdogan & Hershey 2019, "SDR - half-baked or well done?"; chapter 13.
    """
    reference, estimate = _pair(reference, estimate)
    axes = _signal_axes(reference)
    with np.errstate(divide="ignore", invalid="ignore"):
        alpha = (estimate * reference).sum(axes, keepdims=True) / (reference**2).sum(axes, keepdims=True)
        target = alpha * reference
        return _decibels(_energy(target), _energy(target - estimate))


def remove_mean(waveform):
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
    """Both as float64 (a sum over minutes of float32 loses digits), once their shapes agree."""
    xp = array_module(reference)
    reference, estimate = xp.asarray(reference, np.float64), xp.asarray(estimate, np.float64)
    if reference.shape != estimate.shape:
        raise ValueError(f"estimate is {estimate.shape}, but must be as the reference, {reference.shape}")
    return reference, estimate


def _signal_axes(waveform):
    """The axes that one score sums over: the samples, and the channels where there are any."""
    return tuple(range(waveform.ndim))[-2:]


def _energy(waveform):
    return (waveform**2).sum(axis=_signal_axes(waveform))


def _decibels(signal, distortion):
    with np.errstate(divide="ignore", invalid="ignore"):
        return 10 * np.log10(signal / distortion)
