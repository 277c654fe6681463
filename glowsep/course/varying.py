"""Exercises with other seeds and other numbers, for a course whose students can read the published solutions."""

import copy
import hashlib
import re
from os import PathLike
from pathlib import Path

import yaml

from glowsep.datasets.shipped import REPOSITORY
from glowsep.errors import CourseError

SEED = re.compile(r"(?<=default_rng\()\d+(?=\))")
HEADING = re.compile(r"(?m)^### Exercise ")


def varied(notebook: dict, seed: int, repository: str | PathLike = REPOSITORY) -> dict:
    """A chapter whose exercises have other random data in their tests, and other numbers where numbers are asked for.

    In the cells of tests every ``default_rng(7)`` gets a seed that depends on ``seed``, on the exercise and on its
    place there. Where the answer is a number, ``course/variations.yml`` lists sets of numbers that go together, each
    from the statement to the solution; ``seed`` chooses one. The same seed gives the same chapter.

    Parameters
    ----------
    notebook : dict
        A chapter with its solutions, as read from its JSON.
    seed : int
    repository : path

    Returns
    -------
    dict
        A copy with solutions that are right for its own numbers; what its exercises had printed is cleared.
    """
    notebook = copy.deepcopy(notebook)
    choices = variations(repository)
    cells = notebook["cells"]
    for place, cell in enumerate(cells):
        cell["source"] = "".join(cell["source"])
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if name is None:
            continue
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
        if cell["metadata"]["nbgrader"].get("grade") and cell["cell_type"] == "code":
            cell["source"] = _reseeded(cell["source"], f"{seed} {name}")
        if name in choices:
            chosen = choices[name][_number(f"{seed} {name}") % len(choices[name])]
            _replace(chosen, name, cells[place - 1 : place + 2])  # the statement, the answer and the tests
    return notebook


def variations(repository: str | PathLike = REPOSITORY) -> dict[str, list[dict[str, str]]]:
    """By exercise: the sets of numbers to choose from, each a dict of what is replaced by what."""
    path = Path(repository) / "course" / "variations.yml"
    if not path.is_file():
        raise CourseError(f"{path}: not there; clone the repository, and run this inside it")
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _replace(chosen, name, cells):
    """Replace all pieces at once in an exercise's three cells: of the first, only what belongs to the exercise."""
    pieces = re.compile(
        "|".join(rf"(?<![\w.]){re.escape(old)}(?!\w|\.\d)" for old in sorted(chosen, key=len, reverse=True))
    )
    statement, *code = cells
    before, heading, after = _last_exercise("".join(statement["source"]))
    found = set()

    def new(match):
        found.add(match[0])
        return chosen[match[0]]

    statement["source"] = before + heading + pieces.sub(new, after)
    for cell in code:
        cell["source"] = pieces.sub(new, "".join(cell["source"]))
    if missing := set(chosen) - found:
        raise CourseError(
            f"course/variations.yml: {name} no longer has {', '.join(map(repr, sorted(missing)))} in its three cells; "
            "write what is there now"
        )


def _last_exercise(text):
    """A cell of text, divided before and after the mark of its last exercise's heading."""
    *_, heading = HEADING.finditer(text)
    return text[: heading.start()], heading[0], text[heading.end() :]


def _reseeded(code, text):
    count = iter(range(len(code)))
    return SEED.sub(lambda _: str(_number(f"{text} {next(count)}") % 10_000), code)


def _number(text):
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
