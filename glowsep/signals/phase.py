"""Phase for magnitudes that have none: from nothing, or from the mixture."""

import math

import numpy as np

from glowsep.arrays.library import array_module
from glowsep.signals.spectrogram import istft, stft


def griffin_lim(
    magnitude: np.ndarray,
    iterations: int,
    rng: np.random.Generator,
    momentum: float = 0.99,
    window_length: int = 1024,
    hop: int = 256,
) -> np.ndarray:
    r"""A waveform for a magnitude spectrogram without phases, such as one sampled from a prior.

    It starts with random phases. Then it takes, in turns, the phases of the nearest spectrum that belongs to a
    waveform, and puts the magnitude back; ``momentum`` goes a step further in the direction of the last change:

    .. math:: c_k = \mathrm{STFT}(\mathrm{iSTFT}(s \, e^{i \angle t_{k-1}})), \quad
              t_k = c_k + \alpha (c_k - c_{k-1})

    Source: Griffin & Lim 1984; Perraudin, Balazs & Søndergaard 2013; chapter 10.

    Parameters
    ----------
    magnitude : array, (..., bins, frames), float32 or float64
    iterations : int
    rng : numpy.random.Generator
    momentum : float
        :math:`\alpha`; 0 is the method of 1984.
    window_length, hop : int
        Those of the STFT.

    Returns
    -------
    array, (..., (frames - 1) * hop)

    Examples
    --------
    >>> griffin_lim(np.ones((513, 21)), iterations=2, rng=np.random.default_rng(0)).shape
    (5120,)
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


def consistent_phases(
    magnitudes: np.ndarray, mixture: np.ndarray, iterations: int = 5, window_length: int = 1024, hop: int = 256
) -> np.ndarray:
    r"""Waveforms of all sources, with phases that agree from frame to frame and with the mixture.

    All sources start with the mixture's phase. What the estimates leave of the mixture is shared equally among them,
    and each takes the phases that it then has (multiple input spectrogram inversion):

    .. math:: e = x - \sum_j \hat s_j, \qquad
              \hat s_i \leftarrow \mathrm{iSTFT}(|S_i| \, e^{i \angle \mathrm{STFT}(\hat s_i + e / n)})

    Source: Gunawan & Sen 2010; chapter 12.

    Parameters
    ----------
    magnitudes : array, (sources, ..., bins, frames)
    mixture : array, (..., samples)
    iterations : int
        0 keeps the mixture's phase.
    window_length, hop : int
        Those of the STFT.

    Returns
    -------
    array, (sources, ..., samples)
        They add up to the mixture: the remainder is shared once more at the end.

    Examples
    --------
    >>> mixture = np.random.default_rng(0).standard_normal(5000)
    >>> estimates = consistent_phases(np.ones((2, 513, 21)), mixture, iterations=1)
    >>> bool(np.allclose(estimates.sum(axis=0), mixture))
    True
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
    """The phase of each bin as a complex number of magnitude one; 1 if the spectrum is zero there."""
    xp = array_module(spectrum)
    return xp.exp(1j * xp.angle(spectrum))
