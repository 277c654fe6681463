"""The command line: ``python -m glowsep separate | evaluate | train | sample | render | book``.

One module per command, each with a ``SUMMARY``, an ``EXAMPLE``, ``add_arguments(parser)`` and ``run(arguments)``.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from glowsep.arrays.memory import keep_freed_memory
from glowsep.cli import book, evaluate, render, sample, separate, train
from glowsep.errors import GlowsepError

COMMANDS = {
    "separate": separate,
    "evaluate": evaluate,
    "train": train,
    "sample": sample,
    "render": render,
    "book": book,
}
INTERRUPTED = 130  # what a shell reports of a program that Ctrl-C ended: 128 + SIGINT


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        The command and its arguments; by default those that Python was started with.

    Returns
    -------
    int
        The exit status: 0; 1 after one line on stderr that says what is wrong; 130 after Ctrl-C.
    """
    if argv is None:  # this process runs nothing but the command
        keep_freed_memory()
    try:
        arguments = command_line().parse_args(argv)
        arguments.run(arguments)
    except (GlowsepError, ValueError) as error:
        return refuse(error)
    except OSError as error:
        return refuse(f"{error.filename or 'a file'}: {error.strerror or error}; check its folder and the disk's space")
    except MemoryError:
        return refuse("not enough memory; close other programs, or work on a shorter piece")
    except KeyboardInterrupt:
        print("glowsep: interrupted; no half-written file is left", file=sys.stderr)
        return INTERRUPTED
    return 0


def refuse(reason: object) -> int:
    """Say in one line why nothing is done, and return the exit status."""
    print("glowsep:", " ".join(str(reason).split()), file=sys.stderr)
    return 1


class CommandLine(argparse.ArgumentParser):
    """An argument parser whose complaints are one line, like all others of the command line."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message}; see {self.prog} --help")


def command_line() -> CommandLine:
    """The parser of all commands; its result holds the chosen command's function as ``run``."""
    parser = CommandLine(
        prog="python -m glowsep", description="Music source separation with generative flows.", allow_abbrev=False
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        subparser = commands.add_parser(
            name,
            help=command.SUMMARY,
            description=f"{command.SUMMARY[0].upper()}{command.SUMMARY[1:]}.",
            epilog=f"example:\n  {command.EXAMPLE}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        command.add_arguments(subparser)
        subparser.set_defaults(run=command.run)
    return parser
