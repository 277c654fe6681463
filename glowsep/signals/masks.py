"""Masks: the share of each time-frequency bin that belongs to each source."""

import numpy as np

from glowsep.arrays.devices import on_device_of, to_host
from glowsep.arrays.library import array_module
from glowsep.signals.audible import LOWEST, audible
from glowsep.signals.spectrogram import istft, stft

#: The masks' exponent p where nobody asks for another: the best on Freedoom-4's validation tracks, for every system.
MASK_EXPONENT = 1.5


def ratio_masks(magnitudes: np.ndarray, exponent: float = 1.0) -> np.ndarray:
    r"""Each source's share of every bin; exponent 1 shares by magnitude, exponent 2 by power (Wiener).

    .. math:: m_i = \frac{s_i^p}{\sum_j s_j^p}

    Source: Liutkus & Badeau 2015, section 2; chapter 1.

    Parameters
    ----------
    magnitudes : array, (sources, bins, frames)
        Non-negative. Any axes may follow the first.
    exponent : float
        ``p``, above 0.

    Returns
    -------
    array of the shape and dtype of ``magnitudes``
        In [0, 1]; they add up to one in every bin. Where all magnitudes are zero the shares are equal.

    Raises
    ------
    ValueError
        If the exponent is not above 0.

    Examples
    --------
    >>> ratio_masks(np.array([[[3.0]], [[1.0]]]), 2).ravel()
    array([0.9, 0.1])
    """
    if not exponent > 0:
        raise ValueError(f"exponent is {exponent}, but must be above 0")
    xp = array_module(magnitudes)
    highest = magnitudes.max(axis=0)
    # Relative to the highest magnitude of its bin no power can overflow, and the sum is at least one.
    relative = xp.where(highest > 0, magnitudes / xp.where(highest > 0, highest, 1), 1)
    powers = relative**exponent
    return powers / powers.sum(axis=0)


def apply_masks(masks: np.ndarray, mixture_spectrum: np.ndarray) -> np.ndarray:
    """Estimates' spectra ``m_i X``, with the mixture's phase: they add up to the mixture.

    Parameters
    ----------
    masks : array, (sources, bins, frames)
    mixture_spectrum : array, (..., bins, frames), complex
        One per channel, for instance; all channels share the masks.

    Returns
    -------
    array, (sources, ..., bins, frames), complex

    Examples
    --------
    >>> apply_masks(np.array([[[0.75]], [[0.25]]]), np.array([[4j]])).ravel()
    array([0.+3.j, 0.+1.j])
    """
    xp = array_module(masks)
    between = tuple(range(1, mixture_spectrum.ndim - 1))
    return xp.expand_dims(masks, between) * mixture_spectrum


def mask_waveform(
    mixture: np.ndarray,
    rate: int,
    masks: np.ndarray,
    masks_rate: int = 22050,
    window_length: int = 1024,
    hop: int = 256,
) -> np.ndarray:
    r"""Apply masks that were found at another sample rate to a mixture, channel by channel, with its own phase.

    .. math:: \hat s_{i,c} = \mathrm{iSTFT}(m_i \odot \mathrm{STFT}(x_c)), \qquad \sum_i \hat s_{i,c} = x_c

    The mixture's STFT, at its own rate, has a window of (about) the same duration as the masks', and the masks are
    interpolated to its bins and frames: interpolated masks still add up to one. Above the masks' highest
    frequency the highest mask holds, so that nothing of the mixture is lost. Source: chapter 12.

    Parameters
    ----------
    mixture : array, (channels, samples), float32 or float64
    rate : int
        Its samples per second.
    masks : array, (sources, bins, frames) or (sources, channels, bins, frames)
        From an STFT of the same sound at ``masks_rate``, for all channels alike or for each of them. With or without
        the Nyquist bin.
    masks_rate, window_length, hop : int
        Of that STFT.

    Returns
    -------
    array, (sources, channels, samples)
        They add up to the mixture.

    Examples
    --------
    >>> masks = np.full((2, 513, 3), [[[0.75]], [[0.25]]])
    >>> mask_waveform(np.ones((1, 512)), 22050, masks).mean(axis=2).round(6)
    array([[0.75],
           [0.25]])
    """
    own_hop = max(1, round(hop * rate / masks_rate))
    own_window = own_hop * (window_length // hop)
    spectrum = stft(mixture, own_window, own_hop)
    own_bins, own_frames = np.arange(spectrum.shape[-2]), np.arange(spectrum.shape[-1])
    # Whole numbers are multiplied first: at the masks' own rate every position must be exactly its own.
    own_bins = own_bins * (rate * window_length) / (own_window * masks_rate)
    own_frames = own_frames * (own_hop * masks_rate) / (rate * hop)
    # Source by source: the spectra of all sources at once would be most of the memory that a separation takes.
    estimates = []
    for mask in masks:
        mask = interpolate(interpolate(mask, own_bins, axis=mask.ndim - 2), own_frames, axis=mask.ndim - 1)
        estimates.append(istft(mask * spectrum, mixture.shape[1], own_window, own_hop))
    return array_module(mixture).stack(estimates)


def share_out(
    mixture: np.ndarray,
    rate: int,
    masks: np.ndarray,
    masks_rate: int = 22050,
    window_length: int = 1024,
    hop: int = 256,
) -> np.ndarray:
    r"""`mask_waveform` for what can be heard of a mixture; of what lies below, every source gets a constant share.

    .. math:: \hat s_{ic} = \mathrm{mask}_i(h_c) + w_{ic} (x_c - h_c), \qquad
              w_{ic} = \frac{\langle \ell(\hat h_{ic}), \ell(h_c) \rangle}{\lVert \ell(h_c) \rVert^2}

    for the audible part h of the mixture x, see `glowsep.signals.audible`: w is the source's share of the lowest
    octaves :math:`\ell`, up to 88 Hz. An offset or rumble under masks that change with time would be heard.

    Parameters
    ----------
    mixture : array, (channels, samples), float32 or float64
        On any device.
    rate, masks, masks_rate, window_length, hop
        As for `mask_waveform`.

    Returns
    -------
    array, (sources, channels, samples)
        On the masks' device. They add up to the mixture.

    Examples
    --------
    >>> masks = np.full((2, 513, 17), [[[0.75]], [[0.25]]])
    >>> share_out(np.ones((1, 4000)), 22050, masks).mean(axis=2).round(6)
    array([[0.5],
           [0.5]])
    """
    mixture = to_host(mixture)  # SciPy's filter runs on the CPU only
    heard = audible(mixture, rate)
    rest, heard = on_device_of(mixture - heard, masks), on_device_of(heard, masks)
    estimates = mask_waveform(heard, rate, masks, masks_rate, window_length, hop)
    return estimates + low_shares(estimates, heard, rate)[:, :, None] * rest


def low_shares(estimates: np.ndarray, mixture: np.ndarray, rate: int, highest: float = 4 * LOWEST) -> np.ndarray:
    """Each estimate's share of the mixture (channels, samples) below ``highest`` Hz: (sources, channels).

    The shares of a channel add up to one; they are equal where it has nothing there. `share_out` has the formula.
    """
    xp = array_module(mixture)
    window = max(2, round(rate / highest))  # a moving mean, all of a low-pass filter that this takes
    kept = mixture.shape[-1] // window * window

    def low(waveform):
        return waveform[..., :kept].reshape(*waveform.shape[:-1], -1, window).mean(axis=-1)

    scale = xp.abs(mixture).max() or 1  # no square can leave its type's range
    whole = low(mixture / scale)
    power = (whole**2).sum(axis=-1)
    equal = xp.full((len(estimates), len(mixture)), 1 / len(estimates), mixture.dtype)
    shares = (low(estimates / scale) * whole).sum(axis=-1) / xp.where(power > 0, power, 1)
    return xp.where(power > 0, shares, equal)


def interpolate(array: np.ndarray, positions: np.ndarray, axis: int) -> np.ndarray:
    """``array`` at fractional ``positions`` (numpy.ndarray) along ``axis``: linear, and constant beyond the ends."""
    xp = array_module(array)
    positions = np.clip(positions, 0, array.shape[axis] - 1)
    below = np.floor(positions).astype(int)
    above = np.minimum(below + 1, array.shape[axis] - 1)
    one_axis = [-1 if k == axis else 1 for k in range(array.ndim)]
    weight = xp.asarray((positions - below).astype(array.dtype).reshape(one_axis))
    return (1 - weight) * xp.take(array, xp.asarray(below), axis) + weight * xp.take(array, xp.asarray(above), axis)
