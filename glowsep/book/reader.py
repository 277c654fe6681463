"""A chapter as its reader wants it: solutions and tests folded away, and nothing that needs a running kernel."""

import copy

from glowsep.course.regions import HIDDEN_TESTS, MARK_SCHEME, SOLUTION

WIDGET = "application/vnd.jupyter.widget-view+json"
PLOT = "plot"  # the tag of a cell whose figure matters, and whose code does not
UNANSWERED = "*Your answer here.*"


def readers_copy(notebook: dict, name: str) -> dict:
    """A copy of a chapter for the book.

    Solutions are folded away behind the line "Solution", tests behind "Tests", and cells with the tag "plot" behind
    "Code of the figure". What is the teacher's is left out: hidden tests, and the mark schemes of the projects. A
    widget, which does nothing without Python behind it, becomes a line that says where it moves.

    Parameters
    ----------
    notebook : dict
        As read from its JSON.
    name : str
        What that line calls the notebook.

    Returns
    -------
    dict
        The notebook's copy; the notebook itself stays as it is.
    """
    notebook = copy.deepcopy(notebook)
    notebook["metadata"].pop("widgets", None)
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
        _arrange(cell)
        if cell["cell_type"] == "code":
            cell["outputs"] = [_output(output, name) for output in cell["outputs"]]
    notebook["cells"] = [cell for cell in notebook["cells"] if cell["source"].strip()]
    return notebook


def _arrange(cell):
    """Fold away or leave out what nbgrader knows to be a solution, tests or a mark scheme; fold away drawing."""
    grading = cell["metadata"].get("nbgrader", {})
    if grading.get("task"):
        cell["source"] = MARK_SCHEME.sub("", cell["source"])
    elif cell["cell_type"] == "markdown" and grading.get("solution"):
        cell["source"] = _folded_answer(cell["source"])
    elif grading.get("solution"):
        cell["source"] = SOLUTION.sub(r"\1", cell["source"])
        _fold(cell, "Solution")
    elif grading.get("grade"):
        cell["source"] = HIDDEN_TESTS.sub("", cell["source"])
        _fold(cell, "Tests")
    elif PLOT in cell["metadata"].get("tags", []):
        _fold(cell, "Code of the figure")


def _fold(cell, line):
    """Hide a cell's code behind a line to click on; its outputs stay in view."""
    cell["metadata"]["tags"] = [*cell["metadata"].get("tags", []), "hide-input"]
    cell["metadata"]["mystnb"] = {"code_prompt_show": line, "code_prompt_hide": line}


def _folded_answer(text):
    """An answer in words behind a line to click on. Where no part of the cell is marked as the answer, all of it is."""
    if text.strip() == UNANSWERED:
        return ""
    if not SOLUTION.search(text):
        return _dropdown(text)
    return SOLUTION.sub(lambda found: _dropdown(found[1]), text)


def _dropdown(text):
    return f"::::{{dropdown}} Solution\n{text.strip()}\n::::\n"


def _output(output, name):
    """An output; in place of a widget, a line."""
    if WIDGET not in output.get("data", {}):
        return output
    line = f"*In the notebook, `{name}`, this part moves.*"
    return {"output_type": "display_data", "metadata": {}, "data": {"text/markdown": line}}
