"""The command line: ``python -m glowsep separate | evaluate | train | sample | render | book | exercises | …``.

One module per command, each with a ``SUMMARY``, an ``EXAMPLE``, ``add_arguments(parser)`` and ``run(arguments)``.
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from typing import NoReturn

from glowsep.arrays.memory import keep_freed_memory
from glowsep.cli import book, doubts, evaluate, exercises, render, sample, separate, slides, train, vary
from glowsep.cli.failures import complain, reason
from glowsep.cli.stopping import Stopped, stopped_by_signals
from glowsep.cli.streams import forgiving_streams
from glowsep.errors import GlowsepError

COMMANDS = {
    "separate": separate,
    "evaluate": evaluate,
    "train": train,
    "sample": sample,
    "render": render,
    "book": book,
    "exercises": exercises,
    "vary": vary,
    "slides": slides,
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
        The exit status: 0; 1 after one line on stderr that says what is wrong; 130 after Ctrl-C, and 128 with the
        number of another signal that has ended the command.
    """
    if argv is None:  # this process runs nothing but the command
        keep_freed_memory()
        logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it would tell at length that HOME is read-only
    with forgiving_streams(), doubts.in_one_line():
        try:
            with stopped_by_signals() if argv is None else nullcontext():
                words = sys.argv[1:] if argv is None else argv
                if "" in words:  # a path of it would be the current folder
                    raise ValueError("one of the arguments is empty; was a variable of the shell not set?")
                arguments = command_line().parse_args(words)
                return arguments.run(arguments) or 0
        except (GlowsepError, ValueError, OSError, MemoryError) as error:
            complain(reason(error))
            return 1
        except Stopped as stop:
            complain("stopped; no half-written file is left")
            return 128 + stop.number
        except KeyboardInterrupt:
            complain("interrupted; no half-written file is left")
            return INTERRUPTED


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
