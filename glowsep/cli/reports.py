"""Reports: the options that ask for one, and what the commands pass on. Matplotlib is imported when one is written."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from glowsep.arrays.files import write_text
from glowsep.cli import options
from glowsep.cli.systems import weight_paths
from glowsep.datasets.track import Dataset
from glowsep.evaluate import Evaluation
from glowsep.signals import audio
from glowsep.systems.songs import OVERLAP, SEGMENT
from glowsep.systems.system import System


def add_report(parser: ArgumentParser, text: str) -> None:
    """Add ``--report``, with what is on the page as help."""
    parser.add_argument("--report", type=new_page, metavar="FILE.html", help=text)


def add_references(parser: ArgumentParser) -> None:
    """Add ``--references``; `true_sources` acts on it."""
    parser.add_argument(
        "--references",
        type=Path,
        metavar="FOLDER",
        help="the song's true sources, for the report to score: a folder with <source>.wav or .flac, or a track of "
        "Slakh2100 or Freedoom-4",
    )


def new_page(text: str) -> Path:
    """A type of argument: a web page to write. It is tried out here: after hours of work would be late."""
    if Path(text).suffix.lower() not in (".html", ".htm"):
        raise ArgumentTypeError(f"{text} must end in .html")
    path = options.new_file(text)
    trial = path.with_name(f".trial.{path.name}")
    try:
        trial.touch()
        trial.unlink()
    except OSError as error:
        raise ArgumentTypeError(f"{path} cannot be written ({error.strerror}); choose another folder") from None
    return path


def require_one_song(arguments: Namespace) -> None:
    """Refuse a report on several songs, and references without a report."""
    if arguments.report and len(arguments.songs) > 1:
        raise ValueError(f"--report takes one song, but these are {len(arguments.songs)}; separate them one by one")
    if arguments.references and not arguments.report:
        raise ValueError("--references are scored in a report; add --report FILE.html")


def true_sources(arguments: Namespace, sources: Iterable[str]) -> dict[str, np.ndarray]:
    """What ``--references`` names: a dict of source to waveform; empty if nothing is given."""
    if not arguments.references:
        return {}
    from glowsep.report import read_references

    return read_references(arguments.references, list(sources), audio.info(arguments.songs[0]))


class Histories(list):
    """The loss terms of a search per segment, per iteration; itself the callback of ``System.separate_file``."""

    def __call__(self, iteration: int, magnitudes: np.ndarray, terms: dict[str, float]) -> None:
        if iteration == 0:
            self.append([])
        self[-1].append(terms)


def write_song_report(
    arguments: Namespace,
    system: System,
    stems: list[Path],
    references: dict[str, np.ndarray],
    histories: Histories,
) -> None:
    """Write the page on a separated song."""
    from glowsep.report import song_report

    about = {"segments": f"{SEGMENT:g} s each, {OVERLAP:g} s of them common to neighbours"}
    page = song_report(arguments.songs[0], stems, references, histories, about | settings(arguments, system))
    write_text(arguments.report, page)
    options.say(arguments, arguments.report)


def write_dataset_report(arguments: Namespace, system: System, evaluations: list[Evaluation], dataset: Dataset) -> None:
    """Write the page on a data set; ``system`` separates the best and the worst track once more, to listen to."""
    from glowsep.report import best_and_worst, dataset_report

    tracks = {heading: dataset[place] for heading, place in best_and_worst(evaluations[0]).items()}
    examples = {heading: (track, system(track)) for heading, track in tracks.items()}
    title = arguments.dataset.resolve().name
    about = {"data set": title, "split": arguments.split or "test, where there is one"} | settings(arguments, system)
    write_text(arguments.report, dataset_report(title, evaluations, examples, about))
    options.say(arguments, arguments.report)


def settings(arguments: Namespace, system: System) -> dict[str, str]:
    """What the result depends on, as words: a dict of name to value."""
    weights = {} if system.weights is None else {"weights": ", ".join(path.name for path in weight_paths(arguments))}
    general = {"seed": str(arguments.seed), "device": arguments.device}
    return {"method": arguments.method} | system.settings() | weights | general
