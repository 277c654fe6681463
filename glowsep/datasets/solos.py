"""What systems learn from that are trained on solos: recordings of one instrument alone, never a mixture."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
from tqdm import tqdm

from glowsep.arrays.integers import ceil_divide
from glowsep.arrays.printing import one_line
from glowsep.datasets import MUSDB18, MUSDB18HQ, open_dataset
from glowsep.datasets.files import has_split
from glowsep.datasets.track import Dataset
from glowsep.errors import DatasetError
from glowsep.signals.mid import HOP, RATE, WINDOW_LENGTH, mid, mid_magnitude
from glowsep.signals.spectrogram import full_scale, require_window

SILENCE = 4e-5  # a frame below this in every bin is silent; a full-scale sine has 1, so this is at -88 dB
EVERY = 4  # frames, of which one is kept: at the default hop one in 0.19 s
MOST = 20_000  # frames kept of a source: more take hours and gigabytes, and teach dictionaries nothing new


def solo_magnitudes(
    dataset: Dataset,
    every: int = EVERY,
    rng: np.random.Generator | None = None,
    quiet: bool = False,
    window_length: int = WINDOW_LENGTH,
    hop: int = HOP,
) -> dict[str, np.ndarray]:
    """Magnitude frames of each source's solo recordings, evenly spaced through all of them.

    Parameters
    ----------
    dataset : glowsep.datasets.Dataset
        Only its ``recordings`` are read, never a mixture.
    every : int
        One frame of so many is kept: neighbours overlap and hardly differ. If that leaves more than ``MOST`` of a
        source, it is one of so many times 2, 3 and so on.
    rng : numpy.random.Generator, optional
        Says which frame of a recording comes first; seed 0 by default.
    quiet : bool
        No progress bar.
    window_length, hop : int
        Of the STFT, in samples at 22,050 Hz.

    Returns
    -------
    dict of str to numpy.ndarray, (bins, frames), float32
        Silent frames are left out.

    Raises
    ------
    DatasetError
        If a source never plays; then none is learnt.
    ValueError
        If window and hop do not fit together.
    """
    require_window(window_length, hop)
    rng = np.random.default_rng(0) if rng is None else rng
    solos = {}
    for source in dataset.sources:
        recordings = tqdm(dataset.recordings(source), desc=one_line(source), unit="recording", disable=quiet)
        magnitudes = (mid_magnitude(waveform, rate, window_length, hop) for _, waveform, rate in recordings)
        frames = [_sounding(magnitude[:, rng.integers(every) :: every]) for magnitude in magnitudes]
        count = sum(part.shape[1] for part in frames)
        if not count:
            raise never_plays(dataset, source)
        solos[source] = np.concatenate(frames, axis=1)[:, :: ceil_divide(count, MOST)].copy()
    return solos


def hours_of_frames(solos: Mapping[str, np.ndarray]) -> float:
    """The hours of audio that the frames of `solo_magnitudes` stand for, those of all sources added up.

    Each counts as long as its window: at the default hop and spacing, the windows of the frames that are kept follow
    each other without a gap.

    Examples
    --------
    >>> round(hours_of_frames({"bass": np.ones((2049, 1000)), "drums": np.ones((2049, 2000))}), 3)
    0.155
    """
    return sum(frames.shape[1] * 2 * (len(frames) - 1) for frames in solos.values()) / RATE / 3600


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
    recordings = tqdm(
        dataset.recordings(source), desc=f"read {one_line(source)}", total=len(dataset), disable=quiet, leave=False
    )
    none = True
    for _, waveform, own_rate in recordings:
        none = False
        yield mid(waveform, own_rate, rate)
    if none:
        raise never_plays(dataset, source)


def solo_audio(dataset: Dataset, source: str, rate: int, progress: bool = False) -> np.ndarray:
    """All solo recordings of a source, (samples,): mono, at one rate, without their pauses, one after the other."""
    solos = solo_waveforms(dataset, source, rate, quiet=not progress)
    return np.concatenate([without_silence(waveform, rate) for waveform in solos])


def without_silence(waveform: np.ndarray, rate: int, threshold_db: float = -60, longest: float = 0.5) -> np.ndarray:
    """The waveform (samples,) with every pause of more than ``longest`` seconds cut to that length.

    A pause is a run of blocks of 10 ms whose root mean square is ``threshold_db`` below the whole waveform's peak.
    Half a second of each stays: how a note dies away belongs to the instrument.
    """
    block = rate // 100
    blocks = waveform[: len(waveform) // block * block].reshape(-1, block)
    silent = np.sqrt((blocks**2).mean(axis=1)) <= 10 ** (threshold_db / 20) * np.abs(waveform).max(initial=0)
    index = np.arange(len(blocks))
    since_sound = index - np.maximum.accumulate(np.where(silent, -1, index))
    return blocks[~silent | (since_sound * block <= longest * rate)].reshape(-1)


def require_playing(
    datasets: Mapping[str, Dataset], sources: Iterable[str], rate: int, needed: Mapping[str, int]
) -> None:
    """Refuse data sets in which a source plays for too short a time, before any is learnt.

    Recordings are read only until enough of the source has been heard.

    Parameters
    ----------
    datasets : dict of str to glowsep.datasets.Dataset
        By what they are for: "training", "validation".
    sources : iterable of str
    rate : int
        Hz.
    needed : dict of str to int
        How many samples of every source, at that rate and without its pauses.

    Raises
    ------
    DatasetError
        Names the data set, the source, and how many seconds of it were found and are needed.
    """
    for source in sources:
        for part, dataset in datasets.items():
            found = 0
            for waveform in solo_waveforms(dataset, source, rate, quiet=True):
                if waveform.any():
                    found += len(without_silence(waveform, rate))
                if found >= needed[part]:
                    break
            else:
                raise DatasetError(
                    f"{dataset.folder}: {source} plays for {found / rate:.1f} s, pauses not counted, but "
                    f"{needed[part] / rate:.1f} s are needed for {part}; add recordings, or train other sources "
                    "with --source"
                )


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


def _sounding(magnitude):
    """The frames that are not silent, of the magnitude (bins, frames) of a window of 2 (bins - 1) samples."""
    return magnitude[:, magnitude.max(axis=0) > SILENCE * full_scale(2 * (len(magnitude) - 1))]


def require_recordings(name: str, waveform: np.ndarray, samples: int) -> None:
    """Refuse recordings (samples,) that are too short to draw excerpts from, or silent.

    Parameters
    ----------
    name : str
        What they are, in the plural: "the recordings of bass".
    waveform : (samples,)
    samples : int
        The fewest that will do.

    Raises
    ------
    ValueError
    """
    if len(waveform) < samples:
        raise ValueError(f"{name} have {len(waveform)} samples, expected at least {samples}")
    if not waveform.any():
        raise ValueError(f"{name} are silent, but an instrument must be heard to be learnt")
