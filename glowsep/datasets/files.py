"""What all data sets of folders and audio files need: finding tracks, and reading files that belong together."""

from pathlib import Path

import numpy as np

from glowsep.errors import DatasetError
from glowsep.signals import audio

#: Seconds by which the lengths of a track's files may differ: encoders drop or add a few samples at the end.
TOLERANCE = 0.1


def split_folder(path, split=None):
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
    if not (path / split).is_dir():
        raise DatasetError(f"{path}: has no split {split!r}; its folders are {_listing(subfolders(path))}")
    return path / split


def subfolders(path):
    """The folders in a folder, sorted by name, without hidden ones."""
    return sorted(folder for folder in path.iterdir() if folder.is_dir() and not folder.name.startswith("."))


def tracks_in(folder, is_track, layout):
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


def audio_file(folder, stem):
    """The path of ``<stem>.wav`` or ``<stem>.flac`` in a folder, or None if neither is there."""
    paths = (folder / f"{stem}{ending}" for ending in (".wav", ".flac"))
    return next((path for path in paths if path.is_file()), None)


def read_together(paths, start_s=0, duration_s=None):
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
