"""What an audio file holds, from its first bytes: parts for libsndfile, or a format for FFmpeg."""

from pathlib import Path
from typing import BinaryIO

from glowsep.signals.audio import au, caf, chunks, flac, mp3, ogg, w64
from glowsep.signals.audio.ffmpeg import ffmpeg_format
from glowsep.signals.audio.parts import Part
from glowsep.signals.audio.refusals import not_audio
from glowsep.signals.audio.tags import after_tags


def contents(path: Path, file: BinaryIO, size: int) -> list[Part] | str:
    """The parts of the sound in a file of ``size`` bytes, or the name of a format for FFmpeg.

    Raises
    ------
    AudioError
        If it is not audio, is cut short or damaged, or contradicts its header.
    """
    head = file.read(16)
    if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        return chunks.wav_parts(path, file, size)
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return chunks.aiff_parts(path, file, size)
    if head == w64.SIGNATURE:
        return w64.parts(path, file, size)
    if head[:4] in au.ORDERS:
        return au.parts(path, file, size)
    if head[:4] == b"caff":
        return caf.parts(path, file, size)
    start = after_tags(file, 0, size)
    file.seek(start)
    head = file.read(4)
    found = None
    if head == b"fLaC":
        found = flac.parts(path, file, start, size)
    elif head == b"OggS":
        found = ogg.parts(path, file, start, size)
    elif mp3.frame(head):
        found = mp3.parts(path, file, start, size)
    found = ffmpeg_format(file, start) if found is None else found
    if found is None:
        raise not_audio(path)
    return found
