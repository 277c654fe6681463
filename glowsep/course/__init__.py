"""The chapters as a course: notebooks to hand out, exercises with other numbers, slides for the lecture.

``contents`` finds the chapters and their parts, ``regions`` knows the marks around solutions, hidden tests and mark
schemes, ``handouts`` takes these out, ``keeping`` writes notebooks without replacing anybody's work, ``varying``
changes seeds and numbers, and ``grading`` helps nbgrader.
"""

from glowsep.course.contents import PARTS, chapters, chosen
from glowsep.course.handouts import handout
from glowsep.course.keeping import read_chapter, write_notebook
from glowsep.course.varying import changes, varied

__all__ = ["PARTS", "changes", "chapters", "chosen", "handout", "read_chapter", "varied", "write_notebook"]
