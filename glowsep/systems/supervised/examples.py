"""Random mixtures: excerpts of stems, changed at random and added."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from glowsep.datasets.stems import Stems


@dataclass(frozen=True)
class Augmentation:
    """What happens to the sources of an excerpt before they are added. Saved in checkpoints.

    Attributes
    ----------
    gain : (float, float)
        Every source is multiplied by a number between these.
    shift : float
        Seconds by which a source starts later than another, at most.
    flip_sign, swap_channels : bool
        Whether every source is multiplied by -1, and has its channels swapped, with probability 1/2.
    remix : float
        The share of the mixtures whose sources come from different songs, each from one in which it plays. All others
        are excerpts of songs as they are, often without some of the sources.
    pan : float
        If the recordings have one channel and the mixture two: the share of the mixtures whose sources come from
        different directions.

    Examples
    --------
    >>> Augmentation(gain=(0.7, 1.0)).remix
    0.0
    """

    gain: tuple[float, float] = (1.0, 1.0)
    shift: float = 0.0
    flip_sign: bool = False
    swap_channels: bool = False
    remix: float = 0.0
    pan: float = 0.0


#: What networks are validated on.
NONE = Augmentation()


def random_sources(
    stems: Stems, batch: int, channels: int, samples: int, augmentation: Augmentation, rng: np.random.Generator
) -> np.ndarray:
    """The sources of random mixtures, (batch, sources, channels, samples): their sum over axis 1 is the mixtures.

    Every moment of every track is as likely to be heard as any other; if songs are mixed with each other, every moment
    of every track in which a source plays.

    Source: Uhlich et al. 2017, section 4.3 (gains, swapped channels, excerpts of several songs); Défossez et al. 2019,
    section 5 (shifts, signs).

    Parameters
    ----------
    stems : glowsep.datasets.stems.Stems
    batch, channels, samples : int
    augmentation : Augmentation
    rng : numpy.random.Generator
    """
    count = len(stems.sources)
    drawn = np.empty((batch, count, stems.channels, samples), np.float32)
    for item in drawn:
        if rng.random() < augmentation.remix:
            places = [random_place(stems, samples, rng, source) for source in stems.sources]
        else:
            places = [random_place(stems, samples, rng)] * count
        shifts = rng.integers(0, round(augmentation.shift * stems.rate) + 1, count)
        for stem, source, (track, start), shift in zip(item, stems.sources, places, shifts, strict=True):
            stem[:] = stems.stem(track, source, start - shift, samples)
    factors = rng.uniform(*augmentation.gain, (batch, count, 1, 1))
    if augmentation.flip_sign:
        factors *= rng.choice([-1, 1], factors.shape)
    drawn *= factors.astype(np.float32)
    if stems.channels < channels:
        drawn = drawn * directions(batch, count, channels, augmentation.pan, rng)
    if augmentation.swap_channels:
        swapped = rng.random((batch, count)) < 0.5
        drawn[swapped] = drawn[swapped][:, ::-1]
    return drawn


def without_augmentation(augmentation: Augmentation) -> Augmentation:
    """What is left of it for validation: directions, which decide how hard sources are to tell apart."""
    return replace(NONE, pan=augmentation.pan)


def random_place(stems: Stems, samples: int, rng: np.random.Generator, source: str | None = None) -> tuple[int, int]:
    """A track, and a first sample, of all excerpts that the tracks have; of a shorter track the beginning.

    With a ``source``, of those tracks in which it plays.
    """
    starts = np.maximum(stems.lengths - samples, 0) + 1
    if source is not None:
        starts = starts * stems.plays[source]
    place = rng.integers(starts.sum())
    track = int(np.searchsorted(starts.cumsum(), place, side="right"))
    return track, int(place - starts[:track].sum())


def directions(batch: int, count: int, channels: int, fraction: float, rng: np.random.Generator) -> np.ndarray:
    r"""Gains of the channels for recordings of one, (batch, sources, channels, 1): random directions in a
    ``fraction`` of the items, the middle in all others.

    .. math:: (g_l, g_r) = \sqrt2\, (\cos\theta, \sin\theta), \qquad 0 \le \theta \le \pi / 2
    """
    if channels != 2:
        return np.ones((1, 1, channels, 1), np.float32)
    panned = rng.random((batch, 1)) < fraction
    angle = np.where(panned, rng.uniform(0, np.pi / 2, (batch, count)), np.pi / 4)
    gains = np.sqrt(2) * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    return gains[..., None].astype(np.float32)
