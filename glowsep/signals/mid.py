"""What all simple systems share: they look at a mono magnitude spectrogram and answer with masks on the mixture."""

import numpy as np

from glowsep.signals.resampling import resample
from glowsep.signals.spectrogram import stft

#: Hz; that of the priors and of `glowsep.signals.masks.share`: a comparison compares models, not sample rates.
RATE = 22_050


def mid_magnitude(waveform, rate):
    """Magnitude spectrogram of the mean of all channels, at 22,050 Hz.

    Parameters
    ----------
    waveform : numpy.ndarray, (..., channels, samples)
    rate : int
        Its samples per second.

    Returns
    -------
    numpy.ndarray, (..., bins, frames)
    """
    return np.abs(stft(resample(waveform.mean(axis=-2), rate, RATE)))


def places(names, learnt):
    """Where each of ``names`` stands in ``learnt``, a tuple of instruments.

    Raises
    ------
    ValueError
        For a name that was not learnt.
    """
    for name in names:
        if name not in learnt:
            raise ValueError(f"source is {name!r}, but the system has learnt {', '.join(learnt)}")
    return [learnt.index(name) for name in names]
