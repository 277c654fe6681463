"""``exercises``: the chapters as notebooks to solve, without their solutions."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from glowsep.arrays.files import folder_made
from glowsep.cli import options
from glowsep.cli.failures import Failures
from glowsep.course import chosen, handout, read_chapter, write_notebook
from glowsep.errors import CourseError
from glowsep.signals.audio.stems import is_same_file

SUMMARY = "write the chapters as notebooks with exercises to solve, without solutions"
EXAMPLE = "python -m glowsep exercises 1 6 -o exercises"


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the command takes."""
    options.add_chapters(parser)
    parser.add_argument(
        "-o",
        "--out",
        type=Path,
        default=Path("exercises"),
        metavar="FOLDER",
        help="where to write them; a notebook there that has been changed is kept (default: %(default)s)",
    )
    options.add_overwrite(parser)
    options.add_quiet(parser)


def refuse_chapter(path: Path, out: Path) -> None:
    """Refuse to replace a chapter by what is made of it, even with ``--overwrite``.

    Raises
    ------
    CourseError
    """
    if is_same_file(path, out):
        raise CourseError(f"{out}: is the chapter itself; choose another folder")


def run(arguments: Namespace) -> int:
    """Write the notebooks; those that a student has worked on stay, and are named."""
    failures = Failures()
    paths = chosen(arguments.chapters)
    with folder_made(arguments.out) as folder:
        for path in paths:
            out = folder / path.name
            with failures.of(out):
                refuse_chapter(path, out)
                write_notebook(handout(read_chapter(path), path.stem), out, arguments.overwrite)
                options.say(arguments, out)
    return failures.told()
