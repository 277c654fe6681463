"""Write what is said of the chapters' points and times, from the chapters themselves: no figure of it is typed by hand.

    python tests/benchmarks/course_tables.py                  the openings of the chapters, and course/README.md
    python tests/benchmarks/course_tables.py --measure 6 9    runs these chapters first (without a number: all of them)

Measured is the processor time that a chapter takes from top to bottom with its solutions, on one thread; it is kept in
data/results/chapters.json. A chapter that was not measured runs for less than its limit in tests/test_chapters.py.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from glowsep.arrays.files import write_text
from glowsep.course import PARTS, chapters, chosen, read_chapter

REPOSITORY = Path(__file__).resolve().parents[2]
MEASURED = REPOSITORY / "data" / "results" / "chapters.json"
README = REPOSITORY / "course" / "README.md"
WORDS_PER_MINUTE = 150
MINUTES_PER_POINT = 5
LECTURE = 2  # hours per week
LIMITS = {"10": 240, "15": 240}  # seconds, as in tests/test_chapters.py; the others have SHORT
SHORT = 60
#: Chapters, what is new, what students can do afterwards, and the weeks that it builds on.
WEEKS = (
    ((1, 2), "STFT and back, masks; SDR, floor and ceiling", "analyse a sound without loss, and score an estimate", ()),
    ((3,), "NMF and the Poisson likelihood", "separate a song with one dictionary per instrument", (1,)),
    ((4,), "change of variables", "compute the density of a variable that has been bent", ()),
    ((5,), "gradients by hand, the checker", "derive and check the gradient of anything built from arrays", ()),
    ((6, 7), "ActNorm, invertible 1x1 convolution", "write a bijection with its log-det and gradients", (3, 4)),
    ((8, 9), "affine coupling, Glow", "stack bijections, and train without storing activations", (5,)),
    ((10,), "a prior", "train a prior by maximum likelihood at many noise levels", (6,)),
    ((11, 12), "four priors, the searches", "say when a likelihood misleads, and separate with priors", (2, 7)),
    ((13, 14), "judging; the GPU", "compare systems fairly, and say what makes a line fast", (1, 8)),
    ((15,), "your own song; the project", "use and extend all of it", (8, 9)),
)
TIME = re.compile(r"(?m)^\*\*Time:\*\* .*$")
POINTS_OF_PARTS = re.compile(r"(?m)^\*Points:\* (.*)\.$")  # of an exercise whose parts count each for itself


def text_of(cell):
    return "".join(cell["source"])


def grading(cell):
    return cell["metadata"].get("nbgrader", {})


def points(notebook):
    """By heading: the points of an exercise or a project, and who grades it. A heading counts what follows it."""
    found, title = {}, ""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            for line in re.findall(r"(?m)^##+ ((?:Exercise \d+: |Open project ).*)$", text_of(cell)):
                title = line
        if given := grading(cell).get("points"):
            by_hand = cell["cell_type"] == "markdown"
            found.setdefault(title, []).append((given, by_hand))
    return found


def points_of_parts(notebook):
    """By heading, as in `points`: what each part of an exercise is worth, in the words of its text."""
    found, title = {}, ""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            text = text_of(cell)
            for line in re.findall(r"(?m)^##+ (Exercise \d+: .*)$", text):
                title = line
            if said := POINTS_OF_PARTS.search(text):
                found[title] = said[1]
    return found


def reading_minutes(notebook):
    """The time that the prose takes, in steps of five minutes."""
    prose = [text_of(cell) for cell in notebook["cells"] if cell["cell_type"] == "markdown" and not grading(cell)]
    words = sum(len(re.sub(r"(?s)```.*?```", "", text).split()) for text in prose)
    return max(5, 5 * round(words / WORDS_PER_MINUTE / 5))


def exercise_points(notebook):
    """The points of all exercises, without the open project."""
    given = points(notebook)
    return sum(score for title, scores in given.items() for score, _ in scores if not title.startswith("Open project"))


def running_time(chapter, measured):
    """In words: measured, or the limit that the tests hold."""
    if chapter in measured:
        seconds = measured[chapter]
        return (
            f"about {max(5, 5 * round(seconds / 5))} seconds"
            if seconds < 90
            else f"about {round(seconds / 60)} minutes"
        )
    limit = LIMITS.get(chapter[:2], SHORT)
    return "less than a minute" if limit == SHORT else f"less than {limit // 60} minutes"


def time_line(chapter, notebook, measured):
    """The line of a chapter's opening that says how long it takes."""
    score = exercise_points(notebook)
    return (
        f"**Time:** about {reading_minutes(notebook)} minutes to read, {MINUTES_PER_POINT * score} minutes for the "
        f"exercises ({score} points), {running_time(chapter, measured)} to run."
    )


def exercise_table():
    """Every exercise with its points, as Markdown."""
    lines = ["| chapter | exercise | points | of which | graded |", "|--:|---|--:|---|---|"]
    total = by_hand_total = 0
    for path in chapters(REPOSITORY):
        notebook = read_chapter(path)
        parts = points_of_parts(notebook)
        for title, scores in points(notebook).items():
            name = re.sub(r" \(\d[^()]*\)$", "", title)
            score, by_hand = sum(score for score, _ in scores), scores[0][1]
            by_whom = "by you" if by_hand else "by its tests"
            lines.append(f"| {int(path.stem[:2])} | {name} | {score} | {parts.get(title, '')} | {by_whom} |")
            total, by_hand_total = total + score, by_hand_total + by_hand * score
    return "\n".join([*lines, f"| | all | {total} | | {by_hand_total} of them by you |"])


def week_table():
    """The plan of ten weeks with its hours, as Markdown."""
    lines = ["| week | chapters | what is new | students can | builds on week | hours |", "|--:|---|---|---|---|--:|"]
    notebook_of = {int(path.stem[:2]): read_chapter(path) for path in chapters(REPOSITORY)}
    for week, (numbers, new, outcome, before) in enumerate(WEEKS, start=1):
        notebooks = [notebook_of[number] for number in numbers]
        minutes = sum(
            reading_minutes(notebook) + MINUTES_PER_POINT * exercise_points(notebook) for notebook in notebooks
        )
        builds_on = ", ".join(map(str, before)) or "–"
        listed = ", ".join(map(str, numbers))
        lines.append(f"| {week} | {listed} | {new} | {outcome} | {builds_on} | {LECTURE + minutes / 60:.1f} |")
    return "\n".join(lines)


def chapter_table(measured):
    """Every chapter with its points and times, as Markdown."""
    lines = ["| chapter | points | to read | exercises | to run |", "|---|--:|--:|--:|---|"]
    for path in chapters(REPOSITORY):
        notebook = read_chapter(path)
        if int(path.stem[:2]) in PARTS:
            lines.append(f"| **{PARTS[int(path.stem[:2])]}** | | | | |")
        title = re.match(r"# (.*)", text_of(notebook["cells"][0]))[1]
        score = exercise_points(notebook)
        lines.append(
            f"| [{title}](../chapters/{path.name}) | {score} | {reading_minutes(notebook)} min "
            f"| {MINUTES_PER_POINT * score} min | {running_time(path.stem, measured)} |"
        )
    return "\n".join(lines)


def with_tables(text):
    """A document whose tables, between ``<!-- begin NAME -->`` and ``<!-- end NAME -->``, are those of today."""
    tables = {"weeks": week_table(), "exercises": exercise_table(), "chapters": chapter_table(kept())}
    for name, table in tables.items():
        text = re.sub(rf"(?s)(<!-- begin {name} -->\n).*?(<!-- end {name} -->)", rf"\g<1>{table}\n\g<2>", text)
    return text


def kept():
    """By chapter: the seconds that were measured."""
    return json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.is_file() else {}


def processor_seconds(path):
    """Run a chapter from top to bottom, on one thread; what it and its kernel took of the processor."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["nbconvert", "--to", "notebook", "--execute", path, "--output-dir", folder]
        process = subprocess.Popen(
            [sys.executable, "-m", *command], env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{path.name}: does not run from top to bottom")
    return usage.ru_utime + usage.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measure", nargs="*", metavar="CHAPTER", help="run these chapters; all without a number")
    arguments = parser.parse_args()
    if arguments.measure is not None:
        for path in chosen(arguments.measure, REPOSITORY):
            measured = kept() | {path.stem: round(processor_seconds(path), 1)}
            write_text(MEASURED, json.dumps(dict(sorted(measured.items())), indent=1) + "\n")
    for path in chapters(REPOSITORY):
        notebook = read_chapter(path)
        opening = notebook["cells"][0]
        line = time_line(path.stem, notebook, kept())
        opening["source"] = TIME.sub(lambda _, line=line: line, text_of(opening)).splitlines(keepends=True)
        write_text(path, json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")
    if README.is_file():
        write_text(README, with_tables(README.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
