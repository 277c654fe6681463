"""Ceilings: ratio masks made from the true sources. What is lost here, masks of this kind cannot win."""

import numpy as np

from glowsep.signals.masks import ratio_masks, share
from glowsep.signals.mid import mid_magnitude


def oracle_magnitude(track):
    """Estimates by the masks ``|S_i| / sum_j |S_j|`` of the true sources' magnitudes.

    Parameters
    ----------
    track : glowsep.datasets.Track

    Returns
    -------
    estimates : numpy.ndarray, (sources, channels, samples)
        In the order of ``track.sources``.
    """
    return _oracle(track, exponent=1)


def oracle_power(track):
    """Estimates by the Wiener masks ``|S_i|^2 / sum_j |S_j|^2`` of the true sources' powers.

    Were the sources Gaussian and independent, no other mask would leave a smaller mean squared error.

    Parameters
    ----------
    track : glowsep.datasets.Track

    Returns
    -------
    estimates : numpy.ndarray, (sources, channels, samples)
        In the order of ``track.sources``.
    """
    return _oracle(track, exponent=2)


def _oracle(track, exponent):
    magnitudes = mid_magnitude(np.stack(list(track.sources.values())), track.rate)
    return share(track.mixture, track.rate, ratio_masks(magnitudes, exponent))
