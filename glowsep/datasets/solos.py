"""What systems learn from that are trained on solos: recordings of one instrument alone, never a mixture."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tqdm import tqdm

from glowsep.datasets import MUSDB18, MUSDB18HQ, open_dataset
from glowsep.datasets.files import has_split
from glowsep.datasets.track import Dataset
from glowsep.errors import DatasetError
from glowsep.signals.mid import mid, mid_magnitude

SILENCE = 1e-2  # a frame below this in every bin is silent; a full-scale sine has 256, so this is at -88 dB


def solo_magnitudes(
    dataset: Dataset, every: int = 15, rng: np.random.Generator | None = None, quiet: bool = False
) -> dict[str, np.ndarray]:
    """Magnitude frames of each source's solo recordings, evenly spaced through all of them.

    Parameters
    ----------
    dataset : glowsep.datasets.Dataset
        Only its ``recordings`` are read, never a mixture.
    every : int
        One frame of so many is kept: neighbours overlap and hardly differ.
    rng : numpy.random.Generator, optional
        Says which frame of a recording comes first; seed 0 by default.
    quiet : bool
        No progress bar.

    Returns
    -------
    dict of str to numpy.ndarray, (bins, frames), float32
        Silent frames are left out.

    Raises
    ------
    DatasetError
        If a source never plays; then none is learnt.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    solos = {}
    for source in dataset.sources:
        recordings = tqdm(dataset.recordings(source), desc=source, unit="recording", disable=quiet)
        frames = [_sounding_frames(waveform, rate, every, rng) for _, waveform, rate in recordings]
        solos[source] = np.concatenate(frames, axis=1) if frames else np.zeros((0, 0))
        if solos[source].size == 0:
            raise never_plays(dataset, source)
    return solos


def solo_waveforms(dataset: Dataset, source: str, rate: int, quiet: bool = False) -> Iterator[np.ndarray]:
    """The mid of each solo recording of a source, (samples,), at one rate.

    Parameters
    ----------
    dataset : glowsep.datasets.Dataset
    source : str
    rate : int
        Hz.
    quiet : bool
        No progress bar.

    Raises
    ------
    DatasetError
        If the source plays in none of the tracks.
    """
    recordings = tqdm(dataset.recordings(source), desc=f"read {source}", total=len(dataset), disable=quiet, leave=False)
    none = True
    for _, waveform, own_rate in recordings:
        none = False
        yield mid(waveform, own_rate, rate)
    if none:
        raise never_plays(dataset, source)


def never_plays(dataset: Dataset, source: str) -> DatasetError:
    """The error for a source that is not heard in any track of a data set."""
    folder = getattr(dataset, "folder", "the data set")
    return DatasetError(f"{folder}: {source} plays in none of its tracks; choose another source or split")


def validation_split(path: str | Path, dataset: Dataset) -> Dataset | None:
    """The validation split of the data set that ``dataset`` is a part of, or None if there is none.

    Parameters
    ----------
    path : path
        The data set's folder.
    dataset : glowsep.datasets.Dataset
        Any part of it: it says which layout the data set has.
    """
    has_one = isinstance(dataset, MUSDB18 | MUSDB18HQ) or has_split(path, "validation")
    return open_dataset(path, "validation") if has_one else None


def _sounding_frames(waveform, rate, every, rng):
    magnitude = mid_magnitude(waveform, rate)[:, rng.integers(every) :: every]
    return magnitude[:, magnitude.max(axis=0) > SILENCE]
