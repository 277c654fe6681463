"""Several data sets as one: the tracks of the first, then those of the second, and so on."""

from collections.abc import Iterator, Sequence

import numpy as np

from glowsep.datasets.track import Dataset, Track
from glowsep.errors import DatasetError


class Joined(Dataset):
    """Data sets one after the other; a track is called after its folder, ``<data set's folder>/<track>``.

    Their layouts and rates may differ: whatever reads their recordings brings them to one rate.

    Parameters
    ----------
    datasets : sequence of Dataset
        At least one, each with a ``folder``.
    sources : sequence of str, optional
        The sources to read, which every data set must have; by default all, and then they must all have the same.
    repeats : sequence of int, optional
        How many times the recordings of each data set are read: what is learnt from hears them that much more often.
        By default once each.

    Raises
    ------
    DatasetError
        If a folder is given twice, or a data set lacks a source.
    ValueError
        If there is not one number for each data set, or one is below 1.

    Examples
    --------
    >>> from glowsep.assignments import data
    >>> from glowsep.datasets import Slakh2100
    >>> freedoom = [Slakh2100(data("freedoom4"), split) for split in ("validation", "test")]
    >>> len(Joined(freedoom)), Joined(freedoom, ["bass"]).sources
    (14, ('bass',))
    """

    def __init__(
        self, datasets: Sequence[Dataset], sources: Sequence[str] | None = None, repeats: Sequence[int] | None = None
    ):
        self.datasets = tuple(datasets)
        self.repeats = (1,) * len(self.datasets) if repeats is None else tuple(repeats)
        if len(self.repeats) != len(self.datasets) or min(self.repeats) < 1:
            raise ValueError(
                f"repeats is {list(self.repeats)}, expected a whole number of at least 1 for each data set, "
                f"and there are {len(self.datasets)}"
            )
        folders = [dataset.folder for dataset in datasets]
        for place, folder in enumerate(folders):
            if folder.resolve() in [other.resolve() for other in folders[:place]]:
                raise DatasetError(
                    f"{folder}: given twice; leave one out, or say how often each data set is heard by --repeats"
                )
        self.folder = " and ".join(str(folder) for folder in folders)
        self.sources = tuple(datasets[0].sources if sources is None else sources)
        for dataset in datasets:
            if missing := [source for source in self.sources if source not in dataset.sources]:
                listing = ", ".join(dataset.sources)
                raise DatasetError(f"{dataset.folder}: has no {missing[0]!r}; its sources are {listing}")
            if sources is None and set(dataset.sources) != set(self.sources):
                more = next(source for source in dataset.sources if source not in self.sources)
                raise DatasetError(
                    f"{folders[0]}: has no {more!r}, which {dataset.folder} has; name the sources to read"
                )
        self._place_of = {
            f"{dataset.folder}/{name}": (dataset, name) for dataset in self.datasets for name in dataset.names
        }
        self.names = tuple(self._place_of)

    def load(self, name: str) -> Track:
        """The `Track` of this name; its mixture is the data set's own, whatever sources are read."""
        dataset, own_name = self._place_of[name]
        track = dataset.load(own_name)
        return Track(name, track.rate, track.mixture, {source: track.sources[source] for source in self.sources})

    def repeats_of(self, name: str) -> int:
        """How often the track of this name counts: as often as its data set is read."""
        dataset, _ = self._place_of[name]
        return self.repeats[self.datasets.index(dataset)]

    def recordings(self, source: str) -> Iterator[tuple[str, np.ndarray, int]]:
        """Yield (name, waveform, rate) of one source, data set by data set, each as often as ``repeats`` says.

        See `Dataset.recordings`.
        """
        self._check_source(source)
        for dataset, times in zip(self.datasets, self.repeats, strict=True):
            for _ in range(times):
                for name, waveform, rate in dataset.recordings(source):
                    yield f"{dataset.folder}/{name}", waveform, rate
