"""The book: chapters and guides as a web site that needs no network, built by Jupyter Book.

``contents`` arranges chapters and guides, ``reader`` makes each chapter what a reader wants to see, ``links``
keeps what they point to, ``source`` lays all that out for Jupyter Book, and ``building`` has the site built.
"""

from glowsep.book.building import build
from glowsep.book.contents import guides, table_of_contents
from glowsep.book.reader import readers_copy
from glowsep.course.contents import chapters

__all__ = ["build", "chapters", "guides", "readers_copy", "table_of_contents"]
