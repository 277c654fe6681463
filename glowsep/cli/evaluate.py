"""``evaluate``: a method's scores on a data set, beside floors, baselines and ceilings."""

from pathlib import Path

import numpy as np

from glowsep import cluster
from glowsep.arrays.devices import to_device, to_host
from glowsep.cli import options, reports
from glowsep.cli.priors import add_priors, load_priors
from glowsep.cli.separate import add_search, search
from glowsep.datasets.shipped import shipped
from glowsep.errors import PriorError
from glowsep.evaluate import companions, evaluate, joined, save_json, table
from glowsep.systems.glow.separate import separate

SUMMARY = "score a method on a data set, beside floors, baselines and ceilings"
EXAMPLE = "python -m glowsep evaluate data/freedoom4 --method instglow --json instglow.json --plot instglow.png"
OURS = "instglow"
METHODS = (OURS, "mixture", "equal_share", "average_spectrum", "nmf", "oracle_magnitude", "oracle_power")


def add_arguments(parser):
    """Declare what the command takes."""
    options.add_dataset(parser, split="test")
    parser.add_argument(
        "--method",
        type=lambda name: name.replace("-", "_"),
        choices=METHODS,
        default=OURS,
        metavar="NAME",
        help=f"{', '.join(METHODS)}; it comes first, and all but {OURS} stand beside it anyway (default: %(default)s)",
    )
    parser.add_argument("--json", type=options.new_file, metavar="FILE", help="write the scores, track by track")
    parser.add_argument(
        "--plot", type=options.new_picture, metavar="FILE.png", help="draw how the tracks' scores are spread"
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
    add_priors(parser)
    add_search(parser)
    options.add_device(parser)
    options.add_scheduler(parser, "track")
    options.add_seed(parser)
    options.add_quiet(parser)


def run(arguments):
    """Score the method and its companions, print the table, and write what else is asked for."""
    evaluations = evaluate_on_workers(arguments) if arguments.scheduler else evaluate_here(arguments)
    print(table(evaluations))
    if arguments.json:
        save_json(evaluations, arguments.json)
        options.say(arguments, arguments.json)
    if arguments.plot:
        from glowsep.show import box_plot  # here, because Matplotlib takes longer to import than all the rest

        box_plot(evaluations, arguments.plot)
        options.say(arguments, arguments.plot)
    if arguments.report:
        dataset = chosen_tracks(arguments)
        method = chosen_methods(arguments, dataset.sources)[arguments.method]
        reports.write_dataset_report(arguments, search(arguments), evaluations, dataset, method)


def evaluate_here(arguments):
    """The evaluations of all tracks, one after the other."""
    options.check_device(arguments)
    dataset = chosen_tracks(arguments)
    return evaluate(dataset, chosen_methods(arguments, dataset.sources), quiet=not options.shows_progress(arguments))


def evaluate_on_workers(arguments):
    """The same evaluations, each track's from a worker of ``--scheduler``."""
    arguments.priors = arguments.priors or [shipped("priors")]
    arguments = options.absolute(arguments, "dataset", "baselines", "priors")
    names = chosen_tracks(arguments).names
    tasks = {name: (arguments, name) for name in names}
    quiet = not options.shows_progress(arguments)
    with cluster.connected(arguments.scheduler) as client:
        parts = dict(cluster.results(client, evaluate_track, tasks, "track", quiet))
    return joined([parts[name] for name in names])


def evaluate_track(arguments, name):
    """The evaluations of one track: what a worker does."""
    for path in (arguments.dataset, arguments.baselines, *arguments.priors):
        cluster.require_visible(path)
    options.check_device(arguments)
    dataset = chosen_tracks(arguments)
    dataset.names = (name,)
    return evaluate(dataset, chosen_methods(arguments, dataset.sources), quiet=True)


def chosen_tracks(arguments):
    """The data set with the tracks that the options ask for."""
    dataset = options.open_split(arguments.dataset, arguments.split, "test")
    dataset.names = dataset.names[: arguments.limit]
    return dataset


def chosen_methods(arguments, sources):
    """The method that ``--method`` asks for, then its companions: a dict of name to method."""
    methods = companions(arguments.baselines)
    if arguments.method == OURS:
        methods[OURS] = instglow(arguments, sources)
    return {arguments.method: methods[arguments.method]} | methods


def instglow(arguments, sources):
    """The method that separates a track with one prior for each of ``sources``."""
    prior_of = {prior.name: prior for prior in load_priors(arguments.priors, arguments.device)}
    for source in sources:
        if source not in prior_of:
            raise PriorError(f"{arguments.dataset}: holds {source!r}, of which there is no prior; train one")
    priors = [prior_of[source] for source in sources]

    def method(track):
        rng = np.random.default_rng(arguments.seed)  # the same for every track: their order does not matter
        mixture = to_device(track.mixture, arguments.device)
        found = separate(mixture, priors, track.rate, search(arguments), arguments.mask_exponent, rng)
        return to_host(found.estimates)

    return method
