"""The course for nbgrader: every chapter is an assignment of its own, under the chapter's name.

    nbgrader generate_assignment 06_actnorm     release/06_actnorm: without solutions, for the students
    nbgrader autograde 06_actnorm               from submitted/STUDENT/06_actnorm/06_actnorm.ipynb
    nbgrader generate_feedback 06_actnorm       feedback/STUDENT/06_actnorm/06_actnorm.html

Copy this file into an empty folder for your course, and run nbgrader there; chapters/guides/teaching.md says how.
nbgrader reads the file before every command. It puts a copy of each chapter where nbgrader looks for it,
``source/NAME/NAME.ipynb``; a copy that you have edited since is yours and stays as it is.
"""

import hashlib
import os
import shutil
import sys
from pathlib import Path

import nbformat
from nbconvert.exporters import HTMLExporter
from nbgrader.converters import Autograde
from nbgrader.preprocessors import DeduplicateIds, Execute, OverwriteCells

from glowsep.assignments import REPOSITORY
from glowsep.book.source import ASSETS
from glowsep.course.grading import exercise_names, feedback_page, place_of_missing
from glowsep.course.keeping import SEAL

c = get_config()  # noqa: F821 (nbgrader defines it)

here = Path(__file__).resolve().parent
c.CourseDirectory.root = str(here)
c.CourseDirectory.course_id = "glowsep"

#: Seconds that a cell may take when it is graded. An endless loop is interrupted then, and counts as an error.
TIMEOUT = 60
TIMEOUTS = {"10": 600, "15": 600}  # by chapter: these train


def put_copy(chapter):
    """Copy a chapter to where nbgrader looks for it, unless the copy there has been edited.

    The digest of what was copied is kept in ``.copied``: a copy that has another digest now is a teacher's.
    """
    copy = here / "source" / chapter.stem / chapter.name
    record = here / ".copied" / f"{chapter.stem}.sha256"
    new = digest(chapter)
    copied = record.read_text().strip() if record.exists() else None
    if copy.exists():
        present = digest(copy)
        if copied is None and SEAL in copy.read_text(encoding="utf-8"):  # python -m glowsep vary has put it there
            write(record, lambda partial: partial.write_text(f"{new}\n"))
            return
        if present not in (copied, new):
            if new != copied:
                text = "the chapter has changed since, but so has this copy, which stays; delete it to get a new one"
                print(f"{copy}: {text}", file=sys.stderr)
            return
        if present == new == copied:
            return
    write(copy, lambda partial: shutil.copyfile(chapter, partial))
    write(record, lambda partial: partial.write_text(f"{new}\n"))


def chapter_of(resources):
    """The cells of the chapter that is graded, as this course has it."""
    name = resources["nbgrader"]["notebook"]
    return nbformat.read(here / "source" / resources["nbgrader"]["assignment"] / f"{name}.ipynb", 4).cells


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write(path, make):
    """Write a file whole or not at all: several commands may run at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".partial.{os.getpid()}.{path.name}")
    try:
        make(partial)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


class OneOfEach(DeduplicateIds):
    """Of a cell that a student has copied, only the last counts as the exercise's; the others are cells of their own.

    nbgrader itself leaves such a cell with empty metadata, which its next check takes for an old format; then it grades
    nobody any more.
    """

    def preprocess_cell(self, cell, resources, index):
        """Remove what is left of an exercise's metadata from a copy."""
        cell, resources = super().preprocess_cell(cell, resources, index)
        if cell.metadata.get("nbgrader") == {}:
            del cell.metadata["nbgrader"]
        return cell, resources


class OverwriteAndAddCells(OverwriteCells):
    """Answers and tests that a student has deleted come back where they were: the answer as it was handed out.

    nbgrader itself adds nothing, or only tests, and then fails where the answer before one is missing too.
    """

    add_missing_cells = True

    def add_missing_grade_cells(self, nb, resources):
        """Add what is missing where it was, below its heading: what comes before it in the chapter says where."""
        notebook = self.gradebook.find_notebook(self.notebook_id, self.assignment_id)
        points = {cell.name: cell.max_score for cell in notebook.grade_cells}
        answers = {cell.name for cell in notebook.solution_cells}
        chapter = chapter_of(resources)
        for source in notebook.source_cells:
            present = source.name in [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in nb.cells]
            if not present and (source.name in points or source.name in answers):
                place = place_of_missing(source.name, chapter, nb.cells)
                cell = self.missing_cell_transform(source, points.get(source.name, 0), source.name in answers)
                cell["metadata"]["nbgrader"]["grade"] = source.name in points
                cell["id"] = f"added-{place}-{source.name}"[:64]
                nb.cells.insert(place, nbformat.from_dict(cell))
        return nb, resources


class ExecuteInTime(Execute):
    """Run a notebook with its chapter's time limit per cell."""

    def preprocess(self, nb, resources, *arguments, **options):
        """Run the notebook."""
        chapter = str(resources["metadata"].get("name", ""))[:2]
        self.timeout = TIMEOUTS.get(chapter, TIMEOUT)
        why = f"this cell ran for more than {self.timeout} s, and was interrupted: is there a loop without an end?"
        self.error_on_timeout = {"ename": "CellTimeoutError", "evalue": why, "traceback": [f"CellTimeoutError: {why}"]}
        return super().preprocess(nb, resources, *arguments, **options)


class FeedbackPage(HTMLExporter):
    """The page that a student gets back: with the names of the exercises, and with formulas that need no network."""

    def from_notebook_node(self, nb, resources=None, **options):
        """Make the page."""
        page, resources = super().from_notebook_node(nb, resources, **options)
        mathjax = (ASSETS / "tex-svg-full.js").read_text(encoding="utf-8")
        return feedback_page(page, exercise_names(chapter_of(resources)), mathjax), resources


for chapter in sorted((REPOSITORY / "chapters").glob("[0-9][0-9]_*.ipynb")):
    put_copy(chapter)

ours = {DeduplicateIds: OneOfEach, OverwriteCells: OverwriteAndAddCells, Execute: ExecuteInTime}
for steps in ("sanitize_preprocessors", "autograde_preprocessors"):
    default = Autograde.class_traits()[steps].default()
    setattr(c.Autograde, steps, [ours.get(step, step) for step in default])
c.GenerateFeedback.exporter_class = FeedbackPage
c.Execute.interrupt_on_timeout = True  # the cells after an endless loop are graded too
c.Execute.iopub_timeout = TIMEOUT  # a busy machine may be late with a cell's output; 4 s are the default, and an error
