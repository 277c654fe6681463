"""Systems whose weights are spectra, measured in solo recordings: how they are fitted, and their file."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from os import PathLike
from typing import ClassVar

import numpy as np

from glowsep.datasets.solos import hours_of_frames, solo_magnitudes
from glowsep.datasets.track import Dataset
from glowsep.errors import PriorError
from glowsep.learning.training_record import TrainingRecord
from glowsep.learning.weights import load_arrays, save_arrays
from glowsep.signals.mid import WINDOW_LENGTH
from glowsep.signals.spectrogram import default_hop
from glowsep.systems.system import System

OLD_HOP = 256  # of the files that do not say it


class SpectraSystem(System):
    """A system of spectra. A subclass is a frozen dataclass: the sources, an array of spectra, numbers, and a record.

    Attributes
    ----------
    kind : str
        What its file holds, in words.
    array : str
        The field with the spectra, (sources, bins, …).
    hop : int
        Of the STFT, in samples at 22,050 Hz; its window follows from the bins.
    """

    kind: ClassVar[str]
    array: ClassVar[str]
    trained_on = "solos"
    for_comparison = True
    hop: int

    @classmethod
    def fit(
        cls,
        dataset: Dataset,
        *,
        window_length: int = WINDOW_LENGTH,
        hop: int | None = None,
        seed: int = 0,
        progress: bool = False,
    ) -> SpectraSystem:
        """Learn from the frames in which each instrument of the data set plays alone.

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
        system = cls.learnt(solos, rng, hop)
        worked = time.process_time() - began
        return replace(system, training=TrainingRecord(hours_of_frames(solos), worked / 60))

    @classmethod
    @abstractmethod
    def learnt(cls, solos: Mapping[str, np.ndarray], rng: np.random.Generator, hop: int) -> SpectraSystem:
        """The system that these frames, (bins, frames) for each instrument, lead to."""

    @property
    def parameter_count(self) -> int:
        return getattr(self, self.array).size

    @property
    def window_length(self) -> int:
        """Of the STFT, in samples at 22,050 Hz."""
        return 2 * (getattr(self, self.array).shape[1] - 1)

    def only(self, sources: Iterable[str]) -> SpectraSystem:
        sources = tuple(sources)
        return replace(self, sources=sources, **{self.array: getattr(self, self.array)[self.positions(sources)]})

    def save(self, path: str | PathLike) -> None:
        """Write everything to one ``.npz`` file, whole or not at all.

        Raises
        ------
        PriorError
            If the folder is missing, not writable or full.
        """
        header = {"names": self.sources, "training": self.training.as_header()}
        header |= {name: getattr(self, name) for name in self._numbers()}
        save_arrays(path, self.kind, header, {self.array: getattr(self, self.array)})

    @classmethod
    def load(cls, path: str | PathLike | None = None) -> SpectraSystem:
        """Read what `save` wrote; by default what comes with glowsep.

        Raises
        ------
        PriorError
            If the file is missing, damaged, or holds something else.
        """
        path = cls.shipped_weights() if path is None else path
        header, arrays = load_arrays(path, cls.kind)
        header = {"hop": OLD_HOP} | header
        try:
            learnt = {cls.array: arrays[cls.array], "training": TrainingRecord.from_header(header)}
            return cls(sources=tuple(header["names"]), **learnt, **{name: header[name] for name in cls._numbers()})
        except (KeyError, ValueError) as error:
            raise PriorError(f"{path}: does not describe a {cls.kind} ({error}); train it again") from None

    @classmethod
    def _numbers(cls):
        return [field.name for field in fields(cls) if field.name not in ("sources", cls.array, "training")]
