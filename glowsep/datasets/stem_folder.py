"""The simplest data set: a folder of tracks, each of them a folder with one audio file per source."""

from collections.abc import Iterator, Sequence
from os import PathLike

import numpy as np

from glowsep.datasets.files import audio_file, audio_files, read_together, split_folder, tracks_in
from glowsep.datasets.track import Dataset, Track
from glowsep.errors import DatasetError

MIXTURE = "mixture"


class StemFolder(Dataset):
    """Tracks laid out as ``<path>/[<split>/]<track>/<source>.wav``, with or without ``mixture.wav``.

    Other formats of audio will do too, and so will capitals: ``Bass.WAV`` is the source "bass".

    Parameters
    ----------
    path : path
    split : str, optional
        Name of the subfolder with the tracks; by default they are in `path` itself.
    sources : sequence of str, optional
        The sources to read; other files are ignored. By default, all that any track has.

    Raises
    ------
    DatasetError
        If there is no such folder, no track in it, or a track that has none, or several, of one of the sources.

    Examples
    --------
    >>> from glowsep.assignments import data
    >>> StemFolder(data("freedoom4/test/freedoom2_doom")).sources  # its only track is the folder "stems"
    ('s00', 's01', 's02', 's03')
    """

    def __init__(self, path: str | PathLike, split: str | None = None, sources: Sequence[str] | None = None):
        self.folder = split_folder(path, split)
        self.names = tracks_in(self.folder, audio_files, "a track is a folder with an audio file for each source")
        if sources is None:
            found = set().union(*(audio_files(self.folder / name) for name in self.names))
            sources = sorted(found - {MIXTURE})
        self.sources = tuple(sources)
        for name in self.names:
            for source in self.sources:
                self._file(name, source)
            audio_file(self.folder / name, MIXTURE)  # if there are two of them, that is said now

    def load(self, name: str) -> Track:
        """The `Track` of this name. If there is no file of the mixture, it is the sum of the sources."""
        paths = [self._file(name, source) for source in self.sources]
        mixture = audio_file(self.folder / name, MIXTURE)
        waveforms, rate = read_together(paths + ([mixture] if mixture else []))
        sources = dict(zip(self.sources, waveforms, strict=False))
        return Track(name, rate, waveforms[-1] if mixture else sum(waveforms), sources)

    def recordings(self, source: str) -> Iterator[tuple[str, np.ndarray, int]]:
        """Yield (name, waveform, rate) of one source in every track; see `Dataset.recordings`."""
        self._check_source(source)
        for name in self.names:
            (waveform,), rate = read_together([self._file(name, source)])
            yield name, waveform, rate

    def _file(self, name, source):
        path = audio_file(self.folder / name, source)
        if path is None:
            raise DatasetError(
                f"{self.folder / name / source}.wav: missing, and there is none in another format; add the source"
            )
        return path
