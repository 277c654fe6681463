"""``train``: any system that learns; one with a model per source, source by source."""

import inspect
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np

from glowsep import cluster
from glowsep.arrays.files import folder_made
from glowsep.cli import options, systems, targets
from glowsep.datasets.joined import Joined
from glowsep.datasets.solos import validation_split
from glowsep.errors import PriorError
from glowsep.learning.training import LearningCurve
from glowsep.systems.gan_prior.model import FORMS, GANConfig
from glowsep.systems.glow.prior import PriorConfig
from glowsep.systems.glow.train import TrainingConfig
from glowsep.systems.registry import SYSTEMS, TRAINED

SUMMARY = "train priors on solo recordings, or another system"
EXAMPLE = "python -m glowsep train data/freedoom4 --source bass -o priors/bass.npz --steps 2000"

#: Those options that training takes; which of them a system knows, its functions' signatures say.
TRAINING = (
    "steps", "batch", "frames", "drive", "start", "spectra",
    "window_length", "hop", "flow_steps", "hidden", "exponent", "scale",
    "form", "channels",
)  # fmt: skip

#: The options that not every system takes, as they are if nobody gives them.
DEFAULTS = {
    "source": None,
    "half": False,
    "plot": None,
    **dict.fromkeys(TRAINING),
    "checkpoint": None,
    "device": "cpu",
}


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the command takes."""
    default, domain = TrainingConfig(), PriorConfig()
    options.add_datasets(parser, split="train")
    parser.add_argument(
        "--repeats",
        type=options.whole_number(1),
        nargs="+",
        metavar="N",
        help="how often each data set is heard: after two data sets, --repeats 3 1 hears the first three times as "
        "often as it is long (default: 1 for each)",
    )
    parser.add_argument(
        "--source",
        action="append",
        metavar="NAME",
        help="the instrument; may be given several times (default: all of the data set)",
    )
    parser.add_argument(
        "-o",
        "--out",
        type=Path,
        metavar="PATH",
        help="a file.npz, or a folder to write <source>.npz to (default: priors; baselines for the baselines)",
    )
    systems.add_method(parser, TRAINED, "instglow and gan_prior are a file for each source, the others are one for all")
    parser.add_argument(
        "--steps", type=options.whole_number(1), metavar="N", help=f"of Adam (default: {default.steps} for instglow)"
    )
    parser.add_argument(
        "--batch",
        type=options.whole_number(1),
        metavar="N",
        help=f"excerpts per step (default: {default.batch} for instglow)",
    )
    parser.add_argument(
        "--form",
        choices=FORMS,
        help=f"of gan_prior: SpecGAN or WaveGAN (default: {GANConfig.form})",
    )
    parser.add_argument(
        "--channels",
        type=options.whole_number(1),
        metavar="N",
        help=f"of gan_prior's networks at their wide end; 64 were published (default: {GANConfig.channels})",
    )
    parser.add_argument(
        "--frames",
        type=options.whole_number(1),
        metavar="N",
        help=f"of the spectrogram in an excerpt (default: {default.frames})",
    )
    parser.add_argument(
        "--drive",
        type=options.fraction,
        metavar="SHARE",
        help="the part of the excerpts that is overdriven, from 0 to 1; 0.25 for the shipped guitar "
        f"(default: {default.drive:g})",
    )
    parser.add_argument(
        "--from",
        type=Path,
        dest="start",
        metavar="FILE",
        help="the prior of a single source to go on from, with its window and its flow (default: a new one)",
    )
    parser.add_argument(
        "--spectra",
        type=options.whole_number(1),
        metavar="N",
        help="in the dictionary that a search starts from; with --from, beside those that the prior has "
        f"(default: {domain.components}, and with --from none)",
    )
    parser.add_argument(
        "--window",
        type=options.whole_number(2),
        dest="window_length",
        metavar="SAMPLES",
        help=f"of the STFT, at {domain.rate} Hz (default: {domain.window_length})",
    )
    parser.add_argument(
        "--hop",
        type=options.whole_number(1),
        metavar="SAMPLES",
        help="of the STFT: a half, a third, a quarter ... of the window (default: a quarter)",
    )
    parser.add_argument(
        "--flow-steps",
        type=options.whole_number(1),
        metavar="N",
        help=f"steps of the flow: ActNorm, convolution, coupling (default: {domain.glow.steps})",
    )
    parser.add_argument(
        "--hidden",
        type=options.whole_number(1),
        metavar="N",
        help=f"channels in the networks of the couplings (default: {domain.glow.hidden})",
    )
    parser.add_argument("--half", action="store_true", help="write the weights with 16 bits each: files half as large")
    parser.add_argument(
        "--exponent",
        type=options.above_zero,
        help=f"of the flow's domain, u = scale * magnitude ** exponent; 1 is linear (default: {domain.exponent})",
    )
    parser.add_argument("--scale", type=options.above_zero, help=f"see above (default: {domain.scale})")
    parser.add_argument(
        "--checkpoint",
        type=Path,
        metavar="FILE",
        help="the same command, given again, goes on from there (default: next to the weights, until they are written)",
    )
    parser.add_argument(
        "--plot",
        type=options.new_picture,
        metavar="FILE.png",
        help="draw the learning curve; of a single source for instglow",
    )
    options.add_overwrite(parser)
    options.add_device(parser)
    options.add_scheduler(parser, "prior")
    options.add_seed(parser)
    options.add_quiet(parser)


def run(arguments: Namespace) -> None:
    """Train what is asked for: one after the other, or all at once on the workers of ``--scheduler``."""
    refuse_unused(arguments)
    if not arguments.scheduler:
        options.check_device(arguments)
    dataset = training_set(arguments)
    per_source = SYSTEMS[arguments.method].per_source
    weights = [*source_files(arguments, dataset).values()] if per_source else [whole_file(arguments)]
    targets.require_free(arguments, [*arguments.datasets, arguments.start], weights=weights, picture=arguments.plot)
    if arguments.checkpoint:  # one that is there is read, and so refused if it is none of this training
        targets.require_distinct([*weights, arguments.checkpoint])
    if per_source:
        require_solos(arguments, dataset)
    if arguments.scheduler:
        train_on_workers(arguments, dataset)
    elif per_source:
        for source, path in source_files(arguments, dataset).items():
            options.say(arguments, train_source(arguments, dataset, source, path))
    else:
        options.say(arguments, train_whole(arguments, dataset))


def train_on_workers(arguments: Namespace, dataset: Joined) -> None:
    """Train every source's model on a free worker, which writes it, and its checkpoints, to the shared file system.

    So a model whose worker is lost goes on from its checkpoint on another one.
    """
    if not SYSTEMS[arguments.method].per_source:
        raise ValueError(
            f"--scheduler trains source by source, but {arguments.method} learns all at once; leave it out"
        )
    files = {source: path.resolve() for source, path in source_files(arguments, dataset).items()}
    arguments = options.absolute(arguments, "datasets", "start", "checkpoint", "plot")
    with cluster.connected(arguments.scheduler) as client, ExitStack() as stack:
        for path in files.values():
            stack.enter_context(folder_for(path))
        # Workers may have another folder of this name: only in a shared one do they see this file.
        shared = stack.enter_context(NamedTemporaryFile(dir=path.parent, prefix=".shared-")).name
        tasks = {source: (arguments, source, path, shared) for source, path in files.items()}
        quiet = not options.shows_progress(arguments)
        for _, line in cluster.results(client, train_on_worker, tasks, "prior", quiet):
            options.say(arguments, line)


def train_on_worker(arguments: Namespace, source: str, path: Path, shared: str) -> str:
    """Train one source's model: what a worker does."""
    for needed in (*arguments.datasets, shared):
        cluster.require_visible(needed)
    arguments.quiet = True
    options.check_device(arguments)
    return train_source(arguments, training_set(arguments), source, path)


def training_set(arguments: Namespace) -> Joined:
    """The data sets to learn from, as one: each at ``--split``, with the sources that ``--source`` names."""
    datasets = [options.open_split(path, arguments.split, "train") for path in arguments.datasets]
    return Joined(datasets, arguments.source, arguments.repeats)


def validation_set(arguments: Namespace, dataset: Joined) -> Joined | None:
    """The validation splits of those data sets that have one, as one; None if none has."""
    pairs = zip(arguments.datasets, dataset.datasets, strict=True)
    splits = [split for path, part in pairs if (split := validation_split(path, part))]
    return Joined(splits, arguments.source) if splits else None


def source_files(arguments: Namespace, dataset: Joined) -> dict[str, Path]:
    """Where each source's model is to be written: a dict of source to path."""
    sources = dataset.sources
    out = arguments.out or Path(SYSTEMS[arguments.method].weights)
    is_file = out.suffix.lower() == ".npz"
    if len(sources) == 1:
        return {sources[0]: out if is_file else out / f"{sources[0]}.npz"}
    of_one = {
        "--out FILE.npz": is_file,
        "--checkpoint": arguments.checkpoint,
        "--plot": arguments.plot,
    }
    of_one |= {"--from": arguments.start}
    for option, given in of_one.items():
        if given:
            raise ValueError(f"{option} takes one source, but these are {len(sources)}; give one --source")
    return {source: out / f"{source}.npz" for source in sources}


def whole_file(arguments: Namespace) -> Path:
    """Where a system that is one file for all sources is to be written."""
    usual = Path(SYSTEMS[arguments.method].weights)
    out = arguments.out or usual
    return out if out.suffix.lower() == ".npz" else out / usual.name


def require_solos(arguments: Namespace, dataset: Joined) -> None:
    """Refuse a data set in which one of the sources cannot be learnt: before the first is trained, not after."""
    validation = validation_set(arguments, dataset)
    datasets = {"training": dataset} | ({} if validation is None else {"validation": validation})
    system, files = SYSTEMS[arguments.method], source_files(arguments, dataset)
    system.require_solos(datasets, files, **systems.accepted(system.require_solos, given_options(arguments)))


def train_source(arguments: Namespace, dataset: Joined, source: str, path: Path) -> str:
    """Train one source's model, write it and its learning curve, and return a line that says so."""
    system = SYSTEMS[arguments.method]
    given = training_options(arguments, dataset, system.fit_source, path)
    with folder_for(path):
        model, curve = system.fit_source(dataset, source, **given)
        draw(arguments, curve, system.unit)
        model.save(path, *precision(arguments))
    remove_checkpoint(arguments, given)
    return result(path, curve, system.unit)


def train_whole(arguments: Namespace, dataset: Joined) -> str:
    """Train a system that is one file for all sources, write it and its learning curve, and return a line that says so.

    Of a system without a learning curve the line is the path.
    """
    system, path = SYSTEMS[arguments.method], whole_file(arguments)
    given = training_options(arguments, dataset, system.fit, path)
    with folder_for(path):
        fitted = system.fit(dataset, **given)
        draw(arguments, fitted.curve, system.unit)
        fitted.save(path, *precision(arguments))
    remove_checkpoint(arguments, given)
    return str(path) if fitted.curve is None else result(path, fitted.curve, system.unit)


def draw(arguments: Namespace, curve: LearningCurve | None, unit: str | None) -> None:
    """Draw the learning curve if ``--plot`` asks for it."""
    if arguments.plot:
        from glowsep.show import learning_curve  # here, because Matplotlib takes longer to import than all the rest

        learning_curve(curve, arguments.plot, unit)


def precision(arguments: Namespace) -> tuple[type[np.floating], ...]:
    """What ``save`` is told beside the path: nothing, or that the weights are to have 16 bits each."""
    return (np.float16,) if arguments.half else ()


def result(path: Path, curve: LearningCurve, unit: str) -> str:
    """What is said of a training that has ended."""
    return f"{path}: {curve.training[-1]:.4g} {unit} after {len(curve.training)} steps"


def training_options(arguments: Namespace, dataset: Joined, fit: Callable, path: Path) -> dict:
    """Those of the command's options that ``fit`` takes; the checkpoint is next to ``path`` by default."""
    given = given_options(arguments) | {"seed": arguments.seed, "device": arguments.device}
    checkpoint = arguments.checkpoint or path.with_suffix(".checkpoint")
    given |= {"checkpoint": checkpoint, "progress": options.shows_progress(arguments)}
    given |= {"validation": validation_set(arguments, dataset)}
    return systems.accepted(fit, given)


def given_options(arguments: Namespace) -> dict:
    """The options of `TRAINING` by name, None where they were not given."""
    return {name: getattr(arguments, name) for name in TRAINING}


def remove_checkpoint(arguments: Namespace, given: dict) -> None:
    """Remove the checkpoint that a training with these options left; one that ``--checkpoint`` names is kept."""
    if "checkpoint" in given and not arguments.checkpoint:
        given["checkpoint"].unlink(missing_ok=True)


def refuse_unused(arguments: Namespace) -> None:
    """Refuse an option that the chosen system does not take.

    Raises
    ------
    ValueError
        See `glowsep.cli.systems.refuse_untaken`.
    """
    system = SYSTEMS[arguments.method]
    taken = set(inspect.signature(system.fit_source if system.per_source else system.fit).parameters)
    if system.unit is not None:  # it has a learning curve
        taken |= {"source", "plot"}
    if "precision" in inspect.signature(system.save).parameters:
        taken.add("half")
    systems.refuse_untaken(arguments, DEFAULTS, taken)


@contextmanager
def folder_for(path: Path) -> Iterator[None]:
    """Make the folder for a file, and refuse one that cannot be written to: before hours of work, not after.

    If the block fails, a folder that was made for it and is still empty is removed.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(folder_made(path.parent))
            options.new_file(path)
        except OSError as error:
            raise PriorError(f"{path}: its folder cannot be made ({error.strerror}); choose another with -o") from None
        except ArgumentTypeError as error:
            raise PriorError(error) from None
        yield
