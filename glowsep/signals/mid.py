"""Many channels as one: a waveform in which nothing cancels, and magnitudes that know nothing of polarity."""

import numpy as np

from glowsep.arrays.devices import on_device_of, to_host
from glowsep.arrays.library import array_module
from glowsep.signals.audible import audible
from glowsep.signals.resampling import resample
from glowsep.signals.spectrogram import stft

#: Hz; that of the shipped priors and of `glowsep.signals.masks.mask_waveform`: comparisons compare models, not rates.
RATE = 22_050

#: Samples at that rate; the window and hop of the shipped priors, and of all that they are compared with.
WINDOW_LENGTH, HOP = 4096, 1024


def downmix(waveform: np.ndarray) -> np.ndarray:
    r"""The mean of all channels; a channel of opposite polarity is turned round first.

    .. math:: y = \frac1C \sum_c \sigma_c x_c, \qquad \sigma_c = -1 \text{ if } \langle x_c, x_\ell \rangle < 0,
              \text{ else } 1

    where :math:`x_\ell` is the loudest channel: with one inverted channel, a plain mean would be silence.

    Parameters
    ----------
    waveform : array, (..., channels, samples)

    Returns
    -------
    array, (..., samples)

    Examples
    --------
    >>> downmix(np.array([[1.0, 2.0], [3.0, 6.0]]))
    array([2., 4.])
    >>> downmix(np.array([[-1.0, -2.0], [3.0, 6.0]]))
    array([2., 4.])
    """
    exact = to_host(waveform).astype(np.float64)  # squares of float32 leave its range early
    strongest = (exact**2).sum(axis=-1, keepdims=True).argmax(axis=-2, keepdims=True)
    reference = np.take_along_axis(exact, strongest, axis=-2)
    polarity = np.where((exact * reference).sum(axis=-1, keepdims=True) < 0, -1, 1).astype(waveform.dtype)
    return (on_device_of(polarity, waveform) * waveform).mean(axis=-2)


def mid(waveform: np.ndarray, rate: int, new_rate: int) -> np.ndarray:
    """The `downmix` of (..., channels, samples) at another rate, in Hz: (..., samples).

    Examples
    --------
    >>> mid(np.ones((2, 800)), 44100, 22050).shape
    (400,)
    """
    # SciPy's filter runs on the CPU only.
    return on_device_of(resample(to_host(downmix(waveform)), rate, new_rate), waveform)


def channel_magnitudes(
    waveform: np.ndarray, rate: int, window_length: int = WINDOW_LENGTH, hop: int = HOP
) -> np.ndarray:
    """Magnitude spectrograms of what can be heard of each channel, at 22,050 Hz.

    Parameters
    ----------
    waveform : array, (..., samples)
    rate : int
        Hz.
    window_length, hop : int
        Of the STFT, in samples at 22,050 Hz.

    Returns
    -------
    array, (..., bins, frames)

    Examples
    --------
    >>> channel_magnitudes(np.ones((2, 2048)), 22050).shape
    (2, 2049, 3)
    """
    heard = on_device_of(resample(audible(to_host(waveform), rate), rate, RATE), waveform)
    return array_module(heard).abs(stft(heard, window_length, hop))


def mean_magnitude(magnitudes: np.ndarray) -> np.ndarray:
    r"""The magnitude of the channels' mean power: the channel's own if there is one.

    .. math:: m = \sqrt{\tfrac1C \textstyle\sum_c |X_c|^2}

    What is out of phase between the channels counts as much as what is in phase.

    Parameters
    ----------
    magnitudes : array, (..., channels, bins, frames)

    Returns
    -------
    array, (..., bins, frames)

    Examples
    --------
    >>> mean_magnitude(np.array([[[5.0]], [[5.0]]]))
    array([[5.]])
    """
    xp = array_module(magnitudes)
    largest = magnitudes.max(axis=-3)
    # Relative to the largest of them no square can leave its type's range.
    relative = magnitudes / xp.expand_dims(xp.where(largest > 0, largest, 1), -3)
    return largest * xp.sqrt((relative**2).mean(axis=-3))


def mid_magnitude(waveform: np.ndarray, rate: int, window_length: int = WINDOW_LENGTH, hop: int = HOP) -> np.ndarray:
    """`mean_magnitude` of the `channel_magnitudes` of (..., channels, samples): (..., bins, frames).

    Examples
    --------
    >>> mid_magnitude(np.ones((2, 2048)), 22050).shape
    (2049, 3)
    """
    return mean_magnitude(channel_magnitudes(waveform, rate, window_length, hop))
