"""Which loudspeakers the channels of a file belong to: the channel mask of WAV files.

Source: Microsoft, "Multiple channel audio data and WAVE files".
"""

import os
import struct

from glowsep.signals.audio.chunks import riff_chunks

#: Masks by number of channels: one bit a loudspeaker, in the order of the channels (front left and right, centre, low
#: frequencies, back left and right, ..., back centre at bit 8, side left and right at bits 9 and 10).
MASKS = {1: 0x4, 2: 0x3, 3: 0x7, 4: 0x33, 5: 0x37, 6: 0x3F, 7: 0x70F, 8: 0x63F}
EXTENSIBLE = 0xFFFE
MASK_AT = 20  # bytes from the beginning of the chunk "fmt "


def mask_of(path: str | os.PathLike) -> int:
    """The channel mask that a WAV file gives, or 0 if it gives none.

    Examples
    --------
    >>> mask_of(__file__)
    0
    """
    with open(path, "rb") as file:
        at = _mask_position(file)
        if at is None:
            return 0
        file.seek(at)
        return struct.unpack("<I", file.read(4))[0]


def set_mask(path: str | os.PathLike, mask: int) -> None:
    """Write a channel mask into a WAV file that has a place for one (libsndfile's WAVEX); 0 says nothing."""
    with open(path, "r+b") as file:
        at = _mask_position(file)
        if at is not None:
            file.seek(at)
            file.write(struct.pack("<I", mask))


def _mask_position(file):
    """Where a WAV file's channel mask is, or None if it has none."""
    head = file.read(12)
    if head[:4] not in (b"RIFF", b"RF64", b"BW64") or head[8:] != b"WAVE":
        return None
    size = os.fstat(file.fileno()).st_size
    for chunk in riff_chunks(file, size):
        if chunk.name == b"fmt " and chunk.length >= 40 and chunk.stop <= size:
            file.seek(chunk.start)
            return chunk.start + MASK_AT if struct.unpack("<H", file.read(2))[0] == EXTENSIBLE else None
    return None
