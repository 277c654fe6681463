"""``separate``: a song into one file for each source."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Mapping
from pathlib import Path

from glowsep.cli import options, reports, systems, targets
from glowsep.cli.failures import Failures
from glowsep.cli.songs import find_songs, output_folders
from glowsep.errors import AudioError
from glowsep.signals import audio
from glowsep.signals.audio.stems import BITS, FORMATS, is_same_file
from glowsep.systems.registry import SYSTEMS
from glowsep.systems.system import System

SUMMARY = "separate songs into their instruments"
EXAMPLE = "python -m glowsep separate song.wav -o stems"


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "songs", nargs="+", type=Path, metavar="SONG", help="a wav, flac, ogg or mp3 file; a folder: every song in it"
    )
    parser.add_argument(
        "-o",
        "--out",
        type=Path,
        metavar="FOLDER",
        help="where to write <source>.wav (default: a folder next to the song, named like it); "
        "with several songs, a folder for each goes into it",
    )
    parser.add_argument(
        "--only", action="append", metavar="NAME", help="write this source's stem only; may be given several times"
    )
    parser.add_argument("--format", choices=FORMATS, default="wav", help="of the stems (default: %(default)s)")
    parser.add_argument(
        "--bits", choices=BITS, help="of a sample: 16, 24 or float for wav (default: float), 16 or 24 for flac (24)"
    )
    options.add_overwrite(parser)
    parser.add_argument(
        "--stop-at-first",
        action="store_true",
        help="do nothing if one of the songs cannot be read (default: separate the others, and say so at the end)",
    )
    systems.add_method(parser, tuple(SYSTEMS), "floors and ceilings need a data set, see evaluate")
    reports.add_report(parser, "a page to hear and see what was found, in one file for any browser")
    reports.add_references(parser)
    systems.add_weights(parser)
    systems.add_search(parser)
    options.add_device(parser)
    options.add_seed(parser)
    options.add_quiet(parser)


def run(arguments: Namespace) -> int:
    """Separate each song, after it is clear that no file of the user's is in the way of any of them."""
    options.check_device(arguments)
    failures = Failures(arguments.stop_at_first)
    given, arguments.songs = arguments.songs, find_songs(arguments.songs, failures)
    several = len(arguments.songs) + len(failures.reasons) > 1
    reports.require_one_song(arguments)
    reads = [*arguments.songs, arguments.references, *(arguments.weights or [])]
    targets.require_free(arguments, reads, page=arguments.report)
    systems.refuse_unused(arguments)
    stems = chosen_stems(arguments)
    named_one_by_one = set(arguments.songs) <= set(given)  # not by their folder, or by a pattern
    folders = output_folders(arguments.songs, arguments.out, several or not named_one_by_one, failures)
    for song in folders:
        with failures.of(song):
            info = audio.check(song)
            stems.require_room(song, info.rate, info.channels)
    if folders.keys() <= failures.reasons.keys():
        return failures.told()
    system = systems.load_system(arguments)
    system.require_sources()
    paths = {song: stems.paths(folder, system.sources) for song, folder in folders.items()}
    refuse_to_lose(stems, paths, arguments.songs, arguments.references)
    written = [system.sources[place] for place in stems.chosen(system.sources)]
    references = reports.true_sources(arguments, written)
    for song, folder in folders.items():
        if song not in failures.reasons:
            with failures.of(song):
                separate_one(arguments, system, song, folder, stems, references)
    return failures.told()


def separate_one(
    arguments: Namespace, system: System, song: Path, folder: Path, stems: audio.Stems, references: dict
) -> None:
    """Separate one song, and write the report on it if there is to be one."""
    histories = reports.Histories()
    paths = system.separate_file(song, folder, options.shows_progress(arguments), histories, stems)
    for path in paths:
        options.say(arguments, path)
    if arguments.report:
        reports.write_song_report(arguments, system, paths, references, histories)


def chosen_stems(arguments: Namespace) -> audio.Stems:
    """What the options ask to be written.

    Raises
    ------
    ValueError
        If they contradict each other.
    """
    only = arguments.only and tuple(name.strip() for given in arguments.only for name in given.split(","))
    if arguments.references and (arguments.format, arguments.bits or "float") != ("wav", "float"):
        raise ValueError("--references are compared with stems in float WAV; leave out --format and --bits")
    return audio.Stems(only, arguments.format, arguments.bits, arguments.overwrite)


def refuse_to_lose(
    stems: audio.Stems, written: Mapping[Path, Iterable[Path]], songs: Iterable[Path], references: Path | None
) -> None:
    """Refuse stems that would replace a song of this command, its references, or files that glowsep did not write.

    Raises
    ------
    AudioError
        Names the file in danger.
    """
    for song, paths in written.items():
        if references and is_same_file(paths[0].parent, references):
            raise AudioError(f"{references}: the stems would replace the references; choose another folder with -o")
        for path in paths:
            for other in songs:
                if other != song and is_same_file(path, other):
                    raise AudioError(f"{other}: the stems of {song} would replace it; choose another folder with -o")
        targets.require_unread(paths, [references])
        stems.require_free(song, paths)
