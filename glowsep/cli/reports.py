"""Reports: the options that ask for one, and what the commands pass on. Matplotlib is imported when one is written."""

from argparse import ArgumentTypeError
from dataclasses import fields
from pathlib import Path

from glowsep.arrays.files import write_text
from glowsep.cli import options
from glowsep.datasets.shipped import shipped
from glowsep.signals import audio
from glowsep.systems.glow.separate import OVERLAP, SEGMENT


def add_report(parser, text):
    """Add ``--report``, with what is on the page as help."""
    parser.add_argument("--report", type=new_page, metavar="FILE.html", help=text)


def add_references(parser):
    """Add ``--references``; `true_sources` acts on it."""
    parser.add_argument(
        "--references",
        type=Path,
        metavar="FOLDER",
        help="the song's true sources, for the report to score: a folder with <source>.wav or .flac, or a track of "
        "Slakh2100 or Freedoom-4",
    )


def new_page(text):
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


def require_one_song(arguments):
    """Refuse a report on several songs, and references without a report."""
    if arguments.report and len(arguments.songs) > 1:
        raise ValueError(f"--report takes one song, but these are {len(arguments.songs)}; separate them one by one")
    if arguments.references and not arguments.report:
        raise ValueError("--references are scored in a report; add --report FILE.html")


def true_sources(arguments, priors):
    """What ``--references`` names: a dict of source to waveform; empty where nothing is given."""
    if not arguments.references:
        return {}
    from glowsep.report import read_references

    return read_references(arguments.references, [prior.name for prior in priors], audio.info(arguments.songs[0]))


class Histories(list):
    """The loss terms of a search per segment, per iteration; itself the callback of `glowsep.separate_file`."""

    def __call__(self, iteration, magnitudes, terms):
        if iteration == 0:
            self.append([])
        self[-1].append(terms)


def write_song_report(arguments, search, stems, references, histories):
    """Write the page on a separated song."""
    from glowsep.report import song_report

    about = {"segments": f"{SEGMENT:g} s each, {OVERLAP:g} s shared by neighbours"} | settings(arguments, search)
    write_text(arguments.report, song_report(arguments.songs[0], stems, references, histories, about))
    options.say(arguments, arguments.report)


def write_dataset_report(arguments, search, evaluations, dataset, method):
    """Write the page on a data set; ``method`` separates the best and the worst track once more, to listen to."""
    from glowsep.report import best_and_worst, dataset_report

    tracks = {heading: dataset[place] for heading, place in best_and_worst(evaluations[0]).items()}
    examples = {heading: (track, method(track)) for heading, track in tracks.items()}
    title = arguments.dataset.resolve().name
    about = {"data set": title, "split": arguments.split or "test, where there is one"} | settings(arguments, search)
    write_text(arguments.report, dataset_report(title, evaluations, examples, about))
    options.say(arguments, arguments.report)


def settings(arguments, search):
    """What the result depends on, as words: a dict of name to value."""
    values = {field.name: getattr(search, field.name) for field in fields(search)}
    return {
        "search": arguments.search,
        **{name.replace("_", " "): getattr(value, "__name__", str(value)) for name, value in values.items()},
        "mask exponent": f"{arguments.mask_exponent:g}",
        "priors": ", ".join(path.name for path in arguments.priors or [shipped("priors")]),
        "seed": str(arguments.seed),
        "device": arguments.device,
    }
