"""The average-spectrum mask: an equaliser for each instrument, the same in every frame; nothing is searched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from glowsep.arrays.devices import on_device_of
from glowsep.arrays.library import array_module
from glowsep.learning.training_record import UNKNOWN, TrainingRecord
from glowsep.signals.masks import MASK_EXPONENT, mask_waveform, ratio_masks
from glowsep.signals.mid import RATE, mid_magnitude
from glowsep.systems.spectra import SpectraSystem


@dataclass(frozen=True, repr=False)
class AverageSpectrum(SpectraSystem):
    r"""Separates by each instrument's mean magnitude spectrum, in every frame alike.

    .. math:: m_i = \frac{\bar s_i^p}{\sum_j \bar s_j^p}

    Every search must beat it: from latents of zero, the first step hardly knows more than this. Source: chapter 13.

    Attributes
    ----------
    sources : tuple of str
    spectra : numpy.ndarray, (sources, bins)
        Mean magnitudes.
    exponent : float
        p, of the masks.
    hop : int
        Of the STFT, in samples at 22,050 Hz; its window follows from the bins.
    training : glowsep.learning.training_record.TrainingRecord
        ``fit`` writes it; the hours are those of the frames that it has kept, a window each.

    Examples
    --------
    >>> system = AverageSpectrum.from_solos({"bass": np.ones((513, 8)), "drums": np.ones((513, 8))})
    >>> system
    AverageSpectrum(bass, drums; trained on solos)
    >>> system.separate(np.ones((1, 800)), 22050).shape
    (2, 1, 800)
    """

    sources: tuple[str, ...]
    spectra: np.ndarray
    exponent: float
    hop: int
    training: TrainingRecord = UNKNOWN
    name = "average_spectrum"
    weights = "baselines/average_spectrum.npz"
    kind = "spectrum table"
    array = "spectra"

    @classmethod
    def learnt(cls, solos: Mapping[str, np.ndarray], rng: np.random.Generator, hop: int) -> AverageSpectrum:
        return cls.from_solos(solos, hop=hop)

    @classmethod
    def from_solos(
        cls, solos: Mapping[str, np.ndarray], exponent: float = MASK_EXPONENT, hop: int | None = None
    ) -> AverageSpectrum:
        """Average the frames of each instrument.

        Parameters
        ----------
        solos : dict of str to numpy.ndarray, (bins, frames)
            Magnitudes of the instruments alone, as `glowsep.datasets.solos.solo_magnitudes` gives them.
        exponent : float
            p, of the masks.
        hop : int, optional
            Of the STFT; a quarter of the window by default.
        """
        spectra = np.stack([frames.mean(axis=1) for frames in solos.values()])
        return cls(tuple(solos), spectra, exponent, hop or (spectra.shape[1] - 1) // 2)

    def separate(self, mixture: np.ndarray, rate: int) -> np.ndarray:
        window = self.window_length, self.hop
        return mask_waveform(mixture, rate, self.masks(mid_magnitude(mixture, rate, *window)), RATE, *window)

    def masks(self, magnitude: np.ndarray) -> np.ndarray:
        """Masks (sources, bins, frames) for a mixture's magnitude (bins, frames): of it, only the shape matters."""
        masks = ratio_masks(on_device_of(self.spectra, magnitude)[:, :, None], self.exponent)
        return array_module(magnitude).broadcast_to(masks, (len(self.sources), *magnitude.shape))

    def settings(self) -> dict[str, str]:
        return {"mask exponent": f"{self.exponent:g}"}
