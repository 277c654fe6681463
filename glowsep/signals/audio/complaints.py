"""What a library writes to the terminal by itself: caught, so that it can be told from the program's own lines.

libmpg123 mutes a frame that it cannot decode, and says so on the standard error stream and nowhere else.
"""

import os
import sys
import tempfile
import threading
from contextlib import contextmanager

STANDARD_ERROR = 2  # its number for the system, and for libraries written in C
_one_at_a_time = threading.Lock()


class Complaints:
    """Catches what is written to the standard error stream while `caught` is in use.

    Attributes
    ----------
    file : temporary file
        Holds what was caught.
    """

    def __init__(self):
        self.file = tempfile.TemporaryFile()

    @contextmanager
    def caught(self):
        """Catch what is written inside of the block."""
        if sys.__stderr__ is None:  # the stream was closed from the beginning: its number may be that of any file
            yield
            return
        with _one_at_a_time:
            original = os.dup(STANDARD_ERROR)
            try:
                os.dup2(self.file.fileno(), STANDARD_ERROR)
                yield
            finally:
                os.dup2(original, STANDARD_ERROR)
                os.close(original)

    def has_errors(self) -> bool:
        """Whether an error was caught; warnings do not count."""
        if os.fstat(self.file.fileno()).st_size == 0:
            return False
        self.file.seek(0)
        return b"error: " in self.file.read(1 << 16)

    def close(self) -> None:
        """Forget all of it."""
        self.file.close()
