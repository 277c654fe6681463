"""Which system, its weights and its search: the options that ``separate`` and ``evaluate`` share."""

import inspect
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from glowsep.cli import options
from glowsep.errors import PriorError
from glowsep.signals.masks import MASK_EXPONENT
from glowsep.systems.registry import SYSTEMS
from glowsep.systems.search.annealed import AnnealedSearch
from glowsep.systems.search.constrained import ConstrainedLatentSearch
from glowsep.systems.search.found import Found
from glowsep.systems.search.latent import LatentSearch
from glowsep.systems.system import System

DEFAULT = "instglow"
SEARCHES = {
    "constrained": ConstrainedLatentSearch,
    "annealed": AnnealedSearch,
    "latent": LatentSearch,
    "published": LatentSearch.published,
}

#: The options that not every system takes in ``separate`` and ``evaluate``, as they are if nobody gives them.
DEFAULTS = {
    "weights": None,
    "search": "constrained",
    "iterations": None,
    "weight": None,
    "mask_exponent": MASK_EXPONENT,
    "raw": False,
    "device": "cpu",
}
#: What the command line calls them, if not by their own name.
OPTIONS = {"weights": "--priors or --model", "window_length": "--window", "start": "--from"}


def add_method(parser: ArgumentParser, names: tuple[str, ...], about: str) -> None:
    """Add ``--method`` with these systems of the registry to choose from."""
    parser.add_argument(
        "--method",
        type=lambda name: name.replace("-", "_"),
        choices=names,
        default=DEFAULT,
        metavar="NAME",
        help=f"{', '.join(names)}; {about} (default: %(default)s)",
    )


def add_weights(parser: ArgumentParser) -> None:
    """Add ``--priors``, which is called ``--model`` for a system of one file; `load_system` acts on it."""
    parser.add_argument(
        "--priors",
        "--model",
        action="append",
        type=Path,
        dest="weights",
        metavar="PATH",
        help="a folder of priors, one for each source in the mixture, or a prior's file; may be given several times. "
        "For another method, the file that train has written (default: those that come with glowsep)",
    )


def add_search(parser: ArgumentParser) -> None:
    """Add the options of a search; `search` acts on them."""
    parser.add_argument(
        "--search",
        choices=SEARCHES,
        default=DEFAULTS["search"],
        help="constrained: the likeliest latents whose sources sum to the mixture; annealed: down a ladder of noise "
        "levels; latent: over the flows' latents, the sum weighed against them; published: the same with the paper's "
        "settings (default: %(default)s)",
    )
    parser.add_argument(
        "--iterations",
        type=options.whole_number(1),
        metavar="N",
        help=_help("steps of each walk of the search", "iterations"),
    )
    parser.add_argument(
        "--weight", type=options.number(0), metavar="LAMBDA", help=_help("the priors' weight in the search", "weight")
    )
    parser.add_argument(
        "--mask-exponent",
        type=options.above_zero,
        metavar="P",
        default=DEFAULTS["mask_exponent"],
        help="masks divide the mixture in proportion to the magnitudes to the power of P (default: %(default)s)",
    )
    parser.add_argument(
        "--raw", action="store_true", help="for gan_prior: write what the generators make, not the mixture under masks"
    )


def search(arguments: Namespace) -> Callable[..., Found]:
    """The search that the options ask for."""
    chosen = {"iterations": arguments.iterations, "weight": arguments.weight}
    return SEARCHES[arguments.search](**{name: value for name, value in chosen.items() if value is not None})


def load_system(arguments: Namespace) -> System:
    """The system that ``--method`` names, with its weights and with those of the options that it takes.

    Raises
    ------
    PriorError
        If its weights are missing, damaged or do not fit together.
    """
    system, paths = SYSTEMS[arguments.method], weight_paths(arguments)
    if not paths:
        return system.load()
    if not system.per_source and len(paths) > 1:
        raise PriorError(f"{paths[1]}: {arguments.method} is a single file; name one only")
    given = {name: getattr(arguments, name) for name in ("iterations", "mask_exponent", "raw", "seed", "device")}
    accepted_ones = accepted(system.load, given | {"search": search(arguments)})
    return system.load(paths if system.per_source else paths[0], **accepted_ones)


def weight_paths(arguments: Namespace) -> list[Path]:
    """Where the system's weights are: as given, or those that come with glowsep; none if it is not trained."""
    system = SYSTEMS[arguments.method]
    if system.weights is None:
        return []
    return arguments.weights or [system.shipped_weights()]


def accepted(function: Callable, given: dict) -> dict:
    """Those of the given keyword arguments that a function's signature names, without those that are None.

    Examples
    --------
    >>> accepted(lambda steps, seed: None, {"steps": 3, "seed": None, "device": "cpu"})
    {'steps': 3}
    """
    names = inspect.signature(function).parameters
    return {name: value for name, value in given.items() if name in names and value is not None}


def refuse_unused(arguments: Namespace) -> None:
    """Refuse an option of ``separate`` and ``evaluate`` that the chosen system does not take.

    Raises
    ------
    ValueError
        See `refuse_untaken`.
    """
    system = SYSTEMS[arguments.method]
    taken = set(inspect.signature(system.load).parameters)
    if "search" in taken:
        taken |= {"iterations", "weight"}
    if system.weights is not None:
        taken.add("weights")
    refuse_untaken(arguments, DEFAULTS, taken)


def refuse_untaken(arguments: Namespace, defaults: Mapping[str, object], taken: Collection[str]) -> None:
    """Refuse an option that would have no effect: nobody should believe that it had one.

    Parameters
    ----------
    arguments : argparse.Namespace
    defaults : mapping of str to object
        By option, what it is if nobody gives it.
    taken : collection of str
        The options that the chosen system takes.

    Raises
    ------
    ValueError
        Names the option.
    """
    for name, default in defaults.items():
        if getattr(arguments, name) != default and name not in taken:
            option = OPTIONS.get(name, f"--{name.replace('_', '-')}")
            raise ValueError(f"{option} is not for {arguments.method}; leave it out")


def _help(text, name):
    defaults = ", ".join(f"{search} {getattr(kind(), name)}" for search, kind in SEARCHES.items())
    return f"{text} (default: {defaults})"
