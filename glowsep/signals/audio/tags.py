"""Titles, pictures and lyrics around the sound of MP3 and FLAC files: where they start and end.

Sources: id3.org (ID3v1, ID3v2, Lyrics3), wiki.hydrogenaud.io (APEv2).
"""

from typing import BinaryIO

LONGEST_LYRICS = 1_000_020


def after_tags(file: BinaryIO, position: int, stop: int) -> int:
    """Where the tags that start at ``position`` end, with the zeros that some programs leave after them."""
    start = position
    while length := _tag_length(file, position, stop):
        position += length
    zeros_from = position
    if position > start or position == 0:
        position = _after_zeros(file, position, stop)
        if position > zeros_from and _tag_length(file, position, stop):
            return after_tags(file, position, stop)
    return position


def before_tags(file: BinaryIO, start: int, stop: int) -> tuple[int, int]:
    """Where the sound that starts at ``start`` ends, if zeros and tags may follow it up to ``stop``.

    Returns
    -------
    earliest, latest : int
        The zeros between these two are the end of the sound, or were written after it.
    """
    earliest = latest = stop
    while earliest > start:
        if length := _tag_length_at_end(file, start, earliest):
            latest = earliest = earliest - length
        elif earliest == latest and (zeros := _zeros_at_end(file, start, latest)):
            earliest = latest - zeros
        else:
            break
    return earliest, latest


def _read(file, position, count):
    file.seek(max(position, 0))
    return file.read(count)


def seven_bits(four: bytes) -> int:
    """A length of ID3v2: four bytes of which seven bits count, so that none looks like the start of an MP3 frame.

    >>> seven_bits(bytes([0, 0, 1, 1]))
    129
    """
    return sum(byte << shift for byte, shift in zip(four, (21, 14, 7, 0), strict=True))


def _tag_length(file, position, stop):
    """The length of the tag that starts at a position, or 0."""
    head = _read(file, position, min(32, stop - position))
    length = 0
    if head[:3] == b"ID3" and len(head) >= 10 and max(head[6:10]) < 128:
        length = 10 + seven_bits(head[6:10]) + (10 if head[5] & 0x10 else 0)
    elif head[:4] == b"TAG+":
        length = 227
    elif head[:3] == b"TAG":
        length = 128
    elif head[:8] == b"APETAGEX" and len(head) == 32:
        length = 32 + int.from_bytes(head[12:16], "little")
    elif head[:11] == b"LYRICSBEGIN":
        text = _read(file, position, min(LONGEST_LYRICS, stop - position))
        length = max(text.find(b"LYRICS200") + 9, text.find(b"LYRICSEND") + 9)
        length = length if length > 8 else 0
    return length if position + length <= stop else 0


def _tag_length_at_end(file, start, stop):
    """The length of the tag that ends at a position, or 0."""
    tail = _read(file, stop - 227, min(227, stop))
    length = 0
    if tail[-128:-125] == b"TAG":
        length = 128
    elif tail[:4] == b"TAG+" and len(tail) == 227:
        length = 227
    elif tail[-9:] == b"LYRICS200" and tail[-15:-9].isdigit():
        length = int(tail[-15:-9]) + 15
        length = length if _read(file, stop - length, 11) == b"LYRICSBEGIN" else 0
    elif tail[-9:] == b"LYRICSEND":
        text = _read(file, stop - 5200, min(5200, stop))
        length = len(text) - text.find(b"LYRICSBEGIN") if b"LYRICSBEGIN" in text else 0
    elif tail[-32:-24] == b"APETAGEX":  # its footer; the header is optional
        length = int.from_bytes(tail[-20:-16], "little")
        length += 32 if tail[-9] & 0x80 else 0
    elif tail[-10:-7] == b"3DI" and max(tail[-4:]) < 128:
        length = 20 + seven_bits(tail[-4:])
    return length if start <= stop - length else 0


def _after_zeros(file, position, stop):
    while position < stop:
        block = _read(file, position, min(1 << 16, stop - position))
        if not block:
            break
        rest = len(block.lstrip(b"\0"))
        position += len(block) - rest
        if rest:
            break
    return position


def _zeros_at_end(file, start, stop):
    end = stop
    while end > start:
        block = _read(file, max(start, end - (1 << 16)), min(1 << 16, end - start))
        rest = len(block.rstrip(b"\0"))
        end -= len(block) - rest
        if rest:
            break
    return stop - end
