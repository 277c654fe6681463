"""Chapter 1: sounds as spectrograms, and back. Every function takes NumPy and CuPy arrays alike."""

import math

import scipy

from glowsep.backend import array_module


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


def griffin_lim(magnitude, iterations, rng, momentum=0.99, window_length=1024, hop=256):
    r"""A waveform for a magnitude without phases, such as one sampled from a prior.

    Starts at random phases. Alternately takes the phases of the nearest spectrum that some waveform has, and
    puts the wanted magnitude back; ``momentum`` goes a step further in the direction of the last change:

    .. math:: c_k = \mathrm{STFT}(\mathrm{iSTFT}(s \, e^{i \angle t_{k-1}})), \quad
              t_k = c_k + \alpha (c_k - c_{k-1})

    Parameters
    ----------
    magnitude : array, (..., bins, frames), float32 or float64
    iterations : int
    rng : numpy.random.Generator
    momentum : float
        :math:`\alpha`; 0 is the method of 1984.
    window_length, hop : int
        As for `stft`.

    Returns
    -------
    array, (..., (frames - 1) * hop)

    Notes
    -----
    Chapter 10; Griffin & Lim 1984; Perraudin, Balazs & Sondergaard 2013, "A fast Griffin-Lim algorithm".
    """
    xp = array_module(magnitude)
    length = (magnitude.shape[-1] - 1) * hop
    angle = rng.uniform(-math.pi, math.pi, magnitude.shape).astype(magnitude.dtype)
    phase = xp.exp(1j * xp.asarray(angle))
    before = 0
    for _ in range(iterations):
        consistent = stft(istft(magnitude * phase, length, window_length, hop), window_length, hop)
        phase = phase_of(consistent + momentum * (consistent - before))
        before = consistent
    return istft(magnitude * phase, length, window_length, hop)


def consistent_phases(magnitudes, mixture, iterations=5, window_length=1024, hop=256):
    r"""Waveforms of all sources, with phases that agree from frame to frame and with the mixture.

    Starts at the mixture's phase. What the estimates leave of the mixture is shared among them, and each
    takes the phases that it then has (multiple input spectrogram inversion):

    .. math:: e = x - \sum_j \hat s_j, \qquad
              \hat s_i \leftarrow \mathrm{iSTFT}(|S_i| \, e^{i \angle \mathrm{STFT}(\hat s_i + e / n)})

    Parameters
    ----------
    magnitudes : array, (sources, ..., bins, frames)
    mixture : array, (..., samples)
    iterations : int
        0 keeps the mixture's phase.
    window_length, hop : int
        As for `stft`.

    Returns
    -------
    array, (sources, ..., samples)
        They add up to the mixture: the remainder is shared once more at the end.

    Notes
    -----
    Chapter 12; Gunawan & Sen 2010, "Iterative phase estimation for the synthesis of separated sources from
    single-channel mixtures".
    """
    samples = mixture.shape[-1]

    def share_remainder(estimates):
        return estimates + (mixture - estimates.sum(axis=0)) / len(estimates)

    phases = phase_of(stft(mixture, window_length, hop))
    estimates = istft(magnitudes * phases, samples, window_length, hop)
    for _ in range(iterations):
        phases = phase_of(stft(share_remainder(estimates), window_length, hop))
        estimates = istft(magnitudes * phases, samples, window_length, hop)
    return share_remainder(estimates)


def phase_of(spectrum):
    """The phase of each bin as a complex number of magnitude one; 1 where the spectrum is zero."""
    xp = array_module(spectrum)
    return xp.exp(1j * xp.angle(spectrum))


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
