"""``evaluate --method all``: every system in one table, beside what it was trained on and what it takes."""

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from glowsep import cluster
from glowsep.arrays.files import write_text
from glowsep.arrays.memory import keep_freed_memory
from glowsep.arrays.own_process import in_own_process
from glowsep.cli import doubts, options, systems
from glowsep.cli.failures import complain
from glowsep.comparison import Compared, Cost, Metered, comparison, markdown, save_comparison
from glowsep.datasets.shipped import shipped
from glowsep.errors import DatasetError
from glowsep.evaluate import Evaluation, evaluate, merged
from glowsep.learning.weights import looks_like_weights
from glowsep.systems.registry import FOR_COMPARISON, SYSTEMS
from glowsep.systems.system import System

#: What ``--method`` calls all systems together.
ALL = "all"

#: Tracks that a line names at most.
NAMED = 5


def refuse_unused(arguments: Namespace) -> None:
    """Refuse an option that is for one system, or for none of this command's others.

    Raises
    ------
    ValueError
        Names the option.
    """
    systems.refuse_untaken(arguments, systems.DEFAULTS, {"device"})
    if arguments.report:
        raise ValueError("--report is on one method; leave it out, or name the method")


def run(arguments: Namespace) -> None:
    """Score every system that has weights, print the table, and write what else is asked for."""
    refuse_unused(arguments)
    weights = found_weights(arguments)
    known = knowing_systems(arguments, weights, options.chosen_tracks(arguments).sources)
    weights = {name: weights[name] for name in known}
    if arguments.scheduler:
        complain("on workers, time and memory are not measured: they may do other work meanwhile")
        evaluations = evaluate_on_workers(arguments, weights)
        compared = [Compared.of(known[each.method], each) for each in evaluations]
    else:
        options.check_device(arguments)
        given = {name: asked(arguments, name, path) for name, path in weights.items()}
        compared = [Compared.of(known[name], *in_own_process(evaluate_alone, given[name])) for name in weights]
    print(comparison(compared), flush=True)
    tell_silences(compared[0].evaluation)
    if arguments.json:
        save_comparison(compared, arguments.json)
        options.say(arguments, arguments.json)
    if arguments.markdown:
        write_text(arguments.markdown, markdown(compared))
        options.say(arguments, arguments.markdown)
    if arguments.plot:
        from glowsep.show import comparison_picture  # here: Matplotlib takes longer to import than all the rest

        comparison_picture(compared, arguments.plot)
        options.say(arguments, arguments.plot)


def found_weights(arguments: Namespace) -> dict[str, Path | None]:
    """Where every system's weights are, by name; None if it needs none. One that has none is named and left out."""
    weights = {}
    for name, system in SYSTEMS.items():
        if system.weights is None:
            weights[name] = None
            continue
        own = shipped(system.weights)
        path = (arguments.baselines / own.name if name in FOR_COMPARISON else own).resolve()
        if any(map(looks_like_weights, path.iterdir())) if path.is_dir() else path.exists():
            weights[name] = path
        else:
            command = f"python -m glowsep train {arguments.dataset} --method {name} -o {path}"
            complain(f"{path}: not there, so {name} is left out; train it with: {command}")
    return weights


def knowing_systems(arguments: Namespace, weights: dict[str, Path | None], sources: Sequence[str]) -> dict[str, System]:
    """Every system with its weights, by name; one that does not know all of the ``sources`` is named and left out.

    So a damaged file is refused before the first system is scored, not after.
    """
    known = {}
    for name, path in weights.items():
        alone = asked(arguments, name, path)
        alone.device = "cpu"  # here it is only asked what it knows
        system = systems.load_system(alone)
        try:
            if system.sources:
                system.only(sources)
        except ValueError as error:
            complain(f"{arguments.dataset}: {error}; {name} is left out")
            continue
        known[name] = system
    if not known:
        wanted = ", ".join(sources)
        raise DatasetError(f"{arguments.dataset}: no system knows its sources {wanted}; train one that does")
    return known


def asked(arguments: Namespace, name: str, path: Path | None) -> Namespace:
    """The arguments of a command that asks for this system alone."""
    return Namespace(**vars(arguments) | {"method": name, "weights": path and [path]})


def evaluate_alone(arguments: Namespace) -> tuple[Evaluation, Cost]:
    """One system's scores and what they took: what a process of its own does."""
    keep_freed_memory()  # as it is in every command
    with doubts.in_one_line():
        metered = Metered(systems.load_system(arguments))
        quiet = not options.shows_progress(arguments)
        (evaluation,) = evaluate(options.chosen_tracks(arguments), {arguments.method: metered}, quiet)
    return evaluation, metered.cost()


def evaluate_on_workers(arguments: Namespace, weights: dict[str, Path | None]) -> list[Evaluation]:
    """The evaluations of all systems, each track's from a worker of ``--scheduler``."""
    arguments = options.absolute(arguments, "dataset", "baselines")
    names = options.chosen_tracks(arguments).names
    tasks = {name: (arguments, weights, name) for name in names}
    quiet = not options.shows_progress(arguments)
    with cluster.connected(arguments.scheduler) as client:
        parts = dict(cluster.results(client, evaluate_track, tasks, "track", quiet))
    return merged([parts[name] for name in names])


def evaluate_track(arguments: Namespace, weights: dict[str, Path | None], name: str) -> list[Evaluation]:
    """All systems' evaluations of one track: what a worker does."""
    for path in (arguments.dataset, *(path for path in weights.values() if path)):
        cluster.require_visible(path)
    options.check_device(arguments)
    dataset = options.chosen_tracks(arguments)
    dataset.names = (name,)
    methods = {method: systems.load_system(asked(arguments, method, path)) for method, path in weights.items()}
    return evaluate(dataset, methods, quiet=True)


def tell_silences(evaluation: Evaluation) -> None:
    """Say which sources are silent in which tracks: there they have no score, and count in no mean."""
    for source, tracks in evaluation.silences().items():
        names = ", ".join([*tracks[:NAMED], *(["…"] if len(tracks) > NAMED else [])])
        count = f"{len(tracks)} of {len(evaluation.tracks)} tracks"
        complain(f"{source} is silent in {count} and has no score there: {names}")
