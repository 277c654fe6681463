"""What every system has in common, and all that the rest of the program knows of one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from os import PathLike
from pathlib import Path
from typing import ClassVar

import numpy as np

from glowsep.datasets.shipped import shipped
from glowsep.datasets.track import Dataset, Track
from glowsep.errors import PriorError
from glowsep.learning.training import LearningCurve
from glowsep.learning.training_record import TrainingRecord
from glowsep.signals import audio
from glowsep.systems.songs import separate_song
from glowsep.systems.trust import called


class System(ABC):
    r"""Takes a mixture apart: :math:`x \mapsto (\hat s_1, \dots, \hat s_n)`, one estimate for each of its sources.

    A new system is a folder with a subclass, and a line in :mod:`glowsep.systems.registry`. It defines ``separate`` and
    ``only``; if it is trained, ``fit``, ``save``, ``load``, ``training`` and ``parameter_count`` too. The commands
    ``train``, ``separate`` and ``evaluate`` pass on to ``fit`` and ``load`` those of their options that the signature
    names. A system with one model per source says so by ``per_source``; ``train`` then calls its ``require_solos``,
    which refuses a data set in which a source cannot be learnt, and its ``fit_source`` for each.

    Attributes
    ----------
    name : str
        In the registry, in ``--method`` and in tables.
    sources : tuple of str
        The sources it knows, in the order of its estimates. Floors and ceilings know none until a track names them.
    trained_on : {"solos", "mixtures", "nothing"}
    training : glowsep.learning.training_record.TrainingRecord
        The hours of audio and the core-minutes that its training took; ``save`` writes it to the weights' header.
    weights : str or None
        Where ``train`` writes it, and where the shipped data hold it: a file, or a folder with a file for each source;
        None if it is not trained.
    per_source : bool
        Whether each source is trained by itself, by ``fit_source(dataset, source, ...)``. It returns a model, whose
        ``save(path, dtype)`` writes the weights in that precision, and its `glowsep.learning.training.LearningCurve`.
        ``load_source(path)`` reads such a model, whose ``sample(seconds, rng, ...)`` draws a sound.
    unit : str or None
        Of the losses in its learning curve; None if it learns without one.
    curve : glowsep.learning.training.LearningCurve or None
        Of the training that a system for all sources comes from, if it has one and has just been trained.
    for_comparison : bool
        Whether it is scored beside whatever is evaluated: floors, simple baselines and ceilings.

    Examples
    --------
    >>> from glowsep.systems.floors_and_ceilings.floors import EqualShare
    >>> EqualShare(("bass", "drums")).separate(np.ones((1, 3)), 22050)
    array([[[0.5, 0.5, 0.5]],
    <BLANKLINE>
           [[0.5, 0.5, 0.5]]])
    """

    name: ClassVar[str]
    trained_on: ClassVar[str] = "nothing"
    weights: ClassVar[str | None] = None
    per_source: ClassVar[bool] = False
    unit: ClassVar[str | None] = None
    curve: LearningCurve | None = None
    for_comparison: ClassVar[bool] = False
    sources: tuple[str, ...]
    training: TrainingRecord = TrainingRecord()

    @abstractmethod
    def separate(self, mixture: np.ndarray, rate: int) -> np.ndarray:
        """Estimates (sources, channels, samples) of the system's sources, in their order.

        Parameters
        ----------
        mixture : (channels, samples)
            Floats, full scale 1; on any device. The estimates are on that device, or in main memory.
        rate : int
            Of the mixture, in Hz; the estimates have it too.

        Raises
        ------
        ValueError
            If the system knows no sources.
        """

    @abstractmethod
    def only(self, sources: Iterable[str]) -> System:
        """This system for mixtures of these of its sources, in this order.

        Raises
        ------
        ValueError
            If the system does not know one of them, or knows none.
        """

    def __call__(self, track: Track) -> np.ndarray:
        """Estimates (sources, channels, samples) of a track, in the order of ``track.sources``: `evaluate` calls this.

        Raises
        ------
        ValueError
            If the track has a source that the system does not know.
        """
        with called(track.name):
            return self.only(track.sources).separate(track.mixture, track.rate)

    def separate_file(
        self,
        song: str | PathLike,
        folder: str | PathLike,
        progress: bool = True,
        callback: Callable | None = None,
        stems: audio.Stems | None = None,
    ) -> list[Path]:
        """Separate an audio file of any length into ``folder/<source>.wav``, in bounded memory.

        Parameters
        ----------
        song, folder : path
        progress : bool
            Show a progress bar.
        callback : callable, optional
            A search of priors calls it with (iteration, magnitudes, terms) at every iteration.
        stems : glowsep.signals.audio.Stems, optional
            Which of the files to write, in which format, and whether they may replace files that glowsep did not write.

        Returns
        -------
        list of pathlib.Path
            The files, in the order of the sources.

        Raises
        ------
        AudioError
            If the song cannot be read, the files cannot be written, or they would replace files of the user's.
        """
        return separate_song(
            song, folder, self.sources, lambda segment, rate, start: self.separate(segment, rate), progress, stems
        )

    @classmethod
    def fit(cls, dataset: Dataset) -> System:
        """A system trained on a data set. Only solo recordings are read where ``trained_on`` is "solos".

        Raises
        ------
        ValueError
            If the system is not trained at all.
        """
        raise ValueError(f"{cls.name} learns nothing, so it cannot be trained")

    def save(self, path: str | PathLike) -> None:
        """Write the system to ``path``, as `load` reads it; in a ``precision`` where the subclass takes one."""
        raise ValueError(f"{self.name} learns nothing, so there is nothing to save")

    @classmethod
    def load(cls, path: str | PathLike | None = None) -> System:
        """The system that `save` wrote to ``path``; by default the one that comes with glowsep."""
        return cls()

    @classmethod
    def shipped_weights(cls) -> Path:
        """The path of the weights that come with glowsep.

        Raises
        ------
        PriorError
            If they are not there: not every system's come with it.
        """
        path = shipped(cls.weights)
        if not path.exists():
            command = f"python -m glowsep train DATASET --method {cls.name}"
            raise PriorError(f"{path}: not there; train it with: {command}; or name your own with --priors or --model")
        return path

    @property
    def parameter_count(self) -> int:
        """How many numbers it has learnt, or measured in what it was trained on."""
        return 0

    def settings(self) -> dict[str, str]:
        """What its estimates depend on besides its weights, by name and in words: for reports."""
        return {}

    def positions(self, sources: Iterable[str]) -> list[int]:
        """Where each of ``sources`` stands among the system's own, in capitals or not.

        Raises
        ------
        ValueError
            If the system does not know one of them, or knows none.
        """
        self.require_sources()
        sources = tuple(sources)
        position_of = {source.casefold(): position for position, source in enumerate(self.sources)}
        for source in sources:
            if source.casefold() not in position_of:
                raise ValueError(f"{self.name} does not know {source!r}; its sources are {', '.join(self.sources)}")
        return [position_of[source.casefold()] for source in sources]

    def require_sources(self) -> None:
        """Refuse to go on without a source.

        Raises
        ------
        ValueError
            If the system knows no sources.
        """
        if not self.sources:
            raise ValueError(f"{self.name} knows no sources but those of a track: use evaluate, or a trained system")

    def __repr__(self) -> str:
        sources = ", ".join(self.sources) or "any sources"
        return f"{type(self).__name__}({sources}; trained on {self.trained_on})"
