"""The sound of a file as a stream of samples, whoever decodes it."""

import os
from contextlib import nullcontext
from typing import BinaryIO

import numpy as np
import soundfile

from glowsep.signals.audio.complaints import Complaints
from glowsep.signals.audio.parts import Part, Spliced
from glowsep.signals.audio.refusals import cut_short, damaged, not_audio

SEEKABLE = ("PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW")
UNREADABLE = ("DWVW_12", "DWVW_16", "DWVW_24")  # codecs that libsndfile opens, but cannot decode


class Forwards(soundfile.SoundFile):
    """A file that is read from beginning to end.

    soundfile follows every read of a seekable file with a seek to where it is already; that is inexact in some
    compressed formats, and fails at the end of a FLAC stream of unknown length.
    """

    def seekable(self) -> bool:
        """False, whatever the format allows."""
        return False


class SndfileStream:
    """A `Part` of a file, decoded by libsndfile.

    Attributes
    ----------
    channels, rate, samples : int
        The samples that are there to decode, per channel.
    """

    def __init__(self, path, file: BinaryIO, part: Part):
        self.path, self.part, self.delivered, self._complaints = path, part, 0, None
        try:
            self._file = Forwards(Spliced(file, part.pieces or [(0, os.fstat(file.fileno()).st_size)]))
        except soundfile.SoundFileError:
            raise not_audio(path) from None
        self.channels, self.rate = self._file.channels, self._file.samplerate
        self.samples = self._file.frames if part.samples is None else part.samples
        if self._file.subtype in UNREADABLE:
            raise not_audio(path)
        if self._file.format == "MP3":
            self._complaints = Complaints()

    def read(self, count: int) -> np.ndarray:
        """The next ``count`` samples, (channels, count).

        Raises
        ------
        AudioError
            If they cannot all be decoded, or more follow after the last.
        """
        block = self._read(count)
        self.delivered += block.shape[1]
        if block.shape[1] < count:
            promised, found = self.samples / self.rate, self.delivered / self.rate
            raise cut_short(self.path, f"of the promised {promised:.1f} s only the first {found:.1f} s can be decoded")
        if self._complaints is not None and self._complaints.has_errors():
            raise damaged(self.path, f"a frame before {self.delivered / self.rate:.1f} s cannot be decoded")
        if self.delivered == self.samples and self._goes_on():
            raise damaged(self.path, f"more sound follows after the end at {self.samples / self.rate:.1f} s")
        return block

    def seek(self, position: int) -> bool:
        """Go to a sample without decoding what comes before, if that is exact in this format; whether it is."""
        is_exact = self._file.subtype in SEEKABLE and self._file.frames >= self.samples
        if is_exact:
            try:
                self._file.seek(position)
            except soundfile.SoundFileError:
                raise cut_short(self.path, f"{position / self.rate:.1f} s cannot be reached") from None
            self.delivered = position
        return is_exact

    def _goes_on(self):
        """Whether there is more to decode than was counted, where libsndfile itself does not know the end."""
        return self._file.frames > self.samples and self._read(1).shape[1] > 0

    def _read(self, count):
        try:
            with nullcontext() if self._complaints is None else self._complaints.caught():
                block = self._file.read(count, dtype="float32", always_2d=True).T
        except soundfile.SoundFileError:
            return np.zeros((self.channels, 0), dtype=np.float32)
        if self.part.order is not None:
            block = block[list(self.part.order)]
        return np.ascontiguousarray(block)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        if self._complaints is not None:
            self._complaints.close()
