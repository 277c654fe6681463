"""``separate``: a song into one file for each source."""

from pathlib import Path

from glowsep.cli import options, reports
from glowsep.cli.priors import add_priors, load_priors
from glowsep.errors import AudioError
from glowsep.signals import audio
from glowsep.systems.glow.separate import separate_file
from glowsep.systems.search.annealed import AnnealedSearch
from glowsep.systems.search.latent import LatentSearch

SUMMARY = "separate songs into their instruments"
EXAMPLE = "python -m glowsep separate song.wav -o stems"
SEARCHES = {"annealed": AnnealedSearch, "latent": LatentSearch}


def add_arguments(parser):
    """Declare what the command takes."""
    parser.add_argument("songs", nargs="+", type=Path, metavar="SONG", help="a wav, flac, ogg or mp3 file")
    parser.add_argument(
        "-o",
        "--out",
        type=Path,
        metavar="FOLDER",
        help="where to write <source>.wav (default: a folder beside the song, named like it); "
        "with several songs, a folder for each goes into it",
    )
    reports.add_report(parser, "a page to hear and see what was found, in one file for any browser")
    reports.add_references(parser)
    add_priors(parser)
    add_search(parser)
    options.add_device(parser)
    options.add_seed(parser)
    options.add_quiet(parser)


def add_search(parser):
    """Add the options of a search; `search` acts on them."""
    parser.add_argument(
        "--search",
        choices=SEARCHES,
        default="annealed",
        help="annealed: down a ladder of noise levels; latent: over the flows' latents, as in the paper "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--iterations", type=options.whole_number(1), metavar="N", help=_help("steps of the search", "iterations")
    )
    parser.add_argument(
        "--weight", type=options.number(0), metavar="LAMBDA", help=_help("the priors' weight in the search", "weight")
    )
    parser.add_argument(
        "--mask-exponent",
        type=options.above_zero,
        metavar="P",
        default=1.5,
        help="masks share the mixture in proportion to the magnitudes to the power of P (default: %(default)s)",
    )


def search(arguments):
    """The search that the options ask for."""
    chosen = {"iterations": arguments.iterations, "weight": arguments.weight}
    return SEARCHES[arguments.search](**{name: value for name, value in chosen.items() if value is not None})


def run(arguments):
    """Separate each song, after all of them have been found sound."""
    options.check_device(arguments)
    reports.require_one_song(arguments)
    for song in arguments.songs:
        audio.check(song)
    folders = output_folders(arguments.songs, arguments.out)
    priors = load_priors(arguments.priors, arguments.device)
    for song, folder in folders.items():
        refuse_overwriting(song, [folder / f"{prior.name}.wav" for prior in priors])
    references = reports.true_sources(arguments, priors)
    for song, folder in folders.items():
        histories = reports.Histories()
        stems = separate_file(
            song,
            folder,
            priors,
            search(arguments),
            arguments.mask_exponent,
            options.generator(arguments),
            options.shows_progress(arguments),
            histories,
        )
        for path in stems:
            options.say(arguments, path)
        if arguments.report:
            reports.write_song_report(arguments, search(arguments), stems, references, histories)


def output_folders(songs, out=None):
    """The folder that each song's sources go to: a dict of song to folder.

    Raises
    ------
    AudioError
        Where two songs would go to the same one.
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


def refuse_overwriting(song, targets):
    """Raise an `AudioError` where a song would be replaced by one of its own sources."""
    for target in targets:
        if target.exists() and song.exists() and target.samefile(song):
            raise AudioError(f"{song}: its own {target.stem} would replace it; choose another folder with -o")


def _help(text, name):
    defaults = ", ".join(f"{search} {getattr(kind(), name)}" for search, kind in SEARCHES.items())
    return f"{text} (default: {defaults})"
