"""Warnings about songs, each in one line like all that the command line says."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from glowsep.cli.failures import complain
from glowsep.errors import SeparationWarning


@contextmanager
def in_one_line() -> Iterator[None]:
    """While this is open, a `SeparationWarning` is one line on stderr: no path of a source file, no code."""
    with warnings.catch_warnings():
        show = warnings.showwarning

        def show_in_one_line(message, category, *place, **stream):
            if issubclass(category, SeparationWarning):
                complain(f"warning: {message}")
            else:
                show(message, category, *place, **stream)

        warnings.showwarning = show_in_one_line
        warnings.simplefilter("always", SeparationWarning)
        yield
