"""Writing audio files, whole or not at all: one file, or the stems of all sources at once."""

import os
from collections.abc import Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import soundfile

from glowsep.arrays.files import all_written_whole, folder_made, written_whole
from glowsep.errors import AudioError
from glowsep.signals.audio.channels import MASKS, set_mask
from glowsep.signals.audio.chunks import riff_chunks
from glowsep.signals.audio.reporting import reporting

LARGEST_WAV = 2**32 - 2**16  # bytes of audio: a WAV header counts them in 32 bits
FORMATS = {".wav": ("WAV", "FLOAT"), ".flac": ("FLAC", "PCM_24")}


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
    if path.suffix.lower() not in FORMATS:
        raise ValueError(f"path is {str(path)!r}, expected a name that ends in .wav or .flac")
    _require_waveforms("waveform", waveform, (None, None))
    if path.suffix.lower() == ".flac" and np.abs(waveform).max(initial=0) > 1:
        peak = np.abs(waveform).max()
        raise ValueError(f"waveform peaks at {peak:.3f}, but FLAC holds at most 1: scale it, or write .wav")
    with reporting(path), written_whole(path) as temporary:
        with _new_file(temporary, rate, len(waveform)) as file:
            _append(path, file, waveform)


class StemWriter:
    """Writes ``folder/<name>.wav`` for several sources at once, block by block: all of them whole, or none.

    Use it in a ``with`` statement. The stems take their names when the block ends; an exception, Ctrl-C included,
    leaves everything as it was: earlier stems in place, and the folder removed if it was made here.

    Parameters
    ----------
    folder : str or path-like
        It is made if it is missing. Other files in it are not touched.
    names : sequence of str
        One per source.
    rate : int
        Hz.
    channels : int
    mask : int
        The channel mask of the song (`glowsep.signals.audio.channels.mask_of`); 0 for that of its number of channels.

    Raises
    ------
    ValueError
        If two names are equal, or one is not a file name.
    AudioError
        If the folder cannot be made or written to, the disk is full, or a stem exceeds what WAV can hold.
    """

    def __init__(self, folder: str | os.PathLike, names: Sequence[str], rate: int, channels: int, mask: int = 0):
        self.folder, self.names, self.rate, self.channels = Path(folder), list(names), rate, channels
        self.mask = mask
        if len(set(self.names)) < len(self.names):
            raise ValueError(f"names are {self.names}, expected all to differ")
        for name in self.names:
            if not name or name.startswith(".") or Path(name).name != name:
                raise ValueError(f"a name is {name!r}, expected a file name without folders")

    def __enter__(self):
        targets = [self.folder / f"{name}.wav" for name in self.names]
        with reporting(self.folder), ExitStack() as stack:
            stack.enter_context(folder_made(self.folder))
            temporaries = stack.enter_context(all_written_whole(targets))
            self._files = [
                stack.enter_context(_new_file(path, self.rate, self.channels, self.mask)) for path in temporaries
            ]
            self._stack = stack.pop_all()
        return self

    def write(self, estimates: np.ndarray) -> None:
        """Append ``estimates`` (sources, channels, samples)."""
        _require_waveforms("estimates", estimates, (len(self.names), self.channels, None))
        with reporting(self.folder):
            for file, estimate in zip(self._files, estimates, strict=True):
                _append(self.folder, file, estimate)

    def __exit__(self, *exception):
        with reporting(self.folder):
            return self._stack.__exit__(*exception)


def _require_waveforms(name, waveforms, shape):
    found = waveforms.shape
    if len(found) != len(shape) or any(w not in (None, n) for n, w in zip(found, shape, strict=True)):
        expected = ", ".join("any" if size is None else str(size) for size in shape)
        raise ValueError(f"{name} has shape {found}, expected ({expected})")
    if not np.isfinite(waveforms).all():
        raise ValueError(f"{name} holds NaN or infinite samples, expected finite ones")


@contextmanager
def _new_file(path, rate, channels, mask=0):
    open(path, "wb").close()  # libsndfile would report any problem with the folder as "System error"
    container, subtype = FORMATS[path.suffix.lower()]
    if container == "WAV" and channels > 2:
        container = "WAVEX"  # which says where the channels belong
    with soundfile.SoundFile(path, "w", rate, channels, subtype, format=container) as file:
        yield file
    if container == "WAVEX":
        set_mask(path, mask or MASKS.get(channels, 0))
    _clear_date(path)


def _append(path, file, waveform):
    if file.format in ("WAV", "WAVEX") and 4 * file.channels * (file.frames + waveform.shape[-1]) > LARGEST_WAV:
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
