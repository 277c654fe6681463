"""Which songs are meant by what was typed, and the folder that each one's stems go to."""

import glob
import os
from collections.abc import Sequence
from pathlib import Path

from glowsep.arrays.files import place_of
from glowsep.cli.failures import Failures
from glowsep.errors import AudioError
from glowsep.signals.audio.suffixes import looks_like_audio, without_suffix


def find_songs(given: Sequence[Path], failures: Failures | None = None) -> list[Path]:
    """The songs that files, folders and patterns name, each once, in the order in which they are named.

    A folder stands for every audio file in it, but not for those in its subfolders. A link that leads nowhere is one
    of them, for reading it to say so. A pattern such as ``*.mp3`` is
    expanded here where the shell has not done it, as on Windows.

    Raises
    ------
    AudioError
        If a folder holds no audio file, or a pattern fits none. With ``failures`` this is noted there instead, and
        the other songs are found.
    """
    songs, failures = {}, failures or Failures(stop_at_first=True)
    for path in given:
        with failures.of(path):
            for song in _meant_by(path):
                songs.setdefault(_identity(song), song)
    return list(songs.values())


def _meant_by(path):
    if path.is_dir():
        songs = sorted(song for song in path.iterdir() if looks_like_audio(song) and not song.is_dir())
        if not songs:
            raise AudioError(f"{path}: no audio file in it; give the songs, or the folder that holds them")
        return songs
    if glob.has_magic(str(path)) and not path.exists():
        songs = sorted(song for song in map(Path, glob.glob(str(path), recursive=True)) if not song.is_dir())
        if not songs:
            raise AudioError(f"{path}: no file fits this pattern; check the name and the folder")
        return songs
    return [path]  # if it is not there, reading it will say so


def output_folders(
    songs: Sequence[Path], out: Path | None = None, several: bool | None = None, failures: Failures | None = None
) -> dict[Path, Path]:
    """The folder that each song's sources go to: a dict of song to folder.

    Without ``out``, it is a folder next to the song that is named like it. With it, it is ``out`` itself, or if there
    are ``several`` songs, a folder in it for each.

    Raises
    ------
    AudioError
        If two songs would go to the same one. With ``failures`` this is noted there instead, and neither of the two
        has a folder.
    """
    several = len(songs) > 1 if several is None else several
    folders, failures = {}, failures or Failures(stop_at_first=True)
    for song in songs:
        if out is None:
            folder = song.with_name(folder_name(song.name))
        else:
            folder = out / folder_name(song.name) if several else out
        folders[song] = folder
    rivals = {}
    for song, folder in folders.items():
        rivals.setdefault(place_of(folder), []).append(song)
    for first, *others in rivals.values():
        for song in others:
            with failures.of(song):
                folder = folders.pop(song)
                raise AudioError(f"{song}: {first} goes to {folder} too; separate them one by one, each with its -o")
        if others:
            del folders[first]
    return folders


def _identity(path):
    """What is the same for all paths to one file."""
    return os.path.normcase(os.path.realpath(path))


def folder_name(song: str) -> str:
    """The name of the folder for a song of this name: the same without its suffix, where that is a name of its own.

    Without their suffix, some names are none, lead to another folder (``..``), or lose their end on Windows.

    Examples
    --------
    >>> [folder_name(song) for song in ("song.mp3", "a.b.WAV", "song", "Mr. Smith", "...wav")]
    ['song', 'a.b', 'song-sources', 'Mr. Smith-sources', '...wav-sources']
    """
    name = without_suffix(song)
    return name if name != song and name == name.rstrip(". ") and name else f"{song}-sources"
