"""Where the end of a file must be, in formats whose missing end FFmpeg does not notice.

Each function is given the open file, the position at which its sound starts, and its size, and returns the bytes that
the file must have at the least by what its own header, blocks or frames say; None if they do not say it.

Sources: the documents of each format; for AMR, RFC 4867, section 5.3; for MLP, FFmpeg's mlp_parser.c; for ADTS, ISO/IEC
13818-7, section 6.2; for TTA, its format's description by A. Djuric; for FLV, Adobe's specification, annex E.
"""

import re
import struct
from collections.abc import Callable
from typing import BinaryIO

from glowsep.arrays.integers import ceil_divide
from glowsep.signals.audio.lengths import is_unknown
from glowsep.signals.audio.refusals import cut_short

ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
PACKET = 188  # bytes of an MPEG transport stream; on Blu-ray discs four more stand in front of each
AMR = {  # bytes of a frame by its mode
    b"#!AMR\n": (13, 14, 16, 18, 20, 21, 27, 32, 6, 1, 1, 1, 1, 1, 1, 1),
    b"#!AMR-WB\n": (18, 24, 33, 37, 41, 47, 51, 59, 61, 6, 1, 1, 1, 1, 1, 1),
}


def require_end(path, name: str, file: BinaryIO, start: int, size: int) -> None:
    """Refuse a file of FFmpeg's format ``name`` whose end is missing.

    Raises
    ------
    AudioError
    """
    promised = ENDINGS[name](file, start, size) if name in ENDINGS else None
    if promised is not None and promised > size:
        raise cut_short(path, f"it should have {promised} bytes, but has {size}")


def packet_length(head: bytes) -> int | None:
    """The length of the packets of an MPEG transport stream that begins with ``head``; None if it is none.

    Examples
    --------
    >>> packet_length((b"G" + bytes(187)) * 3), packet_length(b"Good morning")
    (188, None)
    """
    for extra in (0, 4):
        starts = range(extra, 3 * (PACKET + extra), PACKET + extra)
        if all(head[start : start + 1] == b"G" for start in starts):
            return PACKET + extra
    return None


def _read(file, position, count):
    file.seek(position)
    return file.read(count)


def avi(file, start, size):
    """Its RIFF chunks one after the other."""
    position = start
    while (head := _read(file, position, 8))[:4] == b"RIFF" and len(head) == 8:
        length = int.from_bytes(head[4:], "little")
        if is_unknown(length):
            return None
        position += 8 + length
        position += length % 2 if position < size else 0
    return position


def iff(file, start, size):
    """One chunk, FORM or in DSDIFF FRM8, that holds all others."""
    head = _read(file, start, 12)
    width = 8 if head[:4] == b"FRM8" else 4
    length = int.from_bytes(head[4 : 4 + width], "big")
    return None if width == 4 and is_unknown(length) else start + 4 + width + length


def dsf(file, start, size):
    """The size is in the header."""
    length = int.from_bytes(_read(file, start + 12, 8), "little")
    return start + length if length else None


def avr(file, start, size):
    """The header, 128 bytes, has the samples per channel, the bits of each, and whether there are two channels."""
    head = _read(file, start + 12, 18)
    if len(head) < 18:
        return start + 128
    is_stereo, bits, _, _, _, _, samples = struct.unpack(">5H2I", head)
    return start + 128 + samples * bits // 8 * (2 if is_stereo else 1)


def nist(file, start, size):
    """The header is text, of a length that its second line gives."""
    head = _read(file, start, 1024)
    words = dict(re.findall(rb"^(\w+) -\w+ (\S+)", head, re.MULTILINE))
    counts = [words.get(name) for name in (b"sample_count", b"channel_count", b"sample_n_bytes")]
    if words.get(b"sample_coding", b"pcm") not in (b"pcm", b"ulaw", b"alaw") or not head[8:16].strip().isdigit():
        return None
    if not all(count and count.isdigit() for count in counts):
        return None
    samples, channels, width = map(int, counts)
    return start + int(head[8:16]) + samples * channels * width


def voc(file, start, size):
    """Blocks with their lengths, and at last one of type 0."""
    position = start + int.from_bytes(_read(file, start + 20, 2), "little")
    while position < size:
        kind, *length = _read(file, position, 4)
        if kind == 0:
            break
        if len(length) < 3:
            return position + 4
        length = int.from_bytes(bytes(length), "little")
        if length == 0:  # as some programs write it into a pipe
            return None
        position += 4 + length
    return position


def asf(file, start, size):
    """The size is in the File Properties, unless the file was written while it was sent."""
    head = _read(file, start, 1 << 16)
    at = head.find(ASF_PROPERTIES)
    properties = head[at + 24 : at + 92]
    if at < 0 or len(properties) < 68 or properties[64] & 1:
        return None
    return start + int.from_bytes(properties[16:24], "little") or None


def amr(file, start, size):
    """Frames whose first byte says how long they are."""
    magic = _read(file, start, 16).partition(b"\n")[0] + b"\n"
    if magic not in AMR:  # of several channels
        return None
    return _chained(file, start + len(magic), size, 1, lambda head: AMR[magic][head[0] >> 3 & 15])


def aac(file, start, size):
    """Frames of ADTS, which begin with twelve ones and have their length in 13 bits."""

    def length_of(head):
        is_frame = head[0] == 0xFF and head[1] & 0xF6 == 0xF0
        return int.from_bytes(head[3:6], "big") >> 5 & 0x1FFF if is_frame else 0

    return _chained(file, start, size, 6, length_of)


def tta(file, start, size):
    """A header, the lengths of all frames, and the frames, each of 256 / 245 s."""
    rate, samples = struct.unpack("<2I", _read(file, start + 10, 8).ljust(8, b"\0"))
    frames = ceil_divide(245 * samples, 256 * rate) if rate else 0
    lengths = _read(file, start + 22, 4 * frames)
    return start + 22 + 4 * frames + 4 + sum(struct.unpack(f"<{len(lengths) // 4}I", lengths[: len(lengths) // 4 * 4]))


def flv(file, start, size):
    """Tags of 11 bytes and what they hold; between them stand four bytes."""
    position = end = start + int.from_bytes(_read(file, start + 5, 4), "big")
    while position + 4 < size:
        head = _read(file, position + 4, 11)
        if head[:1] not in (b"\x08", b"\x09", b"\x12"):
            return None
        end = position + 4 + 11 + int.from_bytes(head[1:4], "big")
        position = end
    return end


def rm(file, start, size):
    """Chunks that begin with a name and their length; that of the sound has a count of packets with lengths of theirs.

    The length of that chunk is not to be trusted: FFmpeg itself writes one that is ten bytes too long.
    """
    position = start
    while (head := _read(file, position, 8)) and head[:4] != b"DATA":
        if int.from_bytes(head[4:], "big") < 8:
            return None
        position += int.from_bytes(head[4:], "big")
    packets = int.from_bytes(_read(file, position + 10, 4), "big")
    position += 18
    for _ in range(packets):
        if position >= size:
            return position + 12
        position += max(12, int.from_bytes(_read(file, position + 2, 2), "big"))
    return position


def mlp(file, start, size):
    """Access units, of MLP or TrueHD, that begin with their length in words of 16 bits."""
    return _chained(file, start, size, 2, lambda head: 2 * (int.from_bytes(head, "big") & 0xFFF))


def mpegts(file, start, size):
    """Packets of one length."""
    length = packet_length(_read(file, start, 3 * (PACKET + 4)))
    return None if length is None else start + ceil_divide(size - start, length) * length


def _chained(file, position, size, count, length_of):
    """The end of the last of the units that follow each other; their first ``count`` bytes say how long each is."""
    while position < size:
        head = _read(file, position, count)
        length = length_of(head) if len(head) == count else count
        if length == 0:
            return None
        position += length
    return position


#: By FFmpeg's name of the format.
ENDINGS: dict[str, Callable] = {
    "avi": avi,
    "iff": iff,
    "dsf": dsf,
    "avr": avr,
    "nistsphere": nist,
    "voc": voc,
    "asf": asf,
    "amr": amr,
    "aac": aac,
    "tta": tta,
    "flv": flv,
    "rm": rm,
    "mlp": mlp,
    "truehd": mlp,
    "mpegts": mpegts,
}
