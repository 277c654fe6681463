"""CAF files (Apple's Core Audio Format): chunks with lengths of 64 bits.

Source: "Apple Core Audio Format Specification 1.0".
"""

import struct
from typing import BinaryIO

from glowsep.signals.audio.parts import Part
from glowsep.signals.audio.refusals import cut_short, damaged


def parts(path, file: BinaryIO, size: int) -> list[Part]:
    """The `Part` of a CAF file.

    Raises
    ------
    AudioError
        If a chunk is longer than the file, or something else than chunks follows.
    """
    position, has_data = 8, False
    while position + 12 <= size:
        file.seek(position)
        name, length = struct.unpack(">4sq", file.read(12))
        if name == b"data":
            has_data = True
            if length == -1:  # up to the end of the file
                return [Part(((0, position + 4), struct.pack(">q", size - position - 12), (position + 12, size)))]
        if length < 0 or not name.isascii():
            raise damaged(path, f"something else is at byte {position}, where a chunk should start")
        position += 12 + length
    if position > size:
        raise cut_short(path, f"its header promises {position} bytes, but it has {size}")
    if not has_data:
        raise cut_short(path, "it holds no samples")
    file.seek(position)
    if file.read().strip(b"\0"):  # some programs fill up to an even position
        raise damaged(path, f"its header promises {position} bytes, but it has {size}")
    return [Part()]
