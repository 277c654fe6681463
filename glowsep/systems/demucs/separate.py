"""Demucs as a system: it hears a mixture piece by piece, shifted at random, and is averaged over the shifts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from os import PathLike
from pathlib import Path

import numpy as np

from glowsep.datasets.track import Dataset
from glowsep.signals import audio
from glowsep.systems.demucs.model import Demucs, DemucsConfig
from glowsep.systems.demucs.train import SMALL, TRAINING, training_config
from glowsep.systems.songs import separate_song
from glowsep.systems.supervised.pieces import piecewise, separate_waveform
from glowsep.systems.supervised.trained_network import TrainedNetwork, moved
from glowsep.systems.supervised.training import fit
from glowsep.systems.system import System

KIND = "Demucs"

#: How often a song is shifted, and by how many seconds at most; the estimates of all shifts are averaged.
SHIFTS, LONGEST_SHIFT = 2, 0.5

#: The share of a piece that it has in common with the next one, and the seconds before and after a segment of a song.
OVERLAP, CONTEXT = 0.25, 2.0


class DemucsSeparator(System):
    """Separates by a network that has learnt from mixtures and their sources.

    Its estimates need not sum to the mixture. A song that is shifted by some samples gives other estimates, shifted;
    the mean over some random shifts is better than each of them.

    Source: Défossez, Usunier, Bottou & Bach 2019, section 4.4 (random shifts).

    Parameters
    ----------
    trained : TrainedNetwork
    sources : tuple of str, optional
        Those of its sources that are asked for; by default all.
    shifts, seed : int
        How many random shifts are averaged; 0 for the song as it is. The seed draws them, the same for every mixture.

    Examples
    --------
    >>> network = Demucs(DemucsConfig(sources=2, depth=2, filters=2, lstm_layers=1))
    >>> system = DemucsSeparator(TrainedNetwork(network, ("bass", "drums")))
    >>> system, system.separate(np.ones((1, 800), np.float32), 22050).shape
    (DemucsSeparator(bass, drums; trained on mixtures), (2, 1, 800))
    """

    name = "demucs"
    trained_on = "mixtures"
    weights = "supervised/demucs.npz"
    unit = TRAINING.loss

    def __init__(
        self, trained: TrainedNetwork, sources: tuple[str, ...] | None = None, shifts: int = SHIFTS, seed: int = 0
    ) -> None:
        self.trained, self.sources = trained, trained.sources if sources is None else sources
        self.training, self.curve = trained.training, trained.curve
        self.shifts, self.seed = shifts, seed

    def separate(self, mixture: np.ndarray, rate: int) -> np.ndarray:
        estimates = separate_waveform(self.trained.network, mixture, rate, self._mean_over_shifts)
        return self.trained.chosen(estimates, self.sources)

    def _mean_over_shifts(self, songs):
        r"""The estimates of songs (songs, channels, samples): :math:`\frac1S \sum_s T_{-s}\, \hat s(T_s\, x)`."""
        longest = round(LONGEST_SHIFT * self.trained.network.config.rate)
        rng = np.random.default_rng(self.seed)
        shifts = rng.integers(0, longest + 1, self.shifts) if self.shifts else [0]
        shifted = (np.pad(songs, ((0, 0), (0, 0), (shift, 0))) for shift in shifts)
        estimates = (piecewise(self.trained.network, song, OVERLAP) for song in shifted)
        return sum(found[:, :, shift:] for found, shift in zip(estimates, shifts, strict=True)) / len(shifts)

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
        options = {"highest_rate": config.rate, "context": CONTEXT, "grid": config.grid}
        return separate_song(song, folder, self.sources, separated, progress, stems, **options)

    def only(self, sources: Iterable[str]) -> DemucsSeparator:
        chosen = tuple(self.sources[position] for position in self.positions(sources))
        return DemucsSeparator(self.trained, chosen, self.shifts, self.seed)

    @classmethod
    def fit(
        cls,
        dataset: Dataset,
        validation: Dataset | None = None,
        *,
        steps: int | None = None,
        batch: int | None = None,
        size: DemucsConfig = SMALL,
        seed: int = 0,
        device: str = "cpu",
        checkpoint: str | PathLike | None = None,
        progress: bool = False,
    ) -> DemucsSeparator:
        """Train on random mixtures of a data set's stems.

        Parameters
        ----------
        dataset, validation : glowsep.datasets.Dataset
            Their sources are the network's. The weights are those with the lowest validation loss.
        steps, batch : int, optional
            Of Adam, and mixtures per step.
        size : DemucsConfig
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
        network = moved(Demucs(replace(size, sources=len(dataset.sources)), np.random.default_rng(seed)), device)
        training = training_config(steps, batch, seed)
        return cls(fit(cls.name, network, dataset, validation, training, checkpoint, progress))

    @property
    def parameter_count(self) -> int:
        return self.trained.parameter_count

    def save(self, path: str | PathLike, precision: type[np.floating] = np.float32) -> None:
        """Write all that it has learnt to one ``.npz`` file; see `TrainedNetwork.save`."""
        self.trained.save(path, KIND, precision)

    @classmethod
    def load(
        cls, path: str | PathLike | None = None, *, shifts: int = SHIFTS, seed: int = 0, device: str = "cpu"
    ) -> DemucsSeparator:
        """Read what `save` wrote; by default what comes with glowsep. `TrainedNetwork.load` says what is refused."""
        path = cls.shipped_weights() if path is None else path
        trained = TrainedNetwork.load(path, KIND, Demucs, DemucsConfig, device)
        return cls(trained, shifts=shifts, seed=seed)

    def settings(self) -> dict[str, str]:
        return {"shifts": str(self.shifts)}
