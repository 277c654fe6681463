"""W64 files (Sony's Wave64): WAV with lengths of 64 bits.

Source: "Sony Pictures Digital Wave 64", VCS Aktiengesellschaft.
"""

import struct
from typing import BinaryIO

from glowsep.arrays.integers import ceil_divide
from glowsep.signals.audio.parts import Part
from glowsep.signals.audio.refusals import cut_short, damaged

SIGNATURE = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00"
DATA = b"data\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"
UNKNOWN = (0, 2**63 - 1, 2**64 - 1)


def parts(path, file: BinaryIO, size: int) -> list[Part]:
    """The `Part` of a W64 file.

    Raises
    ------
    AudioError
        If a chunk is longer than the file, or something else than chunks follows.
    """
    position, data = 40, None
    while position + 24 <= size:
        file.seek(position)
        name, length = struct.unpack("<16sQ", file.read(24))  # the length counts these 24 bytes
        if name == DATA:
            data = position
            if length in UNKNOWN:
                whole, length = (struct.pack("<Q", end) for end in (size, size - position))
                return [Part((SIGNATURE + whole, (24, position + 16), length, (position + 24, size)))]
        if length < 24:
            raise damaged(path, f"a chunk of {length} bytes at byte {position}")
        if position + length > size:
            raise cut_short(path, f"its header promises {position + length} bytes, but it has {size}")
        position += 8 * ceil_divide(length, 8)
    if data is None:
        raise cut_short(path, "it holds no samples")
    file.seek(16)
    (whole,) = struct.unpack("<Q", file.read(8))
    if whole not in UNKNOWN and not size - 8 <= whole <= size + 24:
        raise damaged(path, f"its header promises {whole} bytes, but it has {size}")
    return [Part()]
