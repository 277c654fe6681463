"""Refusing what libsndfile would read in part: files that hold no audio, and headers that contradict the file."""

import os
import struct
from pathlib import Path
from typing import NamedTuple

from glowsep.errors import AudioError

UNKNOWN = (0, 0xFFFFFFFF)  # what a program writes as the length if it cannot go back to fill it in
UNKNOWN_SAMPLES = 2**63 - 1  # what libsndfile makes of it


def refuse_what_holds_no_audio(path):
    """Refuse a path that is not a file, an empty file, and a WAV or Ogg file whose length contradicts its header.

    Raises
    ------
    AudioError
    """
    path = Path(path)
    if path.is_dir():
        raise AudioError(f"{path}: is a folder; give the audio file itself")
    if not path.exists():
        raise AudioError(f"{path}: no such file; check the name and the folder")
    if not path.is_file():
        raise AudioError(f"{path}: not a regular file; save the audio to a file first")
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        signature = file.read(12)
        if size == 0:
            raise AudioError(f"{path}: is empty; fetch or export it again")
        if signature[:4] in (b"RIFF", b"RIFX", b"RF64") and signature[8:] == b"WAVE":
            file.seek(0)
            refuse_wrong_wav_length(path, file, size)
        if signature[:4] == b"OggS":
            refuse_cut_ogg(path, file, size)


def refuse_wrong_wav_length(path, file, size):
    """Refuse a WAV file of another length than its header says: libsndfile would read a truncated one as short."""
    order = ">" if file.read(4) == b"RIFX" else "<"
    (whole,) = struct.unpack(order + "I", file.read(4))
    if whole in UNKNOWN:
        whole = size - 8
    chunks = list(riff_chunks(file, size, order))
    names = [chunk.name for chunk in chunks]
    if b"data" not in names:
        return  # libsndfile refuses it
    samples = chunks[names.index(b"data")]
    if samples.length == 0xFFFFFFFF:
        return
    end = samples.start + samples.length
    if end > size:
        raise AudioError(
            f"{path}: its header promises {samples.length} bytes of samples, but only {size - samples.start} "
            "follow: cut short or damaged; fetch or export it again"
        )
    # Some programs forget the first 8 bytes when they count the whole file; more than that is damage.
    if not end - 8 <= whole + 8 <= size + 8:
        raise AudioError(f"{path}: its header promises {whole + 8} bytes, but it has {size}; fetch or export it again")
    # A header that promises too little leaves samples where the next chunk's name should be.
    followers = [chunk.name for chunk in chunks if end <= chunk.start - 8 < whole]
    if not all(name.isascii() and name.decode().isprintable() for name in followers):
        raise AudioError(
            f"{path}: its header promises {samples.length} bytes of samples, but more follow; export it again"
        )


class Chunk(NamedTuple):
    """A piece of a RIFF file: its name, where its bytes start, and how many of them its header promises."""

    name: bytes
    start: int
    length: int


def riff_chunks(file, size, order="<"):
    """Every `Chunk` of a RIFF file of ``size`` bytes, in byte order "<" or ">"."""
    position, length_of_data = 12, None
    while position + 8 <= size:
        file.seek(position)
        name, length = struct.unpack(order + "4sI", file.read(8))
        if name == b"ds64":  # RF64: 64-bit lengths, for files over 4 GiB
            _, length_of_data = struct.unpack("<QQ", file.read(16).ljust(16, b"\0"))
        if name == b"data" and length == 0xFFFFFFFF and length_of_data is not None:
            length = length_of_data
        yield Chunk(name, position + 8, length)
        position += 8 + length
        file.seek(position)
        if length % 2 and file.read(1) == b"\0":  # the filler to an even position, which some programs forget
            position += 1


def refuse_cut_ogg(path, file, size):
    """Refuse an Ogg file without the end of its last page, whose length is the sum of a table in its header."""
    file.seek(max(0, size - (1 << 17)))
    tail = file.read()
    page = tail[tail.rfind(b"OggS") :]
    header = 27 + page[26] if len(page) > 26 else len(page) + 1
    if len(page) < header + sum(page[27:header]):
        raise AudioError(f"{path}: cut short; fetch or export it again")
