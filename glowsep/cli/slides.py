"""``slides``: a slide show for the lecture on each part, to open without a network."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from glowsep import slides
from glowsep.cli import options

SUMMARY = "build slides for each part of the course from the chapters"
EXAMPLE = "python -m glowsep slides 1 -o slides"


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "parts", nargs="*", type=int, metavar="PART", help="1, 2 or 3: slides of these parts only (default: all parts)"
    )
    parser.add_argument(
        "-o",
        "--out",
        type=Path,
        default=Path("slides"),
        metavar="FOLDER",
        help="where to write them; slides that were built there earlier are replaced, and your own files beside them "
        "stay (default: %(default)s)",
    )
    options.add_overwrite(parser)
    options.add_quiet(parser)


def run(arguments: Namespace) -> None:
    """Build the slides, and say where they are."""
    for page in slides.build(arguments.out, parts=arguments.parts or slides.NUMBERS, overwrite=arguments.overwrite):
        options.say(arguments, arguments.out / page.name)
