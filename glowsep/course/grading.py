"""What nbgrader is told about a chapter: where a deleted cell belongs, and what the page that students get back says.

``course/nbgrader_config.py`` calls this; nothing here needs nbgrader.
"""

import html
import re
from collections.abc import Sequence

HEADING = re.compile(r"(?m)^#{2,3} ((?:Exercise|Open project).*?)(?: \([^()]*points?\b[^()]*\))?$")
# In nbgrader's page: an entry of the table of contents, the heading of a cell of tests, and what loads MathJax.
ENTRY = re.compile(r'(?<=<a href="#)([^"]+)">[^<]*</a> \(Score')
TESTS = re.compile(r"Grade cell: <code>([^<]+)</code>")
MATHJAX = re.compile(r"(?s)<!-- Load mathjax -->.*?<!-- End of mathjax configuration -->")
SETTINGS = r"""{
  tex: { inlineMath: [['$', '$'], ['\\(', '\\)']], processEscapes: true },
  svg: { fontCache: 'none' },
  options: { enableMenu: false },
}"""


def place_of_missing(name: str, chapter: Sequence[dict], cells: Sequence[dict]) -> int:
    """Where in a student's notebook a cell belongs that was deleted from it: after what comes before it in the chapter.

    Of the cells before it in the chapter, the nearest that is still there counts, be it graded or not. So an answer
    comes back below the heading of its exercise.

    Parameters
    ----------
    name : str
        The cell's ``grade_id``.
    chapter, cells : sequence of dict
        The cells of the chapter, and those that the student has handed in.

    Returns
    -------
    int
        The place to insert it at.
    """
    places = {_key(cell): place for place, cell in enumerate(cells)}
    before = [_key(cell) for cell in chapter]
    if name in before:  # otherwise the chapter has been edited since it was handed out: at the end
        before = before[: before.index(name)]
    return next((places[key] + 1 for key in reversed(before) if key in places), 0)


def exercise_names(chapter: Sequence[dict]) -> dict[str, str]:
    """The headings of the exercises by the ``grade_id`` of the cells below them: ``{"sdr_tests": "Exercise 1: SDR"}``.

    Below a heading with several exercises, their own names tell them apart.
    """
    heading, names = "", {}
    for cell in chapter:
        if cell["cell_type"] == "markdown":
            heading = [heading, *HEADING.findall("".join(cell["source"]))][-1]
        grading = cell["metadata"].get("nbgrader", {})
        if grading.get("grade") or grading.get("task"):
            names[grading["grade_id"]] = heading
    shared = [heading for heading in names.values() if list(names.values()).count(heading) > 1]
    return {
        name: f"{heading}: {name.removesuffix('_tests')}" if heading in shared else heading
        for name, heading in names.items()
    }


def feedback_page(page: str, names: dict[str, str], mathjax: str) -> str:
    """nbgrader's page for a student, with the exercises' names, and with formulas that need no network.

    Parameters
    ----------
    page : str
        As nbgrader makes it: its contents say "Test cell", and MathJax is fetched from a server.
    names : dict
        As `exercise_names` returns them.
    mathjax : str
        The code of MathJax 3.

    Returns
    -------
    str
    """
    words = {name: html.escape(heading.replace("*", "")) for name, heading in names.items()}
    page = ENTRY.sub(lambda entry: f'{entry[1]}">{words.get(entry[1], entry[1])}</a> (Score', page)
    page = TESTS.sub(lambda entry: f"Tests of {words.get(entry[1], entry[1])}", page)
    scripts = (f"MathJax = {SETTINGS};", f"/* MathJax 3.2.2, Apache License 2.0 */\n{mathjax}")
    return MATHJAX.sub(lambda _: "\n".join(f"<script>{script}</script>" for script in scripts), page)


def _key(cell):
    """What a cell is known by, wherever it has been moved."""
    return cell["metadata"].get("nbgrader", {}).get("grade_id") or cell.get("id")
