"""The true sources of a song, by which its estimates are scored."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import numpy as np

from glowsep.datasets import Slakh2100, is_slakh_track
from glowsep.datasets.files import TOLERANCE, audio_file, read_together
from glowsep.errors import DatasetError
from glowsep.signals.audio.reading import Info


def read_references(folder: str | PathLike, names: Sequence[str], info: Info) -> dict[str, np.ndarray]:
    """The true sources that a folder holds, cut or padded to the song's length.

    Parameters
    ----------
    folder : path
        With ``<name>.wav`` or ``.flac`` for every source that is known; or a track of Slakh2100 or Freedoom-4.
    names : list of str
        The sources that are looked for.
    info : glowsep.signals.audio.reading.Info
        Of the song: references must have its rate and channels, and its length to a tenth of a second.

    Returns
    -------
    dict of str to numpy.ndarray, (channels, samples)
        In the order of ``names``, without those that the folder lacks.

    Raises
    ------
    DatasetError
        If there is no such folder, it holds none of the sources, or one of them twice, or they do not belong to the
        song.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder; give the folder of the song's true sources")
    found, rate = _of_slakh_track(folder) if is_slakh_track(folder) else _of_stem_folder(folder, names)
    references = {name: found[name] for name in names if name in found}
    if not references:
        expected = ", ".join(f"{name}.wav" for name in names)
        raise DatasetError(f"{folder}: holds none of {expected}; give the folder of the song's true sources")
    for name, reference in references.items():
        channels, samples = reference.shape
        if (rate, channels) != (info.rate, info.channels):
            raise DatasetError(
                f"{folder}: {name} has {channels} channels at {rate} Hz, but the song {info.channels} at {info.rate} Hz"
            )
        if abs(samples - info.samples) > TOLERANCE * rate:
            raise DatasetError(
                f"{folder}: {name} lasts {samples / rate:.2f} s, but the song {info.samples / rate:.2f} s; "
                "give the references of the same recording"
            )
        missing = max(0, info.samples - samples)
        references[name] = np.pad(reference, ((0, 0), (0, missing)))[:, : info.samples]
    return references


def _of_slakh_track(folder):
    folder = folder.resolve()
    track = Slakh2100(folder.parent, names=[folder.name]).load(folder.name)
    return track.sources, track.rate


def _of_stem_folder(folder, names):
    paths = {name: path for name in names if (path := audio_file(folder, name))}
    if not paths:
        return {}, None
    waveforms, rate = read_together(list(paths.values()))
    return dict(zip(paths, waveforms, strict=True)), rate
