"""Is this gradient right? The checker that tests, chapters and assignments share (chapter 5).

``layer`` holds a bijection against the whole contract of ``glowsep.layers``, ``network`` a part that is not
invertible, ``gradient`` any function of one array. Each compares with central differences in float64 and,
where something is wrong, raises a ``CheckError`` that says in words which method, which array, which index,
what was expected and what came, and the likely cause where the pattern is a known one.
"""

from glowsep.check.bijections import Report, layer
from glowsep.check.networks import NetworkReport, gradient, network
from glowsep.check.verdict import CheckError

__all__ = ["CheckError", "NetworkReport", "Report", "gradient", "layer", "network"]
