"""A system that is one network from mixtures to sources: what Wave-U-Net and Demucs have in common."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from glowsep.datasets.track import Dataset
from glowsep.layers.parameters import Parameters
from glowsep.signals import audio
from glowsep.systems.songs import separate_song
from glowsep.systems.supervised.pieces import separate_waveform
from glowsep.systems.supervised.trained_network import TrainedNetwork, moved
from glowsep.systems.supervised.training import TrainingConfig, fit
from glowsep.systems.system import System


class WaveformSeparator(System):
    """Separates by a network that has learnt from mixtures and their sources.

    A subclass says which network that is, and how a song goes through it: ``hear`` and ``context``.

    Parameters
    ----------
    trained : TrainedNetwork
    sources : tuple of str, optional
        Those of its sources that are asked for; by default all.

    Attributes
    ----------
    kind : str
        What the network is called in its file of weights.
    network : subclass of Parameters
        Takes a configuration and a generator of random numbers.
    small : dataclass
        The configuration that learns on two cores.
    training_defaults : TrainingConfig

    Examples
    --------
    >>> from glowsep.systems.registry import SYSTEMS
    >>> SYSTEMS["demucs"].kind, SYSTEMS["demucs"].small.rate
    ('Demucs', 11025)
    """

    trained_on = "mixtures"
    kind: ClassVar[str]
    network: ClassVar[type[Parameters]]
    small: ClassVar[Any]
    training_defaults: ClassVar[TrainingConfig]

    def __init__(self, trained: TrainedNetwork, sources: tuple[str, ...] | None = None) -> None:
        self.trained, self.sources = trained, trained.sources if sources is None else sources
        self.training, self.curve = trained.training, trained.curve

    @abstractmethod
    def hear(self, songs: np.ndarray) -> np.ndarray:
        """Estimates (songs, sources · channels, samples) of songs (songs, channels, samples), at the network's rate."""

    @abstractmethod
    def context(self) -> float:
        """The seconds before and after a part of a song that its estimates depend on."""

    def separate(self, mixture: np.ndarray, rate: int) -> np.ndarray:
        estimates = separate_waveform(self.trained.network, mixture, rate, self.hear)
        return self.trained.chosen(estimates, self.sources)

    def separate_file(
        self,
        song: str | PathLike,
        folder: str | PathLike,
        progress: bool = True,
        callback: Callable | None = None,
        stems: audio.Stems | None = None,
    ) -> list[Path]:
        def separated(segment, rate, start):
            return self.separate(segment, rate)

        config = self.trained.network.config
        options = {"highest_rate": config.rate, "context": self.context(), "grid": config.grid}
        return separate_song(song, folder, self.sources, separated, progress, stems, **options)

    def only(self, sources: Iterable[str]) -> WaveformSeparator:
        other = copy.copy(self)
        other.sources = tuple(self.sources[position] for position in self.positions(sources))
        return other

    @classmethod
    def fit(
        cls,
        dataset: Dataset,
        validation: Dataset | None = None,
        *,
        steps: int | None = None,
        batch: int | None = None,
        size: Any = None,
        seed: int = 0,
        device: str = "cpu",
        checkpoint: str | PathLike | None = None,
        progress: bool = False,
    ) -> WaveformSeparator:
        """Train on random mixtures of a data set's stems.

        Parameters
        ----------
        dataset, validation : glowsep.datasets.Dataset
            Their sources are the network's. The weights are those with the lowest validation loss.
        steps, batch : int, optional
            Of Adam, and mixtures per step.
        size : dataclass, optional
            The network's configuration, by default the small one; its number of sources is ignored.
        seed : int
            Of the first weights and of the training.
        device : {"cpu", "cuda"}
        checkpoint : path, optional
            Written now and then; read first if it exists.
        progress : bool
            Show progress bars.

        Raises
        ------
        DatasetError
            If a source plays in none of the tracks, or there is no room for the stems.
        PriorError
            If the checkpoint is damaged, or of another training.
        """
        config = replace(cls.small if size is None else size, sources=len(dataset.sources))
        network = moved(cls.network(config, np.random.default_rng(seed)), device)
        training = cls.training_config(steps, batch, seed)
        return cls(fit(cls.name, network, dataset, validation, training, checkpoint, progress))

    @classmethod
    def training_config(cls, steps: int | None = None, batch: int | None = None, seed: int = 0) -> TrainingConfig:
        """The default training, but for what is given."""
        default = cls.training_defaults
        given = {name: value for name, value in {"steps": steps, "batch": batch}.items() if value is not None}
        return replace(default, **given, seed=seed)

    @property
    def parameter_count(self) -> int:
        return self.trained.parameter_count

    def save(self, path: str | PathLike, precision: type[np.floating] = np.float32) -> None:
        """Write all that it has learnt to one ``.npz`` file; see `TrainedNetwork.save`."""
        self.trained.save(path, self.kind, precision)

    @classmethod
    def load(cls, path: str | PathLike | None = None, *, device: str = "cpu") -> WaveformSeparator:
        """Read what `save` wrote; by default what comes with glowsep. `TrainedNetwork.load` says what is refused."""
        path = cls.shipped_weights() if path is None else path
        return cls(TrainedNetwork.load(path, cls.kind, cls.network, type(cls.small), device))
