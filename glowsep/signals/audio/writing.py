"""Chapter 1: audio files, in and out. A file is read whole or refused, and written whole or not at all."""

import os
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import soundfile

from glowsep.arrays.files import all_written_whole, folder_made, written_whole
from glowsep.errors import AudioError
from glowsep.signals.audio.refusals import riff_chunks
from glowsep.signals.audio.reporting import reporting

LARGEST_WAV = 2**32 - 2**16  # bytes of audio: a WAV header counts them in 32 bits
FORMATS = {".wav": ("WAV", "FLOAT"), ".flac": ("FLAC", "PCM_24")}


def write(path, waveform, rate):
    """Write a WAV file of 32-bit floats, or a FLAC file of 24 bits: all of it, or nothing.

    Keep stems in float WAV: it neither clips nor rounds, so they still add up to the mixture.

    Parameters
    ----------
    path : str or path-like
        Ends in ``.wav`` or ``.flac``; a file of that name is replaced.
    waveform : numpy.ndarray, (channels, samples)
    rate : int
        Hz.

    Raises
    ------
    ValueError
        For another suffix, a waveform of another shape or with samples that are not finite, or one beyond
        full scale for FLAC.
    AudioError
        Where the folder is missing or may not be written to, or the disk is full. Nothing is left behind.
    """
    path = Path(path)
    if path.suffix.lower() not in FORMATS:
        raise ValueError(f"path is {str(path)!r}, but must end in .wav or .flac")
    _require_waveforms("waveform", waveform, (None, None))
    if path.suffix.lower() == ".flac" and np.abs(waveform).max(initial=0) > 1:
        peak = np.abs(waveform).max()
        raise ValueError(f"waveform peaks at {peak:.3f}, but FLAC ends at 1: scale it, or write .wav")
    with reporting(path), written_whole(path) as temporary:
        with _new_file(temporary, rate, len(waveform)) as file:
            _append(path, file, waveform)


class StemWriter:
    """Writes ``folder/<name>.wav`` for several sources at once, block by block: all of them whole, or none.

    Use it in a ``with`` statement. The stems take their names when the block ends; an exception, Ctrl-C
    included, leaves everything as it was: earlier stems in place, and the folder gone if it was made here.

    Parameters
    ----------
    folder : str or path-like
        Made if it is missing. Other files in it are not touched.
    names : sequence of str
        One per source.
    rate : int
        Hz.
    channels : int

    Raises
    ------
    ValueError
        For names that are equal, or that are no file names.
    AudioError
        Where the folder cannot be made or written to, the disk is full, or a stem exceeds what WAV can hold.
    """

    def __init__(self, folder, names, rate, channels):
        self.folder, self.names, self.rate, self.channels = Path(folder), list(names), rate, channels
        if len(set(self.names)) < len(self.names):
            raise ValueError(f"names are {self.names}, but must differ")
        for name in self.names:
            if not name or name.startswith(".") or Path(name).name != name:
                raise ValueError(f"a name is {name!r}, but must be a file name without folders")

    def __enter__(self):
        targets = [self.folder / f"{name}.wav" for name in self.names]
        with reporting(self.folder), ExitStack() as stack:
            stack.enter_context(folder_made(self.folder))
            temporaries = stack.enter_context(all_written_whole(targets))
            self._files = [stack.enter_context(_new_file(path, self.rate, self.channels)) for path in temporaries]
            self._stack = stack.pop_all()
        return self

    def write(self, estimates):
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
        wanted = ", ".join("any" if size is None else str(size) for size in shape)
        raise ValueError(f"{name} is of shape {found}, but must be of ({wanted})")
    if not np.isfinite(waveforms).all():
        raise ValueError(f"{name} holds NaN or infinite samples, but all must be finite")


@contextmanager
def _new_file(path, rate, channels):
    open(path, "wb").close()  # what is wrong with the folder, libsndfile would call "System error"
    container, subtype = FORMATS[path.suffix.lower()]
    with soundfile.SoundFile(path, "w", rate, channels, subtype, format=container) as file:
        yield file
    _clear_date(path)


def _append(path, file, waveform):
    if file.format == "WAV" and 4 * file.channels * (file.frames + waveform.shape[-1]) > LARGEST_WAV:
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
