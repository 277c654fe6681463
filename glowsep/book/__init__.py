"""The book: the chapters as a web site that needs no network, built by Jupyter Book.

``contents`` finds and arranges the chapters, ``reader`` makes of each what a reader wants to see, ``links`` keeps what
they point to, and ``build`` has the site built.
"""

from .build import build
from .contents import chapters, contents
from .reader import readers_copy

__all__ = ["build", "chapters", "contents", "readers_copy"]
