"""What went wrong, in one line that names the file and says what to do."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from glowsep.arrays.printing import one_line
from glowsep.errors import GlowsepError


def reason(error: Exception) -> str:
    """Why an error stops a command, for the user to read."""
    if isinstance(error, MemoryError):
        return "not enough memory; close other programs, or work on a shorter piece"
    if isinstance(error, OSError):
        return f"{error.filename or 'a file'}: {error.strerror or error}; check its folder and the disk's space"
    return str(error)


def complain(text: object) -> None:
    """Print a line on stderr."""
    print("glowsep:", one_line(text), file=sys.stderr, flush=True)


class Failures:
    """What went wrong with some of many files, while the others were done.

    Parameters
    ----------
    stop_at_first : bool
        Let the first error through, so that nothing else is done.

    Attributes
    ----------
    reasons : dict of Path to str
    """

    def __init__(self, stop_at_first: bool = False):
        self.stop_at_first, self.reasons = stop_at_first, {}

    @contextmanager
    def of(self, path: Path) -> Iterator[None]:
        """Note an error in the block as this file's."""
        try:
            yield
        except (GlowsepError, OSError, MemoryError) as error:
            if self.stop_at_first:
                raise
            named = str(path) in reason(error)
            self.reasons[path] = reason(error) if named else f"{path}: {reason(error)}"

    def told(self) -> int:
        """Say what went wrong, a line for each file, and return the exit status."""
        for line in self.reasons.values():
            complain(line)
        return 1 if self.reasons else 0
