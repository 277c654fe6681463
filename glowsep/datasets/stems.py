"""What systems learn from that are trained on mixtures: the stems of all tracks, ready for random excerpts."""

from __future__ import annotations

import tempfile
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from glowsep.arrays.integers import ceil_divide
from glowsep.datasets.track import Dataset
from glowsep.errors import DatasetError
from glowsep.signals.mid import downmix
from glowsep.signals.resampling import resample

#: The largest 16-bit integer: full scale, unless a recording goes beyond it.
FULL_SCALE = 2**15


class Recording(NamedTuple):
    """Where a stem is among all integers, how many channels and samples it has, and what one step of it is worth."""

    place: int
    channels: int
    samples: int
    step: float


class Stems:
    """The stems of a data set's tracks at one rate, as 16-bit integers in a temporary file that memory is mapped to.

    So the operating system keeps in memory what fits, and no more: Freedoom-4's training songs take 0.6 GB at 22,050
    Hz, those of MUSDB18 9 GB. A source that does not play takes nothing. The file is in the system's folder for
    temporary files (``TMPDIR`` names another), and vanishes with the program.

    Parameters
    ----------
    dataset : glowsep.datasets.Dataset
    rate : int
        Hz.
    channels : int
        Of the excerpts, at most: recordings of more are mixed down to one.
    quiet : bool
        No progress bar.

    Attributes
    ----------
    sources : tuple of str
    channels : int
        1 if all recordings have one only.
    lengths : numpy.ndarray of int, (tracks,)
        In samples.
        A track that counts several times, see `Dataset.repeats_of`, is there as often.
    plays : dict of str to numpy.ndarray of bool, (tracks,)
        In which tracks a source plays.
    hours : float
        Of all stems that play, added up.

    Raises
    ------
    DatasetError
        If a source plays in none of the tracks, or there is no room for the file.

    Examples
    --------
    >>> from glowsep.assignments import data
    >>> from glowsep.datasets import open_dataset
    >>> stems = Stems(open_dataset(data("freedoom4"), "validation"), rate=8000, quiet=True)
    >>> stems.lengths.tolist(), stems.excerpt(0, 4000, 800).shape
    ([160000, 160000, 160000, 160000], (4, 1, 800))
    """

    def __init__(self, dataset: Dataset, rate: int, channels: int = 2, quiet: bool = False):
        self.sources, self.rate = tuple(dataset.sources), rate
        self.tracks: list[dict[str, Recording]] = []
        lengths = []
        self._file = tempfile.TemporaryFile()
        try:
            for track in tqdm(dataset, desc="read the stems", total=len(dataset), disable=quiet, leave=False):
                stems = {name: self._keep(w, track.rate, channels) for name, w in track.sources.items() if w.any()}
                times = dataset.repeats_of(track.name)
                self.tracks += [stems] * times
                lengths += [ceil_divide(track.mixture.shape[1] * rate, track.rate)] * times
            self._file.flush()
        except OSError as error:
            raise DatasetError(
                f"{tempfile.gettempdir()}: no room for the stems of {dataset.folder} ({error.strerror}); set TMPDIR to "
                "another folder"
            ) from None
        self.plays = {source: np.array([source in stems for stems in self.tracks]) for source in self.sources}
        for source, plays in self.plays.items():
            if not plays.any():
                raise DatasetError(f"{dataset.folder}: {source} plays in none of its tracks; name other sources")
        self.lengths = np.array(lengths)
        self.channels = max(recording.channels for stems in self.tracks for recording in stems.values())
        once = {stem for stems in self.tracks for stem in stems.values()}  # however often its track counts
        self.hours = sum(stem.samples for stem in once) / rate / 3600
        self._integers = np.memmap(self._file, np.int16, mode="r")

    def excerpt(self, track: int, start: int, samples: int) -> np.ndarray:
        """All sources of a track from sample ``start`` on, (sources, channels, samples); silence beyond its ends."""
        return np.stack([self.stem(track, source, start, samples) for source in self.sources])

    def stem(self, track: int, source: str, start: int, samples: int) -> np.ndarray:
        """One source of a track from sample ``start`` on, (channels, samples); silence beyond its ends."""
        result = np.zeros((self.channels, samples), np.float32)
        found = self.tracks[track].get(source)
        if found is not None:
            end = found.place + found.channels * found.samples
            recording = self._integers[found.place : end].reshape(found.channels, found.samples)
            first, last = max(start, 0), min(start + samples, found.samples)
            if first < last:
                result[:, first - start : last - start] = recording[:, first:last] * np.float32(found.step)
        return result

    def _keep(self, waveform, rate, channels):
        """Write a stem (channels, samples) to the end of the file."""
        if len(waveform) > channels:
            waveform = downmix(waveform)[None]
        waveform = resample(waveform, rate, self.rate)
        step = max(1.0, float(np.abs(waveform).max())) / FULL_SCALE
        integers = np.rint(waveform / step).clip(-FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
        place = self._file.tell() // integers.itemsize
        self._file.write(integers.data)
        return Recording(place, *integers.shape, step)
