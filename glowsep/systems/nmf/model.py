"""Poisson NMF: every instrument has a dictionary of spectra, and a sound is a non-negative mixture of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from glowsep.learning.training_record import UNKNOWN, TrainingRecord
from glowsep.signals.masks import MASK_EXPONENT, share_out
from glowsep.signals.mid import RATE, channel_magnitudes
from glowsep.systems.nmf.separate import joint_masks, joint_masks_of_channels
from glowsep.systems.nmf.train import learn_dictionaries
from glowsep.systems.spectra import SpectraSystem


@dataclass(frozen=True, repr=False)
class PoissonNMF(SpectraSystem):
    r"""Separates by dictionaries of spectra, each learnt from an instrument alone.

    .. math:: V \approx \sum_i W_i H_i, \qquad m_i = \frac{(W_i H_i)^p}{\sum_j (W_j H_j)^p}

    Magnitudes are modelled as Poisson counts with mean :math:`WH`, dictionary times activations. Dictionaries learn
    from solo recordings; all of them together explain the mixture, and each mask is its part's share.

    Source: Lee & Seung 2001 (the updates); Smaragdis, Raj & Shashanka 2007 (dictionaries of solo recordings);
    chapter 3.

    Attributes
    ----------
    sources : tuple of str
    dictionaries : numpy.ndarray, (sources, bins, components)
        Each component sums to one over the bins.
    iterations : int
        Of the activations' updates on a mixture.
    exponent : float
        p, of the masks.
    hop : int
        Of the STFT, in samples at 22,050 Hz; its window follows from the bins.
    training : glowsep.learning.training_record.TrainingRecord
        ``fit`` writes it; the hours are those of the frames that it has kept, a window each.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> solos = {name: rng.random((513, 20)) for name in ("bass", "drums")}
    >>> system = PoissonNMF.from_solos(solos, rng, components=2, learning_iterations=3)
    >>> system
    PoissonNMF(bass, drums; trained on solos)
    >>> system.separate(np.ones((1, 800)), 22050).shape
    (2, 1, 800)
    """

    sources: tuple[str, ...]
    dictionaries: np.ndarray
    iterations: int
    exponent: float
    hop: int
    training: TrainingRecord = UNKNOWN
    name = "nmf"
    weights = "baselines/nmf.npz"
    kind = "dictionary set"
    array = "dictionaries"

    @classmethod
    def learnt(cls, solos: Mapping[str, np.ndarray], rng: np.random.Generator, hop: int) -> PoissonNMF:
        return cls.from_solos(solos, rng, hop=hop)

    @classmethod
    def from_solos(
        cls,
        solos: Mapping[str, np.ndarray],
        rng: np.random.Generator,
        components: int = 32,
        learning_iterations: int = 60,
        iterations: int = 30,
        exponent: float = MASK_EXPONENT,
        hop: int | None = None,
    ) -> PoissonNMF:
        """Learn a dictionary from each instrument's frames.

        The defaults were the best on Freedoom-4's validation tracks. Few iterations on the mixture are better than
        many: with time the dictionaries learn to explain each other's instruments.

        Parameters
        ----------
        solos : dict of str to numpy.ndarray, (bins, frames)
            Magnitudes of the instruments alone, as `glowsep.datasets.solos.solo_magnitudes` gives them.
        rng : numpy.random.Generator
            Draws the first dictionaries and activations.
        components : int
            Spectra in a dictionary.
        learning_iterations : int
            Of dictionary and activations together, on the solo recordings.
        iterations, exponent, hop
            See the attributes; the hop is a quarter of the window by default.
        """
        dictionaries = learn_dictionaries(solos.values(), components, learning_iterations, rng)
        return cls(tuple(solos), dictionaries, iterations, exponent, hop or (dictionaries.shape[1] - 1) // 2)

    def separate(self, mixture: np.ndarray, rate: int) -> np.ndarray:
        window = self.window_length, self.hop
        magnitudes = channel_magnitudes(mixture, rate, *window)
        masks = joint_masks_of_channels(magnitudes, self.dictionaries, self.iterations, self.exponent)
        return share_out(mixture, rate, masks, RATE, *window)

    def masks(self, magnitude: np.ndarray) -> np.ndarray:
        """Masks (sources, bins, frames) for a mixture's magnitude (bins, frames)."""
        return joint_masks(magnitude, self.dictionaries, self.iterations, self.exponent)

    def settings(self) -> dict[str, str]:
        return {"iterations": str(self.iterations), "mask exponent": f"{self.exponent:g}"}
