"""``vary``: chapters whose exercises have other seeds and numbers, for a course that is graded."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from glowsep.arrays.files import folder_made
from glowsep.cli import options
from glowsep.cli.exercises import refuse_chapter
from glowsep.cli.failures import Failures, complain
from glowsep.course import changes, chosen, read_chapter, varied, write_notebook

SUMMARY = "give the exercises of chapters other seeds and numbers, with solutions that fit"
EXAMPLE = "python -m glowsep vary 6 --seed 2027 -o course/source"


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the command takes."""
    options.add_chapters(parser)
    options.add_seed(parser)
    parser.add_argument(
        "-o",
        "--out",
        type=Path,
        default=Path("course/source"),
        metavar="FOLDER",
        help="where to write FOLDER/NAME/NAME.ipynb; one that you have edited is kept (default: %(default)s)",
    )
    options.add_overwrite(parser)
    options.add_quiet(parser)


def run(arguments: Namespace) -> int:
    """Write the varied chapters where nbgrader looks for them; those that a teacher has edited stay, and are named."""
    failures = Failures()
    for path in chosen(arguments.chapters):
        out = arguments.out / path.stem / path.name
        with failures.of(out), folder_made(out.parent):
            refuse_chapter(path, out)
            is_copy = out.is_file() and out.read_bytes() == path.read_bytes()  # nbgrader's configuration put it there
            chapter = read_chapter(path)
            notebook = varied(chapter, arguments.seed)
            write_notebook(notebook, out, arguments.overwrite or is_copy)
            options.say(arguments, f"{out}: {changes(chapter, notebook)}")
            if (arguments.out.parent / "release" / path.stem).is_dir():
                complain(
                    f"{path.stem} has been released: students keep the exercises that they were given; "
                    f"to release these instead, nbgrader generate_assignment --force {path.stem}"
                )
    return failures.told()
