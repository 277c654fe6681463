"""``sample``: hear what a prior has learnt, and see it."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from glowsep.arrays.devices import to_host
from glowsep.cli import options, systems, targets
from glowsep.signals import audio
from glowsep.signals.audio.writing import require_file_name
from glowsep.systems.gan_prior.gan import GAN
from glowsep.systems.glow.prior import Prior
from glowsep.systems.registry import SYSTEMS

SUMMARY = "listen to a prior: draw a sound from it"
EXAMPLE = "python -m glowsep sample data/priors/piano.npz -o piano.wav --seconds 10"


#: The systems with a model for each source, which sounds can be drawn from.
SAMPLED = tuple(name for name, system in SYSTEMS.items() if system.per_source)


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("prior", type=Path, metavar="PRIOR", help="a prior's file, as train writes it")
    systems.add_method(parser, SAMPLED, "which system the file is of")
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
        metavar="T",
        help="how far the latents reach: the lower, the more ordinary the sound (default: 0.7 for instglow, 1 for "
        "gan_prior)",
    )
    parser.add_argument("--plot", type=options.new_picture, metavar="FILE.png", help="draw the sound's spectrogram")
    options.add_overwrite(parser)
    options.add_device(parser)
    options.add_seed(parser)
    options.add_quiet(parser)


def run(arguments: Namespace) -> None:
    """Draw one sound and write it."""
    options.check_device(arguments)
    prior = SYSTEMS[arguments.method].load_source(arguments.prior).to(arguments.device)
    path = sample_path(arguments, prior)
    targets.require_free(arguments, [arguments.prior], sound=path, picture=arguments.plot)
    given = {} if arguments.temperature is None else {"temperature": arguments.temperature}
    waveform = to_host(prior.sample(arguments.seconds, options.generator(arguments), **given))
    audio.write(path, waveform[None], prior.config.rate)
    if arguments.plot:
        from glowsep.show import spectrograms  # here, because Matplotlib takes longer to import than all the rest

        spectrograms({prior.name: waveform}, prior.config.rate, arguments.plot)
    options.say(arguments, path)


def sample_path(arguments: Namespace, prior: Prior | GAN) -> Path:
    """The file to write.

    Raises
    ------
    ValueError
        If the prior's name is no file name.
    """
    if not arguments.out:
        require_file_name(prior.name)
    return arguments.out or Path(f"{prior.name}-sample.wav")
