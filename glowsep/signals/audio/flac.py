"""FLAC files: the last frame tells how many samples there are, whatever the header promises.

Source: RFC 9639, sections 8.2 (STREAMINFO) and 9.1 (frame headers).
"""

from typing import BinaryIO

from glowsep.signals.audio.parts import Part
from glowsep.signals.audio.refusals import cut_short
from glowsep.signals.audio.tags import before_tags

#: How a stream starts: its name, and its first block, STREAMINFO, of 34 bytes; the last of its kind or not.
STARTS = (b"fLaC\x00\x00\x00\x22", b"fLaC\x80\x00\x00\x22")
HEADER = 8 + 34
BLOCK_SIZES = (0, 192, 576, 1152, 2304, 4608, None, None, *(256 << n for n in range(8)))


def parts(path, file: BinaryIO, start: int, stop: int) -> list[Part]:
    """A `Part` per FLAC stream from ``start`` up to ``stop``: several if files were joined.

    libsndfile stops where the header says that the sound ends. Here it is shown a header that leaves this open, so that
    all is decoded; the count is that of the last frame, whose checksum proves that nothing is missing after it.

    Raises
    ------
    AudioError
        If a stream does not end with a whole frame, or its header promises more.
    """
    starts = stream_starts(file, start, stop)
    if not starts or starts[0] != start:
        raise cut_short(path, "its header is not whole")
    return [
        stream(path, file, begin, *before_tags(file, begin, end))
        for begin, end in zip(starts, [*starts[1:], stop], strict=True)
    ]


def stream(path, file, start, earliest, latest):
    file.seek(start)
    header = bytearray(file.read(HEADER))
    if start + len(header) > latest or len(header) < HEADER:
        raise cut_short(path, "its header is not whole")
    block_size, longest_block = (int.from_bytes(header[at : at + 2], "big") for at in (8, 10))
    channels, bits = (header[20] >> 1 & 7) + 1, ((header[20] & 1) << 4 | header[21] >> 4) + 1
    longest = 64 + channels * longest_block * (bits + 1) // 8  # bytes of a frame that is not compressed at all
    rate = int.from_bytes(header[18:21], "big") >> 4 or 1
    promised = int.from_bytes(header[21:26], "big") & (1 << 36) - 1
    found = samples_to_the_end(file, start + HEADER, earliest, latest, block_size, longest)
    if found is None:
        if promised == 0 and earliest - start < 1 << 16 and not has_frames(file, start + HEADER, earliest):
            return Part(samples=0)
        raise cut_short(path, f"its header promises {promised / rate:.1f} s, but its last frame is not whole")
    samples, end = found
    if promised > samples:
        raise cut_short(path, f"its header promises {promised / rate:.1f} s, but it ends at {samples / rate:.1f} s")
    header[21] &= 0xF0  # 0 samples: unknown
    header[22:26] = bytes(4)
    return Part((bytes(header), (start + HEADER, end)), samples)


def stream_starts(file: BinaryIO, start: int, stop: int) -> list[int]:
    """Where streams start."""
    found, position, overlap, tail = [], start, len(STARTS[0]) - 1, b""
    file.seek(start)
    while position < stop and (block := file.read(min(1 << 20, stop - position))):
        text, origin = tail + block, position - len(tail)
        for sign in STARTS:
            at = text.find(sign)
            while at >= 0:
                found.append(origin + at)
                at = text.find(sign, at + 1)
        tail = text[-overlap:]
        position += len(block)
    return sorted(found)


def has_frames(file, start, stop):
    file.seek(start)
    content = file.read(stop - start)
    return any(frame_end(content[at : at + 16], 0) for at in positions(content))


def samples_to_the_end(
    file: BinaryIO, start: int, earliest: int, latest: int, block_size: int, longest: int
) -> tuple[int, int] | None:
    """How many samples the last frame completes, and where it ends; None if it is not whole.

    The frame, of ``longest`` bytes at most, ends between ``earliest`` and ``latest``, where there are only zeros: its
    checksum may end in some.
    """
    begin = max(start, earliest - longest)
    file.seek(begin)
    content = file.read(max(0, min(earliest + 2, latest) - begin))
    for at in reversed(positions(content)):
        samples = frame_end(content[at : at + 16], block_size)
        if samples is not None:
            ends = [begin + at + end for end in ends_by_checksum(content[at:])]
            # A checksum that ends in a zero byte is right one byte too early already: so it is the last that counts.
            if ends and max(ends) >= earliest:
                return samples, max(ends)
    return None


def positions(content: bytes) -> list[int]:
    """Where a frame may start: at the 14 bits that all frames start with."""
    found, at = [], content.find(b"\xff")
    while at >= 0:
        if content[at + 1 : at + 2] in (b"\xf8", b"\xf9"):
            found.append(at)
        at = content.find(b"\xff", at + 1)
    return found


def frame_end(header: bytes, block_size: int) -> int | None:
    """The number of samples up to the end of a frame, from its header, or None if these bytes are no header.

    Parameters
    ----------
    header : bytes
        At least 16, if the stream is that long.
    block_size : int
        The samples of every frame but the last, where frames are numbered and not samples.
    """
    if len(header) < 6 or header[2] >> 4 == 0 or header[2] & 15 == 15 or header[3] & 1:
        return None
    number, length = coded_number(header[4:])
    if number is None:
        return None
    at = 4 + length
    size = BLOCK_SIZES[header[2] >> 4]
    if size is None:
        width = 1 if header[2] >> 4 == 6 else 2
        size = 1 + int.from_bytes(header[at : at + width], "big")
        at += width
    at += {12: 1, 13: 2, 14: 2}.get(header[2] & 15, 0)
    if at >= len(header) or checksum_8(header[:at]) != header[at]:
        return None
    return (number if header[1] & 1 else number * block_size) + size


def coded_number(content: bytes) -> tuple[int | None, int]:
    """The number at the start of ``content``, coded as UTF-8 codes characters, and its bytes."""
    first = content[0]
    if first < 0x80:
        return first, 1
    length = 8 - (first ^ 0xFF).bit_length()
    if length < 2 or length > 7 or len(content) < length or any(byte >> 6 != 2 for byte in content[1:length]):
        return None, 0
    number = first & (1 << 7 - length) - 1
    for byte in content[1:length]:
        number = number << 6 | byte & 0x3F
    return number, length


def table(polynomial, bits):
    """The remainders of all bytes, for a checksum of that many bits."""
    remainders = []
    for byte in range(256):
        value = byte << bits - 8
        for _ in range(8):
            value = value << 1 ^ (polynomial if value >> bits - 1 else 0)
            value &= (1 << bits) - 1
        remainders.append(value)
    return remainders


TABLE_8, TABLE_16 = table(0x07, 8), table(0x8005, 16)


def checksum_8(content: bytes) -> int:
    """The checksum of a frame's header."""
    value = 0
    for byte in content:
        value = TABLE_8[value ^ byte]
    return value


def ends_by_checksum(content: bytes) -> list[int]:
    """The lengths at which ``content`` ends with its own checksum, as a whole frame does."""
    value, ends = 0, []
    for position, byte in enumerate(content, 1):
        value = (value << 8 & 0xFF00) ^ TABLE_16[value >> 8 ^ byte]
        if value == 0:
            ends.append(position)
    return ends
