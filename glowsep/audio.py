"""Chapter 1: audio files, in and out."""

import math
import os
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import resample_poly

from glowsep.errors import AudioError


def read(path):
    """Waveform (channels, samples) float32, full scale at 1, and the sample rate in Hz."""
    try:
        waveform, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, soundfile.SoundFileError):
        raise AudioError(f"{path}: no audio could be read; give a wav, flac, ogg or mp3 file") from None
    return np.ascontiguousarray(waveform.T), rate


def write(path, waveform, rate):
    """Write ``waveform`` (channels, samples) as 32-bit float WAV, or as 24-bit FLAC if ``path`` ends so."""
    path = Path(path)
    temporary = path.with_name(f".{path.name}.part")
    soundfile.write(temporary, waveform.T, rate, subtype="FLOAT", format="WAV")
    os.replace(temporary, path)


def resample(waveform, rate, new_rate):
    """``waveform`` (channels, samples) at ``new_rate``, by a polyphase low-pass filter."""
    if rate == new_rate:
        return waveform
    shared = math.gcd(rate, new_rate)
    return resample_poly(waveform, new_rate // shared, rate // shared, axis=-1)
