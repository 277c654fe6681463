"""``render``: the data set Freedoom-4 from its MIDI files."""

from argparse import ArgumentParser, Namespace
from functools import partial
from pathlib import Path

from glowsep.cli import options
from glowsep.datasets.freedoom.render import render, render_excerpts
from glowsep.datasets.shipped import shipped

SUMMARY = "render the data set Freedoom-4 from its MIDI files, with FluidSynth"
EXAMPLE = "python -m glowsep render freedoom-4 --soundfont /usr/share/sounds/sf2/FluidR3_GM.sf2"


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("out", type=Path, metavar="OUT", help="the folder to write the data set to")
    parser.add_argument(
        "--soundfont", type=Path, required=True, metavar="FILE", help="a General MIDI sound font, .sf2 or .sf3"
    )
    parser.add_argument(
        "--excerpts",
        action="store_true",
        help="only the excerpts that ship with the repository in data/freedoom4, one stem for each instrument",
    )
    parser.add_argument(
        "--variations",
        type=options.whole_number(0),
        default=0,
        metavar="N",
        help="give every training song N more tracks, in other keys, with other instruments of the same groups and "
        "another player's velocities; some programs are held out of all training songs then (default: %(default)s)",
    )
    parser.add_argument(
        "--only-variation",
        type=options.whole_number(0),
        metavar="N",
        help="of every training song its variation N alone, and no song for validation or testing: to add what another "
        "sound font makes of the music; 0 is the song as written, without the programs that are held out",
    )
    parser.add_argument(
        "--unheard",
        action="store_true",
        help="play every song with the programs that --variations holds out, and otherwise as written",
    )
    parser.add_argument(
        "--midi",
        type=Path,
        default=shipped("freedoom"),
        metavar="FOLDER",
        help="the songs: a split.json and a folder midi (default: data/freedoom)",
    )
    parser.add_argument(
        "--rate",
        type=options.whole_number(8000),
        default=22050,
        metavar="HZ",
        help="samples per second (default: %(default)s)",
    )
    parser.add_argument(
        "--workers", type=options.whole_number(1), metavar="N", help="songs at a time (default: one per processor)"
    )
    options.add_overwrite(parser)
    options.add_quiet(parser)


def run(arguments: Namespace) -> None:
    """Render whole songs, with their variations, or the excerpts."""
    varied = {"--variations": arguments.variations > 0, "--only-variation": arguments.only_variation is not None}
    varied = [option for option, given in varied.items() if given]
    if len(varied) > 1:
        raise ValueError(f"{varied[0]} and {varied[1]} ask for other tracks; give one of them")
    for option in varied:
        if arguments.excerpts:
            raise ValueError(f"{option} is for whole songs; leave out --excerpts")
        if arguments.unheard:
            raise ValueError(f"{option} holds out the programs that --unheard plays; give one of them")
    if arguments.only_variation is not None:
        chosen = partial(render, versions=[arguments.only_variation], splits=["train"])
    elif arguments.variations:
        chosen = partial(render, versions=range(arguments.variations + 1))
    else:
        chosen = render_excerpts if arguments.excerpts else render
    chosen(
        arguments.midi,
        arguments.out,
        arguments.soundfont,
        arguments.rate,
        workers=arguments.workers,
        progress=options.shows_progress(arguments),
        unheard=arguments.unheard,
        overwrite=arguments.overwrite,
    )
    options.say(arguments, arguments.out)
