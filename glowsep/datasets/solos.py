"""What the learnt baselines learn from: frames of each instrument playing alone, the same audio as the priors'."""

import numpy as np
from tqdm import tqdm

from glowsep.signals.mid import mid_magnitude

SILENCE = 1e-2  # a frame below this in every bin is silent; a full-scale sine has 256, so this is at -88 dB


def solo_magnitudes(dataset, every, rng, quiet=False):
    """Magnitude frames of each source's solo recordings, evenly spaced through all of them.

    Parameters
    ----------
    dataset : glowsep.datasets.Dataset
        Only its ``recordings`` are read, never a mixture.
    every : int
        One frame of so many is kept: neighbours overlap and hardly differ.
    rng : numpy.random.Generator
        Says which frame of a recording comes first.
    quiet : bool
        No progress bar.

    Returns
    -------
    dict of str to numpy.ndarray, (bins, frames), float32
        Silent frames are left out.

    Raises
    ------
    ValueError
        Where a source never plays.
    """
    solos = {}
    for source in dataset.sources:
        recordings = tqdm(dataset.recordings(source), desc=source, unit="recording", disable=quiet)
        frames = [_sounding_frames(waveform, rate, every, rng) for _, waveform, rate in recordings]
        solos[source] = np.concatenate(frames, axis=1) if frames else np.zeros((0, 0))
        if solos[source].size == 0:
            raise ValueError(f"{source} never plays in the recordings, but must be heard to be learnt")
    return solos


def _sounding_frames(waveform, rate, every, rng):
    magnitude = mid_magnitude(waveform, rate)[:, rng.integers(every) :: every]
    return magnitude[:, magnitude.max(axis=0) > SILENCE]
