"""A seal in every file that glowsep writes: by it the file is recognised, unless somebody has changed it since.

The seal is a comment with the SHA-256 of the whole file. While that is computed, the digest itself counts as zeros, and
so does an Ogg page's checksum, which depends on it. Whatever edits a file breaks its seal: from then on it is the
user's.
"""

import hashlib
import os
from functools import cache
from pathlib import Path
from typing import NamedTuple

NAME = "written by glowsep, sha256 "
DIGITS = 64
BLANK = NAME + "0" * DIGITS

#: Bytes from the beginning within which the comment stands, in every format that we write.
HEAD = 1 << 16


class Seal(NamedTuple):
    """Where a seal is: the position of its digits, its page (start and stop) if the file is Ogg, and the digits."""

    position: int
    page: tuple[int, int] | None
    digits: bytes


def seal(path: str | os.PathLike) -> None:
    """Fill in the digest of a file that holds the comment `BLANK`; a file without it stays as it is."""
    found, digest = _read(path)
    if found is None:
        return
    with open(path, "r+b") as file:
        file.seek(found.position)
        file.write(digest)
        if found.page:
            start, stop = found.page
            file.seek(start)
            page = bytearray(file.read(stop - start))
            page[22:26] = bytes(4)
            file.seek(start + 22)
            file.write(ogg_checksum(page).to_bytes(4, "little"))


def is_sealed(path: str | os.PathLike) -> bool:
    """Whether glowsep wrote a file and nobody has changed a byte of it since.

    Examples
    --------
    >>> is_sealed(__file__)
    False
    """
    try:
        found, digest = _read(path)
    except OSError:
        return False
    return found is not None and found.digits == digest


def is_ours_to_replace(path: str | os.PathLike) -> bool:
    """Whether nothing is at a path, or a file that glowsep wrote, unchanged and not protected from writing."""
    path = Path(path)
    if not os.path.lexists(path):
        return True
    return path.is_file() and not path.is_symlink() and bool(path.stat().st_mode & 0o200) and is_sealed(path)


def _read(path):
    """A file's `Seal`, or None, and the digest that it should have."""
    with open(path, "rb") as file:
        head = bytearray(file.read(HEAD))
        found = _find(head)
        if found is None:
            return None, None
        head[found.position : found.position + DIGITS] = b"0" * DIGITS
        if found.page:
            start, _ = found.page
            head[start + 22 : start + 26] = bytes(4)
        digest = hashlib.sha256(head)
        while block := file.read(1 << 20):
            digest.update(block)
    return found, digest.hexdigest().encode()


def _find(head):
    name = head.find(NAME.encode())
    digits = bytes(head[name + len(NAME) : name + len(NAME) + DIGITS])
    if name < 0 or len(digits) < DIGITS:
        return None
    page = None
    if head.startswith(b"OggS"):
        start = head.rfind(b"OggS", 0, name)
        table = head[start + 27 : start + 27 + head[start + 26]]
        page = start, start + 27 + len(table) + sum(table)
    return Seal(name + len(NAME), page, digits)


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
