"""Exercises with other seeds and other numbers, for a course whose students can read the published solutions."""

import copy
import functools
import hashlib
import re
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import yaml

from glowsep.datasets.shipped import REPOSITORY
from glowsep.errors import CourseError

#: A generator of random numbers; its group 1 is the seed, a number or an expression.
GENERATOR = re.compile(r"default_rng\(([^()]+)\)")
HEADING = re.compile(r"(?m)^### Exercise ")


class Changes(NamedTuple):
    """What ``varied`` has changed in a chapter: the names of exercises, in their order.

    Attributes
    ----------
    seeds : tuple of str
        Those whose tests draw other random numbers.
    numbers : tuple of str
        Those in whose statement, solution or tests other numbers stand.
    nothing : tuple of str
        Those that are as they were published, though tests grade them.
    """

    seeds: tuple[str, ...]
    numbers: tuple[str, ...]
    nothing: tuple[str, ...]

    def __str__(self) -> str:
        """In words, for the command line."""
        parts = [
            f"other {kind} in {len(names)} exercise{'s' if len(names) > 1 else ''}"
            for kind, names in (("seeds", self.seeds), ("numbers", self.numbers))
            if names
        ]
        if self.nothing:
            parts.append(f"as published: {', '.join(self.nothing)}")
        return "; ".join(parts) if self.seeds or self.numbers else "nothing in it can be varied"


def varied(notebook: dict, seed: int, repository: str | PathLike = REPOSITORY) -> dict:
    """A chapter whose exercises have other random data in their tests, and other numbers where they depend on numbers.

    In the cells of tests, every generator gets ``seed`` beside its own, ``default_rng([2027, 7])`` for
    ``default_rng(7)``: which data a test draws depends on both. Where the answer is a number or a letter, or the tests
    are on chosen numbers, ``course/variations.yml`` lists sets that go together, each from the statement to the tests;
    ``seed`` chooses one. The same seed gives the same chapter.

    Parameters
    ----------
    notebook : dict
        A chapter with its solutions, as read from its JSON.
    seed : int
        Not negative.
    repository : path

    Returns
    -------
    dict
        A copy with solutions that are right for its own numbers; what its exercises had printed is cleared.
        ``changes`` says what is different in it.
    """
    notebook = copy.deepcopy(notebook)
    choices = variations(repository)
    cells = notebook["cells"]
    for place, cell in enumerate(cells):
        cell["source"] = _text(cell)
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if name is None:
            continue
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
        if _is_tests(cell):
            cell["source"] = GENERATOR.sub(rf"default_rng([{seed}, \1])", cell["source"])
        if name in choices:
            chosen = choices[name][_number(f"{seed} {name}") % len(choices[name])]
            _replace(chosen, name, cells[place - 1 : place + 2])  # the statement, the answer and the tests
    return notebook


def changes(before: dict, after: dict) -> Changes:
    """What is different in a varied chapter, found by comparing it with the chapter."""
    seeds, numbers, nothing = [], [], []
    for place, cell in enumerate(before["cells"]):
        if _is_tests(cell):
            name = cell["metadata"]["nbgrader"]["grade_id"].removesuffix("_tests")
            answer = place - 1
            old, new = ("".join(map(_text, notebook["cells"][answer : place + 1])) for notebook in (before, after))
            if GENERATOR.findall(old) != GENERATOR.findall(new):
                seeds.append(name)
            if GENERATOR.sub("", old) != GENERATOR.sub("", new):
                numbers.append(name)
            if old == new:
                nothing.append(name)
    return Changes(tuple(seeds), tuple(numbers), tuple(nothing))


def variations(repository: str | PathLike = REPOSITORY) -> dict[str, list[dict[str, str]]]:
    """By exercise: the sets of numbers to choose from, each a dict of what is replaced by what."""
    path = Path(repository) / "course" / "variations.yml"
    if not path.is_file():
        raise CourseError(f"{path}: not there; clone the repository, and run this inside it")
    return _parsed(path.read_text(encoding="utf-8"))


@functools.cache
def _parsed(text):
    return yaml.safe_load(text)  # slow, and asked for by every chapter


def _is_tests(cell):
    grading = cell["metadata"].get("nbgrader", {})
    return cell["cell_type"] == "code" and bool(grading.get("grade"))


def _text(cell):
    return "".join(cell["source"])


def _replace(chosen, name, cells):
    """Replace all pieces at once in an exercise's three cells: of the first, only what belongs to the exercise."""
    pieces = re.compile(
        "|".join(rf"(?<![\w.]){re.escape(old)}(?!\w|\.\d)" for old in sorted(chosen, key=len, reverse=True))
    )
    statement, *code = cells
    before, heading, after = _last_exercise(_text(statement))
    found = set()

    def new(match):
        found.add(match[0])
        return chosen[match[0]]

    statement["source"] = before + heading + pieces.sub(new, after)
    for cell in code:
        cell["source"] = pieces.sub(new, _text(cell))
    if missing := set(chosen) - found:
        raise CourseError(
            f"course/variations.yml: {name} no longer has {', '.join(map(repr, sorted(missing)))} in its three cells; "
            "write what is there now"
        )


def _last_exercise(text):
    """A cell of text, divided before and after the mark of its last exercise's heading."""
    *_, heading = HEADING.finditer(text)
    return text[: heading.start()], heading[0], text[heading.end() :]


def _number(text):
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
