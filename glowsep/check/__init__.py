"""Is this gradient right? The checker that tests, chapters and assignments share (chapter 5).

``layer`` checks a layer, bijection or not, against the whole contract of ``glowsep.layers``; ``gradient`` checks any
function of one array. Both compare with central differences in float64 and, if something is wrong, raise a
``CheckError`` that says in words which method, which array, which index, what was expected and what came, and the
likely cause if the pattern is a known one. What the tests of an exercise ask first, ``own`` and others, is in
`glowsep.check.answers`; an exercise that asks for several things is graded by its ``Parts``.
"""

from glowsep.check.answers import call, letter, number, numbers, own, several
from glowsep.check.functions import gradient
from glowsep.check.layers import layer
from glowsep.check.parts import Parts
from glowsep.check.report import Report
from glowsep.check.verdict import CheckError

__all__ = [
    "CheckError", "Parts", "Report", "call", "gradient", "layer", "letter", "number", "numbers", "own", "several",
]  # fmt: skip
