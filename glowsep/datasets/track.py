"""A track and a data set: what training and scoring read, whatever the files on the disk look like."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Track:
    """A piece of music and its sources.

    Attributes
    ----------
    name : str
    rate : int
        Samples per second.
    mixture : numpy.ndarray, (channels, samples)
    sources : dict of str to numpy.ndarray, (channels, samples)
        As long as the mixture, in the order of the data set's `sources`; a source that does not play is silence.

    Examples
    --------
    >>> track = Track("tone", 8000, np.ones((1, 8000)), {"piano": np.ones((1, 8000))})
    >>> track.excerpt(0.5, 2).mixture.shape
    (1, 4000)
    """

    name: str
    rate: int
    mixture: np.ndarray
    sources: dict[str, np.ndarray]

    def excerpt(self, start: float, seconds: float) -> "Track":
        """The track from ``start`` on, for ``seconds`` or until it ends."""
        part = slice(round(start * self.rate), round((start + seconds) * self.rate))
        sources = {name: waveform[:, part] for name, waveform in self.sources.items()}
        return Track(self.name, self.rate, self.mixture[:, part], sources)


class Dataset(Sequence):
    """Tracks in the order of their names. A track's audio is read when the track is accessed, and not kept.

    Attributes
    ----------
    names : tuple of str
        The tracks' names.
    sources : tuple of str
        The sources of every track.

    Examples
    --------
    >>> class Silences(Dataset):
    ...     names, sources = ("one", "two"), ("bass",)
    ...     def load(self, name):
    ...         return Track(name, 8000, np.zeros((1, 8000)), {"bass": np.zeros((1, 8000))})
    ...     def recordings(self, source):
    ...         yield from ((track.name, track.sources[source], track.rate) for track in self)
    >>> len(Silences()), Silences()[1].name, [name for name, _, _ in Silences().recordings("bass")]
    (2, 'two', ['one', 'two'])
    """

    names: tuple[str, ...]
    sources: tuple[str, ...]

    @abstractmethod
    def load(self, name: str) -> Track:
        """The `Track` of this name."""

    @abstractmethod
    def recordings(self, source: str) -> Iterator[tuple[str, np.ndarray, int]]:
        """Iterate over the tracks in which one source plays, reading only the audio of that source.

        This is all that source-only supervision sees: solo stems, never a mixture (Zhu et al. 2022).

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

    def repeats_of(self, name: str) -> int:
        """How often the track of this name counts among what is learnt from."""
        return 1

    def __len__(self):
        return len(self.names)

    def __getitem__(self, index):
        return self.load(self.names[index])

    def _check_source(self, source):
        if source not in self.sources:
            raise ValueError(f"source is {source!r}, expected one of {', '.join(self.sources)}")
