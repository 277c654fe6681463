"""Poisson NMF: every instrument has a dictionary of spectra, and a sound is a non-negative mixture of them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from os import PathLike

import numpy as np

from glowsep.datasets.solos import hours_of_frames, solo_magnitudes
from glowsep.datasets.track import Dataset
from glowsep.errors import PriorError
from glowsep.learning.training_record import UNKNOWN, TrainingRecord
from glowsep.learning.weights import load_arrays, save_arrays
from glowsep.signals.masks import MASK_EXPONENT, share_out
from glowsep.signals.mid import RATE, WINDOW_LENGTH, channel_magnitudes
from glowsep.signals.spectrogram import default_hop
from glowsep.systems.nmf.separate import joint_masks, joint_masks_of_channels
from glowsep.systems.nmf.train import learn_dictionaries
from glowsep.systems.system import System

KIND = "dictionary set"
OLD_HOP = 256  # of the files that do not say it


@dataclass(frozen=True, repr=False)
class PoissonNMF(System):
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
    trained_on = "solos"
    weights = "baselines/nmf.npz"
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
    ) -> PoissonNMF:
        """Learn a dictionary from the frames in which each instrument of the data set plays alone.

        Parameters
        ----------
        dataset : glowsep.datasets.Dataset
        window_length, hop : int
            Of the STFT, in samples at 22,050 Hz; the hop is a quarter of the window by default.
        seed : int
            Says which frames are taken, and where learning starts.
        progress : bool
            Show a progress bar for each instrument.
        """
        began = time.process_time()
        rng, hop = np.random.default_rng(seed), hop or default_hop(window_length)
        solos = solo_magnitudes(dataset, rng=rng, quiet=not progress, window_length=window_length, hop=hop)
        system = cls.from_solos(solos, rng, hop=hop)
        worked = time.process_time() - began
        return replace(system, training=TrainingRecord(hours_of_frames(solos), worked / 60))

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

    @property
    def parameter_count(self) -> int:
        return self.dictionaries.size

    @property
    def window_length(self) -> int:
        """Of the STFT, in samples at 22,050 Hz."""
        return 2 * (self.dictionaries.shape[1] - 1)

    def only(self, sources: Iterable[str]) -> PoissonNMF:
        sources = tuple(sources)
        return replace(self, sources=sources, dictionaries=self.dictionaries[self.positions(sources)])

    def save(self, path: str | PathLike) -> None:
        """Write everything to one ``.npz`` file, whole or not at all.

        Raises
        ------
        PriorError
            If the folder is missing, not writable or full.
        """
        header = {"names": self.sources, "iterations": self.iterations, "exponent": self.exponent, "hop": self.hop}
        header |= {"training": self.training.as_header()}
        save_arrays(path, KIND, header, {"dictionaries": self.dictionaries})

    @classmethod
    def load(cls, path: str | PathLike | None = None) -> PoissonNMF:
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
                arrays["dictionaries"],
                header["iterations"],
                header["exponent"],
                header.get("hop", OLD_HOP),
                TrainingRecord.from_header(header),
            )
        except (KeyError, ValueError) as error:
            raise PriorError(f"{path}: does not describe a {KIND} ({error}); train it again") from None

    def settings(self) -> dict[str, str]:
        return {"iterations": str(self.iterations), "mask exponent": f"{self.exponent:g}"}
