"""A chapter as a student gets it: exercises to solve, tests to run, and nothing that gives the answer away."""

import copy
import re

from glowsep.course.regions import HIDDEN_TESTS, MARK_SCHEME, SOLUTION

NOT_WRITTEN = "# your code here\nraise NotImplementedError"
NOT_ANSWERED = "*Your answer here.*"
COMPARE = """\
## Compare with the solutions

The tests under an exercise say what is wrong, and often why. If they pass, or if you are stuck:

- `chapters/{name}.ipynb` in the repository is this notebook with its solutions. The book, `python -m glowsep book`, \
shows the same chapter with each solution folded away (it needs `pip install -e ".[book]"`).
- Where an exercise asks for a function or a method of the package, the solution is the package's own code: \
`glowsep.assignments.source(glowsep.stft)` shows it in a notebook. It may do more than the exercise asks for, such as \
refuse bad input, take more axes, or run on a GPU.
"""
OF_VALUES = """\
- Where a number or a letter is asked for, the test says only that yours is one, and names some typical mistakes. The \
chapter has the right one; its test says what speaks against others.
"""
OF_WORDS = """\
- An answer in words has no test. Write yours first, then read the one in the chapter: does it give the same reasons?
"""
LINK = re.compile(r"\[([^\]]+)\]\((guides/[^)#]+)[^)]*\)")


def handout(notebook: dict, name: str) -> dict:
    """A chapter without solutions, hidden tests and mark schemes, for a student who works alone.

    What the cells of exercises have printed is cleared; all other outputs stay, so that it can be read before it is
    run. It runs wherever the chapter does: ``requirements.txt`` is all that it needs. What nbgrader knows of the cells
    stays in their metadata, so that a teacher can grade it all the same.

    Parameters
    ----------
    notebook : dict
        As read from its JSON.
    name : str
        The chapter's, ``"06_actnorm"``, for the last cell, which says how to compare.

    Returns
    -------
    dict
        A copy; the notebook itself stays as it is.
    """
    notebook = copy.deepcopy(notebook)
    how_to_compare = _how_to_compare(notebook, name)
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
        if grading := cell["metadata"].get("nbgrader"):
            _clear(cell, grading)
        elif cell["cell_type"] == "markdown":
            # The guides do not come along, wherever the notebook is written.
            cell["source"] = LINK.sub(r"\1 (`chapters/\2`)", cell["source"])
    notebook["cells"].append({"cell_type": "markdown", "id": "compare", "metadata": {}, "source": how_to_compare})
    return notebook


def _how_to_compare(notebook, name):
    """What helps with the kinds of exercises that this chapter has."""
    graded = [cell for cell in notebook["cells"] if cell["metadata"].get("nbgrader")]
    text = COMPARE.format(name=name)
    if any("do not say" in "".join(cell["source"]) for cell in graded):  # what tests of a number or a letter print
        text += OF_VALUES
    if any(cell["cell_type"] == "markdown" for cell in graded):
        text += OF_WORDS
    return text


def _clear(cell, grading):
    """Take out of an exercise's cell what is not a student's."""
    is_code = cell["cell_type"] == "code"
    text = cell["source"]
    if grading.get("solution"):
        text = _without_answer(text, is_code)
    cell["source"] = HIDDEN_TESTS.sub("", MARK_SCHEME.sub("", text)).rstrip()
    if is_code:
        cell["outputs"], cell["execution_count"] = [], None


def _without_answer(text, is_code):
    """An answer's cell with a placeholder for each solution; if none is marked, all of a text is the solution."""
    if is_code:
        return SOLUTION.sub(lambda found: _indented(NOT_WRITTEN, found[0]), text)
    return SOLUTION.sub(f"{NOT_ANSWERED}\n", text) if SOLUTION.search(text) else NOT_ANSWERED


def _indented(text, region):
    margin = re.match(" *", region)[0]
    return "".join(f"{margin}{line}\n" for line in text.splitlines())
