"""Slakh2100 and data sets in its layout, such as Freedoom-4: many stems a track, grouped into four instruments."""

import json

import yaml

from glowsep.datasets.files import audio_file, read_together, split_folder, tracks_in
from glowsep.datasets.freedoom.midi import GROUPS, instrument_group
from glowsep.datasets.track import Dataset, Track
from glowsep.errors import DatasetError


class Slakh2100(Dataset):
    """Tracks laid out as ``<path>/[<split>/]<track>/{metadata.yaml, stems/Sxx.flac}``; ``.wav`` too.

    Reads Slakh2100 (original and redux: their splits are folders), BabySlakh (no split folders) and what
    `glowsep.datasets.freedoom.render` writes. The sources are groups of stems by General MIDI program: bass 32-39,
    drums, guitar 24-31, piano 0-7. A group's stems are summed as they are; a group without any is silence; the mixture
    is the sum of the four groups, for ``mix.flac`` holds other instruments too (the sub-mix of Zhu et al. 2022).

    Where an ``excerpts.json`` lies beside the folder of a split (`glowsep.datasets.freedoom.render` writes one), the
    tracks it lists are cut to their excerpt; the others are read whole.

    Parameters
    ----------
    path : path
    split : str, optional
        "train", "validation", "test" or "omitted"; by default the tracks lie in `path` itself.

    Raises
    ------
    DatasetError
        No such folder or split, no track in it, damaged metadata, or a stem that is missing though it was rendered.

    Notes
    -----
    Manilow, Wichern, Seetharaman & Le Roux 2019, "Cutting music source separation some Slakh".
    """

    sources = tuple(GROUPS)

    def __init__(self, path, split=None):
        self.folder = split_folder(path, split)
        self.names = tracks_in(self.folder, is_slakh_track, "a track is a folder with a metadata.yaml")
        self.excerpts = _read_excerpts(self.folder.parent / "excerpts.json")

    def load(self, name):
        """Return the `Track` of this name, mixture and four sources."""
        stems = self._stems(name)
        paths = [path for group in self.sources for path in stems[group]]
        if not paths:
            raise DatasetError(f"{self.folder / name}: no bass, drums, guitar or piano in it; move the track away")
        waveforms, rate = read_together(paths, **self.excerpts.get(name, {}))
        waveform_of = dict(zip(paths, waveforms, strict=True))
        silence = 0 * waveforms[0]
        sources = {group: sum((waveform_of[path] for path in stems[group]), silence) for group in self.sources}
        return Track(name, rate, sum(sources.values()), sources)

    def recordings(self, source):
        """Yield (name, waveform, rate) of one group where it has a stem; see `Dataset.recordings`."""
        self._check_source(source)
        for name in self.names:
            paths = self._stems(name)[source]
            if paths:
                waveforms, rate = read_together(paths, **self.excerpts.get(name, {}))
                yield name, sum(waveforms), rate

    def _stems(self, name):
        """Return the files of each group: a dict of group to list of paths."""
        path = self.folder / name / "metadata.yaml"
        paths = {group: [] for group in self.sources}
        try:
            stems = yaml.safe_load(path.read_text(encoding="utf-8"))["stems"]
            for stem, about in sorted(stems.items()):
                group = "drums" if about["is_drum"] else instrument_group(about["program_num"])
                if group and about["audio_rendered"]:
                    paths[group].append(self._file(name, stem))
        except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
            raise DatasetError(f"{path}: damaged ({type(error).__name__}: {_line(error)}); fetch it again") from None
        return paths

    def _file(self, name, stem):
        folder = self.folder / name / "stems"  # not what audio_dir says: Slakh2100's names folders of its makers
        path = audio_file(folder, stem)
        if path is None:
            raise DatasetError(
                f"{folder / stem}.flac: missing, though metadata.yaml says it was rendered; fetch it again"
            )
        return path


def is_slakh_track(folder):
    """Return whether a folder is a track in Slakh2100's layout."""
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
