"""Why an audio file is refused, in one line that names it and says what to do."""

import shlex
from pathlib import Path

from glowsep.errors import AudioError
from glowsep.signals.audio.suffixes import is_for_ffmpeg


def refuse_what_is_no_file(path: Path) -> None:
    """Refuse a path that is no regular file, and an empty file.

    Raises
    ------
    AudioError
    """
    if path.is_dir():
        raise AudioError(f"{path}: is a folder; give the audio file itself")
    if not path.exists():
        raise AudioError(f"{path}: no such file; check the name and the folder")
    if not path.is_file():
        raise AudioError(f"{path}: not a regular file; save the audio to a file first")
    if path.stat().st_size == 0:
        raise AudioError(f"{path}: is empty; fetch or export it again")


def cut_short(path, why: str) -> AudioError:
    """The error for a file whose end is missing."""
    return AudioError(f"{path}: cut short or damaged, {why}; fetch or export it again")


def damaged(path, why: str) -> AudioError:
    """The error for a file in which something is wrong before its end."""
    return AudioError(f"{path}: damaged, {why}; fetch or export it again")


def not_audio(path) -> AudioError:
    """The error for a file that is nothing we know; one that is called as sound or a film is can be converted."""
    command = f": {conversion(path)}" if is_for_ffmpeg(Path(path)) else ""
    return AudioError(
        f"{path}: not audio that can be read; give a wav, flac, ogg or mp3 file, or convert it to one{command}"
    )


def conversion(path) -> str:
    """The command that converts a file to WAV, as a shell takes it.

    Examples
    --------
    >>> conversion("my song.ts")
    "ffmpeg -i 'my song.ts' 'my song.wav'"
    >>> conversion("called.wav")
    'ffmpeg -i called.wav called-converted.wav'
    """
    path = Path(path)
    name = f"{path.stem}-converted.wav" if path.suffix.lower() == ".wav" else f"{path.stem}.wav"
    return shlex.join(["ffmpeg", "-i", str(path), str(path.with_name(name))])


def no_samples(path) -> AudioError:
    """The error for a file without sound."""
    return AudioError(f"{path}: holds no samples; record or export it again")
