"""Data sets: tracks with their mixture and sources, in the layouts in which they are published."""

from os import PathLike

from glowsep.datasets.files import audio_files, has_split, split_folder, subfolders
from glowsep.datasets.joined import Joined
from glowsep.datasets.musdb import MUSDB18, MUSDB18HQ, SOURCES
from glowsep.datasets.slakh import Slakh2100, is_slakh_track
from glowsep.datasets.stem_folder import StemFolder
from glowsep.datasets.track import Dataset, Track

__all__ = ["MUSDB18", "MUSDB18HQ", "Dataset", "Joined", "Slakh2100", "StemFolder", "Track", "open_dataset"]


def open_dataset(path: str | PathLike, split: str | None = None) -> Dataset:
    """Open a data set, whose layout is recognised by the files in it.

    Parameters
    ----------
    path : path
        The data set's folder: Slakh2100, Freedoom-4, MUSDB18, MUSDB18-HQ, or any folder of tracks with a file per
        source.
    split : str, optional
        "train", "validation" or "test"; omit it if the data set has no folders of splits.

    Returns
    -------
    dataset : Dataset

    Raises
    ------
    DatasetError
        If there is no such folder or split, or nothing in it that looks like a track.
    """
    path = split_folder(path)
    in_train = split == "validation" and not has_split(path, split)
    folder = split_folder(path, "train" if in_train else split)
    if any(folder.glob("*.stem.mp4")):
        return MUSDB18(path, split)
    tracks = subfolders(folder)
    if any(is_slakh_track(track) for track in tracks):
        return Slakh2100(path, split)
    if split and not has_split(path, "validation") and any(_is_musdb_track(track) for track in tracks):
        return MUSDB18HQ(path, split)
    return StemFolder(path, split)


def _is_musdb_track(folder):
    return {"mixture", *SOURCES} <= audio_files(folder).keys()
