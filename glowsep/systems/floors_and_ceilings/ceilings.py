"""Ceilings: ratio masks made from the true sources. A mark to compare with, no upper bound: see chapter 2."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from glowsep.arrays.devices import on_device_of, to_host
from glowsep.arrays.library import array_module
from glowsep.datasets.track import Track
from glowsep.signals.masks import mask_waveform, ratio_masks
from glowsep.signals.mid import HOP, RATE, WINDOW_LENGTH
from glowsep.signals.resampling import resample
from glowsep.signals.spectrogram import stft
from glowsep.systems.system import System


def mask_by_truth(
    truth: Mapping[str, np.ndarray],
    mixture: np.ndarray,
    rate: int,
    exponent: float,
    window_length: int = WINDOW_LENGTH,
    hop: int = HOP,
) -> np.ndarray:
    r"""Apply masks of the true sources' magnitudes, :math:`m_i = |S_i|^p / \sum_j |S_j|^p`, to each channel.

    Source: chapter 2; Liutkus & Badeau 2015, section 2.

    Parameters
    ----------
    truth : mapping of str to (channels, samples)
        The true sources, at the mixture's rate and as long as it.
    mixture : (channels, samples)
    rate : int
        Hz.
    exponent : float
        p.
    window_length, hop : int
        Of the STFT, in samples at 22,050 Hz.

    Returns
    -------
    (sources, channels, samples)
        On the mixture's device.

    Examples
    --------
    >>> truth = {"bass": np.ones((1, 800)), "drums": np.zeros((1, 800))}
    >>> mask_by_truth(truth, np.ones((1, 800)), 22050, 1).mean(axis=2).round(6) + 0
    array([[1.],
           [0.]])
    """
    waveforms = array_module(mixture).stack([on_device_of(waveform, mixture) for waveform in truth.values()])
    waveforms = on_device_of(resample(to_host(waveforms), rate, RATE), mixture)
    magnitudes = array_module(mixture).abs(stft(waveforms, window_length, hop))
    return mask_waveform(mixture, rate, ratio_masks(magnitudes, exponent), RATE, window_length, hop)


@dataclass(frozen=True, eq=False, repr=False)
class Oracle(System):
    """Shares of the true sources' magnitudes to a power, ``exponent``: see `mask_by_truth`.

    Called with a track, it looks at the true sources; a song whose sources are unknown it cannot separate.

    Attributes
    ----------
    truth : mapping of str to (channels, samples)
        The true sources, at the mixture's rate and as long as it.
    exponent : int
        p, of the masks.
    """

    truth: Mapping[str, np.ndarray] = field(default_factory=dict)
    exponent: ClassVar[int]
    for_comparison = True

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(self.truth)

    def separate(self, mixture: np.ndarray, rate: int) -> np.ndarray:
        self.require_sources()
        return mask_by_truth(self.truth, mixture, rate, self.exponent)

    def only(self, sources: Iterable[str]) -> Oracle:
        sources = tuple(sources)
        self.positions(sources)  # refuses unknown ones
        return type(self)({source: self.truth[source] for source in sources})

    def __call__(self, track: Track) -> np.ndarray:
        return type(self)(track.sources).separate(track.mixture, track.rate)


class OracleMagnitude(Oracle):
    """Shares of the magnitude, p = 1: see `Oracle`.

    Examples
    --------
    >>> OracleMagnitude({"bass": np.ones((1, 800)), "drums": np.zeros((1, 800))})
    OracleMagnitude(bass, drums; trained on nothing)
    """

    name = "oracle_magnitude"
    exponent = 1


class OraclePower(Oracle):
    """Shares of the power, p = 2: the Wiener mask. See `Oracle`.

    If the sources were Gaussian and independent, no other mask would leave a smaller mean squared error.

    Examples
    --------
    >>> OraclePower({"bass": np.ones((1, 800)), "drums": np.zeros((1, 800))})
    OraclePower(bass, drums; trained on nothing)
    """

    name = "oracle_power"
    exponent = 2
