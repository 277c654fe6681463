"""Chapter 1: sounds as spectrograms, and back. Every function takes NumPy and CuPy arrays alike."""

import math

import scipy

from glowsep.arrays.library import array_module


def stft(waveform, window_length=1024, hop=256):
    r"""Short-time Fourier transform with a periodic Hann window.

    Frame ``t`` is centred on sample ``t * hop``; beyond its ends the waveform counts as silence:

    .. math:: X[f, t] = \sum_{m=0}^{L-1} w[m] \, x[t H + m - \lfloor L/2 \rfloor] \, e^{-2 \pi i f m / L}

    Parameters
    ----------
    waveform : array, (..., samples), float32 or float64
    window_length : int
        ``L``, in samples.
    hop : int
        ``H``, in samples: such that the shifted windows add up to a constant.

    Returns
    -------
    array, (..., bins, frames), complex64 or complex128
        With ``bins = L // 2 + 1`` and ``frames = number_of_frames(samples, hop)``.

    Raises
    ------
    ValueError
        For a window and hop without the constant-overlap-add property, or a waveform that is not of floats.

    Notes
    -----
    Chapter 1; Allen & Rabiner 1977, "A unified approach to short-time Fourier analysis and synthesis".
    """
    xp = array_module(waveform)
    if waveform.dtype.kind != "f":
        raise ValueError(f"waveform is of {waveform.dtype}, but must be float32 or float64")
    window = hann(window_length, hop, waveform)
    samples = waveform.shape[-1]
    before = window_length // 2
    padded_length = (number_of_frames(samples, hop) - 1) * hop + window_length
    margins = [(0, 0)] * (waveform.ndim - 1) + [(before, padded_length - before - samples)]
    padded = xp.pad(waveform, margins)
    frames = xp.lib.stride_tricks.sliding_window_view(padded, window_length, axis=-1)[..., ::hop, :]
    return xp.swapaxes(xp.fft.rfft(window * frames), -1, -2)


def istft(spectrum, length, window_length=1024, hop=256):
    r"""Inverse of `stft`: the waveform whose transform is nearest to ``spectrum`` in the least-squares sense.

    .. math:: x[n] = \frac{\sum_t w[n - tH] \, x_t[n - tH]}{\sum_t w[n - tH]^2}

    where :math:`x_t` is the inverse Fourier transform of frame ``t``. For a spectrum that `stft` made this is
    the waveform itself, every sample of it, the first and the last included.

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
        Where the spectrum's shape does not belong to a waveform of this length, window and hop.

    Notes
    -----
    Chapter 1; Griffin & Lim 1984, "Signal estimation from modified short-time Fourier transform", equation 6.
    """
    xp = array_module(spectrum)
    window = hann(window_length, hop, spectrum.real)
    wanted = (window_length // 2 + 1, number_of_frames(length, hop))
    if spectrum.shape[-2:] != wanted:
        raise ValueError(
            f"spectrum is of (bins, frames) {spectrum.shape[-2:]}, but {length} samples with window_length "
            f"{window_length} and hop {hop} give {wanted}"
        )
    frames = xp.fft.irfft(xp.swapaxes(spectrum, -1, -2), window_length)
    weight = xp.broadcast_to(window**2, frames.shape[-2:])
    inside = slice(window_length // 2, window_length // 2 + length)
    return overlap_add(window * frames, hop)[..., inside] / overlap_add(weight, hop)[inside]


def number_of_frames(samples, hop=256):
    """Frames of a waveform's transform: ``1 + ceil(samples / hop)``, the last centred at or after its end."""
    return 1 + -(-samples // hop)


def hann(window_length, hop, like):
    """Periodic Hann window (window_length,), of the dtype and on the device of ``like``.

    Raises
    ------
    ValueError
        Where its copies shifted by ``hop`` do not add up to a constant.
        They do for ``hop = window_length / 2``, ``/ 3``, ``/ 4`` and so on.
    """
    if not 1 <= hop <= window_length or not scipy.signal.check_COLA("hann", window_length, window_length - hop):
        raise ValueError(
            f"window_length is {window_length} and hop is {hop}, but the shifted windows must add up to a "
            "constant: choose a hop of window_length / 2, / 3, / 4 ..."
        )
    return array_module(like).asarray(scipy.signal.get_window("hann", window_length), dtype=like.dtype)


def overlap_add(frames, hop):
    """Sum of ``frames`` (..., frames, window_length), each laid ``hop`` samples after the one before.

    Each frame is cut into pieces of ``hop`` samples. The first pieces of all frames are added at once, then
    all second pieces one place further, and so on: ``window_length / hop`` additions, however many frames.
    """
    xp = array_module(frames)
    *batch, count, window_length = frames.shape
    overlap = math.ceil(window_length / hop)
    margins = [(0, 0)] * (frames.ndim - 1) + [(0, overlap * hop - window_length)]
    pieces = xp.pad(frames, margins).reshape(*batch, count, overlap, hop)
    total = xp.zeros((*batch, count + overlap - 1, hop), dtype=frames.dtype)
    for shift in range(overlap):
        total[..., shift : shift + count, :] += pieces[..., shift, :]
    return total.reshape(*batch, -1)
