"""MUSDB18 and MUSDB18-HQ: 150 songs of vocals, drums, bass and everything else, for academic use."""

from collections.abc import Iterator
from os import PathLike

import numpy as np

from glowsep.datasets.files import split_folder
from glowsep.datasets.stem_folder import StemFolder
from glowsep.datasets.track import Dataset, Track
from glowsep.errors import DatasetError, how_to_install

SOURCES = ("bass", "drums", "other", "vocals")
STREAMS = ("mixture", "drums", "bass", "other", "vocals")  # the order in a .stem.mp4 file

VALIDATION_TRACKS = frozenset(
    {
        "ANiMAL - Rockshow",
        "Actions - One Minute Smile",
        "Alexander Ross - Goodbye Bolero",
        "Clara Berry And Wooldog - Waltz For My Victims",
        "Fergessen - Nos Palpitants",
        "James May - On The Line",
        "Johnny Lokke - Promises & Lies",
        "Leaf - Summerghost",
        "Meaxic - Take A Step",
        "Patrick Talbot - A Reason To Leave",
        "Skelpolu - Human Mistakes",
        "Traffic Experiment - Sirens",
        "Triviul - Angelsaint",
        "Young Griffo - Pennies",
    }
)  # of the 100 in the folder "train"; the choice is the musdb package's


class MUSDB18HQ(StemFolder):
    """MUSDB18-HQ: ``<path>/{train,test}/<track>/{mixture,bass,drums,other,vocals}.wav``, 44.1 kHz stereo.

    Any ``accompaniment.wav`` is ignored. The mixture is read from its file: the sources add up to it only nearly.

    Source: Rafii, Liutkus, Stöter, Mimilakis & Bittner 2019.

    Parameters
    ----------
    path : path
    split : str
        "train" (86 tracks), "validation" (14, which are in the folder "train" too) or "test" (50).

    Raises
    ------
    DatasetError
        If there is no such folder or split, no track in it, or a track without one of the sources.

    Examples
    --------
    >>> MUSDB18HQ("musdb18hq", "valid")
    Traceback (most recent call last):
        ...
    glowsep.errors.DatasetError: musdb18hq: MUSDB18 has no split 'valid'; its splits are train, validation, test
    """

    def __init__(self, path: str | PathLike, split: str):
        super().__init__(path, _subset(path, split), SOURCES)
        self.names = tuple(name for name in self.names if _in_split(name, split))
        if not self.names:
            raise DatasetError(f"{self.folder}: holds none of the {split} tracks; fetch the data set again")


class MUSDB18(Dataset):
    """MUSDB18: ``<path>/{train,test}/<artist> - <title>.stem.mp4``, five stereo AAC streams at 44.1 kHz.

    It is read with the `musdb` package, which needs FFmpeg.

    Source: Rafii, Liutkus, Stöter, Mimilakis & Bittner 2017.

    Parameters
    ----------
    path : path
    split : str
        As in `MUSDB18HQ`.

    Raises
    ------
    DatasetError
        If the package or FFmpeg is missing, or there is no such folder or split, or no track in it.

    Examples
    --------
    >>> MUSDB18("musdb18", "valid")
    Traceback (most recent call last):
        ...
    glowsep.errors.DatasetError: musdb18: MUSDB18 has no split 'valid'; its splits are train, validation, test
    """

    sources = SOURCES

    def __init__(self, path: str | PathLike, split: str):
        subset = _subset(path, split)
        folder = split_folder(path, subset)
        try:
            import musdb
        except (ImportError, RuntimeError) as error:  # the latter if FFmpeg is missing
            advice = f"{how_to_install('musdb')}, and FFmpeg from ffmpeg.org"
            raise DatasetError(f"{path}: MUSDB18 is read with the musdb package ({error}); {advice}") from None
        try:
            tracks = musdb.DB(root=str(path), subsets=subset).tracks
        except Exception as error:  # FFmpeg's, through two packages: of many classes, and it names no file
            damaged = next((file for file in sorted(folder.iterdir()) if not _is_readable(file, musdb)), folder)
            raise DatasetError(f"{damaged}: FFmpeg cannot read it ({error}); fetch it again") from None
        self._tracks = {track.name: track for track in tracks if _in_split(track.name, split)}
        if not self._tracks:
            raise DatasetError(f"{folder}: holds none of the {split} tracks (.stem.mp4 files); fetch it again")
        self.names, self.folder = tuple(sorted(self._tracks)), folder

    def load(self, name: str) -> Track:
        """The `Track` of this name. The mixture is a stream of its own: the sources add up to it only nearly."""
        track = self._tracks[name]
        waveform_of = dict(zip(STREAMS, track.stems.astype("float32").swapaxes(1, 2), strict=True))
        return Track(name, int(track.rate), waveform_of["mixture"], {name: waveform_of[name] for name in SOURCES})

    def recordings(self, source: str) -> Iterator[tuple[str, np.ndarray, int]]:
        """Yield (name, waveform, rate) of one source, decoding only its stream; see `Dataset.recordings`."""
        self._check_source(source)
        for name in self.names:
            track = self._tracks[name]
            yield name, track.sources[source].audio.astype("float32").T, int(track.rate)


def _subset(path, split):
    """The folder that holds a split: the validation tracks are among those for training."""
    folders = {"train": "train", "validation": "train", "test": "test"}
    if split not in folders:
        raise DatasetError(f"{path}: MUSDB18 has no split {split!r}; its splits are {', '.join(folders)}")
    return folders[split]


def _in_split(name, split):
    return split == "test" or (name in VALIDATION_TRACKS) == (split == "validation")


def _is_readable(file, musdb):
    try:
        musdb.MultiTrack(path=str(file), name=file.name, stem_id=0)
    except Exception:  # a damaged file makes musdb, FFmpeg and what wraps it raise a dozen kinds
        return False
    return True
