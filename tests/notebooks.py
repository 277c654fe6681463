"""The chapters as notebooks: reading them, and finding the exercises in them."""

import ast
import re
import runpy
from pathlib import Path
from typing import NamedTuple

import nbformat

REPOSITORY = Path(__file__).resolve().parents[1]
CHAPTERS = tuple(sorted(path.stem for path in (REPOSITORY / "chapters").glob("[0-9][0-9]_*.ipynb")))


class Exercise(NamedTuple):
    """An exercise that is graded automatically: its name, the cell of the answer and the cell of its tests."""

    name: str
    answer: nbformat.NotebookNode
    tests: nbformat.NotebookNode


def path_of(chapter):
    return REPOSITORY / "chapters" / f"{chapter}.ipynb"


def read(chapter):
    return nbformat.read(path_of(chapter), as_version=4)


def grading(cell):
    """What nbgrader knows about a cell; empty for an ordinary one."""
    return cell.metadata.get("nbgrader", {})


def exercises(notebook):
    """The automatically graded exercises, in their order. The tests are the cell after the answer."""
    pairs = zip(notebook.cells, notebook.cells[1:], strict=False)
    return [Exercise(grading(cell)["grade_id"], cell, after) for cell, after in pairs if is_answer(cell)]


def is_answer(cell):
    """Whether this is where the answer to an automatically graded exercise goes."""
    return cell.cell_type == "code" and grading(cell).get("solution", False) and not grading(cell).get("grade", False)


def wrong_answers(chapter):
    """By exercise: what students get wrong, as pairs of the answer cell's code and a pattern of the message it gets."""
    return _constants(chapter).get("WRONG_ANSWERS", {})


def partly_right(chapter):
    """By exercise with parts: what students get wrong in some of them; the cell's code, the points, and a pattern."""
    return _constants(chapter).get("PARTLY_RIGHT", {})


def parts_of(exercise):
    """What the tests of an exercise with parts say that they are: points by name; empty for one without."""
    named = re.search(r"(?m)^parts = check\.Parts\((.*)\)$", exercise.tests.source)
    return ast.literal_eval(named[1]) if named else {}


def of_package(chapter):
    """By exercise: the module of the package whose function of that name the solution must equal."""
    return _constants(chapter).get("PACKAGE", {})


def _constants(chapter):
    path = REPOSITORY / "tests" / "wrong_answers" / f"chapter_{chapter[:2]}.py"
    return runpy.run_path(str(path)) if path.exists() else {}
