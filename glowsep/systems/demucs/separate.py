"""Demucs as a system: it hears a mixture piece by piece, shifted at random, and is averaged over the shifts."""

from __future__ import annotations

from os import PathLike

import numpy as np

from glowsep.systems.demucs.model import Demucs
from glowsep.systems.demucs.train import SMALL, TRAINING
from glowsep.systems.supervised.pieces import piecewise
from glowsep.systems.supervised.separator import WaveformSeparator
from glowsep.systems.supervised.trained_network import TrainedNetwork

#: How often a song is shifted, and by how many seconds at most; the estimates of all shifts are averaged.
SHIFTS, LONGEST_SHIFT = 2, 0.5

#: The share of a piece that it has in common with the next one, and the seconds before and after a segment of a song.
OVERLAP, CONTEXT = 0.25, 2.0


class DemucsSeparator(WaveformSeparator):
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
    >>> from glowsep.systems.demucs.model import DemucsConfig
    >>> network = Demucs(DemucsConfig(sources=2, depth=2, filters=2, lstm_layers=1))
    >>> system = DemucsSeparator(TrainedNetwork(network, ("bass", "drums")))
    >>> system, system.separate(np.ones((1, 800), np.float32), 22050).shape
    (DemucsSeparator(bass, drums; trained on mixtures), (2, 1, 800))
    """

    name = "demucs"
    weights = "supervised/demucs.npz"
    unit = TRAINING.loss
    kind = "Demucs"
    network, small, training_defaults = Demucs, SMALL, TRAINING

    def __init__(
        self, trained: TrainedNetwork, sources: tuple[str, ...] | None = None, shifts: int = SHIFTS, seed: int = 0
    ) -> None:
        super().__init__(trained, sources)
        self.shifts, self.seed = shifts, seed

    def hear(self, songs: np.ndarray) -> np.ndarray:
        r"""The mean over the shifts: :math:`\frac1S \sum_s T_{-s}\, \hat s(T_s\, x)`."""
        longest = round(LONGEST_SHIFT * self.trained.network.config.rate)
        rng = np.random.default_rng(self.seed)
        shifts = rng.integers(0, longest + 1, self.shifts) if self.shifts else [0]
        shifted = (np.pad(songs, ((0, 0), (0, 0), (shift, 0))) for shift in shifts)
        estimates = (piecewise(self.trained.network, song, OVERLAP) for song in shifted)
        return sum(found[:, :, shift:] for found, shift in zip(estimates, shifts, strict=True)) / len(shifts)

    def context(self) -> float:
        return CONTEXT

    @classmethod
    def load(
        cls, path: str | PathLike | None = None, *, shifts: int = SHIFTS, seed: int = 0, device: str = "cpu"
    ) -> DemucsSeparator:
        """Read what `save` wrote, see `WaveformSeparator.load`; the other parameters are those of `DemucsSeparator`."""
        return cls(super().load(path, device=device).trained, shifts=shifts, seed=seed)

    def settings(self) -> dict[str, str]:
        return {"shifts": str(self.shifts)}
