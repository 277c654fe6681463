"""What several commands share: options, and the numbers that options take."""

import math
import os
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable
from pathlib import Path

import numpy as np

from glowsep.arrays.devices import cuda
from glowsep.arrays.printing import one_line
from glowsep.datasets import Dataset, open_dataset
from glowsep.datasets.files import has_split

DEVICES = ("cpu", "cuda")


def add_dataset(parser: ArgumentParser, split: str) -> None:
    """Add the argument ``DATASET`` and ``--split``; `open_split` acts on them."""
    parser.add_argument("dataset", type=Path, metavar="DATASET", help="a data set's folder")
    add_split(parser, split)


def add_datasets(parser: ArgumentParser, split: str) -> None:
    """Add the arguments ``DATASET ...`` and ``--split``; `open_split` acts on each."""
    parser.add_argument(
        "datasets", type=Path, nargs="+", metavar="DATASET", help="a data set's folder; of several, all are heard"
    )
    add_split(parser, split)


def add_split(parser: ArgumentParser, split: str) -> None:
    """Add ``--split``."""
    parser.add_argument(
        "--split", metavar="NAME", help=f"the part of it (default: {split}, or all of a data set without parts)"
    )


def open_split(path: Path, split: str | None, default: str) -> Dataset:
    """Open a data set at ``split``; if that is None, at ``default`` where the data set has such a part."""
    if split is None and has_split(path, default):
        split = default
    return open_dataset(path, split)


def chosen_tracks(arguments: Namespace) -> Dataset:
    """The data set of ``DATASET``, ``--split`` and ``--limit``, which ``evaluate`` scores."""
    dataset = open_split(arguments.dataset, arguments.split, "test")
    dataset.names = dataset.names[: arguments.limit]
    return dataset


def add_chapters(parser: ArgumentParser) -> None:
    """Add the arguments ``CHAPTER``; `glowsep.course.chosen` knows what they name."""
    parser.add_argument(
        "chapters", nargs="*", metavar="CHAPTER", help="a chapter's number or name, such as 6 (default: all chapters)"
    )


def add_device(parser: ArgumentParser) -> None:
    """Add ``--device``; `check_device` acts on it."""
    parser.add_argument("--device", choices=DEVICES, default="cpu", help="where to compute (default: %(default)s)")


def add_scheduler(parser: ArgumentParser, task: str) -> None:
    """Add ``--scheduler``; `glowsep.cluster` acts on it."""
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help=f"run on the workers of this Dask scheduler, one task per {task}: tcp://HOST:8786 (default: run here)",
    )


def absolute(arguments: Namespace, *names: str) -> Namespace:
    """The arguments with these paths made absolute: what they mean on every machine that shares the file system."""
    paths = {name: getattr(arguments, name) for name in names}
    found = {
        name: [path.resolve() for path in given] if isinstance(given, list) else given and given.resolve()
        for name, given in paths.items()
    }
    return Namespace(**vars(arguments) | found)


def add_seed(parser: ArgumentParser) -> None:
    """Add ``--seed``; `generator` acts on it."""
    parser.add_argument(
        "--seed", type=whole_number(0), default=0, metavar="N", help="same seed, same result (default: %(default)s)"
    )


def add_overwrite(parser: ArgumentParser) -> None:
    """Add ``--overwrite``."""
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="replace files that glowsep did not write, or that were changed since; without it they are never touched",
    )


def add_quiet(parser: ArgumentParser) -> None:
    """Add ``--quiet``; `shows_progress` and `say` act on it."""
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress bars, no list of the files written")


def generator(arguments: Namespace) -> np.random.Generator:
    """The random generator that ``--seed`` asks for."""
    return np.random.default_rng(arguments.seed)


def shows_progress(arguments: Namespace) -> bool:
    """Whether to draw progress bars: only if somebody looks at them."""
    return not arguments.quiet and sys.stderr.isatty()


def say(arguments: Namespace, line: object) -> None:
    """Print a line, unless ``--quiet`` was given; characters that the terminal lacks become escapes."""
    if not arguments.quiet:
        encoding = sys.stdout.encoding or "utf-8"
        print(one_line(line).encode(encoding, "backslashreplace").decode(encoding), flush=True)


def check_device(arguments: Namespace) -> None:
    """Refuse ``--device cuda`` if CuPy or a GPU is missing, before any work is done."""
    if arguments.device == "cuda":
        cuda()


def whole_number(lowest: int) -> Callable[[str], int]:
    """A type of argument: whole numbers from ``lowest``."""
    return _number(int, lambda value: value >= lowest, f"must be a whole number of at least {lowest}")


def number(lowest: float) -> Callable[[str], float]:
    """A type of argument: finite numbers from ``lowest``."""
    return _number(float, lambda value: lowest <= value < math.inf, f"must be a number of at least {lowest}")


def fraction(text: str) -> float:
    """A type of argument: numbers from 0 to 1."""
    return _number(float, lambda value: 0 <= value <= 1, "must be a number from 0 to 1")(text)


def above_zero(text: str) -> float:
    """A type of argument: finite numbers above 0."""
    return _number(float, lambda value: 0 < value < math.inf, "must be a number above 0")(text)


def _number(kind, accepts, expected):
    def parse(text):
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not accepts(value):
            raise ArgumentTypeError(f"is {text}, but {expected}")
        return value

    return parse


def new_file(text: str) -> Path:
    """A type of argument: a file to write, in a folder that exists. A bad one is refused before the work, not after."""
    path = Path(text)
    if path.is_dir():
        raise ArgumentTypeError(f"{path} is a folder; name a file")
    if not path.parent.is_dir():
        raise ArgumentTypeError(f"{path} cannot be written, there is no folder {path.parent}; make it first")
    if not os.access(path.parent, os.W_OK):
        raise ArgumentTypeError(f"{path} cannot be written; choose a folder that you may write to")
    return path


def new_picture(text: str) -> Path:
    """A type of argument: a picture to write."""
    if Path(text).suffix not in (".png", ".svg", ".pdf"):
        raise ArgumentTypeError(f"{text} must end in .png, .svg or .pdf")
    return new_file(text)
