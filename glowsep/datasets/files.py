"""What all data sets of folders and audio files need: finding tracks, and reading files that belong together."""

from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path

import numpy as np

from glowsep.errors import DatasetError
from glowsep.signals import audio
from glowsep.signals.audio.suffixes import SUFFIXES, looks_like_audio

#: Seconds by which the lengths of a track's files may differ: encoders drop or add a few samples at the end.
TOLERANCE = 0.1


def split_folder(path: str | PathLike, split: str | None = None) -> Path:
    """The folder that holds the tracks of a split: `path` itself without a split.

    Raises
    ------
    DatasetError
        If `path` is not a folder, or has no such split.
    """
    path = Path(path)
    if not path.is_dir():
        raise DatasetError(f"{path}: no such folder; give the data set's own folder")
    if split is None:
        return path
    if not has_split(path, split):
        raise DatasetError(f"{path}: has no split {split!r}; its folders are {_listing(subfolders(path))}")
    return _split(path, split)


def has_split(path: str | PathLike, split: str) -> bool:
    """Whether a data set's folder has a folder for a split, in capitals or not."""
    return _split(Path(path), split) is not None


def _split(path, split):
    if (path / split).is_dir():  # a split may be a path, such as "train/solos"
        return path / split
    if not path.is_dir():
        return None
    return next((folder for folder in subfolders(path) if folder.name.casefold() == split.casefold()), None)


def subfolders(path: Path) -> list[Path]:
    """The folders in a folder, sorted by name, without hidden ones."""
    return sorted(folder for folder in path.iterdir() if folder.is_dir() and not folder.name.startswith("."))


def tracks_in(folder: Path, is_track: Callable[[Path], object], layout: str) -> tuple[str, ...]:
    """The names of a folder's tracks: the subfolders for which `is_track(subfolder)` holds.

    Raises
    ------
    DatasetError
        If there is none. `layout` says in words what a track's folder should hold.
    """
    names = tuple(track.name for track in subfolders(folder) if is_track(track))
    if not names:
        raise DatasetError(
            f"{folder}: no track in it; {layout}, and the folders here (splits?) are {_listing(subfolders(folder))}"
        )
    return names


def audio_file(folder: str | PathLike, stem: str) -> Path | None:
    """The path of ``<stem>.wav`` in a folder, or in another format of audio, in capitals or not; None without one.

    If there are several, the first of `glowsep.signals.audio.suffixes.SUFFIXES` is read.
    """
    return audio_files(folder).get(stem.casefold())


def audio_files(folder: str | PathLike) -> dict[str, Path]:
    """The audio files in a folder: a dict of name, without capitals and suffix, to path."""
    folder = Path(folder)
    if not folder.is_dir():
        return {}
    found = (path for path in folder.iterdir() if looks_like_audio(path) and path.is_file())
    best_last = sorted(found, key=lambda path: (SUFFIXES.index(path.suffix.lower()), path.name), reverse=True)
    return {path.stem.casefold(): path for path in best_last}


def read_together(
    paths: Sequence[Path], start_s: float = 0, duration_s: float | None = None
) -> tuple[list[np.ndarray], int]:
    """Read the audio files of one track, which have the same rate, number of channels, and roughly the same length.

    If their lengths differ by less than 0.1 s, the shorter ones are padded with silence at the end.

    Parameters
    ----------
    paths : list of path
    start_s, duration_s : float, optional
        The part to read, in seconds; the whole by default.

    Returns
    -------
    waveforms : list of numpy.ndarray, (channels, samples)
    rate : int

    Raises
    ------
    DatasetError
        If the files do not belong together, or are shorter than the part to read.
    """
    infos = [audio.info(path) for path in paths]
    longest = max(info.samples for info in infos)
    rate = infos[0].rate
    for path, info in zip(paths, infos, strict=True):
        if info.rate != rate:
            raise DatasetError(f"{path}: its rate is {info.rate} Hz, that of {paths[0].name} {rate} Hz; resample it")
        if info.channels != infos[0].channels:
            raise DatasetError(f"{path}: {info.channels} channels, but {paths[0].name} has {infos[0].channels}")
        if longest - info.samples > TOLERANCE * rate:
            seconds = (longest - info.samples) / rate
            raise DatasetError(f"{path}: {seconds:.2f} s shorter than the track's other files; fetch it again")
    start = round(start_s * rate)
    stop = longest if duration_s is None else start + round(duration_s * rate)
    if stop > longest + TOLERANCE * rate:
        raise DatasetError(f"{paths[0]}: ends at {longest / rate:.2f} s, but its excerpt at {stop / rate:.2f} s")
    return [_padded(audio.read(path, start, stop)[0], stop - start) for path in paths], rate


def _padded(waveform, samples):
    return np.pad(waveform, ((0, 0), (0, samples - waveform.shape[-1])))


def _listing(folders):
    names = [folder.name for folder in folders]
    return ", ".join(names[:4] + ["..."] * (len(names) > 4)) or "none"
