"""Which stems of a song are written, in which format, and what they may replace."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from glowsep.arrays.seals import require_ours
from glowsep.errors import AudioError

#: By format and by its bits, libsndfile's name of what is written. The first of a format is its default.
SUBTYPES = {
    "wav": {"float": "FLOAT", "16": "PCM_16", "24": "PCM_24"},
    "flac": {"24": "PCM_24", "16": "PCM_16"},
    "ogg": {None: "VORBIS"},
    "mp3": {None: "MPEG_LAYER_III"},
}
FORMATS = tuple(SUBTYPES)
BITS = ("16", "24", "float")

#: What the formats can hold: channels, and rates in Hz. libsndfile's encoders fail, some of them fatally, beyond.
CHANNELS = {"wav": 1024, "flac": 8, "ogg": 2, "mp3": 2}
RATES = {
    "flac": range(1, 655_351),
    "ogg": range(8000, 192_001),
    "mp3": (8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000),
}


@dataclass(frozen=True)
class Stems:
    """What `glowsep.separate_file` writes.

    Attributes
    ----------
    only : tuple of str, optional
        The sources whose stems are written; all by default.
    format : {"wav", "flac", "ogg", "mp3"}
    bits : {"16", "24", "float"}, optional
        Of a sample: for WAV all three, for FLAC 16 or 24; by default the most that the format holds.
    overwrite : bool
        Replace files that glowsep did not write, or that were changed since.

    Raises
    ------
    ValueError
        If there is no such format, or the format has not these bits.

    Examples
    --------
    >>> Stems(format="flac").subtype
    'PCM_24'
    >>> Stems(format="mp3", bits="24")
    Traceback (most recent call last):
    ValueError: bits are '24', but mp3 has no choice of them
    """

    only: tuple[str, ...] | None = None
    format: str = "wav"
    bits: str | None = None
    overwrite: bool = False

    def __post_init__(self):
        if self.format not in SUBTYPES:
            raise ValueError(f"format is {self.format!r}, expected one of {', '.join(FORMATS)}")
        if self.bits is not None and self.bits not in SUBTYPES[self.format]:
            choice = [bits for bits in SUBTYPES[self.format] if bits]
            known = f"{self.format} has {' or '.join(choice)}" if choice else f"{self.format} has no choice of them"
            raise ValueError(f"bits are {self.bits!r}, but {known}")

    @property
    def subtype(self) -> str:
        """libsndfile's name of what is written."""
        choice = SUBTYPES[self.format]
        return next(iter(choice.values())) if self.bits is None else choice[self.bits]

    @property
    def integer_bits(self) -> int | None:
        """The bits of a sample if samples are integers."""
        return int(self.subtype.removeprefix("PCM_")) if self.subtype.startswith("PCM_") else None

    def chosen(self, sources: Sequence[str]) -> list[int]:
        """The positions among ``sources`` of those that are written.

        Raises
        ------
        ValueError
            If one is asked for that is not there.
        """
        if self.only is None:
            return list(range(len(sources)))
        known, wanted = [source.casefold() for source in sources], [source.casefold() for source in self.only]
        for source in wanted:
            if source not in known:
                raise ValueError(f"there is no {source!r} to write; the sources are {', '.join(sources)}")
        return [place for place, source in enumerate(known) if source in wanted]

    def paths(self, folder: str | os.PathLike, sources: Sequence[str]) -> list[Path]:
        """The files that are written, in the order of ``sources``."""
        return [Path(folder, f"{sources[place]}.{self.format}") for place in self.chosen(sources)]

    def require_room(self, song: str | os.PathLike, rate: int, channels: int) -> None:
        """Refuse a song whose rate or channels the format cannot hold.

        Raises
        ------
        AudioError
        """
        if channels > CHANNELS[self.format]:
            raise AudioError(
                f"{song}: has {channels} channels, but {self.format} stems hold {CHANNELS[self.format]} at most; "
                "choose the format wav or flac"
            )
        if rate not in RATES.get(self.format, [rate]):
            raise AudioError(f"{song}: {rate} Hz is no rate for {self.format} stems; choose the format wav or flac")

    def require_free(self, song: str | os.PathLike, paths: Sequence[Path]) -> None:
        """Refuse to replace the song itself, or files that are not glowsep's own.

        Raises
        ------
        AudioError
        """
        for path in paths:
            if is_same_file(path, song):
                raise AudioError(f"{song}: its own {path.stem} would replace it; choose another folder with -o")
            if path.is_dir():
                raise AudioError(f"{path}: is a folder, but a stem is to be written here; choose another folder")
        require_ours(paths, self.overwrite, "another folder with -o", AudioError)


def is_same_file(first: str | os.PathLike, second: str | os.PathLike) -> bool:
    """Whether two paths lead to one file that is there."""
    try:
        return os.path.samefile(first, second)
    except OSError:
        return False
