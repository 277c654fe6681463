"""``evaluate``: a method's scores on a data set, beside floors, baselines and ceilings."""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from glowsep import cluster
from glowsep.cli import comparing, options, reports, systems, targets
from glowsep.datasets.shipped import shipped
from glowsep.errors import DatasetError
from glowsep.evaluate import Evaluation, comparison_systems, evaluate, merged, save_json, table
from glowsep.systems.registry import FOR_COMPARISON, SYSTEMS
from glowsep.systems.system import System

SUMMARY = "score a method on a data set, beside floors, baselines and ceilings"
EXAMPLE = "python -m glowsep evaluate data/freedoom4 --method instglow --json instglow.json --plot instglow.png"


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the command takes."""
    options.add_dataset(parser, split="test")
    others = ", ".join(FOR_COMPARISON)
    about = f"it comes first, and {others} are scored with it anyway; all: every system, and what each one takes"
    systems.add_method(parser, (*SYSTEMS, comparing.ALL), about)
    parser.add_argument("--json", type=options.new_file, metavar="FILE", help="write the scores, track by track")
    parser.add_argument(
        "--plot", type=options.new_picture, metavar="FILE.png", help="draw how the tracks' scores are spread"
    )
    parser.add_argument(
        "--markdown", type=options.new_file, metavar="FILE.md", help="with --method all, write the table as Markdown"
    )
    reports.add_report(parser, "a page with the scores, and with the best and the worst track to listen to")
    parser.add_argument("--limit", type=options.whole_number(1), metavar="N", help="only the first N tracks")
    parser.add_argument(
        "--baselines",
        type=Path,
        default=shipped("baselines"),
        metavar="FOLDER",
        help="average_spectrum.npz and nmf.npz, as train writes them (default: data/baselines)",
    )
    systems.add_weights(parser)
    systems.add_search(parser)
    options.add_overwrite(parser)
    options.add_device(parser)
    options.add_scheduler(parser, "track")
    options.add_seed(parser)
    options.add_quiet(parser)


def run(arguments: Namespace) -> None:
    """Score the method and what it is compared with, print the table, and write what else is asked for."""
    targets.require_free(
        arguments,
        [arguments.dataset, arguments.baselines, *(arguments.weights or [])],
        scores=arguments.json,
        picture=arguments.plot,
        table=arguments.markdown,
        page=arguments.report,
    )
    if arguments.method == comparing.ALL:
        comparing.run(arguments)
        return
    systems.refuse_unused(arguments)
    if arguments.markdown:
        raise ValueError(f"--markdown is for --method {comparing.ALL}; leave it out")
    evaluations = evaluate_on_workers(arguments) if arguments.scheduler else evaluate_here(arguments)
    print(table(evaluations), flush=True)
    comparing.tell_silences(evaluations[0])
    if arguments.json:
        save_json(evaluations, arguments.json)
        options.say(arguments, arguments.json)
    if arguments.plot:
        from glowsep.show import box_plot  # here, because Matplotlib takes longer to import than all the rest

        box_plot(evaluations, arguments.plot)
        options.say(arguments, arguments.plot)
    if arguments.report:
        dataset = options.chosen_tracks(arguments)
        system = chosen_systems(arguments, dataset.sources)[arguments.method]
        reports.write_dataset_report(arguments, system, evaluations, dataset)


def evaluate_here(arguments: Namespace) -> list[Evaluation]:
    """The evaluations of all tracks, one after the other."""
    options.check_device(arguments)
    dataset = options.chosen_tracks(arguments)
    return evaluate(dataset, chosen_systems(arguments, dataset.sources), quiet=not options.shows_progress(arguments))


def evaluate_on_workers(arguments: Namespace) -> list[Evaluation]:
    """The same evaluations, each track's from a worker of ``--scheduler``."""
    # A worker may come with other priors, so it is told where these are; a baseline is in --baselines, as it is here.
    weights = arguments.weights if arguments.method in FOR_COMPARISON else systems.weight_paths(arguments)
    arguments = Namespace(**vars(arguments) | {"weights": weights})
    arguments = options.absolute(arguments, "dataset", "baselines", "weights")
    names = options.chosen_tracks(arguments).names
    tasks = {name: (arguments, name) for name in names}
    quiet = not options.shows_progress(arguments)
    with cluster.connected(arguments.scheduler) as client:
        parts = dict(cluster.results(client, evaluate_track, tasks, "track", quiet))
    return merged([parts[name] for name in names])


def evaluate_track(arguments: Namespace, name: str) -> list[Evaluation]:
    """The evaluations of one track: what a worker does."""
    for path in (arguments.dataset, arguments.baselines, *(arguments.weights or [])):
        cluster.require_visible(path)
    options.check_device(arguments)
    dataset = options.chosen_tracks(arguments)
    dataset.names = (name,)
    return evaluate(dataset, chosen_systems(arguments, dataset.sources), quiet=True)


def chosen_systems(arguments: Namespace, sources: Sequence[str]) -> dict[str, System]:
    """The system that ``--method`` asks for, then those it is compared with: a dict of name to system.

    Raises
    ------
    DatasetError
        If the system does not know one of the data set's ``sources``.
    """
    compared = comparison_systems(arguments.baselines)
    if arguments.method in compared and not arguments.weights:
        system = compared[arguments.method]
    else:
        system = systems.load_system(arguments)
    try:
        if system.sources:
            system.only(sources)
    except ValueError as error:
        raise DatasetError(f"{arguments.dataset}: {error}; train one that does") from None
    others = {name: other for name, other in compared.items() if name != arguments.method}
    return {arguments.method: system} | others
