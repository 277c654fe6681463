"""Folders that glowsep writes whole, and again: what is its own is replaced, and what is the user's stays.

Each holds a record, a hidden file with the SHA-256 of every file that glowsep wrote there. A file that it does not
list, or whose digest is another by now, is the user's: what somebody has put beside the pages (notes, or a ``.git`` to
publish them) moves on into the new folder, and what somebody has edited is never replaced unasked.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from glowsep.arrays.files import put_in_place, work_folder, write_text
from glowsep.arrays.seals import BLOCK, require_ours
from glowsep.errors import GlowsepError

RECORD = ".glowsep-written.json"
ELSEWHERE = "another folder"


@contextmanager
def folder_written_whole(
    folder: str | os.PathLike, overwrite: bool = False, error: type[GlowsepError] = GlowsepError
) -> Iterator[Path]:
    """Give an empty temporary folder: it replaces ``folder`` if the block succeeds, and vanishes if not.

    See `put_folder_in_place`; `require_as_written` comes first, before any work.
    """
    with work_folder(folder) as temporary:
        yield temporary
        put_folder_in_place(temporary, folder, overwrite, error)


def put_folder_in_place(
    source: str | os.PathLike,
    folder: str | os.PathLike,
    overwrite: bool = False,
    error: type[GlowsepError] = GlowsepError,
) -> None:
    """Rename a folder to another, and keep what the user has put there.

    Parameters
    ----------
    source : path
        A new folder beside ``folder``.
    folder : path
        What is there already is replaced, but for the user's files: they stay, unless there is one of that name in
        ``source``.
    overwrite : bool
        Such a one is replaced.
    error : class
        What is raised.

    Raises
    ------
    GlowsepError
        Names the first file of the user's that is in the way. Then ``folder`` is as it was.
    """
    source, folder = Path(source), Path(folder)
    write_record(source, [path.relative_to(source) for path in _entries(source) if path.is_file()])
    others = list(_others(folder))
    in_the_way = [name for name in others if _is_taken(source, name)]
    require_ours([folder / name for name in in_the_way], overwrite, ELSEWHERE, error, is_ours=lambda path: False)
    for name in others:
        if name not in in_the_way:
            _add(folder / name, source / name)
    put_in_place([source], [folder])


def require_as_written(
    folder: str | os.PathLike,
    names: Iterable[str | os.PathLike] = (),
    overwrite: bool = False,
    error: type[GlowsepError] = GlowsepError,
) -> None:
    """Refuse a folder in which a file of glowsep's has been changed: before any work is done.

    Parameters
    ----------
    folder : path
        It need not be there.
    names : iterable of path
        What will be written there, as far as it is known; beside it, all that has been written earlier counts.
    overwrite : bool
        Refuse nothing.
    error : class
        What is raised.

    Raises
    ------
    GlowsepError
        Names the first such file.
    """
    record = read_record(folder)
    paths = [Path(folder, name) for name in sorted({*record, *(Path(name).as_posix() for name in names)})]
    require_ours(
        paths,
        overwrite,
        ELSEWHERE,
        error,
        is_ours=lambda path: _is_as_written(folder, path.relative_to(folder).as_posix(), record),
    )


def write_record(folder: str | os.PathLike, names: Iterable[str | os.PathLike]) -> None:
    """Note the digests of these files of a folder, beside those that are noted there already."""
    digests = {Path(name).as_posix(): _digest(Path(folder, name)) for name in names}
    record = read_record(folder) | digests
    write_text(Path(folder, RECORD), json.dumps(dict(sorted(record.items())), indent=1) + "\n")


def read_record(folder: str | os.PathLike) -> dict[str, str]:
    """The digests of all files that glowsep wrote to a folder, by their names in it; empty without a record."""
    try:
        record = json.loads(Path(folder, RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _others(folder):
    """The names in a folder that are not of files as glowsep wrote them."""
    record = read_record(folder)
    for path in _entries(folder):
        name = path.relative_to(folder)
        if name != Path(RECORD) and not _is_as_written(folder, name.as_posix(), record):
            yield name


def _entries(folder):
    """The files, links and empty folders in a folder and its subfolders."""
    if not os.path.isdir(folder):
        return
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            path = Path(folder, entry.name)
            if entry.is_dir(follow_symlinks=False) and any(path.iterdir()):
                yield from _entries(path)
            else:
                yield path


def _is_as_written(folder, name, record):
    path = Path(folder, name)
    if path.is_symlink() or not path.is_file():
        return False
    return name in record and record[name] == _digest(path)


def _is_taken(source, name):
    """Whether a new folder has something of its own in the place of one of the user's files."""
    return os.path.lexists(source / name) or any((source / parent).is_file() for parent in name.parents)


def _add(path, target):
    """Give a file a second name, without a copy of what it holds where the file system can; or make an empty folder."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink():
        shutil.copy2(path, target, follow_symlinks=False)
    elif path.is_dir():
        target.mkdir()
    else:
        try:
            os.link(path, target)
        except OSError:  # the file system has no second names
            shutil.copy2(path, target)


def _digest(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()
