"""The errors a caller may want to catch. Each message is one line that names the file and the remedy."""

import re
from importlib import metadata


class GlowsepError(Exception):
    """Base of all errors about files: audio, priors and data sets.

    Examples
    --------
    >>> issubclass(AudioError, GlowsepError)
    True
    """


class AudioError(GlowsepError):
    """An audio file that cannot be read or written."""


class PriorError(GlowsepError):
    """A file of weights or a checkpoint that cannot be read or written, or does not fit."""


class DatasetError(GlowsepError):
    """A data set whose folder does not hold what its layout promises, or one that cannot be rendered."""


class ClusterError(GlowsepError):
    """A Dask cluster that cannot be reached, or a task that failed there."""


class BookError(GlowsepError):
    """A book that cannot be built from the chapters, or cannot be put in its place."""


class CourseError(GlowsepError):
    """A chapter that is unknown or missing, or a notebook that would replace somebody's work."""


class SeparationWarning(UserWarning):
    """A song was separated, but the answer is not to be trusted: it is silent, out of range, or none of the sources."""


def how_to_install(extra: str) -> str:
    """The command that installs what one of the package's extras needs, for a message to give.

    It names those packages and never glowsep itself: ``pip install ".[musdb]"`` would replace an editable installation
    by a copy.

    Examples
    --------
    >>> how_to_install("musdb")
    'pip install "musdb>=0.4.2"'
    """
    try:
        requirements = metadata.requires("glowsep") or []
    except metadata.PackageNotFoundError:  # it is run from the repository without being installed
        requirements = []
    needed = [
        f'"{requirement.partition(";")[0].strip()}"'
        for requirement in requirements
        if re.search(rf"""extra == ['"]{re.escape(extra)}['"]""", requirement)
    ]
    return f"pip install {' '.join(needed)}" if needed else f'pip install -e ".[{extra}]" in the repository'
