"""Text for a terminal: what in a name would be a command to it is shown as an escape.

A file's name and a recording's tags may hold any characters: also those that recolour a terminal, clear it, change its
title, or turn the direction of writing around.
"""

import re

#: Control characters but for the ends of lines and tabs; line and paragraph separators; what turns the direction.
COMMANDS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
BREAKS = re.compile("[\t\n\r]")


def printable(text: str) -> str:
    r"""A text whose control characters are escapes, but for line ends and tabs.

    Examples
    --------
    >>> print(printable("\x1b[31mred\n"))
    \x1b[31mred
    <BLANKLINE>
    """
    return COMMANDS.sub(_escaped, text)


def one_line(text: object) -> str:
    r"""The same in one line: line ends and tabs are escapes, too.

    Examples
    --------
    >>> print(one_line("two\nlines"))
    two\nlines
    """
    return BREAKS.sub(_escaped, printable(str(text)))


def _escaped(found):
    return found[0].encode("unicode_escape").decode()
