"""The book: chapters and guides as a web site that needs no network, built by Jupyter Book.

``contents`` arranges chapters and guides, ``reader`` makes each chapter what a reader wants to see,
``wrapping`` fits its code to the page, ``links`` keeps what it points to, ``downloads`` offers the notebook itself,
``source`` lays all that out for Jupyter Book, ``building`` has the site built, and ``search`` writes the index by which
its words are found.
"""

from glowsep.book.building import build
from glowsep.book.contents import guides, table_of_contents
from glowsep.book.reader import readers_copy
from glowsep.course.contents import chapters

__all__ = ["build", "chapters", "guides", "readers_copy", "table_of_contents"]
