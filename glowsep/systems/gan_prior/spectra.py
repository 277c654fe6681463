"""From what a generator makes to spectra, as layers: a search compares spectra, and its gradient comes back here."""

import numpy as np

from glowsep.arrays.library import array_module
from glowsep.layers.parameters import Parameters
from glowsep.signals.spectrogram import hann, overlap_add, stft

#: Added to a magnitude before its logarithm: about the magnitude of a 16-bit step, which digital silence lies below.
FLOOR = 1e-3

#: How many standard deviations of a bin's log-magnitude fill the range of a tanh.
DEVIATIONS = 3


class LogMagnitudes(Parameters):
    r"""SpecGAN's domain: log-magnitudes, each bin standardised, a third of that, and clipped to [-1, 1].

    .. math:: x = \mathrm{clip}\Big(\frac{\log(m + \epsilon) - \mu_f}{3 \sigma_f}, -1, 1\Big), \qquad
              m = e^{3 \sigma_f x + \mu_f}, \qquad \frac{\partial m}{\partial x} = 3 \sigma_f m

    ``encode`` is the first line's first equation, for the recordings; ``forward`` is the second, for what the generator
    makes. Source: Donahue et al. 2019, section 3.2.

    Parameters
    ----------
    mean, deviation : (bins,)
        Of every bin's log-magnitude in the recordings: μ and σ.

    Examples
    --------
    >>> layer = LogMagnitudes(np.zeros(1), np.ones(1))
    >>> layer.forward(np.zeros((1, 1, 1, 2)), [])
    array([[[[1., 1.]]]])
    >>> layer.encode(np.ones((1, 1, 1, 2))).round(3)
    array([[[[0., 0.]]]])
    """

    state_names = ("mean", "deviation")

    def __init__(self, mean: np.ndarray, deviation: np.ndarray):
        self.mean, self.deviation = mean, deviation

    def encode(self, magnitude: np.ndarray) -> np.ndarray:
        """x of magnitudes (…, bins, frames)."""
        standard = (log_magnitude(magnitude) - self.mean[:, None]) / (DEVIATIONS * self.deviation[:, None])
        return standard.clip(-1, 1)

    def forward(self, x: np.ndarray, tape: list) -> np.ndarray:
        """The magnitudes of x, (batch, …, bins, frames)."""
        magnitude = array_module(x).exp(DEVIATIONS * self.deviation[:, None] * x + self.mean[:, None])
        tape.append(magnitude)
        return magnitude

    def backward(self, dy: np.ndarray, tape: list) -> np.ndarray:
        """The gradient with respect to x, from that with respect to the magnitudes."""
        return dy * tape.pop() * (DEVIATIONS * self.deviation[:, None])


class WaveformSpectra(Parameters):
    r"""The STFT of waveforms, real and imaginary parts as channels; the Nyquist bin and the last frame are left out.

    .. math:: X_{ft} = \sum_n w_n x_{tH + n - L/2}\, e^{-2\pi i f n / L}, \qquad
              dx_{tH + n - L/2} \mathrel{+}= w_n \sum_f \mathrm{Re}\big(dX_{ft}\, e^{2\pi i f n / L}\big)

    with dX = dRe X + i dIm X: the way back of a transform of real numbers is the inverse transform without its 1/L, in
    which every bin counts once. Source: chapter 1 (the STFT); the adjoint of a linear map.

    Parameters
    ----------
    window_length, hop : int
        L and H.

    Examples
    --------
    >>> WaveformSpectra(256, 128).forward(np.zeros((2, 1, 16384)), []).shape
    (2, 2, 128, 128)
    """

    def __init__(self, window_length: int, hop: int):
        self.window_length, self.hop = window_length, hop

    def forward(self, x: np.ndarray, tape: list) -> np.ndarray:
        """x (batch, channels, samples) to (batch, 2 · channels, bins, frames)."""
        tape.append(x.shape)
        spectrum = stft(x, self.window_length, self.hop)[..., :-1, : x.shape[2] // self.hop]
        return array_module(x).concatenate([spectrum.real, spectrum.imag], axis=1)

    def backward(self, dy: np.ndarray, tape: list) -> np.ndarray:
        """The gradient with respect to x, from that with respect to both parts."""
        batch, channels, samples = tape.pop()
        xp = array_module(dy)
        spectrum = xp.swapaxes(dy[:, :channels] + 1j * dy[:, channels:], 2, 3)  # (batch, channels, frames, bins)
        spectrum = xp.pad(spectrum, ((0, 0), (0, 0), (0, 0), (0, 1)))
        # ``irfft`` counts every bin twice, once for its mirror image, but the first; and divides by L.
        spectrum[..., 1:] /= 2
        frames = self.window_length * xp.fft.irfft(spectrum, self.window_length).astype(dy.dtype)
        dx = overlap_add(hann(self.window_length, self.hop, dy) * frames, self.hop)
        before = self.window_length // 2
        dx = dx[..., before : before + samples]
        return xp.pad(dx, ((0, 0), (0, 0), (0, samples - dx.shape[2])))


def log_magnitude(magnitude: np.ndarray) -> np.ndarray:
    """The logarithm of magnitudes, silence included."""
    return array_module(magnitude).log(magnitude + FLOOR)
