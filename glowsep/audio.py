"""Chapter 1: audio files, in and out. A file is read whole or refused, and written whole or not at all."""

import errno
import math
import os
import struct
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy
import soundfile

from glowsep.errors import AudioError

BLOCK = 1 << 18  # samples read at once: a few megabytes, and a second or so of the highest rates
UNKNOWN = (0, 0xFFFFFFFF)  # what a program writes for a length when it cannot go back to fill it in
UNKNOWN_SAMPLES = 2**63 - 1  # what libsndfile makes of it
LARGEST_WAV = 2**32 - 2**16  # bytes of audio: a WAV header counts them in 32 bits
FORMATS = {".wav": ("WAV", "FLOAT"), ".flac": ("FLAC", "PCM_24")}


class Info(NamedTuple):
    """What an audio file's header says: samples (per channel), channels, and the rate in Hz."""

    samples: int
    channels: int
    rate: int


# Reading


def info(path):
    """The `Info` of an audio file, without reading its samples.

    Raises
    ------
    AudioError
        Where there is no audio file, or its header does not fit its size.
    """
    with _opened(path) as recording:
        return recording.info


def check(path):
    """Read a file from end to end in bounded memory, to refuse it before any work is done.

    Returns
    -------
    Info

    Raises
    ------
    AudioError
        As `read` does.
    """
    with _opened(path) as recording:
        for _ in recording.blocks(recording.info.samples):
            pass
        return recording.info


def read(path, start=0, stop=None):
    """Read a WAV, FLAC, Ogg or MP3 file, or a part of it.

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
        Where the file does not exist, is no audio, is cut short or contradicts its header, or holds no
        samples or samples that are not finite.

    Notes
    -----
    Chapter 1. The formats are libsndfile's.
    """
    with _opened(path) as recording:
        samples, channels, rate = recording.info
        start, stop, _ = slice(start, stop).indices(samples)
        recording.skip(start)
        blocks = [np.zeros((channels, 0), dtype=np.float32), *recording.blocks(stop - start)]
        return np.concatenate(blocks, axis=-1), rate


def segments(path, length, hop):
    """Overlapping segments of a file, read once from front to back, with one segment in memory at a time.

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
        For another hop.
    AudioError
        As `read` does, when it gets to the damaged place.
    """
    if not 1 <= hop <= length:
        raise ValueError(f"hop is {hop}, but must be from 1 to the segment's length, {length}")
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
    """A `_Recording` whose header can be believed, closed at the end of the block."""
    try:
        _refuse_what_holds_no_audio(path)
        file = soundfile.SoundFile(path)
    except OSError as error:
        raise AudioError(f"{path}: cannot be opened ({error.strerror}); check its permissions") from None
    except (soundfile.SoundFileError, TypeError):  # TypeError: for .raw, soundfile wants the rate from us
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
            raise AudioError(f"{path}: its header does not tell its length; convert it to wav first")
        yield _Recording(path, file, samples)


class _Recording:
    """An open audio file that is read from front to back: every sample is there and finite, or it is refused."""

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
        """Pass over ``count`` samples."""
        if self.file.format in ("OGG", "MP3"):  # libsndfile's seek can miss by some samples here: decode them
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
    """Whether the first frame holds the tag with the exact length; without it, libsndfile guesses one."""
    with open(path, "rb") as file:
        head = file.read(10)
        if head[:3] == b"ID3":  # titles and pictures come first; their length is written in 7 bits a byte
            file.seek(10 + sum(byte << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True)))
        else:
            file.seek(0)
        first_frames = file.read(4096)
    return b"Xing" in first_frames or b"Info" in first_frames


def _count(path):
    """Samples of an MP3 file, by decoding all of it; unknown where libsndfile's guess stops it too early.

    An MP3 file is made of whole frames of 576 or 1152 samples: any other number was cut off by the guess.
    """
    with soundfile.SoundFile(path) as file:
        samples = 0
        while decoded := len(file.read(BLOCK, dtype="float32")):
            samples += decoded
        return UNKNOWN_SAMPLES if samples % 576 else samples


def _refuse_what_holds_no_audio(path):
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
            _refuse_wrong_wav_length(path, file, size)
        if signature[:4] == b"OggS":
            _refuse_cut_ogg(path, file, size)


def _refuse_wrong_wav_length(path, file, size):
    """libsndfile reads what is there, whatever the header promises: a cut file would pass as a short one."""
    order = ">" if file.read(4) == b"RIFX" else "<"
    (whole,) = struct.unpack(order + "I", file.read(4))
    if whole in UNKNOWN:
        whole = size - 8
    chunks = list(_chunks(file, size, order))
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
    # Some programs forget the outer 8 bytes when they count the whole; more than that is damage.
    if not end - 8 <= whole + 8 <= size + 8:
        raise AudioError(f"{path}: its header promises {whole + 8} bytes, but it has {size}; fetch or export it again")
    # A header that promises too little leaves samples where the next chunk's name should be.
    followers = [chunk.name for chunk in chunks if end <= chunk.start - 8 < whole]
    if not all(name.isascii() and name.decode().isprintable() for name in followers):
        raise AudioError(
            f"{path}: its header promises {samples.length} bytes of samples, but more follow; export it again"
        )


class _Chunk(NamedTuple):
    name: bytes
    start: int
    length: int


def _chunks(file, size, order="<"):
    """The chunks inside a RIFF file: where the bytes of each start, and how many its header promises."""
    place, length_of_data = 12, None
    while place + 8 <= size:
        file.seek(place)
        name, length = struct.unpack(order + "4sI", file.read(8))
        if name == b"ds64":  # RF64: 64-bit lengths, for files over 4 GiB
            _, length_of_data = struct.unpack("<QQ", file.read(16).ljust(16, b"\0"))
        if name == b"data" and length == 0xFFFFFFFF and length_of_data is not None:
            length = length_of_data
        yield _Chunk(name, place + 8, length)
        place += 8 + length
        file.seek(place)
        if length % 2 and file.read(1) == b"\0":  # the filler to an even place, which some programs forget
            place += 1


def _refuse_cut_ogg(path, file, size):
    """The last page of an Ogg file must be there to its end: a table in its header adds up to its length."""
    file.seek(max(0, size - (1 << 17)))
    tail = file.read()
    page = tail[tail.rfind(b"OggS") :]
    header = 27 + page[26] if len(page) > 26 else len(page) + 1
    if len(page) < header + sum(page[27:header]):
        raise AudioError(f"{path}: cut short; fetch or export it again")


# Writing


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
    with _reporting(path), _replacing([path]) as (temporary,):
        with _new_file(temporary, path.suffix, rate, len(waveform)) as file:
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
        with _reporting(self.folder), ExitStack() as stack:
            stack.enter_context(_folder(self.folder))
            temporaries = stack.enter_context(_replacing(targets))
            self._files = [
                stack.enter_context(_new_file(path, ".wav", self.rate, self.channels)) for path in temporaries
            ]
            self._stack = stack.pop_all()
        return self

    def write(self, estimates):
        """Append ``estimates`` (sources, channels, samples)."""
        _require_waveforms("estimates", estimates, (len(self.names), self.channels, None))
        with _reporting(self.folder):
            for file, estimate in zip(self._files, estimates, strict=True):
                _append(self.folder, file, estimate)

    def __exit__(self, *exception):
        with _reporting(self.folder):
            return self._stack.__exit__(*exception)


def _require_waveforms(name, waveforms, shape):
    found = waveforms.shape
    if len(found) != len(shape) or any(w not in (None, n) for n, w in zip(found, shape, strict=True)):
        wanted = ", ".join("any" if size is None else str(size) for size in shape)
        raise ValueError(f"{name} is of shape {found}, but must be of ({wanted})")
    if not np.isfinite(waveforms).all():
        raise ValueError(f"{name} holds NaN or infinite samples, but all must be finite")


def _new_file(path, suffix, rate, channels):
    open(path, "wb").close()  # what is wrong with the folder, libsndfile would call "System error"
    container, subtype = FORMATS[suffix.lower()]
    return soundfile.SoundFile(path, "w", rate, channels, subtype, format=container)


def _append(path, file, waveform):
    if file.format == "WAV" and 4 * file.channels * (file.frames + waveform.shape[-1]) > LARGEST_WAV:
        raise AudioError(f"{path}: over 4 GiB, more than WAV can hold; cut the recording into parts")
    file.write(waveform.T)


@contextmanager
def _folder(folder):
    """``folder``, made if it is missing; what was made goes again if the block fails."""
    made = [level for level in (folder, *folder.parents) if not level.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for level in made:
            with suppress(OSError):
                level.rmdir()
        raise


@contextmanager
def _replacing(targets):
    """Temporary files beside ``targets``: they take their names if the block succeeds, and vanish if not."""
    for target in targets:
        if target.is_dir():
            raise AudioError(f"{target}: is a folder, but a file is to be written here; move it")
    temporaries = [target.with_name(f".{target.name}.{os.getpid()}.part") for target in targets]
    try:
        yield temporaries
        for temporary in temporaries:
            _forget_time(temporary)
        _take_names(temporaries, targets)
    finally:
        for temporary in temporaries:
            temporary.unlink(missing_ok=True)


def _take_names(temporaries, targets):
    """Rename each temporary to its target: where one fails, the earlier files come back."""
    asides = {target: target.with_name(f".{target.name}.{os.getpid()}.old") for target in targets}
    earlier = {target: aside for target, aside in asides.items() if target.exists()}
    try:
        for target, aside in earlier.items():
            os.replace(target, aside)
        for temporary, target in zip(temporaries, targets, strict=True):
            os.replace(temporary, target)
    except BaseException:
        for target in targets:
            if target not in earlier:
                target.unlink(missing_ok=True)
            elif earlier[target].exists():
                os.replace(earlier[target], target)
        raise
    for aside in earlier.values():
        aside.unlink()


def _forget_time(path):
    """Clear the date that libsndfile puts into a float WAV, so that equal waveforms give equal files."""
    with open(path, "r+b") as file:
        if file.read(4) == b"RIFF":
            for chunk in _chunks(file, os.fstat(file.fileno()).st_size):
                if chunk.name == b"PEAK":  # a version, then the date, then the peaks
                    file.seek(chunk.start + 4)
                    file.write(bytes(4))


@contextmanager
def _reporting(path):
    """What the system says went wrong with writing, as one line that names ``path``."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)):
            remedy = "the disk is full; free some space or choose another folder"
        elif isinstance(error, FileNotFoundError):
            remedy = "its folder does not exist; make it first"
        else:
            remedy = f"cannot be written ({error.strerror}); choose a folder that you may write to"
        raise AudioError(f"{path}: {remedy}") from None
    except soundfile.SoundFileError as error:
        raise AudioError(f"{path}: cannot be written ({str(error).strip()}); is the disk full?") from None


# Rates


def resample(waveform, rate, new_rate):
    """``waveform`` at another sample rate, through a linear-phase low-pass filter below both Nyquist rates.

    Parameters
    ----------
    waveform : numpy.ndarray, (..., samples)
    rate, new_rate : int
        Hz.

    Returns
    -------
    numpy.ndarray, (..., ceil(samples * new_rate / rate)), of the waveform's dtype
        The waveform itself where the rates are equal.

    Raises
    ------
    ValueError
        Where a rate is not above 0.

    Notes
    -----
    Chapter 1. `scipy.signal.resample_poly`: raise the rate by an integer, filter, lower it by an integer.
    """
    if rate < 1 or new_rate < 1:
        raise ValueError(f"rates are {rate} and {new_rate} Hz, but must be above 0")
    if rate == new_rate:
        return waveform
    shared = math.gcd(rate, new_rate)
    return scipy.signal.resample_poly(waveform, new_rate // shared, rate // shared, axis=-1)
