"""WAV and AIFF files: chunks, each with a name and a length, one of which holds the samples.

Sources: the RIFF and AIFF specifications; EBU Tech 3306 (RF64, BW64).
"""

import struct
from typing import BinaryIO, NamedTuple

from glowsep.arrays.integers import ceil_divide
from glowsep.errors import AudioError
from glowsep.signals.audio import mp3
from glowsep.signals.audio.lengths import is_unknown
from glowsep.signals.audio.parts import Part
from glowsep.signals.audio.refusals import damaged, no_samples, not_audio

MP3_IN_WAV = 0x55
PLAIN = (1, 3)  # PCM and floats, whose samples have a fixed number of bytes


class Chunk(NamedTuple):
    """A piece of the file: its name, where its bytes start, and how many of them its header promises."""

    name: bytes
    start: int
    length: int

    @property
    def stop(self) -> int:
        """Where its bytes end."""
        return self.start + self.length


def riff_chunks(file: BinaryIO, size: int, order: str = "<"):
    """Every `Chunk` of a file of ``size`` bytes, in byte order "<" or ">"."""
    position, length_of_data = 12, None
    while position + 8 <= size:
        file.seek(position)
        name, length = struct.unpack(order + "4sI", file.read(8))
        if name == b"ds64":  # RF64: 64-bit lengths, for files over 4 GiB
            _, length_of_data = struct.unpack("<QQ", file.read(16).ljust(16, b"\0"))
        if name == b"data" and length == 0xFFFFFFFF and length_of_data not in (None, 0, 2**64 - 1):
            length = length_of_data
        yield Chunk(name, position + 8, length)
        position += 8 + length
        file.seek(position)
        if length % 2 and file.read(1) == b"\0":  # the filler to an even position, which some programs forget
            position += 1


def wav_parts(path, file: BinaryIO, size: int) -> list[Part]:
    """The `Part` of a WAV file: RIFF, RIFX, RF64 or BW64.

    Raises
    ------
    AudioError
        If its length is not what its header says.
    """
    file.seek(0)
    signature = file.read(4)
    order = ">" if signature == b"RIFX" else "<"
    samples, is_open = samples_chunk(path, file, size, order, b"data")
    form = format_tag(path, file, size, order)
    if form == MP3_IN_WAV:
        found = mp3.parts(path, file, samples.start, samples.stop)
        if not found:
            raise damaged(path, "its chunk of MP3 frames holds none")
        return found
    if is_open:
        name = signature if signature == b"RIFX" else b"RIFF"
        unknown = b"\xff" * 4
        return [Part((name + unknown, (8, samples.start - 4), unknown, (samples.start, samples.stop)))]
    if signature == b"BW64":  # RF64 by another name
        return [Part((b"RF64", (4, size)))]
    return [Part()]


def format_tag(path, file, size, order):
    """The number of the codec, from the chunk "fmt "; what it says of plain samples must agree with itself."""
    for chunk in riff_chunks(file, size, order):
        if chunk.name == b"fmt " and chunk.length >= 16 and chunk.stop <= size:
            file.seek(chunk.start)
            form, channels, _, _, block, bits = struct.unpack(order + "HHIIHH", file.read(16))
            if form in PLAIN and block != channels * ceil_divide(bits, 8):
                raise damaged(path, f"its header gives {block} bytes to {channels} samples of {bits} bits")
            return form
    return None


def aiff_parts(path, file: BinaryIO, size: int) -> list[Part]:
    """The `Part` of an AIFF or AIFC file.

    Raises
    ------
    AudioError
        If its length is not what its header says.
    """
    samples, is_open = samples_chunk(path, file, size, ">", b"SSND", empty=8)  # an offset and a block size come first
    if is_open:
        whole, length = (struct.pack(">I", end) for end in (samples.stop - 8, samples.length))
        return [Part((b"FORM", whole, (8, samples.start - 4), length, (samples.start, samples.stop)))]
    return [Part()]


def samples_chunk(path, file: BinaryIO, size: int, order: str, name: bytes, empty: int = 0) -> tuple[Chunk, bool]:
    """The chunk that holds the samples, and whether its header leaves its length open: then it reaches the end.

    A chunk without samples has ``empty`` bytes.

    Raises
    ------
    AudioError
        If there is none, or the lengths in the file contradict its size.
    """
    file.seek(4)
    (whole,) = struct.unpack(order + "I", file.read(4).ljust(4, b"\0"))
    chunks = list(riff_chunks(file, size, order))
    samples = next((chunk for chunk in chunks if chunk.name == name), None)
    if samples is None:
        raise not_audio(path)
    after = [chunk for chunk in chunks if chunk.start > samples.start]
    if samples.stop > size and is_unknown(samples.length):
        return samples._replace(length=size - samples.start), True
    if samples.length <= empty:
        if all(is_named(chunk) for chunk in after):
            raise no_samples(path)
        return samples._replace(length=size - samples.start), True  # never filled in
    if samples.stop > size:
        raise AudioError(
            f"{path}: its header promises {samples.length} bytes of samples, but only {size - samples.start} "
            "follow: cut short or damaged; fetch or export it again"
        )
    if is_unknown(whole):
        whole = size - 8
    # Some programs forget the first 8 bytes when they count the whole file; more than that is damage.
    if not samples.stop - 8 <= whole + 8 <= size + 8:
        raise AudioError(f"{path}: its header promises {whole + 8} bytes, but it has {size}; fetch or export it again")
    # A header that promises too little leaves samples where the next chunk's name should be.
    if not all(is_named(chunk) for chunk in after if chunk.start - 8 < whole):
        raise AudioError(
            f"{path}: its header promises {samples.length} bytes of samples, but more follow; export it again"
        )
    return samples, False


def is_named(chunk):
    return chunk.name.isascii() and chunk.name.decode().isprintable()
