"""Standard streams that nobody may be listening to: closed from the start, or gone in the middle (``| head``).

What a command writes to files does not depend on whether anybody hears what it says meanwhile.
"""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from glowsep.arrays.printing import printable

#: What the system says of a pipe without a reader, a terminal that was closed, and a stream that was.
GONE = {errno.EPIPE, errno.EIO, errno.EBADF, errno.ENXIO} | ({errno.EINVAL} if sys.platform == "win32" else set())


@contextmanager
def forgiving_streams() -> Iterator[None]:
    """Let stdout and stderr swallow what they are told, for the ``with`` block, if nobody listens to them."""
    fill_closed_streams()
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (Forgiving(stream, name) for stream, name in zip(before, ("output", "error"), strict=True))
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        sys.stdout, sys.stderr = before


def fill_closed_streams() -> None:
    """Open the null device in the place of standard streams that were closed before the program began."""
    if None not in (sys.stdin, sys.stdout, sys.stderr):
        return
    # A new file gets the lowest free number. A stem with number 2 would receive whatever a library in C complains of.
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))


class Forgiving:
    """A text stream, ``stream``, that is silent once there is nobody at its other end."""

    def __init__(self, stream: TextIO, name: str):
        self._stream, self._name = stream, name

    def write(self, text: str) -> int:
        """Write as the stream does, or pretend to; control characters are escapes, whoever has put them there."""
        with self._unless_gone():
            self._stream.write(printable(text))
        return len(text)

    def flush(self) -> None:
        """Flush, unless there is nobody left."""
        with self._unless_gone():
            self._stream.flush()

    @contextmanager
    def _unless_gone(self):
        try:
            yield
        except OSError as error:
            if error.errno not in GONE:  # a full disk: then what should have been written is lost
                raise OSError(error.errno, error.strerror, f"standard {self._name}") from None
            self._silence()

    def _silence(self):
        """Lead the stream to the null device, with what is still in its buffer."""
        null = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(null, self._stream.fileno())
            os.close(null)
        except (OSError, ValueError):
            self._stream = os.fdopen(null, "w", encoding="utf-8")

    def __getattr__(self, name):
        return getattr(self._stream, name)
