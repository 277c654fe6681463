"""``separate``: a song into one file for each source."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Sequence
from pathlib import Path

from glowsep.cli import options, reports, systems
from glowsep.errors import AudioError
from glowsep.signals import audio
from glowsep.systems.registry import SYSTEMS

SUMMARY = "separate songs into their instruments"
EXAMPLE = "python -m glowsep separate song.wav -o stems"


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("songs", nargs="+", type=Path, metavar="SONG", help="a wav, flac, ogg or mp3 file")
    parser.add_argument(
        "-o",
        "--out",
        type=Path,
        metavar="FOLDER",
        help="where to write <source>.wav (default: a folder next to the song, named like it); "
        "with several songs, a folder for each goes into it",
    )
    systems.add_method(parser, tuple(SYSTEMS), "floors and ceilings need a data set, see evaluate")
    reports.add_report(parser, "a page to hear and see what was found, in one file for any browser")
    reports.add_references(parser)
    systems.add_weights(parser)
    systems.add_search(parser)
    options.add_device(parser)
    options.add_seed(parser)
    options.add_quiet(parser)


def run(arguments: Namespace) -> None:
    """Separate each song, after all of them have been found sound."""
    options.check_device(arguments)
    reports.require_one_song(arguments)
    systems.refuse_unused(arguments)
    for song in arguments.songs:
        audio.check(song)
    folders = output_folders(arguments.songs, arguments.out)
    system = systems.load_system(arguments)
    system.require_sources()
    for song, folder in folders.items():
        refuse_overwriting(song, [folder / f"{source}.wav" for source in system.sources])
    references = reports.true_sources(arguments, system.sources)
    for song, folder in folders.items():
        histories = reports.Histories()
        stems = system.separate_file(song, folder, options.shows_progress(arguments), histories)
        for path in stems:
            options.say(arguments, path)
        if arguments.report:
            reports.write_song_report(arguments, system, stems, references, histories)


def output_folders(songs: Sequence[Path], out: Path | None = None) -> dict[Path, Path]:
    """The folder that each song's sources go to: a dict of song to folder.

    Raises
    ------
    AudioError
        If two songs would go to the same one.
    """
    folders = {}
    for song in songs:
        if out is None:
            folder = song.with_suffix("") if song.suffix else song.with_name(f"{song.name}-sources")
        else:
            folder = out if len(songs) == 1 else out / song.stem
        if folder in folders.values():
            raise AudioError(f"{song}: another song goes to {folder} too; separate them one by one, each with its -o")
        folders[song] = folder
    return folders


def refuse_overwriting(song: Path, targets: Iterable[Path]) -> None:
    """Raise an `AudioError` if a song would be replaced by one of its own sources."""
    for target in targets:
        if target.exists() and song.exists() and target.samefile(song):
            raise AudioError(f"{song}: its own {target.stem} would replace it; choose another folder with -o")
