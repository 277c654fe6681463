"""What all simple systems share: they look at a mono magnitude spectrogram and answer with masks on the mixture."""

import numpy as np

from glowsep.audio import resample
from glowsep.masks import apply_masks
from glowsep.spectrogram import istft, stft

RATE = 22_050  # Hz; that of the priors, so that a comparison compares models and not sample rates


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


def separate_by_masks(mixture, rate, masks):
    """The mixture's share of each source: masks on its spectrogram, with its phase.

    Every channel gets the same masks. What the mixture holds above 11,025 Hz is lost.

    Parameters
    ----------
    mixture : numpy.ndarray, (channels, samples)
    rate : int
        Its samples per second.
    masks : numpy.ndarray, (sources, bins, frames)

    Returns
    -------
    estimates : numpy.ndarray, (sources, channels, samples)
        At the mixture's rate.
    """
    samples = mixture.shape[-1]
    mixture = resample(mixture, rate, RATE)
    estimates = istft(apply_masks(masks, stft(mixture)), mixture.shape[-1])
    return resample(estimates, RATE, rate)[..., :samples]


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
