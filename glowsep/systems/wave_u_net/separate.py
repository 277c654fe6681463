"""Wave-U-Net as a system: it hears a mixture piece by piece, each with its context."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from os import PathLike
from pathlib import Path

import numpy as np

from glowsep.datasets.track import Dataset
from glowsep.signals import audio
from glowsep.systems.songs import separate_song
from glowsep.systems.supervised.pieces import RESAMPLING, piecewise, separate_waveform
from glowsep.systems.supervised.trained_network import TrainedNetwork, moved
from glowsep.systems.supervised.training import fit
from glowsep.systems.system import System
from glowsep.systems.wave_u_net.model import WaveUNet, WaveUNetConfig
from glowsep.systems.wave_u_net.train import SMALL, TRAINING, training_config

KIND = "Wave-U-Net"


class WaveUNetSeparator(System):
    """Separates by a network that has learnt from mixtures and their sources.

    The estimates of all sources that it has learnt sum to what it can hear of the mixture, below half of its rate.

    Source: Stoller, Ewert & Dixon 2018.

    Parameters
    ----------
    trained : TrainedNetwork
    sources : tuple of str, optional
        Those of its sources that are asked for; by default all.

    Examples
    --------
    >>> network = WaveUNet(WaveUNetConfig(sources=2, levels=2, filters=2))
    >>> system = WaveUNetSeparator(TrainedNetwork(network, ("bass", "drums")))
    >>> system, system.separate(np.ones((1, 800), np.float32), 22050).shape
    (WaveUNetSeparator(bass, drums; trained on mixtures), (2, 1, 800))
    """

    name = "wave_u_net"
    trained_on = "mixtures"
    weights = "supervised/wave_u_net.npz"
    unit = TRAINING.loss

    def __init__(self, trained: TrainedNetwork, sources: tuple[str, ...] | None = None) -> None:
        self.trained, self.sources = trained, trained.sources if sources is None else sources
        self.training, self.curve = trained.training, trained.curve

    def separate(self, mixture: np.ndarray, rate: int) -> np.ndarray:
        network = self.trained.network
        estimates = separate_waveform(network, mixture, rate, lambda songs: piecewise(network, songs))
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
        inputs, outputs = config.lengths(1)
        context = (inputs - outputs) / 2 / config.rate + RESAMPLING
        options = {"highest_rate": config.rate, "context": context, "grid": config.grid}
        return separate_song(song, folder, self.sources, separated, progress, stems, **options)

    def only(self, sources: Iterable[str]) -> WaveUNetSeparator:
        chosen = tuple(self.sources[position] for position in self.positions(sources))
        return WaveUNetSeparator(self.trained, chosen)

    @classmethod
    def fit(
        cls,
        dataset: Dataset,
        validation: Dataset | None = None,
        *,
        steps: int | None = None,
        batch: int | None = None,
        size: WaveUNetConfig = SMALL,
        seed: int = 0,
        device: str = "cpu",
        checkpoint: str | PathLike | None = None,
        progress: bool = False,
    ) -> WaveUNetSeparator:
        """Train on random mixtures of a data set's stems.

        Parameters
        ----------
        dataset, validation : glowsep.datasets.Dataset
            Their sources are the network's. The weights are those with the lowest validation loss.
        steps, batch : int, optional
            Of Adam, and mixtures per step.
        size : WaveUNetConfig
            Its number of sources is ignored.
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
        network = moved(WaveUNet(replace(size, sources=len(dataset.sources)), np.random.default_rng(seed)), device)
        training = training_config(steps, batch, seed)
        return cls(fit(cls.name, network, dataset, validation, training, checkpoint, progress))

    @property
    def parameter_count(self) -> int:
        return self.trained.parameter_count

    def save(self, path: str | PathLike, precision: type[np.floating] = np.float32) -> None:
        """Write all that it has learnt to one ``.npz`` file; see `TrainedNetwork.save`."""
        self.trained.save(path, KIND, precision)

    @classmethod
    def load(cls, path: str | PathLike | None = None, *, device: str = "cpu") -> WaveUNetSeparator:
        """Read what `save` wrote; by default what comes with glowsep. `TrainedNetwork.load` says what is refused."""
        path = cls.shipped_weights() if path is None else path
        trained = TrainedNetwork.load(path, KIND, WaveUNet, WaveUNetConfig, device)
        return cls(trained)
