"""``sample``: hear what a prior has learnt."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from glowsep.arrays.devices import to_host
from glowsep.cli import options
from glowsep.signals import audio
from glowsep.systems.glow.prior import Prior

SUMMARY = "listen to a prior: draw a sound from it"
EXAMPLE = "python -m glowsep sample data/priors/piano.npz -o piano.wav --seconds 10"


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("prior", type=Path, metavar="PRIOR", help="a prior's file, as train writes it")
    parser.add_argument(
        "-o",
        "--out",
        type=options.new_file,
        metavar="FILE.wav",
        help="the file to write (default: <source>-sample.wav in the current folder)",
    )
    parser.add_argument(
        "--seconds", type=options.above_zero, default=5.0, metavar="S", help="how long a sound (default: %(default)s)"
    )
    parser.add_argument(
        "--temperature",
        type=options.above_zero,
        default=0.7,
        metavar="T",
        help="standard deviation of the latents: the lower, the more ordinary the sound (default: %(default)s)",
    )
    options.add_device(parser)
    options.add_seed(parser)
    options.add_quiet(parser)


def run(arguments: Namespace) -> None:
    """Draw one sound and write it."""
    options.check_device(arguments)
    prior = Prior.load(arguments.prior).to(arguments.device)
    waveform = prior.sample(arguments.seconds, options.generator(arguments), arguments.temperature)
    path = arguments.out or Path(f"{prior.name}-sample.wav")
    audio.write(path, to_host(waveform)[None], prior.config.rate)
    options.say(arguments, path)
