"""Floors: what a system scores that does not listen at all."""

import numpy as np


def mixture(track):
    """The mixture as every estimate: a weak floor, for each estimate is far too loud.

    Parameters
    ----------
    track : glowsep.datasets.Track

    Returns
    -------
    estimates : numpy.ndarray, (sources, channels, samples)
        In the order of ``track.sources``.
    """
    return np.stack([track.mixture] * len(track.sources))


def equal_share(track):
    """The mixture divided by the number of sources: the honest floor, about 6 dB above the weak one for four.

    It is what ratio masks give when nothing is known of the sources.

    Parameters
    ----------
    track : glowsep.datasets.Track

    Returns
    -------
    estimates : numpy.ndarray, (sources, channels, samples)
        In the order of ``track.sources``.
    """
    return mixture(track) / len(track.sources)
