"""What all data sets of folders and audio files need: finding tracks, and reading files that belong together."""

import unicodedata
from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path

import numpy as np

from glowsep.errors import DatasetError
from glowsep.signals import audio
from glowsep.signals.audio.suffixes import looks_like_audio

#: Seconds by which the lengths of a track's files may differ: encoders drop or add a few samples at the end.
TOLERANCE = 0.1


def split_folder(path: str | PathLike, split: str | None = None) -> Path:
    """The folder that holds the tracks of a split: `path` itself without a split.

    Raises
    ------
    DatasetError
        If `path` is not a folder, or has no such split, or two of that name.
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
    """Whether a data set's folder has a folder for a split, in capitals or not.

    Raises
    ------
    DatasetError
        If it has two that differ in capitals only.
    """
    return _split(Path(path), split) is not None


def _split(path, split):
    found = [folder for folder in subfolders(path) if _known_as(folder.name) == _known_as(split)]
    if len(found) > 1:
        raise DatasetError(
            f"{found[0]}: {found[1].name} is there too, but only one of them can be the split; rename the other"
        )
    if not found and (path / split).is_dir():  # a split may be a path, such as "train/solos"
        return path / split
    return found[0] if found else None


def subfolders(path: Path) -> list[Path]:
    """The folders in a folder, sorted by name, without hidden ones; none of what is no folder."""
    if not path.is_dir():
        return []
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

    Raises
    ------
    DatasetError
        If there are several, of which nobody but the user can tell which is meant, or it is a link that leads nowhere.
    """
    first, *others = audio_files(folder).get(_known_as(stem), [None])
    if others:
        raise DatasetError(
            f"{first}: {others[0].name} is there too, but only one of them can be read; move the other away"
        )
    if first is not None and not first.exists():
        raise DatasetError(f"{first}: is a link that leads nowhere; fetch the file that it stands for")
    return first


def audio_files(folder: str | PathLike) -> dict[str, list[Path]]:
    """The audio files in a folder: a dict of name, without capitals and suffix, to the paths that have it."""
    folder, found = Path(folder), {}
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            if looks_like_audio(path) and not path.is_dir():  # a link that leads nowhere counts
                found.setdefault(_known_as(path.stem), []).append(path)
    return found


def _known_as(name):
    """What is the same for all ways to write a name: with capitals or not, and in Unicode's several spellings."""
    return unicodedata.normalize("NFC", name.casefold())


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
