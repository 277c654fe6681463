"""Sound to spectrogram and back: the short-time Fourier transform, of NumPy and CuPy arrays alike."""

import numpy as np
import scipy

from glowsep.arrays.integers import ceil_divide
from glowsep.arrays.library import array_module


def stft(waveform: np.ndarray, window_length: int = 1024, hop: int = 256) -> np.ndarray:
    r"""Short-time Fourier transform with a periodic Hann window.

    Frame ``t`` is centred on sample ``t * hop``; the waveform is taken to be silent beyond its ends:

    .. math:: X[f, t] = \sum_{m=0}^{L-1} w[m] \, x[t H + m - \lfloor L/2 \rfloor] \, e^{-2 \pi i f m / L}

    Source: Allen & Rabiner 1977; chapter 1.

    Parameters
    ----------
    waveform : array, (..., samples), float32 or float64
    window_length : int
        ``L``, in samples.
    hop : int
        ``H``, in samples: windows shifted by it must add up to a constant.

    Returns
    -------
    array, (..., bins, frames), complex64 or complex128
        With ``bins = L // 2 + 1`` and ``frames = number_of_frames(samples, hop)``.

    Raises
    ------
    ValueError
        If the shifted windows do not add up to a constant, or the waveform is not of floats.

    Examples
    --------
    >>> stft(np.zeros((2, 5000))).shape
    (2, 513, 21)
    """
    xp = array_module(waveform)
    if waveform.dtype.kind != "f":
        raise ValueError(f"waveform is of dtype {waveform.dtype}, expected float32 or float64")
    window = hann(window_length, hop, waveform)
    samples = waveform.shape[-1]
    before = window_length // 2
    padded_length = (number_of_frames(samples, hop) - 1) * hop + window_length
    margins = [(0, 0)] * (waveform.ndim - 1) + [(before, padded_length - before - samples)]
    padded = xp.pad(waveform, margins)
    frames = xp.lib.stride_tricks.sliding_window_view(padded, window_length, axis=-1)[..., ::hop, :]
    return xp.swapaxes(xp.fft.rfft(window * frames), -1, -2)


def istft(spectrum: np.ndarray, length: int, window_length: int = 1024, hop: int = 256) -> np.ndarray:
    r"""Inverse of `stft`: the waveform whose transform is nearest to ``spectrum`` in the least-squares sense.

    .. math:: x[n] = \frac{\sum_t w[n - tH] \, x_t[n - tH]}{\sum_t w[n - tH]^2}

    where :math:`x_t` is the inverse Fourier transform of frame ``t``, and n counts the samples of the waveform with
    half a window of zeros before it. For a spectrum that `stft` made this is the waveform itself, every sample of it,
    including the first and the last.

    Source: Griffin & Lim 1984, equation 6; chapter 1.

    Parameters
    ----------
    spectrum : array, (..., bins, frames), complex
    length : int
        Samples of the waveform.
    window_length, hop : int
        As given to `stft`.

    Returns
    -------
    array, (..., length), float32 for complex64, float64 for complex128

    Raises
    ------
    ValueError
        If the spectrum's shape does not belong to a waveform of this length, window and hop.

    Examples
    --------
    >>> waveform = np.random.default_rng(0).standard_normal((2, 5000))
    >>> bool(np.allclose(istft(stft(waveform), 5000), waveform))
    True
    """
    xp = array_module(spectrum)
    window = hann(window_length, hop, spectrum.real)
    expected = (window_length // 2 + 1, number_of_frames(length, hop))
    if spectrum.shape[-2:] != expected:
        raise ValueError(
            f"spectrum has (bins, frames) {spectrum.shape[-2:]}, but {length} samples with window_length "
            f"{window_length} and hop {hop} give {expected}"
        )
    frames = xp.fft.irfft(xp.swapaxes(spectrum, -1, -2), window_length)
    weight = xp.broadcast_to(window**2, frames.shape[-2:])
    inside = slice(window_length // 2, window_length // 2 + length)
    return overlap_add(window * frames, hop)[..., inside] / overlap_add(weight, hop)[inside]


def number_of_frames(samples: int, hop: int = 256) -> int:
    """Frames of a waveform's transform: ``1 + ceil(samples / hop)``, the last centred at or after its end."""
    return 1 + ceil_divide(samples, hop)


def full_scale(window_length: int) -> float:
    """The magnitude that `stft` gives a full-scale sine in its own bin: half the sum of the Hann window."""
    return window_length / 4


def default_hop(window_length: int) -> int:
    """A quarter of the window: the hop where none is given."""
    return window_length // 4


def require_window(window_length: int, hop: int) -> None:
    """Refuse a window whose highest bin is not the Nyquist frequency, or whose shifted copies fit no whole time in it.

    Masks are found at one rate and applied at another, where the hop is rounded and the window is a multiple of it.

    Raises
    ------
    ValueError
        If the window's length is odd, or the hop is not a half, a third, a quarter ... of it.

    Examples
    --------
    >>> require_window(4096, 1000)
    Traceback (most recent call last):
        ...
    ValueError: hop is 1000, but must be the window's length, 4096, divided by 2, 3, 4 ...
    """
    if window_length < 2 or window_length % 2:
        raise ValueError(f"window_length is {window_length}, but must be an even number of samples")
    if not 1 <= hop <= window_length // 2 or window_length % hop:
        raise ValueError(f"hop is {hop}, but must be the window's length, {window_length}, divided by 2, 3, 4 ...")


def hann(window_length, hop, like):
    """Periodic Hann window (window_length,), of the dtype and on the device of ``like``.

    Raises
    ------
    ValueError
        If its copies shifted by ``hop`` do not add up to a constant.
        They do for ``hop = window_length / 2``, ``/ 3``, ``/ 4`` and so on.
    """
    if not 1 <= hop <= window_length or not scipy.signal.check_COLA("hann", window_length, window_length - hop):
        raise ValueError(
            f"window_length is {window_length} and hop is {hop}, but the shifted windows must add up to a "
            "constant: choose a hop of window_length / 2, / 3, / 4 ..."
        )
    return array_module(like).asarray(scipy.signal.get_window("hann", window_length), dtype=like.dtype)


def overlap_add(frames, hop):
    """Sum of ``frames`` (..., frames, window_length), each of which begins ``hop`` samples after the one before.

    Each frame is cut into pieces of ``hop`` samples. The first pieces of all frames are added at once, then all second
    pieces one position further, and so on: ``window_length / hop`` additions, however many frames there are.
    """
    xp = array_module(frames)
    *batch, count, window_length = frames.shape
    overlap = ceil_divide(window_length, hop)
    margins = [(0, 0)] * (frames.ndim - 1) + [(0, overlap * hop - window_length)]
    pieces = xp.pad(frames, margins).reshape(*batch, count, overlap, hop)
    total = xp.zeros((*batch, count + overlap - 1, hop), dtype=frames.dtype)
    for shift in range(overlap):
        total[..., shift : shift + count, :] += pieces[..., shift, :]
    return total.reshape(*batch, -1)
