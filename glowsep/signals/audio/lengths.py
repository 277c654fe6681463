"""Lengths in headers: which of them are no promise, since the program that wrote them did not know."""

#: What programs write if they cannot go back to fill in a length: FFmpeg 2³² - 1, SoX 0x7ffff000 (0x7f000000 in AIFF),
#: arecord 2³¹. They round them down to whole samples, or subtract a header.
PLACEHOLDERS = (0x7F000000, 0x7FFFF000, 0x80000000, 0xFFFFFFFF)
MARGIN = 4096


def is_unknown(length: int) -> bool:
    """Whether a length in a header of 32 bits says nothing.

    Examples
    --------
    >>> is_unknown(0), is_unknown(0xFFFFFFFF), is_unknown(0x7FFFF024), is_unknown(2_000_000_000)
    (True, True, True, False)
    """
    return length == 0 or any(abs(length - placeholder) <= MARGIN for placeholder in PLACEHOLDERS)
