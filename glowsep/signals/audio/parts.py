"""The parts of an audio file: each is a stretch of sound that libsndfile reads whole."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO


@dataclass(frozen=True)
class Part:
    """A stretch of sound in a file, as libsndfile is to see it.

    Attributes
    ----------
    pieces : tuple of bytes and of (start, stop), optional
        What to show libsndfile, one piece after another: bytes, or the file's own bytes from ``start`` up to ``stop``.
        None shows the whole file as it is.
    samples : int, optional
        How many samples (per channel) there are to decode; None if libsndfile's own count can be trusted.
    order : tuple of int, optional
        The positions of the channels in WAV's order, if the file's order is another.
    """

    pieces: tuple | None = None
    samples: int | None = None
    order: tuple[int, ...] | None = None


class Spliced:
    """A file for reading, made of bytes and of stretches of another file.

    Parameters
    ----------
    file : binary file
        Stays open as long as this is in use.
    pieces : sequence of bytes and of (start, stop)

    Examples
    --------
    >>> import io
    >>> spliced = Spliced(io.BytesIO(b"a tail"), [b"a new head, ", (0, 6)])
    >>> spliced.seek(2), spliced.read(100)
    (2, b'new head, a tail')
    """

    def __init__(self, file: BinaryIO, pieces: Sequence[bytes | tuple[int, int]]):
        self.file, self.pieces, self.position = file, pieces, 0
        self.lengths = [len(piece) if isinstance(piece, bytes) else piece[1] - piece[0] for piece in pieces]

    def tell(self) -> int:
        """The position, in bytes."""
        return self.position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a position, and return it."""
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self.position, os.SEEK_END: sum(self.lengths)}[whence]
        self.position = max(0, origin + offset)
        return self.position

    def read(self, count: int) -> bytes:
        """The next ``count`` bytes, fewer at the end."""
        found, start = [], 0
        for piece, length in zip(self.pieces, self.lengths, strict=True):
            begin, end = max(self.position - start, 0), min(self.position + count - start, length)
            if begin < end:
                found.append(self._bytes(piece, begin, end))
            start += length
        block = b"".join(found)
        self.position += len(block)
        return block

    def _bytes(self, piece, begin, end):
        if isinstance(piece, bytes):
            return piece[begin:end]
        try:
            self.file.seek(piece[0] + begin)
            return self.file.read(end - begin)
        except OSError:  # libsndfile cannot pass it on: it takes this for the end, before all has been decoded
            return b""
