"""Which chapters there are, and into which parts they fall."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from glowsep.datasets.shipped import REPOSITORY
from glowsep.errors import CourseError

#: The parts' titles, by the number of the chapter that begins each.
PARTS = {1: "Signals, scores and NMF", 4: "A flow by hand", 10: "Priors, search and separation"}


def chapters(repository: str | PathLike = REPOSITORY) -> list[Path]:
    """The notebooks of the chapters, in their order.

    Parameters
    ----------
    repository : path
        Holds them as ``chapters/NN_name.ipynb``, where ``NN`` is the chapter's number.

    Returns
    -------
    list of pathlib.Path

    Raises
    ------
    CourseError
        If there are none: an installed package comes without them.
    """
    folder = Path(repository) / "chapters"
    found = sorted(folder.glob("[0-9][0-9]_*.ipynb"))
    if not found:
        raise CourseError(f"{folder}: no chapters here; clone the repository, and run this inside it")
    return found


def chosen(names: Sequence[str] = (), repository: str | PathLike = REPOSITORY) -> list[Path]:
    """The chapters of these names, each once and in their order; all of them without a name.

    Parameters
    ----------
    names : sequence of str
        Numbers or names: ``"6"``, ``"06"`` and ``"06_actnorm"`` are the same chapter.
    repository : path

    Returns
    -------
    list of pathlib.Path

    Raises
    ------
    CourseError
        If a name is no chapter's.
    """
    found = chapters(repository)
    wanted = [_find(name, found) for name in names]
    return [path for path in found if path in wanted] if names else found


def part_of(chapter: Path) -> int:
    """The number of the chapter that begins the part in which ``chapter`` is."""
    return max(first for first in PARTS if first <= int(chapter.stem[:2]))


def _find(name, found):
    for path in found:
        number = path.stem[:2]
        if name.removesuffix(".ipynb") in (path.stem, number, str(int(number))):
            return path
    first, last = int(found[0].stem[:2]), int(found[-1].stem[:2])
    raise CourseError(
        f"{name}: no such chapter; give a number from {first} to {last}, or a name such as {found[0].stem}"
    )
