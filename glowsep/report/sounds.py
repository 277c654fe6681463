"""Sounds for a page: compressed, and all with one gain, so that what is quieter sounds quieter."""

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import soundfile

from glowsep.signals.resampling import resample

#: Seconds of a recording that a page holds at most: a browser keeps every sound decoded in memory.
LONGEST = 600

#: Of full scale, for the loudest sample of a page: compression needs room for its ripples.
LOUDEST = 0.9

#: Hz: the rates that MP3 knows, up to that of a compact disc.
RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100)

#: Samples compressed at once: libsndfile's Vorbis encoder keeps a whole block on its stack.
BLOCK = 1 << 14

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
        SDR in decibels; NaN where there is none.
    """

    name: str
    role: str
    read: Callable
    score: float = np.nan

    @property
    def label(self):
        """What the sound is called."""
        return f"{self.name}, reference" if self.role == "reference" else self.name


def common_gain(sounds):
    """The factor that takes the loudest sample of all sounds to ``LOUDEST``."""
    return LOUDEST / (max(float(np.abs(sound.read()).max()) for sound in sounds) or 1)


def playable(waveform, rate):
    """A waveform (channels, samples) as a page plays it, and its rate: one that MP3 knows, and two channels at most."""
    new_rate = max((known for known in RATES if known <= rate), default=min(RATES))
    if len(waveform) > 2:
        waveform = waveform.mean(axis=0, keepdims=True)
    return resample(waveform, rate, new_rate), new_rate


def compressed(waveform, rate):
    """A `playable` waveform as a data URL: an MP3 file, or Ogg Vorbis where soundfile cannot write MP3."""
    form, kind = ("MP3", "mpeg") if "MP3" in soundfile.available_formats() else ("OGG", "ogg")
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", rate, len(waveform), format=form) as encoder:
        for start in range(0, waveform.shape[1], BLOCK):
            encoder.write(waveform[:, start : start + BLOCK].T)
    return f"data:audio/{kind};base64,{base64.b64encode(file.getvalue()).decode('ascii')}"


def outline(waveform):
    """The highest absolute sample of all channels, in ``POINTS`` pieces of equal length: a list of numbers."""
    loudness = np.abs(waveform).max(axis=0)
    edges = np.linspace(0, len(loudness), min(POINTS, len(loudness)), endpoint=False).astype(int)
    return np.maximum.reduceat(loudness, edges).round(4).tolist()


def arranged(mixture, estimates, references, scores):
    """The sounds of one recording in the order of a page: the mixture, then each estimate before its reference.

    Parameters
    ----------
    mixture : callable
        As ``Sound.read``.
    estimates, references : dict of str to callable
        By source; a source may lack its reference.
    scores : dict of str to float
        The estimates' SDR in decibels, as far as it is known.

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
