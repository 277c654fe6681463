"""Files that options name to be written: none of them replaces a file of the user's, or another of them."""

from argparse import Namespace
from pathlib import Path

from glowsep.arrays.files import place_of
from glowsep.arrays.seals import is_sealed, require_ours
from glowsep.learning.weights import is_weights


def require_free(arguments: Namespace, *targets: Path | None) -> None:
    """Refuse targets that are files of the user's, unless ``--overwrite`` is given: before any work is done.

    Parameters
    ----------
    arguments : argparse.Namespace
        With the option of `glowsep.cli.options.add_overwrite`.
    *targets : path or None
        The files that will be written; None for an option that was not given.

    Raises
    ------
    ValueError
        If two of them are the same file.
    GlowsepError
        If one is there that glowsep did not write, or that was changed since.
    """
    paths = [path for path in targets if path]
    require_distinct(paths)
    require_ours(paths, arguments.overwrite, is_ours=is_ours)


def require_distinct(paths: list[Path]) -> None:
    """Refuse two files of one name.

    Raises
    ------
    ValueError
        Names both.
    """
    places = {}
    for path in paths:
        other = places.setdefault(place_of(path), path)
        if other is not path:
            raise ValueError(f"{path}: two files would be written here, the other as {other}; give them two names")


def is_ours(path: Path) -> bool:
    """Whether glowsep wrote a file: it has a whole seal, or holds weights."""
    return is_sealed(path) or is_weights(path)
