"""Reading audio files: every sample that the header promises is there and finite, or the file is refused."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import soundfile

from glowsep.arrays.files import for_c
from glowsep.errors import AudioError
from glowsep.signals.audio.refusals import UNKNOWN_SAMPLES, refuse_what_holds_no_audio

BLOCK = 1 << 18  # samples read at once: a few megabytes, and a second or so of the highest rates


class Info(NamedTuple):
    """What an audio file's header says: samples (per channel), channels, and the rate in Hz.

    Examples
    --------
    >>> Info(samples=88_200, channels=2, rate=44_100).samples / 44_100
    2.0
    """

    samples: int
    channels: int
    rate: int


def info(path: str | os.PathLike) -> Info:
    """The `Info` of an audio file, without reading its samples.

    Raises
    ------
    AudioError
        If there is no audio file, or its header contradicts its size.
    """
    with _opened(path) as recording:
        return recording.info


def check(path: str | os.PathLike) -> Info:
    """Read a file from beginning to end in bounded memory, to refuse it before any work is done.

    Returns
    -------
    Info

    Raises
    ------
    AudioError
        As for `read`.
    """
    with _opened(path) as recording:
        for _ in recording.blocks(recording.info.samples):
            pass
        return recording.info


def read(path: str | os.PathLike, start: int = 0, stop: int | None = None) -> tuple[np.ndarray, int]:
    """Read a WAV, FLAC, Ogg or MP3 file, or a part of it.

    Source: libsndfile, which knows more formats; chapter 1.

    Parameters
    ----------
    path : str or path-like
    start, stop : int, optional
        Samples from ``start`` up to, not including, ``stop``, as in a slice; the whole file by default.

    Returns
    -------
    waveform : numpy.ndarray, (channels, samples), float32
        Full scale is 1.
    rate : int
        Hz.

    Raises
    ------
    AudioError
        If the file does not exist, is not audio, is cut short or contradicts its header, or holds no samples or
        samples that are not finite.
    """
    with _opened(path) as recording:
        samples, channels, rate = recording.info
        start, stop, _ = slice(start, stop).indices(samples)
        recording.skip(start)
        blocks = [np.zeros((channels, 0), dtype=np.float32), *recording.blocks(stop - start)]
        return np.concatenate(blocks, axis=-1), rate


def segments(path: str | os.PathLike, length: int, hop: int) -> Iterator[tuple[int, np.ndarray]]:
    """Overlapping segments of a file, read once from beginning to end, with one segment in memory at a time.

    Parameters
    ----------
    path : str or path-like
    length, hop : int
        Samples of a segment, and from the start of one to the start of the next: ``1 <= hop <= length``.

    Yields
    ------
    start : int
        0, ``hop``, ``2 * hop`` ...: the position of the segment's first sample.
    segment : numpy.ndarray, (channels, length), float32
        The last segment, the only one that reaches the end of the file, may be shorter.

    Raises
    ------
    ValueError
        If the hop is another.
    AudioError
        As for `read`, once reading gets to the damaged place.
    """
    if not 1 <= hop <= length:
        raise ValueError(f"hop is {hop}, expected 1 to the segment's length, {length}")
    with _opened(path) as recording:
        samples = recording.info.samples
        segment = recording.next(min(length, samples))
        yield 0, segment
        for start in range(hop, samples - length + hop, hop):
            new = recording.next(min(hop, samples - (start - hop + length)))
            segment = np.concatenate([segment[:, hop:], new], axis=-1)
            yield start, segment


@contextmanager
def _opened(path):
    """A `_Recording` with a header that can be trusted, closed at the end of the block."""
    try:
        refuse_what_holds_no_audio(path)
        file = soundfile.SoundFile(for_c(path))
    except OSError as error:
        raise AudioError(f"{path}: cannot be opened ({error.strerror}); check its permissions") from None
    except (soundfile.SoundFileError, TypeError):  # TypeError: for .raw, soundfile asks for the rate
        raise AudioError(
            f"{path}: not audio that can be read; give a wav, flac, ogg or mp3 file, or convert it to one"
        ) from None
    with file:
        samples = file.frames
        if file.format == "MP3" and not _mp3_tells_its_length(path):
            samples = _count(path)
        if samples == 0:
            raise AudioError(f"{path}: holds no samples; record or export it again")
        if samples == UNKNOWN_SAMPLES:
            raise AudioError(f"{path}: its header does not give its length; convert it to wav first")
        yield _Recording(path, file, samples)


class _Recording:
    """An open audio file, read from beginning to end: every sample is there and finite, or it is refused."""

    def __init__(self, path, file, samples):
        self.path, self.file = path, file
        self.info = Info(samples, file.channels, file.samplerate)

    def next(self, count):
        """The next ``count`` samples, (channels, count)."""
        start = self.file.tell()
        try:
            block = self.file.read(count, dtype="float32", always_2d=True).T
        except soundfile.SoundFileError:
            block = np.zeros((self.info.channels, 0), dtype=np.float32)
        if block.shape[-1] < count:
            raise self.cut_short()
        bad = np.flatnonzero(~np.isfinite(block).all(axis=0))
        if bad.size:
            time = (start + bad[0]) / self.info.rate
            raise AudioError(f"{self.path}: holds NaN or infinite samples, the first at {time:.3f} s; export it again")
        return np.ascontiguousarray(block)

    def blocks(self, count):
        """The next ``count`` samples in blocks of bounded size."""
        for start in range(0, count, BLOCK):
            yield self.next(min(BLOCK, count - start))

    def skip(self, count):
        """Skip ``count`` samples."""
        if self.file.format in ("OGG", "MP3"):  # libsndfile's seek can be off by some samples here: decode them
            for _ in self.blocks(count):
                pass
        elif count:
            try:
                self.file.seek(count)
            except soundfile.SoundFileError:
                raise self.cut_short() from None

    def cut_short(self):
        seconds = self.info.samples / self.info.rate
        return AudioError(
            f"{self.path}: cut short or damaged, the {seconds:.1f} s that its header promises cannot all be read; "
            "fetch or export it again"
        )


def _mp3_tells_its_length(path):
    """Whether the first frame holds the tag with the exact length; without it, libsndfile guesses the length."""
    with open(path, "rb") as file:
        head = file.read(10)
        if head[:3] == b"ID3":  # titles and pictures come first; their length is written in 7 bits per byte
            file.seek(10 + sum(byte << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True)))
        else:
            file.seek(0)
        first_frames = file.read(4096)
    return b"Xing" in first_frames or b"Info" in first_frames


def _count(path):
    """The number of samples in an MP3 file, by decoding all of it; unknown if libsndfile's guess stops it too early.

    An MP3 file consists of whole frames of 576 or 1152 samples: any other number was cut off by the guess.
    """
    with soundfile.SoundFile(for_c(path)) as file:
        samples = 0
        while decoded := len(file.read(BLOCK, dtype="float32")):
            samples += decoded
        return UNKNOWN_SAMPLES if samples % 576 else samples
