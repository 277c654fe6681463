"""How the names of audio files end: by this a file is taken for one where nobody has named it."""

from pathlib import PurePath

SUFFIXES = (
    ".wav", ".flac", ".aiff", ".aif", ".aifc", ".w64", ".rf64", ".bwf", ".caf", ".au", ".snd", ".wv", ".ape", ".tta",
    ".oga", ".ogg", ".opus", ".mp3", ".mp2", ".m4a", ".aac", ".mp4", ".m4b", ".wma", ".webm", ".mka", ".ac3", ".spx",
    ".tak", ".shn", ".mlp", ".thd", ".truehd", ".dsf", ".dff", ".dts", ".dtshd", ".eac3", ".ec3", ".mpc", ".mp1",
    ".mpa", ".amr", ".3ga", ".m4r", ".ra", ".oma", ".voc",
)  # fmt: skip

#: Of these, what is read without FFmpeg.
OF_LIBSNDFILE = (
    ".wav", ".flac", ".aiff", ".aif", ".aifc", ".w64", ".rf64", ".bwf", ".caf", ".au", ".snd",
    ".oga", ".ogg", ".opus", ".mp3",
)  # fmt: skip

#: Of films: named one by one they are read or converted, but nobody who names a folder means them.
FILMS = (
    ".mkv", ".mov", ".avi", ".flv", ".ts", ".m2ts", ".mts", ".mpg", ".mpeg", ".vob", ".asf", ".wmv", ".3gp", ".ogv",
    ".rm", ".rmvb", ".wtv", ".mxf", ".nut",
)  # fmt: skip


def looks_like_audio(path: PurePath) -> bool:
    """Whether a path ends as an audio file does, in capitals or not; hidden files do not count.

    Examples
    --------
    >>> [looks_like_audio(PurePath(name)) for name in ("song.MP3", "notes.txt", "._song.wav")]
    [True, False, False]
    """
    return not path.name.startswith(".") and path.suffix.lower() in SUFFIXES


def is_for_ffmpeg(path: PurePath) -> bool:
    """Whether a path ends as sound or a film does that FFmpeg decodes, and libsndfile does not.

    Examples
    --------
    >>> [is_for_ffmpeg(PurePath(name)) for name in ("song.M2TS", "song.wav", "notes.txt")]
    [True, False, False]
    """
    return path.suffix.lower() in SUFFIXES + FILMS and path.suffix.lower() not in OF_LIBSNDFILE


def without_suffix(name: str) -> str:
    """A file's name without the suffix of audio or of a film, if it has one.

    Examples
    --------
    >>> [without_suffix(name) for name in ("a.b.Wav", "Mr. Smith", "...wav")]
    ['a.b', 'Mr. Smith', '..']
    """
    ending = next((suffix for suffix in SUFFIXES + FILMS if name.lower().endswith(suffix)), "")
    return name[: len(name) - len(ending)]
