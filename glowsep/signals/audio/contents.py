"""What an audio file holds, from its first bytes: parts for libsndfile, or a format for FFmpeg."""

import os
from typing import BinaryIO

from glowsep.signals.audio import au, caf, chunks, flac, mp3, ogg, w64
from glowsep.signals.audio.endings import require_end
from glowsep.signals.audio.ffmpeg import ffmpeg_format
from glowsep.signals.audio.parts import Part
from glowsep.signals.audio.refusals import not_audio
from glowsep.signals.audio.tags import after_tags

FREE = 1 << 14  # bytes among which there is a second frame, whatever the bit rate
KEPT = 256  # files whose contents are remembered
_known = {}


def contents(path: str | os.PathLike, file: BinaryIO) -> list[Part] | str:
    """The parts of the sound in a file, or the name of a format for FFmpeg.

    What was found is remembered for the latest files: a training reads excerpts of the same ones again and again.

    Raises
    ------
    AudioError
        If it is not audio, is cut short or damaged, or contradicts its header.
    """
    status = os.fstat(file.fileno())
    key = (os.fspath(path), status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
    if key not in _known:
        found = search(path, file, status.st_size)
        while len(_known) >= KEPT:
            _known.pop(next(iter(_known)), None)
        _known[key] = found
    return _known[key]


def search(path, file: BinaryIO, size: int) -> list[Part] | str:
    """The contents of a file of ``size`` bytes, from the file itself."""
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
    for start in (0, after_tags(file, 0, size)):
        found = compressed(path, file, start, size)
        if found is not None:
            return found
    raise not_audio(path)


def compressed(path, file, start, size):
    """The contents of a file whose sound, after its tags, is at ``start``; None if we do not know its format."""
    file.seek(start)
    head, found = file.read(4), None
    if head == b"fLaC":
        found = flac.parts(path, file, start, size)
    elif head == b"OggS":
        found = ogg.parts(path, file, start, size)
    elif mp3.frame(head):
        found = mp3.parts(path, file, start, size)
    if found is None:
        file.seek(start)
        mp3.refuse_free(path, file.read(FREE))
        found = ffmpeg_format(file, start)
        require_end(path, found, file, start, size)
    return found
