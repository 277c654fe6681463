"""``book``: the chapters as a web site to read without a network."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from glowsep import book
from glowsep.cli import options

SUMMARY = "build the book: the chapters as web pages to read without a network"
EXAMPLE = "python -m glowsep book -o book"


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "-o",
        "--out",
        type=Path,
        default=Path("book"),
        metavar="FOLDER",
        help="where to write the book; one that was built there earlier is replaced, and your own files beside it stay "
        "(default: %(default)s)",
    )
    options.add_overwrite(parser)
    options.add_quiet(parser)


def run(arguments: Namespace) -> None:
    """Build the book, and say where to start reading."""
    book.build(arguments.out, progress=options.shows_progress(arguments), overwrite=arguments.overwrite)
    options.say(arguments, arguments.out / "index.html")
