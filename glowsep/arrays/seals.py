"""A seal in every file that glowsep writes: by it the file is recognised, unless somebody has changed it since.

The seal is a comment with the SHA-256 of the whole file: a tag in sound, a comment in HTML and Markdown, a field in
JSON, the name of the program in pictures. While the digest is computed, its own digits count as zeros, and so does the
checksum of the Ogg page or PNG chunk that they are in, which depends on them. Whatever edits a file breaks its seal:
from then on it is the user's.
"""

import hashlib
import os
import zlib
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import BinaryIO, NamedTuple

from glowsep.errors import GlowsepError

NAME = "written by glowsep, sha256 "
DIGITS = 64
BLANK = NAME + "0" * DIGITS

#: Bytes from the beginning, or up to the end, within which the comment stands, in every format that we write.
EDGE = 1 << 16
BLOCK = 1 << 20  # bytes that are read at once


class Checksum(NamedTuple):
    """A checksum in a file: where it stands, the bytes that it is of (both start and stop), and how it is computed."""

    field: tuple[int, int]
    covers: tuple[int, int]
    of: Callable[[bytes], bytes]


class Seal(NamedTuple):
    """Where a seal is: the position of its digits, the digits, and the checksum that depends on them, if one does."""

    position: int
    digits: bytes
    checksum: Checksum | None


def seal(path: str | os.PathLike) -> None:
    """Fill in the digest of a file that holds the comment `BLANK`; a file without it stays as it is."""
    with open(path, "r+b") as file:
        found = _find(file)
        if found is None:
            return
        digest = _digest(file, found)
        file.seek(found.position)
        file.write(digest)
        if found.checksum:
            (start, stop), (first, last) = found.checksum.field, found.checksum.covers
            file.seek(start)
            file.write(bytes(stop - start))
            file.seek(first)
            checksum = found.checksum.of(file.read(last - first))
            file.seek(start)
            file.write(checksum)


def is_sealed(path: str | os.PathLike) -> bool:
    """Whether glowsep wrote a file and nobody has changed a byte of it since.

    Examples
    --------
    >>> is_sealed(__file__)
    False
    """
    try:
        with open(path, "rb") as file:
            found = _find(file)
            return found is not None and found.digits == _digest(file, found)
    except OSError:
        return False


def is_ours_to_replace(path: str | os.PathLike, is_ours: Callable[[Path], bool] = is_sealed) -> bool:
    """Whether nothing is at a path, or a file that glowsep wrote, unchanged and not protected from writing."""
    path = Path(path)
    if not os.path.lexists(path):
        return True
    return path.is_file() and not path.is_symlink() and bool(path.stat().st_mode & 0o200) and is_ours(path)


def require_ours(
    paths: Sequence[str | os.PathLike],
    overwrite: bool = False,
    elsewhere: str = "another name",
    error: type[GlowsepError] = GlowsepError,
    is_ours: Callable[[Path], bool] = is_sealed,
) -> None:
    """Refuse to replace files that glowsep did not write, or that were changed since: before any work is done.

    Parameters
    ----------
    paths : sequence of path
        What will be written.
    overwrite : bool
        Replace whatever is there, unless it is a device or a pipe.
    elsewhere : str
        What the message advises to choose.
    error : class
        What is raised.
    is_ours : callable
        Whether glowsep wrote a file; by default it has a seal.

    Raises
    ------
    GlowsepError
        Names the first of the files.
    """
    for path in paths:
        if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
            raise error(f"{path}: is no file but a device or a pipe; choose {elsewhere}")
    others = [] if overwrite else [path for path in paths if not is_ours_to_replace(path, is_ours)]
    if others:
        more = f" (and {len(others) - 1} more)" if len(others) > 1 else ""
        raise error(
            f"{others[0]}: is there already, and not as glowsep wrote it{more}; choose {elsewhere}, or replace it with "
            "--overwrite"
        )


def _find(file: BinaryIO) -> Seal | None:
    """The `Seal` of a file, or None if there is none at its beginning or its end."""
    size = os.fstat(file.fileno()).st_size
    for start in dict.fromkeys((0, max(0, size - EDGE))):
        file.seek(start)
        content = file.read(EDGE)
        name = content.find(NAME.encode())
        digits = content[name + len(NAME) :][:DIGITS]
        if name >= 0 and len(digits) == DIGITS:
            checksum = None if start else _ogg_page(content, name) or _png_chunk(content, name)
            return Seal(start + name + len(NAME), digits, checksum)
    return None


def _digest(file, found):
    """The digest that a file should have."""
    blanks = [(found.position, found.position + DIGITS, b"0" * DIGITS)]
    if found.checksum:
        start, stop = found.checksum.field
        blanks.append((start, stop, bytes(stop - start)))
    digest = hashlib.sha256()
    file.seek(0)
    for start, stop, blank in sorted(blanks):
        while block := file.read(max(0, min(BLOCK, start - file.tell()))):
            digest.update(block)
        digest.update(blank)
        file.seek(stop)
    while block := file.read(BLOCK):
        digest.update(block)
    return digest.hexdigest().encode()


def _ogg_page(head, position):
    """The checksum of the page that holds a position, if the file is Ogg."""
    if not head.startswith(b"OggS"):
        return None
    start = head.rfind(b"OggS", 0, position)
    table = head[start + 27 : start + 27 + head[start + 26]]
    stop = start + 27 + len(table) + sum(table)
    return Checksum((start + 22, start + 26), (start, stop), lambda page: ogg_checksum(page).to_bytes(4, "little"))


def _png_chunk(head, position):
    """The checksum of the chunk that holds a position, if the file is PNG: of its type and its content."""
    if not head.startswith(b"\x89PNG\r\n\x1a\n"):
        return None
    start = 8
    while (stop := start + 8 + int.from_bytes(head[start : start + 4], "big")) <= position:
        start = stop + 4
    return Checksum((stop, stop + 4), (start + 4, stop), lambda chunk: zlib.crc32(chunk).to_bytes(4, "big"))


def ogg_checksum(page: bytes) -> int:
    """The checksum of an Ogg page whose own field is zero: CRC-32 of polynomial 0x04c11db7, most significant bit first.

    Source: RFC 3533, section 6.
    """
    register = 0
    for byte in page:
        register = register << 8 & 0xFFFFFFFF ^ _table()[register >> 24 ^ byte]
    return register


@cache
def _table():
    table = []
    for byte in range(256):
        register = byte << 24
        for _ in range(8):
            register = register << 1 ^ (0x04C11DB7 if register >> 31 else 0)
            register &= 0xFFFFFFFF
        table.append(register)
    return table
