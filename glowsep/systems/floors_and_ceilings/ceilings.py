"""Ceilings: ratio masks made from the true sources. What they lose, no ratio mask of this kind can win."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from glowsep.datasets.track import Track
from glowsep.signals.masks import mask_waveform, ratio_masks
from glowsep.signals.mid import mid_magnitude
from glowsep.systems.system import System


class Oracle(System):
    r"""Masks of the true sources' magnitudes, :math:`m_i = |S_i|^p / \sum_j |S_j|^p`, on the mixture.

    Called with a track, it looks at the true sources; a song whose sources are unknown it cannot separate.
    Source: chapter 2; Liutkus & Badeau 2015, section 2.

    Parameters
    ----------
    truth : mapping of str to (channels, samples)
        The true sources, at the mixture's rate and as long as it.
    """

    exponent: ClassVar[float]
    for_comparison = True

    def __init__(self, truth: Mapping[str, np.ndarray] = MappingProxyType({})):
        self.truth = truth
        self.sources = tuple(truth)

    def separate(self, mixture: np.ndarray, rate: int) -> np.ndarray:
        magnitudes = mid_magnitude(np.stack(list(self.truth.values())), rate)
        return mask_waveform(mixture, rate, ratio_masks(magnitudes, self.exponent))

    def only(self, sources: Iterable[str]) -> Oracle:
        self.positions(sources)
        return type(self)({source: self.truth[source] for source in sources})

    def __call__(self, track: Track) -> np.ndarray:
        return type(self)(track.sources).separate(track.mixture, track.rate)


class OracleMagnitude(Oracle):
    """Shares of the magnitude, p = 1. See `Oracle`.

    Examples
    --------
    >>> sources = {"bass": np.ones((1, 800)), "drums": np.zeros((1, 800))}
    >>> OracleMagnitude(sources).separate(np.ones((1, 800)), 22050).mean(axis=2).round(6) + 0
    array([[1.],
           [0.]])
    """

    name = "oracle_magnitude"
    exponent = 1


class OraclePower(Oracle):
    """Shares of the power, p = 2: the Wiener mask. See `Oracle`.

    If the sources were Gaussian and independent, no other mask would leave a smaller mean squared error.

    Examples
    --------
    >>> sources = {"bass": np.ones((1, 800)), "drums": np.zeros((1, 800))}
    >>> OraclePower(sources)
    OraclePower(bass, drums; trained on nothing)
    """

    name = "oracle_power"
    exponent = 2
