"""Floors: what a system scores that does not listen at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from glowsep.systems.system import System


@dataclass(frozen=True, repr=False)
class Mixture(System):
    r"""The mixture as every estimate, :math:`\hat s_i = x`: a weak floor, for each estimate is far too loud.

    Source: chapter 2.

    Examples
    --------
    >>> Mixture(("bass", "drums")).separate(np.ones((1, 3)), 22050).sum(axis=0)
    array([[2., 2., 2.]])
    """

    sources: tuple[str, ...] = ()
    name = "mixture"
    for_comparison = True

    def separate(self, mixture: np.ndarray, rate: int) -> np.ndarray:
        self.require_sources()
        return np.stack([mixture] * len(self.sources))

    def only(self, sources: Iterable[str]) -> Mixture:
        return type(self)(tuple(sources))


@dataclass(frozen=True, repr=False)
class EqualShare(System):
    r"""The mixture divided by the number of sources, :math:`\hat s_i = x / n`: the honest floor.

    It is what ratio masks give when nothing is known of the sources. For four sources it scores about 6 dB above
    `Mixture`. Source: chapter 2.

    Examples
    --------
    >>> EqualShare(("bass", "drums")).separate(np.ones((1, 3)), 22050).sum(axis=0)
    array([[1., 1., 1.]])
    """

    sources: tuple[str, ...] = ()
    name = "equal_share"
    for_comparison = True

    def separate(self, mixture: np.ndarray, rate: int) -> np.ndarray:
        self.require_sources()
        return np.stack([mixture] * len(self.sources)) / len(self.sources)

    def only(self, sources: Iterable[str]) -> EqualShare:
        return type(self)(tuple(sources))
