"""Songs of any length in bounded memory: segment by segment, each fading into the next."""

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from os import PathLike
from pathlib import Path

import numpy as np
from tqdm import tqdm

from glowsep.arrays.integers import ceil_divide
from glowsep.arrays.printing import one_line
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
    context: float = 0.0,
    grid: int = 1,
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
    context : float
        Seconds before and after every segment that ``separate`` is given with it; what it makes of them is dropped.
    grid : int
        Segments begin at multiples of so many samples at the ``highest_rate``, if these are shorter than a segment.

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
    hop, overlap, around = (round(seconds * info.rate) for seconds in (SEGMENT - OVERLAP, OVERLAP, context))
    if grid > 1:
        hop = multiple_of(grid * info.rate // math.gcd(info.rate, highest_rate), hop)
    length = around + hop + overlap + around
    number = 1 + max(0, ceil_divide(info.samples - length, hop))
    segments = tqdm(audio.segments(song, length, hop), one_line(song), number, disable=not progress, unit="segment")
    trust = Trust(highest_rate)

    def estimated():
        for start, segment in segments:
            estimates = separate(segment, info.rate, start)
            trust.listen(segment, info.rate, estimates)
            is_last = start + segment.shape[1] == info.samples
            yield estimates[:, :, around if start else 0 : None if is_last else segment.shape[1] - around]

    names = [sources[place] for place in chosen]
    with audio.StemWriter(folder, names, info.rate, info.channels, stems, mask_of(song)) as writer:
        for block in cross_faded(estimated(), overlap):
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


def multiple_of(step: int, length: int) -> int:
    """The largest multiple of ``step`` up to ``length``; the length itself if there is none."""
    return length - length % step if step <= length else length


def cross_faded(segments: Iterator[np.ndarray], overlap: int) -> Iterator[np.ndarray]:
    r"""Join segments whose last ``overlap`` samples are the next one's first: one fades out while the next fades in.

    .. math:: y_n = \frac{n}{N}\, b_n + \Big(1 - \frac{n}{N}\Big)\, a_n, \qquad n = 0 \dots N - 1

    for a tail a and a beginning b that have N samples in common.

    Parameters
    ----------
    segments : iterator of at least one (sources, channels, samples)
        May be modified in place.
    overlap : int

    Yields
    ------
    (sources, channels, samples)
        Blocks without overlap, one after the other.

    Examples
    --------
    >>> up, down = np.ones((1, 1, 6)), np.zeros((1, 1, 6))
    >>> np.concatenate(list(cross_faded(iter([up, down]), overlap=2)), axis=2)[0, 0]
    array([1. , 1. , 1. , 1. , 1. , 0.5, 0. , 0. , 0. , 0. ])
    """
    fade = np.linspace(0, 1, overlap, endpoint=False, dtype=np.float32)
    tail = None  # the end of the segment before, which this one has in common with it
    for segment in segments:
        if tail is not None:
            segment[:, :, :overlap] = fade * segment[:, :, :overlap] + (1 - fade) * tail
        end = max(0, segment.shape[2] - overlap)
        yield segment[:, :, :end]
        tail = segment[:, :, end:]
    yield tail
