"""Writing audio files, whole or not at all: one file, or the stems of all sources at once."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import soundfile

from glowsep.arrays import seals
from glowsep.arrays.files import all_written_whole, folder_made, for_c, place_of, written_whole
from glowsep.errors import AudioError
from glowsep.signals.audio.channels import MASKS, set_mask
from glowsep.signals.audio.chunks import riff_chunks
from glowsep.signals.audio.playing import PEAK
from glowsep.signals.audio.reporting import reporting
from glowsep.signals.audio.stems import Stems

LARGEST_WAV = 2**32 - 2**16  # bytes of audio: a WAV header counts them in 32 bits
SUBTYPES = {".wav": "FLOAT", ".flac": "PCM_24"}
BYTES = {"PCM_16": 2, "PCM_24": 3, "FLOAT": 4}

#: Samples written at once: libsndfile's Vorbis encoder keeps a whole block on its stack.
BLOCK = 1 << 14


def write(path: str | os.PathLike, waveform: np.ndarray, rate: int) -> None:
    """Write a WAV file of 32-bit floats or a FLAC file of 24-bit integers: all of it, or nothing.

    Keep stems in float WAV: it neither clips nor rounds, so they still add up to the mixture.

    Source: libsndfile; chapter 1.

    Parameters
    ----------
    path : str or path-like
        Ends in ``.wav`` or ``.flac``; an earlier file of that name is replaced.
    waveform : numpy.ndarray, (channels, samples)
    rate : int
        Hz.

    Raises
    ------
    ValueError
        If the suffix is another, the waveform has another shape or samples that are not finite, or it exceeds full
        scale and the file is FLAC.
    AudioError
        If the folder is missing or not writable, or the disk is full. Nothing is left behind.

    Examples
    --------
    >>> write("song.mp3", np.zeros((2, 5000)), 44100)
    Traceback (most recent call last):
    ValueError: path is 'song.mp3', expected a name that ends in .wav or .flac
    """
    path = Path(path)
    if path.suffix.lower() not in SUBTYPES:
        raise ValueError(f"path is {str(path)!r}, expected a name that ends in .wav or .flac")
    _require_waveforms("waveform", waveform, (None, None))
    if path.suffix.lower() == ".flac" and np.abs(waveform).max(initial=0) > 1:
        peak = np.abs(waveform).max()
        raise ValueError(f"waveform peaks at {peak:.3f}, but FLAC holds at most 1: scale it, or write .wav")
    with reporting(path), written_whole(path) as temporary:
        with _new_file(temporary, rate, len(waveform), SUBTYPES[path.suffix.lower()]) as file:
            _append(path, file, waveform)


class StemWriter:
    r"""Writes a file for each of several sources at once, block by block: all of them whole, or none.

    Use it in a ``with`` statement. The stems take their names when the block ends; an exception, Ctrl-C included,
    leaves everything as it was: earlier stems in place, and the folder removed if it was made here.

    Floats are written as they are. For other formats the estimates are first collected in nameless files; then all of
    them get one common gain if one exceeds full scale, so that none clips and they still add up. Integers are rounded
    in such a way that their sum is rounded too, with estimates :math:`s_i` in steps of the format:

    .. math:: q_k = \operatorname{round}\Big(\sum_{i \le k} s_i\Big) - \operatorname{round}\Big(\sum_{i < k} s_i\Big),
              \qquad \sum_k q_k = \operatorname{round}\Big(\sum_i s_i\Big)

    Parameters
    ----------
    folder : str or path-like
        It is made if it is missing. Other files in it are not touched.
    names : sequence of str
        One per source.
    rate : int
        Hz.
    channels : int
    stems : Stems, optional
        The format.
    mask : int
        The channel mask of the song (`glowsep.signals.audio.channels.mask_of`); 0 for that of its number of channels.

    Attributes
    ----------
    paths : list of pathlib.Path
        The files.
    gain : float
        What all estimates were multiplied with: 1, or less so that none clips. Known when the block has ended.

    Raises
    ------
    ValueError
        If two names are equal, or one is not a file name.
    AudioError
        If the folder cannot be made or written to, the disk is full, or a stem exceeds what the format can hold.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with StemWriter(folder, ["bass", "drums"], rate=22050, channels=1) as writer:
    ...         writer.write(np.zeros((2, 1, 100)))
    ...     [path.name for path in writer.paths if path.exists()]
    ['bass.wav', 'drums.wav']
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        names: Sequence[str],
        rate: int,
        channels: int,
        stems: Stems | None = None,
        mask: int = 0,
    ):
        self.folder, self.names, self.rate, self.channels = Path(folder), list(names), rate, channels
        self.mask = mask
        self.stems = Stems() if stems is None else stems
        for name in self.names:
            require_file_name(name)
        if len({place_of(self.folder / name) for name in self.names}) < len(self.names):
            raise ValueError(f"names are {self.names}, expected all to differ, and not in capitals only")
        self.stems.require_room(self.folder, rate, channels)
        self.paths = [self.folder / f"{name}.{self.stems.format}" for name in self.names]
        self.gain, self._peak = 1.0, 0.0

    def __enter__(self):
        with reporting(self.folder), ExitStack() as stack:
            stack.enter_context(folder_made(self.folder))
            temporaries = stack.enter_context(all_written_whole(self.paths))
            if self.stems.subtype == "FLOAT":
                self._files = [stack.enter_context(self._new_file(path)) for path in temporaries]
            else:
                for path in temporaries:
                    open(path, "wb").close()
                self._temporaries = temporaries
                # They have no names: so the system removes them however this process ends.
                self._drafts = [stack.enter_context(tempfile.TemporaryFile(dir=self.folder)) for _ in self.names]
            self._stack = stack.pop_all()
        return self

    def write(self, estimates: np.ndarray) -> None:
        """Append ``estimates`` (sources, channels, samples)."""
        _require_waveforms("estimates", estimates, (len(self.names), self.channels, None))
        with reporting(self.folder):
            if self.stems.subtype == "FLOAT":
                for file, estimate in zip(self._files, estimates, strict=True):
                    _append(self.folder, file, estimate)
            else:
                self._peak = max(self._peak, float(np.abs(estimates).max(initial=0)))
                for draft, estimate in zip(self._drafts, estimates, strict=True):
                    draft.write(np.ascontiguousarray(estimate.T, np.float32).tobytes())

    def __exit__(self, *exception):
        if exception[0] is not None or self.stems.subtype == "FLOAT":
            with reporting(self.folder):
                return self._stack.__exit__(*exception)
        with reporting(self.folder), self._stack:
            self._encode()
        return None

    def _encode(self):
        """Write the files from the drafts."""
        bits = self.stems.integer_bits
        highest = PEAK if bits is None else 1 - 2.0 ** (2 - bits)  # rounding adds a step, and the highest is one lower
        self.gain = min(1.0, highest / self._peak) if self._peak > highest else 1.0
        with ExitStack() as stack:
            files = [stack.enter_context(self._new_file(path)) for path in self._temporaries]
            for block in self._drafted():
                block *= self.gain
                if bits is not None:
                    block = rounded_with_their_sum(block, bits)
                for file, estimate in zip(files, block, strict=True):
                    _append(self.folder, file, estimate)

    def _drafted(self) -> Iterator[np.ndarray]:
        """The estimates, (sources, channels, samples), block by block, in float64."""
        for draft in self._drafts:
            draft.seek(0)
        while True:
            read = [draft.read(4 * self.channels * BLOCK) for draft in self._drafts]
            if not read[0]:
                return
            block = np.stack([np.frombuffer(data, np.float32).reshape(-1, self.channels) for data in read])
            yield block.swapaxes(1, 2).astype(np.float64)

    def _new_file(self, path):
        return _new_file(path, self.rate, self.channels, self.stems.subtype, self.mask)


def rounded_with_their_sum(estimates: np.ndarray, bits: int) -> np.ndarray:
    """Estimates (sources, channels, samples) within full scale as integers that add up to their rounded sum.

    Returns
    -------
    numpy.ndarray, int32
        Each is within a step of its estimate. Full scale is 2 ** 31, as libsndfile takes it for any number of bits.

    Examples
    --------
    >>> thirds = np.full((3, 1, 1), 1 / 3 / 2**15)
    >>> (rounded_with_their_sum(thirds, 16) >> 16).ravel()
    array([0, 1, 0], dtype=int32)
    """
    total = np.round(np.cumsum(estimates * 2.0 ** (bits - 1), axis=0))
    steps = np.diff(total, axis=0, prepend=0).astype(np.int32)
    return steps << (32 - bits)


def require_file_name(name: str) -> None:
    """Refuse a source's name that is no file name, or is hidden, or would lead to another folder.

    Raises
    ------
    ValueError
    """
    if not name or name.startswith(".") or Path(name).name != name or "\\" in name or "\0" in name:
        raise ValueError(f"a name is {name!r}, expected a file name without folders")


def _require_waveforms(name, waveforms, shape):
    found = waveforms.shape
    if len(found) != len(shape) or any(w not in (None, n) for n, w in zip(found, shape, strict=True)):
        expected = ", ".join("any" if size is None else str(size) for size in shape)
        raise ValueError(f"{name} has shape {found}, expected ({expected})")
    if not np.isfinite(waveforms).all():
        raise ValueError(f"{name} holds NaN or infinite samples, expected finite ones")


@contextmanager
def _new_file(path, rate, channels, subtype, mask=0):
    open(path, "wb").close()  # libsndfile would report any problem with the folder as "System error"
    container = path.suffix.lower()[1:].upper()
    if container == "WAV" and channels > 2:
        container = "WAVEX"  # which says where the channels belong
    with soundfile.SoundFile(for_c(path), "w", rate, channels, subtype, format=container) as file:
        file.comment = seals.BLANK
        yield file
    if container == "WAVEX":
        set_mask(path, mask or MASKS.get(channels, 0))
    if container in ("WAV", "WAVEX"):
        _clear_date(path)
    seals.seal(path)


def _append(path, file, waveform):
    if file.format in ("WAV", "WAVEX"):
        size = BYTES[file.subtype] * file.channels * (file.frames + waveform.shape[-1])
        if size > LARGEST_WAV:
            raise AudioError(f"{path}: over 4 GiB, more than WAV can hold; cut the recording into parts")
    file.write(waveform.T)


def _clear_date(path):
    """Clear the date that libsndfile puts into a float WAV, so that equal waveforms give equal files."""
    with open(path, "r+b") as file:
        if file.read(4) == b"RIFF":
            for chunk in riff_chunks(file, os.fstat(file.fileno()).st_size):
                if chunk.name == b"PEAK":  # a version, then the date, then the peaks
                    file.seek(chunk.start + 4)
                    file.write(bytes(4))
