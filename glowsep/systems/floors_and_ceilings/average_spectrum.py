"""The average-spectrum mask: an equaliser for each instrument, the same in every frame; nothing is searched."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from os import PathLike

import numpy as np

from glowsep.arrays.devices import on_device_of
from glowsep.arrays.library import array_module
from glowsep.datasets.solos import hours_of_frames, solo_magnitudes
from glowsep.datasets.track import Dataset
from glowsep.errors import PriorError
from glowsep.learning.training_record import UNKNOWN, TrainingRecord
from glowsep.learning.weights import load_arrays, save_arrays
from glowsep.signals.masks import MASK_EXPONENT, mask_waveform, ratio_masks
from glowsep.signals.mid import RATE, WINDOW_LENGTH, mid_magnitude
from glowsep.signals.spectrogram import default_hop
from glowsep.systems.system import System

KIND = "spectrum table"
OLD_HOP = 256  # of the files that do not say it


@dataclass(frozen=True, repr=False)
class AverageSpectrum(System):
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
    trained_on = "solos"
    weights = "baselines/average_spectrum.npz"
    for_comparison = True

    @classmethod
    def fit(
        cls,
        dataset: Dataset,
        *,
        window_length: int = WINDOW_LENGTH,
        hop: int | None = None,
        seed: int = 0,
        progress: bool = False,
    ) -> AverageSpectrum:
        """Average the frames in which each instrument of the data set plays alone.

        Parameters
        ----------
        dataset : glowsep.datasets.Dataset
        window_length, hop : int
            Of the STFT, in samples at 22,050 Hz; the hop is a quarter of the window by default.
        seed : int
            Says which frames are taken.
        progress : bool
            Show a progress bar for each instrument.
        """
        began = time.process_time()
        rng, hop = np.random.default_rng(seed), hop or default_hop(window_length)
        solos = solo_magnitudes(dataset, rng=rng, quiet=not progress, window_length=window_length, hop=hop)
        system = cls.from_solos(solos, hop=hop)
        worked = time.process_time() - began
        return replace(system, training=TrainingRecord(hours_of_frames(solos), worked / 60))

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

    @property
    def parameter_count(self) -> int:
        return self.spectra.size

    @property
    def window_length(self) -> int:
        """Of the STFT, in samples at 22,050 Hz."""
        return 2 * (self.spectra.shape[1] - 1)

    def only(self, sources: Iterable[str]) -> AverageSpectrum:
        sources = tuple(sources)
        return replace(self, sources=sources, spectra=self.spectra[self.positions(sources)])

    def save(self, path: str | PathLike) -> None:
        """Write everything to one ``.npz`` file, whole or not at all.

        Raises
        ------
        PriorError
            If the folder is missing, not writable or full.
        """
        header = {"names": self.sources, "exponent": self.exponent, "hop": self.hop}
        header |= {"training": self.training.as_header()}
        save_arrays(path, KIND, header, {"spectra": self.spectra})

    @classmethod
    def load(cls, path: str | PathLike | None = None) -> AverageSpectrum:
        """Read what `save` wrote; by default what comes with glowsep.

        Raises
        ------
        PriorError
            If the file is missing, damaged, or holds something else.
        """
        path = cls.shipped_weights() if path is None else path
        header, arrays = load_arrays(path, KIND)
        try:
            return cls(
                tuple(header["names"]),
                arrays["spectra"],
                header["exponent"],
                header.get("hop", OLD_HOP),
                TrainingRecord.from_header(header),
            )
        except (KeyError, ValueError) as error:
            raise PriorError(f"{path}: does not describe a {KIND} ({error}); train it again") from None

    def settings(self) -> dict[str, str]:
        return {"mask exponent": f"{self.exponent:g}"}
