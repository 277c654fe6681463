"""``train``: a prior for each instrument, or a baseline, from solo recordings alone."""

from argparse import ArgumentTypeError
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np
from tqdm import tqdm

from glowsep import cluster
from glowsep.cli import options
from glowsep.datasets import MUSDB18, MUSDB18HQ, open_dataset
from glowsep.datasets.solos import solo_magnitudes
from glowsep.errors import DatasetError, PriorError
from glowsep.signals.resampling import resample
from glowsep.systems.floors_and_ceilings.average_spectrum import AverageSpectrum
from glowsep.systems.glow.prior import Prior, PriorConfig
from glowsep.systems.glow.train import TrainingConfig, fit, without_silence
from glowsep.systems.nmf.separate import PoissonNMF

SUMMARY = "train priors on solo recordings"
EXAMPLE = "python -m glowsep train data/freedoom4 --source bass -o priors/bass.npz --steps 2000"
BASELINES = ("average_spectrum", "nmf")
EVERY = 15  # the baselines learn from one frame of so many


def add_arguments(parser):
    """Declare what the command takes."""
    default, domain = TrainingConfig(), PriorConfig()
    options.add_dataset(parser, split="train")
    parser.add_argument(
        "--source",
        action="append",
        metavar="NAME",
        help="the instrument; may be given several times (default: all of the data set, one after the other)",
    )
    parser.add_argument(
        "-o",
        "--out",
        type=Path,
        metavar="PATH",
        help="a file.npz, or a folder to write <source>.npz to (default: priors; baselines for the baselines)",
    )
    parser.add_argument(
        "--method",
        type=lambda name: name.replace("-", "_"),
        choices=("glow", *BASELINES),
        default="glow",
        help="glow: a prior for each source; or a baseline of all sources at once (default: %(default)s)",
    )
    parser.add_argument(
        "--steps",
        type=options.whole_number(1),
        default=default.steps,
        metavar="N",
        help="of Adam (default: %(default)s)",
    )
    parser.add_argument(
        "--batch",
        type=options.whole_number(1),
        default=default.batch,
        metavar="N",
        help="excerpts a step (default: %(default)s)",
    )
    parser.add_argument("--half", action="store_true", help="write the weights with 16 bits each: files half as large")
    parser.add_argument(
        "--exponent",
        type=options.above_zero,
        default=domain.exponent,
        help="of the flow's domain, u = scale * magnitude ** exponent; 1 is linear (default: %(default)s)",
    )
    parser.add_argument(
        "--scale", type=options.above_zero, default=domain.scale, help="see above (default: %(default)s)"
    )
    parser.add_argument(
        "--checkpoint",
        type=Path,
        metavar="FILE",
        help="the same command, given again, goes on from there (default: beside the prior, until that is written)",
    )
    parser.add_argument(
        "--plot", type=options.new_picture, metavar="FILE.png", help="draw the learning curve of a single source"
    )
    options.add_device(parser)
    options.add_scheduler(parser, "prior")
    options.add_seed(parser)
    options.add_quiet(parser)


def run(arguments):
    """Train what is asked for: one after the other, or all at once on the workers of ``--scheduler``."""
    if not arguments.scheduler:
        options.check_device(arguments)
    dataset = options.open_split(arguments.dataset, arguments.split, "train")
    if arguments.scheduler:
        train_on_workers(arguments, dataset)
    elif arguments.method == "glow":
        for source, path in prior_files(arguments, dataset).items():
            options.say(arguments, train_prior(arguments, dataset, source, path))
    else:
        train_baseline(arguments, dataset)


def train_on_workers(arguments, dataset):
    """Train every prior where a worker is free, which writes it, and its checkpoints, to the file system they share.

    So a prior whose worker is lost goes on from its checkpoint on another one.
    """
    if arguments.method != "glow":
        raise ValueError("--scheduler is for priors, but a baseline is learnt from all sources at once; leave it out")
    files = {source: path.resolve() for source, path in prior_files(arguments, dataset).items()}
    arguments = options.absolute(arguments, "dataset", "checkpoint", "plot")
    with cluster.connected(arguments.scheduler) as client, ExitStack() as stack:
        for path in files.values():
            make_folder(path)
        # Workers may have a folder of this name that is not this one: only in a shared one do they see this file.
        shared = stack.enter_context(NamedTemporaryFile(dir=path.parent, prefix=".shared-")).name
        tasks = {source: (arguments, source, path, shared) for source, path in files.items()}
        quiet = not options.shows_progress(arguments)
        for _, line in cluster.results(client, train_on_worker, tasks, "prior", quiet):
            options.say(arguments, line)


def train_on_worker(arguments, source, path, shared):
    """Train one prior: what a worker does."""
    cluster.require_visible(arguments.dataset)
    cluster.require_visible(shared)
    arguments.quiet = True
    options.check_device(arguments)
    return train_prior(arguments, options.open_split(arguments.dataset, arguments.split, "train"), source, path)


def prior_files(arguments, dataset):
    """Where each source's prior is to be written: a dict of source to path."""
    sources = arguments.source or dataset.sources
    for source in sources:
        if source not in dataset.sources:
            raise DatasetError(f"{arguments.dataset}: has no {source!r}; its sources are {', '.join(dataset.sources)}")
    out = arguments.out or Path("priors")
    if len(sources) == 1:
        return {sources[0]: out if out.suffix == ".npz" else out / f"{sources[0]}.npz"}
    of_one = {"--out FILE.npz": out.suffix == ".npz", "--checkpoint": arguments.checkpoint, "--plot": arguments.plot}
    for option, given in of_one.items():
        if given:
            raise ValueError(f"{option} takes one source, but these are {len(sources)}; give one --source")
    return {source: out / f"{source}.npz" for source in sources}


def train_prior(arguments, dataset, source, path):
    """Train one source's prior, write it and its learning curve, and return a line that says so."""
    progress = options.shows_progress(arguments)
    domain = replace(PriorConfig(), exponent=arguments.exponent, scale=arguments.scale)
    prior = Prior(source, domain, options.generator(arguments))
    solo = solo_audio(dataset, source, prior.config.rate, progress)
    held_out = validation_split(arguments.dataset, dataset)
    validation = None if held_out is None else solo_audio(held_out, source, prior.config.rate, progress)
    make_folder(path)
    options.move(prior, arguments.device)
    warmup = min(TrainingConfig.warmup, arguments.steps // 10)
    config = TrainingConfig(steps=arguments.steps, batch=arguments.batch, warmup=warmup, seed=arguments.seed)
    checkpoint = arguments.checkpoint or path.with_suffix(".checkpoint")
    curve = fit(prior, solo, validation, config, checkpoint, progress)
    if arguments.plot:
        from glowsep.show import learning_curve  # here, because Matplotlib takes longer to import than all the rest

        learning_curve(curve, arguments.plot)
    prior.save(path, np.float16 if arguments.half else np.float32)
    if not arguments.checkpoint:
        checkpoint.unlink(missing_ok=True)
    return f"{path}: {curve.training[-1]:.3f} nats per dimension after {len(curve.training)} steps"


def train_baseline(arguments, dataset):
    """Learn a baseline of all sources, and write it."""
    out = arguments.out or Path("baselines")
    path = out if out.suffix == ".npz" else out / f"{arguments.method}.npz"
    rng = options.generator(arguments)
    solos = solo_magnitudes(dataset, EVERY, rng, quiet=not options.shows_progress(arguments))
    make_folder(path)
    if arguments.method == "average_spectrum":
        system = AverageSpectrum.fit(solos)
    else:
        system = PoissonNMF.fit(solos, rng)
    system.save(path)
    options.say(arguments, path)


def solo_audio(dataset, source, rate, progress):
    """All solo recordings of a source, (samples,): mono, at one rate, without their pauses, one after the other."""
    recordings = tqdm(
        dataset.recordings(source), desc=f"read {source}", total=len(dataset), disable=not progress, leave=False
    )
    solos = [
        without_silence(resample(waveform.mean(axis=0), its_rate, rate), rate) for _, waveform, its_rate in recordings
    ]
    if not solos:
        raise DatasetError(f"{dataset.folder}: {source} plays in none of its tracks; choose another source or split")
    return np.concatenate(solos)


def validation_split(path, dataset):
    """The data set's validation split, or None where it has none."""
    has_one = isinstance(dataset, MUSDB18 | MUSDB18HQ) or (path / "validation").is_dir()
    return open_dataset(path, "validation") if has_one else None


def make_folder(path):
    """Make the folder for a file, and refuse one that cannot be written to: before hours of work, not after."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PriorError(f"{path}: its folder cannot be made ({error.strerror}); choose another with -o") from None
    try:
        options.new_file(path)
    except ArgumentTypeError as error:
        raise PriorError(error) from None
