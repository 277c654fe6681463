"""Sounds for a page: all with one gain, so that what is quieter sounds quieter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from glowsep.signals.audio import stems
from glowsep.signals.audio.playing import PEAK
from glowsep.signals.mid import downmix
from glowsep.signals.resampling import resample

#: Seconds of a recording that a page holds at most: a browser keeps every sound in memory, decoded.
LONGEST = 600

#: Hz: the rates that MP3 knows, up to that of a compact disc.
RATES = tuple(rate for rate in stems.RATES["mp3"] if rate <= 44_100)

#: Points of a drawn waveform.
POINTS = 1200


@dataclass(frozen=True)
class Sound:
    """One track of a player.

    Attributes
    ----------
    name : str
        The source's, or "mixture".
    role : str
        "mixture", "estimate" or "reference".
    read : callable
        Returns the waveform (channels, samples): sounds are held one at a time.
    score : float
        SDR in decibels; NaN if there is none.
    """

    name: str
    role: str
    read: Callable
    score: float = np.nan

    @property
    def label(self) -> str:
        """The sound's name on the page."""
        return f"{self.name}, reference" if self.role == "reference" else self.name


def common_gain(sounds: Sequence[Sound]) -> float:
    """The factor that brings the highest sample of all sounds to ``PEAK``."""
    return PEAK / (max(float(np.abs(sound.read()).max()) for sound in sounds) or 1)


def playable(waveform: np.ndarray, rate: int) -> tuple[np.ndarray, int]:
    """A waveform (channels, samples) as a page plays it, and its rate: one that MP3 knows, and two channels at most."""
    new_rate = max((known for known in RATES if known <= rate), default=min(RATES))
    if len(waveform) > 2:
        waveform = downmix(waveform)[None]
    return resample(waveform, rate, new_rate), new_rate


def outline(waveform: np.ndarray) -> list[float]:
    """The highest absolute sample of all channels in each of ``POINTS`` pieces of equal length: a list of numbers."""
    loudness = np.abs(waveform).max(axis=0)
    edges = np.linspace(0, len(loudness), min(POINTS, len(loudness)), endpoint=False).astype(int)
    return np.maximum.reduceat(loudness, edges).round(4).tolist()


def arranged(
    mixture: Callable, estimates: dict[str, Callable], references: dict[str, Callable], scores: dict[str, float]
) -> list[Sound]:
    """The sounds of one recording in the order of a page: the mixture, then each estimate before its reference.

    Parameters
    ----------
    mixture : callable
        As ``Sound.read``.
    estimates, references : dict of str to callable
        By source; a source may have no reference.
    scores : dict of str to float
        The estimates' SDR in decibels, if known.

    Returns
    -------
    list of Sound
    """
    sounds = [Sound("mixture", "mixture", mixture)]
    for name, read in estimates.items():
        sounds.append(Sound(name, "estimate", read, scores.get(name, np.nan)))
        if name in references:
            sounds.append(Sound(name, "reference", references[name]))
    return sounds
