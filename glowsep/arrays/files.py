"""Writing whole or not at all: what is new gets a hidden name first, and takes its own at the very end.

Until then the earlier file or folder is untouched, and an error or Ctrl-C removes what is new. The hidden names are
``.glowsep-<process id>-<machine>-new-<name>``, and ``-old-`` for what is about to be replaced: so the leftovers of a
process that was killed are recognised, and the next that writes to the folder clears them.
"""

import errno
import hashlib
import os
import re
import shutil
import socket
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from glowsep.arrays.processes import is_running
from glowsep.arrays.seals import seal

HIDDEN = re.compile(
    r"\.glowsep-(?P<process>\d+)-(?:(?P<machine>[0-9a-f]{8})-)?(?P<state>new|old)-(?P<name>.+)", re.DOTALL
)


@contextmanager
def written_whole(path: str | os.PathLike) -> Iterator[Path]:
    """Give a temporary path to write a file to: it becomes ``path`` if the block succeeds, and vanishes if not.

    The temporary path has the suffix of ``path`` and is in the same folder, so that renaming it is a single step.

    Raises
    ------
    OSError
        If the file cannot be written, or ``path`` is a folder. It names ``path``, not the temporary file.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     song = Path(folder, "song.txt")
    ...     with written_whole(song) as temporary:
    ...         _ = temporary.write_text("la la la")
    ...         print(song.exists())
    ...     print(song.exists())
    False
    True
    """
    with all_written_whole([path]) as (temporary,):
        yield temporary


@contextmanager
def all_written_whole(paths: Sequence[str | os.PathLike]) -> Iterator[list[Path]]:
    """`written_whole` for several files: all of them take their names, or none does and the earlier ones come back."""
    targets = [Path(path) for path in paths]
    temporaries = [_hidden(target, "new") for target in targets]
    for folder in {target.parent for target in targets}:
        clear_leftovers(folder)
    with _naming(dict(zip(temporaries, targets, strict=True))):
        for target in targets:
            if target.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
        try:
            yield temporaries
            put_in_place(temporaries, targets)
        finally:
            for temporary in temporaries:
                _remove(temporary)


@contextmanager
def work_folder(path: str | os.PathLike) -> Iterator[Path]:
    """Give an empty temporary folder next to ``path``, where `put_in_place` can take from; it vanishes at the end."""
    temporary = _hidden(Path(path), "new")
    clear_leftovers(temporary.parent)
    with _naming({temporary: path}):
        try:
            _remove(temporary)  # of a process that had our number and was killed: in a container, all have the same
            temporary.mkdir()
            yield temporary
        finally:
            _remove(temporary)


def put_in_place(sources: Sequence[str | os.PathLike], targets: Sequence[str | os.PathLike]) -> None:
    """Rename each source, a file or a folder, to its target: if one fails, what stood there before comes back.

    Raises
    ------
    OSError
        Names the target that could not be replaced.
    """
    targets = [Path(target) for target in targets]
    if len(targets) == 1 and not targets[0].is_dir():
        return _rename(sources[0], targets[0])  # replaces an earlier file in one step: there is always one of the two
    earlier = {target: _hidden(target, "old") for target in targets if target.exists()}
    try:
        for target, aside in earlier.items():
            _rename(target, aside, blame=target)
        for source, target in zip(sources, targets, strict=True):
            _rename(source, target)
    except BaseException:
        for target in targets:
            if target not in earlier:
                _remove(target)
            elif earlier[target].exists():
                _remove(target)
                os.replace(earlier[target], target)
        raise
    for aside in earlier.values():
        _remove(aside)


def clear_leftovers(folder: str | os.PathLike) -> None:
    """Clear what processes that were killed have left in a folder: half-written files go, earlier ones come back.

    A process that was killed while it replaced several files may have moved an earlier one aside; that one takes its
    name again, unless its successor is there already. What belongs to a running process, or to one on another machine
    that shares the folder, stays.
    """
    try:
        leftovers = [(entry, found) for entry in Path(folder).iterdir() if (found := HIDDEN.fullmatch(entry.name))]
    except OSError:  # a folder that is missing or unreadable: the write that follows will report it
        return
    for entry, found in leftovers:
        if found["machine"] not in (None, _machine()) or is_running(int(found["process"])):
            continue
        target = entry.with_name(found["name"])
        if found["state"] == "old" and not os.path.lexists(target):
            with suppress(OSError):
                os.replace(entry, target)
        else:
            _remove(entry)


@contextmanager
def folder_made(folder: str | os.PathLike) -> Iterator[Path]:
    """Make ``folder`` and its parents if they are missing; what was made is removed again if the block fails."""
    folder = Path(folder)
    made = [level for level in (folder, *folder.parents) if not level.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
    except BaseException:
        for level in made:
            with suppress(OSError):
                level.rmdir()
        raise


def write_text(path: str | os.PathLike, text: str) -> None:
    """Write a text file, whole or not at all: UTF-8, with the same line ends on every system.

    A text that holds the comment `glowsep.arrays.seals.BLANK` is sealed.
    """
    with written_whole(path) as temporary:
        # A file name in the text may hold bytes that are no UTF-8: they become escapes, as in messages.
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
        seal(temporary)


def place_of(path: str | os.PathLike) -> tuple[str, str]:
    """What is the same for all paths that would lead to one new file or folder on some system.

    ``S`` and ``s`` are two names on Linux, but one on Windows, on macOS and on memory sticks; and so are two ways in
    which Unicode spells a name. What is written must not depend on that. Folders that are there already are what this
    system takes them for.

    Examples
    --------
    >>> place_of("no such folder/S.wav") == place_of("no such folder/../NO such folder/s.WAV")
    True
    """
    path = Path(os.path.realpath(path))
    there = next((level for level in path.parents if level.is_dir()), Path(path.anchor))
    name = unicodedata.normalize("NFC", os.fspath(path.relative_to(there)))
    return os.path.normcase(there), unicodedata.normalize("NFC", name.casefold())


def for_c(path: str | os.PathLike) -> str | bytes:
    """A path as a library in C takes it: as bytes, which any file name has, whether it is UTF-8 or not.

    On Windows file names are text, and such a library would take bytes for another alphabet's.
    """
    return os.fspath(path) if sys.platform == "win32" else os.fsencode(path)


def _hidden(target, state):
    return target.with_name(f".glowsep-{os.getpid()}-{_machine()}-{state}-{target.name}")


@cache
def _machine():
    """This machine among those that may share a folder: eight digits, for a name may hold any characters."""
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]


def _rename(source, target, blame=None):
    with _naming({source: blame or target}):
        os.replace(source, target)


def _remove(path):
    """Remove a file or a folder, if it is there and the system lets us: the error that led here matters more."""
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()


@contextmanager
def _naming(target_of):
    """An error that names a temporary path names its target instead, and so does one that names nothing, if it can."""
    try:
        yield
    except OSError as error:
        blamed = {str(temporary): str(target) for temporary, target in target_of.items()}
        only = next(iter(blamed.values())) if len(blamed) == 1 else None
        target = only if error.filename is None else blamed.get(str(error.filename))
        if error.errno is None or target is None:
            raise
        raise OSError(error.errno, error.strerror, target) from None
