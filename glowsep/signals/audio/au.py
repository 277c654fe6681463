"""AU files: a header, and samples up to the end.

Source: "Audio File Formats FAQ", the NeXT/Sun format.
"""

import struct
from typing import BinaryIO

from glowsep.signals.audio.lengths import is_unknown
from glowsep.signals.audio.parts import Part
from glowsep.signals.audio.refusals import cut_short, damaged

ORDERS = {b".snd": ">", b"dns.": "<"}


def parts(path, file: BinaryIO, size: int) -> list[Part]:
    """The `Part` of an AU file.

    Raises
    ------
    AudioError
        If its length is not what its header says.
    """
    file.seek(0)
    signature, *fields = struct.unpack("4s8s", file.read(12).ljust(12, b"\0"))
    start, length = struct.unpack(ORDERS[signature] + "II", *fields)
    if start > size or start < 24:
        raise cut_short(path, "its header is not whole")
    if is_unknown(length) and start + length != size:
        everything = struct.pack(ORDERS[signature] + "I", min(size - start, 0xFFFFFFFF))
        return [Part(((0, 8), everything, (12, size)))]
    if start + length > size:
        raise cut_short(path, f"its header promises {length} bytes of samples, but only {size - start} follow")
    if start + length < size:
        raise damaged(path, f"its header promises {length} bytes of samples, but {size - start} follow")
    return [Part()]
