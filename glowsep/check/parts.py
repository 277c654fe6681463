"""An exercise that asks for several things: each is tested for itself, and is worth points of its own."""

import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from glowsep.check.verdict import CheckError

PACKAGE = Path(__file__).parents[1]


class Parts:
    """What an exercise asks for, part by part, and the points that each is worth.

    In the tests, what belongs to one part stands in ``with parts("dx"):``. An error in there is that part's alone: the
    others are tested all the same. A part that has failed once has failed, and earns nothing; an error outside of
    every part is the whole answer's. If no part is right, an error names what failed in each.

    Parameters
    ----------
    points : dict
        The parts' names, as a student is told them, and their points.

    Examples
    --------
    >>> parts = Parts({"the sum": 1, "the product": 2})
    >>> with parts("the sum"):
    ...     assert 2 + 2 == 4
    >>> with parts("the product"):
    ...     assert 2 * 3 == 5, "the product is 6, but must be 5"
    >>> parts.report()
    the sum: right
    the product is 6, but must be 5
    >>> parts.points()
    1 of 3 points
    1
    """

    def __init__(self, points: Mapping[str, float]) -> None:
        self._worth = dict(points)
        self._tested: set[str] = set()
        self._failures: dict[str, Exception] = {}
        self._told: set[str] = set()

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Tests of the part ``name``: the block ends at the first error, which is kept.

        Raises
        ------
        ValueError
            If there is no such part.
        """
        if name not in self._worth:
            raise ValueError(f"there is no part {name!r}, only {', '.join(map(repr, self._worth))}")
        self._tested.add(name)
        try:
            yield
        except Exception as error:  # whatever a student's code may raise; an interrupt is no Exception, and goes on
            self._failures.setdefault(name, error)

    def right(self) -> bool:
        """Whether no part has failed so far: time for tests that need all of them."""
        return not self._failures

    def report(self) -> None:
        """Print what the visible tests have found.

        Raises
        ------
        CheckError
            If no part is right: what failed in each.
        NotImplementedError
            If none is written yet.
        """
        self._raise_if_nothing_is_right()
        if self.right():
            print("visible tests passed")
        else:
            for name in self._worth:
                self._told.add(name)
                print(self._line(name))

    def points(self) -> float:
        """The points of all parts that are right: nbgrader reads them where this is a cell's last line.

        What has failed since ``report``, in hidden tests, is printed; and, in words, what the number is.

        Raises
        ------
        CheckError
            If no part is right: what failed in each.
        NotImplementedError
            If none is written yet.
        """
        self._raise_if_nothing_is_right()
        for name in self._failures:
            if name not in self._told:
                print(self._line(name))
        earned = sum(points for name, points in self._worth.items() if name not in self._failures)
        print(self._of_all(earned))
        return earned

    def _raise_if_nothing_is_right(self):
        # A part that nobody has tested must not earn its points.
        if untested := [name for name in self._worth if name not in self._tested]:
            raise ValueError(f"nothing tests the part {untested[0]!r}")
        if len(self._failures) == len(self._worth):
            first = next(iter(self._failures.values()))
            if all(isinstance(failure, NotImplementedError) for failure in self._failures.values()):
                raise first
            lines = dict.fromkeys(self._line(name) for name in self._failures)
            raise CheckError("\n".join([*lines, self._of_all(0)])) from first

    def _line(self, name):
        """What is said of a part: its name, unless the message begins with it anyway."""
        message = _described(self._failures[name]) if name in self._failures else "right"
        return message if message.startswith(f"{name} ") else f"{name}: {message}"

    def _of_all(self, points):
        return f"{points} of {sum(self._worth.values())} points"


def _described(error):
    """The message of a test; of any other error its kind and the line of the answer that raised it, too."""
    if isinstance(error, AssertionError):
        return str(error)
    if isinstance(error, NotImplementedError):
        return str(error) or "not written yet"
    lines = [frame.line for frame in traceback.extract_tb(error.__traceback__) if not _is_library(frame.filename)]
    return f"{type(error).__name__}: {error} (in the line `{lines[-1]}`)"


def _is_library(filename):
    """Whether this is no line of a notebook: a student looks for the mistake in the own one that led there."""
    return "site-packages" in filename or PACKAGE in Path(filename).parents
