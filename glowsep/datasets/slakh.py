"""Slakh2100 and data sets in its layout, such as Freedoom-4: many stems per track, grouped into four instruments."""

import json
from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path

import numpy as np
import yaml

from glowsep.datasets.files import audio_file, audio_files, read_together, split_folder, tracks_in
from glowsep.datasets.freedoom.midi import GROUPS, instrument_group
from glowsep.datasets.track import Dataset, Track
from glowsep.errors import DatasetError

YAML = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # LibYAML, where PyYAML is built with it, is ten times as fast


class Slakh2100(Dataset):
    """Tracks laid out as ``<path>/[<split>/]<track>/{metadata.yaml, stems/Sxx.flac}``; other formats too.

    This reads Slakh2100 (original and redux, whose splits are folders), BabySlakh (no split folders) and what
    `glowsep.datasets.freedoom.render` writes. The sources are groups of stems by General MIDI program: bass 32-39,
    drums, guitar 24-31, piano 0-7. The stems of a group are summed as they are; a group without stems is silence. The
    mixture is the sum of the four groups, because ``mix.flac`` holds other instruments too (the sub-mix of Zhu et al.
    2022).

    If there is an ``excerpts.json`` next to the folder of a split (`glowsep.datasets.freedoom.render` writes one), the
    tracks it lists are cut to their excerpts; the others are read whole.

    Source: Manilow, Wichern, Seetharaman & Le Roux 2019.

    Parameters
    ----------
    path : path
    split : str, optional
        "train", "validation", "test" or "omitted"; by default the tracks are in `path` itself.
    names : sequence of str, optional
        The tracks to read; all by default.

    Raises
    ------
    DatasetError
        If there is no such folder or split or no track in it, metadata are damaged, or a rendered stem is missing or
        there are two of its name.

    Examples
    --------
    >>> from glowsep.assignments import data
    >>> Slakh2100(data("freedoom4"), "test").sources
    ('bass', 'drums', 'guitar', 'piano')
    """

    sources = tuple(GROUPS)

    def __init__(self, path: str | PathLike, split: str | None = None, names: Sequence[str] | None = None):
        self.folder = split_folder(path, split)
        found = tracks_in(self.folder, is_slakh_track, "a track is a folder with a metadata.yaml")
        self.names = found if names is None else tuple(names)
        for name in self.names:
            for stem in audio_files(self.folder / name / "stems"):  # if there are two of one, that is said now
                audio_file(self.folder / name / "stems", stem)
        self.excerpts = _read_excerpts(self.folder.parent / "excerpts.json")

    def load(self, name: str) -> Track:
        """The `Track` of this name: mixture and four sources."""
        stems = self._stems(name)
        paths = [path for group in self.sources for path in stems[group]]
        if not paths:
            raise DatasetError(f"{self.folder / name}: no bass, drums, guitar or piano in it; move the track away")
        waveforms, rate = read_together(paths, **self.excerpts.get(name, {}))
        waveform_of = dict(zip(paths, waveforms, strict=True))
        silence = 0 * waveforms[0]
        sources = {group: sum((waveform_of[path] for path in stems[group]), silence) for group in self.sources}
        return Track(name, rate, sum(sources.values()), sources)

    def recordings(self, source: str) -> Iterator[tuple[str, np.ndarray, int]]:
        """Yield (name, waveform, rate) of one group, for tracks that have a stem of it; see `Dataset.recordings`."""
        self._check_source(source)
        for name in self.names:
            paths = self._stems(name)[source]
            if paths:
                waveforms, rate = read_together(paths, **self.excerpts.get(name, {}))
                yield name, sum(waveforms), rate

    def _stems(self, name):
        """The files of each group: a dict of group to list of paths."""
        path = self.folder / name / "metadata.yaml"
        paths = {group: [] for group in self.sources}
        try:
            stems = yaml.load(path.read_text(encoding="utf-8"), YAML)["stems"]
            for stem, about in sorted(stems.items()):
                group = "drums" if about["is_drum"] else instrument_group(about["program_num"])
                if group and about["audio_rendered"]:
                    paths[group].append(self._file(name, stem))
        except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
            raise DatasetError(f"{path}: damaged ({type(error).__name__}: {_line(error)}); fetch it again") from None
        return paths

    def _file(self, name, stem):
        folder = self.folder / name / "stems"  # not audio_dir's: in Slakh2100 it names a folder of its makers
        path = audio_file(folder, stem)
        if path is None:
            raise DatasetError(
                f"{folder / stem}.flac: missing, though metadata.yaml says it was rendered; fetch it again"
            )
        return path


def is_slakh_track(folder: Path) -> bool:
    """Whether a folder is a track in Slakh2100's layout."""
    return (folder / "metadata.yaml").is_file()


def _read_excerpts(path):
    try:
        excerpts = json.loads(path.read_text(encoding="utf-8"))
        keys = ("start_s", "duration_s")
        return {name: {key: float(excerpt[key]) for key in keys} for name, excerpt in excerpts.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DatasetError(
            f"{path}: damaged ({type(error).__name__}: {_line(error)}); render the data set again"
        ) from None


def _line(error):
    return " ".join(str(error).split())
