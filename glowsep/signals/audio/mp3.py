"""MP3 files: every frame is counted, and libsndfile is told how many there are. So it is in MPEG's layers I and II.

A file is a chain of frames, each of which tells its length in its first four bytes. A first frame without sound may
hold a tag (Xing's, also called Info, or VBRI) that promises a number of frames. libsndfile believes the tag, and
guesses if there is none; so here the frames are counted, and libsndfile is given a tag with that count. Files of the
other two layers have no such tag, and FFmpeg decodes them: it drops a last frame that is cut without a word, and so
their frames are counted, too.

Sources: ISO/IEC 11172-3, section 2.4.2.3; the LAME tag, gabriel.mp3-tech.org/mp3infotag.html.
"""

import shlex
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, NamedTuple

from glowsep.errors import AudioError
from glowsep.signals.audio.parts import Part
from glowsep.signals.audio.refusals import cut_short, damaged
from glowsep.signals.audio.tags import after_tags, before_tags

#: By whether it is version 1 of MPEG, and by the layer.
KILOBITS = {
    (True, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
RATES = {0b11: (44_100, 48_000, 32_000), 0b10: (22_050, 24_000, 16_000), 0b00: (11_025, 12_000, 8000)}

ENCODERS = (b"LAME", b"Lavf", b"Lavc")  # that write their delay into the tag

#: Samples by which the decoder itself delays the sound; decoders drop them together with the encoder's delay.
DECODER_DELAY = 529


#: An empty ID3 tag: libsndfile recognises an MP3 file by it, or else by the file's name, which it is not shown.
ID3 = b"ID3\x04\0\0" + bytes([0, 0, 0, 10]) + bytes(10)


class Frame(NamedTuple):
    """What the first four bytes of a frame say: its bytes, its samples, and what all frames of a file share."""

    length: int
    samples: int
    kind: tuple[int, int, bool, int]  # the version of MPEG, the rate in Hz, whether there is one channel, the layer

    @property
    def rate(self) -> int:
        """Hz."""
        return self.kind[1]


class Tag(NamedTuple):
    """The tag in a first frame: the promised frames, and the encoder's delay and padding in samples, if given."""

    frames: int | None
    delay: int | None
    padding: int | None


@lru_cache(maxsize=1024)  # a file has a handful of different headers
def frame(header: bytes) -> Frame | None:
    """The `Frame` of a header of four bytes, or None if these bytes are no header.

    Examples
    --------
    >>> frame(bytes([0xFF, 0xFB, 0x90, 0x00]))
    Frame(length=417, samples=1152, kind=(3, 44100, False, 3))
    """
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    version, layer = header[1] >> 3 & 3, 4 - (header[1] >> 1 & 3)
    bits, rate = header[2] >> 4, header[2] >> 2 & 3
    if version == 1 or layer == 4 or bits in (0, 15) or rate == 3:
        return None  # without a bit rate, no length can be computed
    rate = RATES[version][rate]
    samples = 384 if layer == 1 else 576 if layer == 3 and version != 3 else 1152
    slot = 4 if layer == 1 else 1  # bytes
    slots = samples // 8 * KILOBITS[version == 3, layer][bits] * 1000 // rate // slot + (header[2] >> 1 & 1)
    return Frame(slot * slots, samples, (version, rate, header[3] >> 6 == 3, layer))


def refuse_free(path, head: bytes) -> None:
    """Refuse a file that begins with a frame of a free bit rate: only a search for the next header tells its length.

    FFmpeg cannot decode such files, and that nothing is missing could not be shown.

    Raises
    ------
    AudioError
    """
    free = head[:4]
    if len(free) < 4 or free[2] >> 4 or frame(free[:2] + bytes([free[2] | 0x10]) + free[3:]) is None:
        return
    if free[:2] in head[4:]:  # four bytes that look like a header are no proof
        name = Path(path)
        command = shlex.join(["mpg123", "-w", str(name.with_suffix(".wav")), str(name)])
        raise AudioError(f"{path}: MPEG audio of a free bit rate, whose frames cannot be counted; convert: {command}")


def parts(path, file: BinaryIO, start: int, stop: int) -> list[Part] | str | None:
    """The `Part` of the MP3 frames from ``start`` up to ``stop``, or None if there are none.

    Of layer I or II, it is FFmpeg's name of the format.

    Raises
    ------
    AudioError
        If bytes between or after the frames are neither frames nor tags, or the tag promises more frames.
    """
    start = after_tags(file, start, stop)
    earliest, stop = before_tags(file, start, stop)
    file.seek(start)
    head = file.read(4)
    first = frame(head)
    if first is None or first.length > stop - start:
        return None
    is_mp3 = first.kind[-1] == 3
    tag = read_tag(head + file.read(first.length - 4)) if is_mp3 else None
    position = start if tag is None else start + first.length
    pieces, count = [], 0
    while position < earliest:
        end, found = chain(file, position, stop, first.kind)
        if found:
            pieces.append((position, end))
            count, position = count + found, end
        elif (after := after_tags(file, position, stop)) > position:  # joined files bring their tags along
            position = after
        else:
            break
    if tag is None and count < 2 and position < earliest:
        return None  # two bytes that look like a frame's are no proof
    seconds = count * first.samples / first.rate
    if position < earliest:
        file.seek(position)
        last = frame(file.read(4))
        if last is not None and last.kind == first.kind:
            raise cut_short(path, f"it ends in the middle of a frame, at {seconds:.2f} s")
        raise damaged(path, f"at {seconds:.2f} s something stands where an MPEG frame of the same kind should be")
    if tag is not None and tag.frames is not None and tag.frames > count + 1:  # some programs count the tag's own frame
        promised = tag.frames * first.samples / first.rate
        raise cut_short(path, f"its header promises {promised:.1f} s, but it holds {seconds:.1f} s")
    if not is_mp3:
        return "mp3"  # FFmpeg calls all three layers so
    if count == 0:
        return []
    return [whole(head, first, count, tag, pieces)]


def chain(file: BinaryIO, position: int, stop: int, kind: tuple) -> tuple[int, int]:
    """Follow whole frames of one kind from ``position``: where they end, and how many they are."""
    count = 0
    file.seek(position)
    while position + 4 <= stop:
        found = frame(file.read(4))
        if found is None or found.kind != kind or position + found.length > stop:
            break
        position += found.length
        count += 1
        file.seek(position)
    return position, count


def read_tag(content: bytes) -> Tag | None:
    """The `Tag` in the bytes of a frame, or None if it holds sound."""
    if content.find(b"VBRI", 0, 48) >= 0:
        at = content.find(b"VBRI")
        return Tag(int.from_bytes(content[at + 14 : at + 18], "big"), None, None)
    at = max(content.find(b"Xing", 0, 48), content.find(b"Info", 0, 48))
    if at < 0:
        return None
    flags = content[at + 7]
    frames = int.from_bytes(content[at + 8 : at + 12], "big") if flags & 1 else None
    lame = content[at + 8 + 4 * (flags & 1) + 4 * (flags >> 1 & 1) + 100 * (flags >> 2 & 1) + 4 * (flags >> 3 & 1) :]
    if frames is None or len(lame) < 24 or lame[:4] not in ENCODERS:
        return Tag(frames, None, None)
    both = int.from_bytes(lame[21:24], "big")
    return Tag(frames, both >> 12, both & 0xFFF)


def whole(head: bytes, first: Frame, count: int, tag: Tag | None, pieces: list) -> Part:
    """The `Part` of ``count`` frames, behind a tag that says so.

    The encoder's delay is dropped if a tag gives it, and the padding at the end if the tag's count is the right one.
    libsndfile drops its own delay even without a tag that asks for it; silent frames in front make up for it.
    """
    if tag is None or tag.delay is None:
        silent = 1152 // first.samples
        delay, padding, frames = 1152 - DECODER_DELAY, 0, count + silent
        in_front = silence(head) * silent
    else:
        delay, padding, frames, in_front = tag.delay, tag.padding if tag.frames == count else 0, count, b""
    samples = frames * first.samples - delay - DECODER_DELAY - max(0, padding - DECODER_DELAY)
    return Part((ID3 + info_frame(head, frames, delay, padding) + in_front, *pieces), samples)


def silence(head: bytes) -> bytes:
    """A frame without sound, of the kind of ``head``: all zeros but for the header."""
    # No checksum, and the tenth bit rate: it leaves enough room for a tag at every sampling rate.
    header = bytes([head[0], head[1] | 1, head[2] & 0b1101 | 0x90, head[3]])
    return header.ljust(frame(header).length, b"\0")


def info_frame(head: bytes, frames: int, delay: int, padding: int) -> bytes:
    """A first frame that promises a number of frames, and the samples of delay and of padding."""
    content = silence(head)
    version, _, is_mono, _ = frame(head).kind
    side_information = (17 if is_mono else 32) if version == 3 else (9 if is_mono else 17)
    tag = b"Info" + (1).to_bytes(4, "big") + frames.to_bytes(4, "big")
    tag += b"LAME3.100" + bytes(12) + (delay << 12 | padding).to_bytes(3, "big")
    start = 4 + side_information
    return content[:start] + tag + content[start + len(tag) :]
