"""Chapter 1: sounds as spectrograms, and back. Every function takes NumPy and CuPy arrays alike."""

import math

from glowsep.arrays.library import array_module
from glowsep.signals.spectrogram import istft, stft


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
