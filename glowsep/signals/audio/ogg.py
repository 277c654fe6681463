"""Ogg files: every page is there and undamaged, and streams that follow each other are read one after the other.

Sources: RFC 3533, section 6 (pages); the Vorbis I specification, section 4.3.9 (the order of channels).
"""

import struct
import zlib
from typing import BinaryIO, NamedTuple

from glowsep.signals.audio.parts import Part
from glowsep.signals.audio.refusals import cut_short, damaged
from glowsep.signals.audio.tags import before_tags

FIRST, LAST = 2, 4  # the flags of a stream's first and last page
CODECS = {b"\x01vorbis": 11, b"OpusHead": 9}  # the start of a stream, and the byte that says how many channels

#: For each number of channels, the positions in Vorbis's order (left, centre, right, ...) of WAV's channels (left,
#: right, centre, low frequencies, back, side).
WAV_ORDER = {
    3: (0, 2, 1),
    5: (0, 2, 1, 3, 4),
    6: (0, 2, 1, 5, 3, 4),
    7: (0, 2, 1, 6, 5, 3, 4),
    8: (0, 2, 1, 7, 5, 6, 3, 4),
}


class Page(NamedTuple):
    """A page: what its header says, where it starts and ends, and the first bytes of its content."""

    flags: int
    serial: int
    number: int
    start: int
    stop: int
    content: bytes


def parts(path, file: BinaryIO, start: int, stop: int) -> list[Part] | None:
    """A `Part` per Vorbis or Opus stream, in the order of the file; None if there is none.

    Raises
    ------
    AudioError
        If a page is damaged or missing, or a stream has no last page.
    """
    streams, is_open = [], {}
    for page in pages(path, file, start, *before_tags(file, start, stop)):
        if page.flags & FIRST:
            if page.serial in is_open:
                raise damaged(path, "one of its streams starts twice")
            is_open[page.serial] = Stream(page)
            streams.append(is_open[page.serial])
        elif page.serial in is_open:
            is_open[page.serial].append(path, page)
        else:
            raise damaged(path, "a page of sound is in no stream")
        if page.flags & LAST:
            del is_open[page.serial]
    streams = [stream for stream in streams if stream.channels]
    if not streams:
        return None
    if any(stream.is_open for stream in streams):
        raise cut_short(path, "its last page is missing")
    if any(one.stop > other.start for one, other in zip(streams, streams[1:], strict=False)):
        raise damaged(path, "it holds several sounds at once; extract one of them first")
    return [Part(tuple(stream.pieces), order=stream.order) for stream in streams]


class Stream:
    """The pages of one stream, collected one by one."""

    def __init__(self, page):
        self.next, self.is_open, self.start = page.number + 1, not page.flags & LAST, page.start
        self.channels, self.pieces = None, [(page.start, page.stop)]
        for name, at in CODECS.items():
            if page.content.startswith(name) and len(page.content) > at:
                self.channels = page.content[at]
        self.order = WAV_ORDER.get(self.channels)
        if page.content.startswith(b"OpusHead") and page.content[18:19] != b"\x01":
            self.order = None  # Opus's own mapping of one or two channels, or none at all

    @property
    def stop(self):
        return self.pieces[-1][1]

    def append(self, path, page):
        if page.number != self.next:
            raise damaged(path, f"its page {self.next} is missing")
        self.next, self.is_open = page.number + 1, not page.flags & LAST
        if self.pieces[-1][1] == page.start:
            self.pieces[-1] = (self.pieces[-1][0], page.stop)
        else:
            self.pieces.append((page.start, page.stop))


def pages(path, file: BinaryIO, start: int, earliest: int, latest: int):
    """Every `Page` from ``start``; between ``earliest`` and ``latest`` there are only zeros.

    Raises
    ------
    AudioError
        If one is not whole, or its checksum is wrong.
    """
    position = start
    while position < earliest:
        file.seek(position)
        header = file.read(27)
        if not header.startswith(b"OggS"[: len(header)]):
            raise damaged(path, f"something else is at byte {position}, where a page should start")
        lengths = file.read(header[26]) if len(header) == 27 else b""
        content = file.read(sum(lengths))
        end = position + len(header) + len(lengths) + sum(lengths)
        if len(header) < 27 or len(lengths) < header[26] or len(content) < sum(lengths) or end > latest:
            raise cut_short(path, "its last page is not whole")
        flags, _, serial, number, expected = struct.unpack("<BqIII", header[5:26])
        if checksum(header[:22] + bytes(4) + header[26:] + lengths + content) != expected:
            raise damaged(path, f"the page at byte {position} contradicts its checksum")
        yield Page(flags, serial, number, position, end, content[:32])
        position = end


MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def checksum(content: bytes) -> int:
    """Ogg's checksum of 32 bits: that of zlib with the bits of every byte mirrored, and without the two inversions."""
    value = zlib.crc32(content.translate(MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{value:032b}"[::-1], 2)
