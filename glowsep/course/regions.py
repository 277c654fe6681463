"""The marks in a chapter around what only some readers see: solutions, hidden tests and mark schemes.

They are nbgrader's; whatever else is on a mark's line belongs to the mark. In code they read ``### BEGIN SOLUTION``, in
text ``=== BEGIN SOLUTION ===``.
"""

import re


def region(name: str) -> re.Pattern:
    """The pattern of a region with its marks; its group 1 is what is between them."""
    return re.compile(rf"(?ms)^[^\n]*BEGIN {name}[^\n]*\n(.*?)^[^\n]*END {name}[^\n]*(?:\n|\Z)")


SOLUTION = region("SOLUTION")
HIDDEN_TESTS = region("HIDDEN TESTS")
MARK_SCHEME = region("MARK SCHEME")
