"""Slides for the lecture: of every part, the cells that are tagged for them, as one page for the browser.

``cells`` takes from the chapters what goes on slides, and ``building`` has nbconvert make pages of reveal.js from it,
which need no network.
"""

from glowsep.slides.building import NUMBERS, build
from glowsep.slides.cells import deck

__all__ = ["NUMBERS", "build", "deck"]
