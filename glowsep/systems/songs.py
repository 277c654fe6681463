"""Songs of any length in bounded memory: segment by segment, each fading into the next."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from os import PathLike
from pathlib import Path

import numpy as np
from tqdm import tqdm

from glowsep.arrays.integers import ceil_divide
from glowsep.errors import SeparationWarning
from glowsep.signals import audio
from glowsep.signals.audio.channels import mask_of
from glowsep.signals.mid import RATE
from glowsep.systems.trust import Trust

#: Seconds of a song that are separated at once, and how many of them two neighbours have in common.
SEGMENT, OVERLAP = 10.0, 1.0


def separate_song(
    song: str | PathLike,
    folder: str | PathLike,
    sources: Sequence[str],
    separate: Callable[[np.ndarray, int, int], np.ndarray],
    progress: bool = True,
    stems: audio.Stems | None = None,
    highest_rate: int = RATE,
) -> list[Path]:
    """Separate an audio file into ``folder/<source>.wav``, segment by segment.

    Segments of ``SEGMENT`` seconds overlap by ``OVERLAP`` seconds. The files are written block by block, and take their
    names only when all of them are whole.

    Parameters
    ----------
    song, folder : path
    sources : sequence of str
        Name the files.
    separate : callable
        From a segment (channels, samples), its rate, and the position of its first sample in the song, to estimates
        (sources, channels, samples).
    progress : bool
        Show a progress bar.
    stems : glowsep.signals.audio.Stems, optional
        Which of the files to write, in which format, and whether they may replace files that glowsep did not write.
    highest_rate : int
        In Hz: what the system hears ends at half of it.

    Returns
    -------
    list of pathlib.Path
        The files, in the order of ``sources``.

    Raises
    ------
    AudioError
        If the song cannot be read, the files cannot be written, or they would replace files of the user's.

    Warns
    -----
    SeparationWarning
        If the stems are not to be trusted, see :mod:`glowsep.systems.trust`.

    Examples
    --------
    >>> import tempfile
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(4000) / 8000)[None].astype(np.float32)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     audio.write(Path(folder, "song.wav"), tone, 8000)
    ...     halves = lambda segment, rate, start: np.stack([segment, 0 * segment])
    ...     paths = separate_song(Path(folder, "song.wav"), folder, ["bass", "drums"], halves, progress=False)
    >>> [path.name for path in paths]
    ['bass.wav', 'drums.wav']
    """
    stems = audio.Stems() if stems is None else stems
    chosen, paths = stems.chosen(sources), stems.paths(folder, sources)
    stems.require_free(song, paths)
    info = audio.check(song)
    stems.require_room(song, info.rate, info.channels)
    hop, overlap = round((SEGMENT - OVERLAP) * info.rate), round(OVERLAP * info.rate)
    number = 1 + max(0, ceil_divide(info.samples - hop - overlap, hop))
    segments = tqdm(audio.segments(song, hop + overlap, hop), str(song), number, disable=not progress, unit="segment")
    trust = Trust(highest_rate)

    def estimated():
        for start, segment in segments:
            estimates = separate(segment, info.rate, start)
            trust.listen(segment, info.rate, estimates)
            yield estimates

    names = [sources[place] for place in chosen]
    with audio.StemWriter(folder, names, info.rate, info.channels, stems, mask_of(song)) as writer:
        for block in cross_faded(estimated(), hop):
            writer.write(block[chosen])
    trust.warn(song)
    if writer.gain < 1:
        decibels = -20 * np.log10(writer.gain)
        warnings.warn(
            f"{song}: its stems are {decibels:.2f} dB quieter, all alike, so that none clips; float WAV needs no such "
            "gain",
            SeparationWarning,
            stacklevel=2,
        )
    return paths


def cross_faded(segments: Iterator[np.ndarray], hop: int) -> Iterator[np.ndarray]:
    r"""Join segments that start every ``hop`` samples: where two overlap, one fades out while the next fades in.

    .. math:: y_n = \frac{n}{N}\, b_n + \Big(1 - \frac{n}{N}\Big)\, a_n, \qquad n = 0 \dots N - 1

    for a tail a and a beginning b that have N samples in common.

    Parameters
    ----------
    segments : iterator of at least one (sources, channels, samples)
        May be modified in place.
    hop : int

    Yields
    ------
    (sources, channels, samples)
        Blocks without overlap, one after the other.

    Examples
    --------
    >>> up, down = np.ones((1, 1, 6)), np.zeros((1, 1, 6))
    >>> np.concatenate(list(cross_faded(iter([up, down]), hop=4)), axis=2)[0, 0]
    array([1. , 1. , 1. , 1. , 1. , 0.5, 0. , 0. , 0. , 0. ])
    """
    tail = None  # the end of the segment before, which this one has in common with it
    for segment in segments:
        if tail is not None:
            common = tail.shape[2]
            fade = np.linspace(0, 1, common, endpoint=False, dtype=np.float32)
            segment[:, :, :common] = fade * segment[:, :, :common] + (1 - fade) * tail
        yield segment[:, :, :hop]
        tail = segment[:, :, hop:]
    yield tail
