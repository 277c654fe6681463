"""Finding and loading priors: those that came with the repository, or the user's own."""

from pathlib import Path

from glowsep.cli.options import move
from glowsep.datasets.shipped import shipped
from glowsep.errors import PriorError
from glowsep.systems.glow.prior import Prior


def add_priors(parser):
    """Add ``--priors``; `load_priors` acts on it."""
    parser.add_argument(
        "--priors",
        action="append",
        type=Path,
        metavar="PATH",
        help="a folder of priors, one for each source in the mixture, or a prior's file; may be given several times "
        "(default: data/priors)",
    )


def load_priors(paths, device="cpu"):
    """Load priors that can explain a mixture together.

    Parameters
    ----------
    paths : sequence of path
        Prior files, or folders of them. None for those that came with the repository.
    device : {"cpu", "cuda"}

    Returns
    -------
    list of glowsep.systems.glow.prior.Prior

    Raises
    ------
    PriorError
        Where a file is missing or damaged, a folder holds none, two priors share a name, or they listen to spectrograms
        of different kinds.
    """
    files = [file for path in paths or [shipped("priors")] for file in _files(path)]
    priors = [Prior.load(file) for file in files]
    file_of = {}
    for file, prior in zip(files, priors, strict=True):
        if prior.name in file_of:
            raise PriorError(f"{file}: a prior of {prior.name!r}, as is {file_of[prior.name]}; leave one of them out")
        file_of[prior.name] = file
        for what in ("rate", "window_length", "hop"):
            here, first = getattr(prior.config, what), getattr(priors[0].config, what)
            if here != first:
                raise PriorError(f"{file}: its {what} is {here}, but that of {files[0]} is {first}; train it again")
    for prior in priors:
        move(prior, device)
    return priors


def _files(path):
    if not path.is_dir():
        if path == shipped("priors"):
            raise PriorError(f"{path}: not there; install glowsep again, or name your own priors with --priors")
        return [path]
    files = sorted(path.glob("*.npz"))
    if not files:
        raise PriorError(f"{path}: no prior (.npz) in it; train some with: python -m glowsep train --help")
    return files
