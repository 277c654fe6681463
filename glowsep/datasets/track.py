"""A track and a data set: what training and scoring read, whatever the files on the disk look like."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Track:
    """A piece of music and what it is made of.

    Attributes
    ----------
    name : str
    rate : int
        Samples per second.
    mixture : numpy.ndarray, (channels, samples)
    sources : dict of str to numpy.ndarray, (channels, samples)
        As long as the mixture, in the order of the data set's `sources`; a source that does not play is silence.
    """

    name: str
    rate: int
    mixture: np.ndarray
    sources: dict[str, np.ndarray]

    def excerpt(self, start, seconds):
        """The track from ``start`` on, for ``seconds``: as much of that as there is."""
        part = slice(round(start * self.rate), round((start + seconds) * self.rate))
        sources = {name: waveform[:, part] for name, waveform in self.sources.items()}
        return Track(self.name, self.rate, self.mixture[:, part], sources)


class Dataset(Sequence):
    """Tracks in the order of their names. A track's audio is read when the track is asked for, and not kept.

    Attributes
    ----------
    names : tuple of str
        The tracks' names.
    sources : tuple of str
        The sources that every track is made of.
    """

    names: tuple[str, ...]
    sources: tuple[str, ...]

    @abstractmethod
    def load(self, name):
        """Return the `Track` of this name."""

    @abstractmethod
    def recordings(self, source):
        """Iterate over the tracks in which one source plays, reading the audio of that source alone.

        This is what source-only supervision sees: solo recordings, never a mixture (Zhu et al. 2022).

        Parameters
        ----------
        source : str

        Yields
        ------
        name : str
            The track's name.
        waveform : numpy.ndarray, (channels, samples)
        rate : int
        """

    def __len__(self):
        return len(self.names)

    def __getitem__(self, index):
        return self.load(self.names[index])

    def _check_source(self, source):
        if source not in self.sources:
            raise ValueError(f"source must be one of {', '.join(self.sources)}, not {source!r}")
