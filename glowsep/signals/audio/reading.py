"""Reading audio files: all that can be decoded is read, and finite, or the file is refused."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from glowsep.errors import AudioError
from glowsep.signals.audio.contents import contents
from glowsep.signals.audio.ffmpeg import FFmpegStream
from glowsep.signals.audio.refusals import no_samples, refuse_what_is_no_file
from glowsep.signals.audio.streams import SndfileStream

#: Of full scale: beyond it, the sums and squares of all that is measured leave the range of 32-bit floats.
LOUDEST = 2.0**100

BLOCK = 1 << 18  # samples read at once: a few megabytes, and a second or so of the highest rates


class Info(NamedTuple):
    """What an audio file holds: samples (per channel), channels, and the rate in Hz.

    Examples
    --------
    >>> Info(samples=88_200, channels=2, rate=44_100).samples / 44_100
    2.0
    """

    samples: int
    channels: int
    rate: int


def info(path: str | os.PathLike) -> Info:
    """The `Info` of an audio file, without decoding its samples where libsndfile can read it.

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
    """Read a WAV, AIFF, FLAC, Ogg or MP3 file, or a part of it; or any file that FFmpeg decodes, if it is installed.

    Source: libsndfile; chapter 1.

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
    """A `_Recording` with a length that can be trusted, closed at the end of the block."""
    refuse_what_is_no_file(Path(path))
    with ExitStack() as stack:
        try:
            file = stack.enter_context(open(path, "rb"))
            found = contents(path, file)
            if isinstance(found, str):
                streams = [stack.enter_context(closing(FFmpegStream(path, found)))]
            else:
                streams = [stack.enter_context(closing(SndfileStream(path, file, part))) for part in found]
        except OSError as error:
            raise AudioError(f"{path}: cannot be opened ({error.strerror}); check its permissions") from None
        if not any(stream.samples for stream in streams):
            raise no_samples(path)
        yield _Recording(path, streams)


class _Recording:
    """An open audio file, read from beginning to end: every sample is there and finite, or it is refused."""

    def __init__(self, path, streams):
        self.path, self.streams, self.position = path, streams, 0
        kinds = [(stream.channels, stream.rate) for stream in streams]
        for number, (channels, rate) in enumerate(kinds):
            if (channels, rate) != kinds[0]:
                raise AudioError(
                    f"{path}: only the first {number} of its {len(streams)} parts can be read, since the next has "
                    f"{channels} channels at {rate} Hz; cut it into files first"
                )
        self.info = Info(sum(stream.samples for stream in streams), *kinds[0])

    def next(self, count):
        """The next ``count`` samples, (channels, count)."""
        blocks, stop, start = [np.zeros((self.info.channels, 0), np.float32)], self.position + count, 0
        for stream in self.streams:
            end = min(stop, start + stream.samples)
            if self.position < end:
                blocks.append(self._finite(stream.read(end - self.position)))
                self.position = end
            start += stream.samples
        return blocks[-1] if len(blocks) == 2 else np.concatenate(blocks, axis=1)

    def blocks(self, count):
        """The next ``count`` samples in blocks of bounded size."""
        for start in range(0, count, BLOCK):
            yield self.next(min(BLOCK, count - start))

    def skip(self, count):
        """Skip ``count`` samples, at the beginning."""
        if len(self.streams) == 1 and count and self.streams[0].seek(count):
            self.position = count
        else:
            for _ in self.blocks(count):
                pass

    def _finite(self, block):
        bad = np.flatnonzero(~(np.abs(block) <= LOUDEST).all(axis=0))
        if bad.size:
            time = (self.position + bad[0]) / self.info.rate
            kind = "samples far beyond full scale" if np.isfinite(block).all() else "NaN or infinite samples"
            raise AudioError(f"{self.path}: holds {kind}, the first at {time:.3f} s; export it again")
        return block
