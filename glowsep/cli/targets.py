"""Files that options name to be written: none of them replaces a file of the user's, an input, or another of them."""

from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path

from glowsep.arrays.files import place_of
from glowsep.arrays.seals import is_sealed, require_ours
from glowsep.errors import GlowsepError
from glowsep.learning.weights import is_weights, looks_like_weights
from glowsep.signals.audio.stems import is_same_file
from glowsep.signals.audio.suffixes import looks_like_audio

#: How the files begin that glowsep writes, by what they are.
BEGINNINGS = {
    "scores": (b"{",),
    "table": (b"|",),
    "page": (b"<!doctype html>",),
    "picture": (b"\x89PNG", b"%PDF", b"<?xml"),
    "sound": (b"RIFF", b"RF64", b"fLaC"),
}
DEPTH = 4  # of the files in a data set: split, track, stems, file


def require_free(
    arguments: Namespace, reads: Iterable[Path | None] = (), **targets: Path | Sequence[Path] | None
) -> None:
    """Refuse targets that are files of the user's, unless ``--overwrite`` is given: before any work is done.

    Parameters
    ----------
    arguments : argparse.Namespace
        With the option of `glowsep.cli.options.add_overwrite`.
    reads : iterable of path or None
        The command's inputs, files and folders: these are never replaced.
    **targets : path, or sequence of path, or None
        The files that will be written, by what they are: a name of `BEGINNINGS`, or ``weights``. None for an option
        that was not given.

    Raises
    ------
    ValueError
        If two of them are the same file.
    GlowsepError
        If one is an input, or is there already and glowsep did not write it, or it is something else, or was changed.
    """
    paths = {kind: [given] if isinstance(given, Path) else given or [] for kind, given in targets.items()}
    require_distinct([*chain(*paths.values())])
    require_unread(chain(*paths.values()), reads)
    for kind, given in paths.items():
        require_ours(given, arguments.overwrite, is_ours=partial(is_ours, kind=kind))


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


def require_unread(targets: Iterable[Path], reads: Iterable[Path | None]) -> None:
    """Refuse to replace an input: one of these files, or the sound and weights in these folders.

    Raises
    ------
    GlowsepError
        Names the input.
    """
    reads = [path for path in reads if path]
    for target in targets:
        if target.exists() and any(is_same_file(target, path) for path in _inputs(reads)):
            raise GlowsepError(f"{target}: is read by this command, which would replace it; choose another name")


def is_ours(path: Path, kind: str) -> bool:
    """Whether glowsep wrote a file, and as what: it holds weights, or has a whole seal."""
    if kind == "weights":
        return is_weights(path)
    with open(path, "rb") as file:
        return file.read(16).startswith(BEGINNINGS[kind]) and is_sealed(path)


def _inputs(reads: Iterable[Path]) -> Iterator[Path]:
    for given in reads:
        if not given.is_dir():
            yield given
            continue
        for depth in range(1, DEPTH + 1):
            found = given.glob("/".join("*" * depth))
            yield from (path for path in found if looks_like_audio(path) or looks_like_weights(path))
