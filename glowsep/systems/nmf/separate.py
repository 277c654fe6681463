"""Separation: all dictionaries explain the mixture together, and masks share it out."""

import numpy as np

from glowsep.arrays.devices import on_device_of
from glowsep.arrays.library import array_module
from glowsep.learning.nmf import joint_parts
from glowsep.learning.panning import in_channels
from glowsep.signals.masks import ratio_masks
from glowsep.signals.mid import mean_magnitude


def joint_masks(magnitude: np.ndarray, dictionaries: np.ndarray, iterations: int, exponent: float) -> np.ndarray:
    r"""Masks :math:`(W_i H_i)^p / \sum_j (W_j H_j)^p` of all sources.

    Source: Smaragdis, Raj & Shashanka 2007, section 3; chapter 3.

    Parameters
    ----------
    magnitude : (bins, frames)
        Of the mixture.
    dictionaries : (sources, bins, components)
        On any device.
    iterations : int
        Of the activations' updates.
    exponent : float
        p.

    Returns
    -------
    (sources, bins, frames), of the magnitude's dtype, on its device

    Examples
    --------
    >>> low, high = np.array([[1.0], [0.0]]), np.array([[0.0], [1.0]])
    >>> joint_masks(np.array([[3.0], [5.0]]), np.stack([low, high]), 1, 1.0).round(6).tolist()
    [[[1.0], [0.0]], [[0.0], [1.0]]]
    """
    dictionaries = on_device_of(dictionaries.astype(magnitude.dtype), magnitude)
    return ratio_masks(joint_parts(magnitude, dictionaries, iterations), exponent)


def joint_masks_of_channels(
    magnitudes: np.ndarray, dictionaries: np.ndarray, iterations: int, exponent: float
) -> np.ndarray:
    r"""Masks of all sources in each channel: the dictionaries explain the channels' mean power, panning the rest.

    Source: `glowsep.learning.panning`.

    Parameters
    ----------
    magnitudes : (channels, bins, frames)
        Of the mixture's channels, at any level.
    dictionaries, iterations, exponent
        As for `joint_masks`.

    Returns
    -------
    (sources, channels, bins, frames), of the magnitudes' dtype
    """
    # Whatever the song's level: the updates keep away from 0 / 0 by a constant, made for music at about this one.
    magnitudes = magnitudes / (root_mean_square(magnitudes) or 1)
    dictionaries = on_device_of(dictionaries.astype(magnitudes.dtype), magnitudes)
    parts = joint_parts(mean_magnitude(magnitudes), dictionaries, iterations)
    return ratio_masks(in_channels(parts, magnitudes), exponent)


def root_mean_square(magnitudes: np.ndarray) -> np.floating:
    """Of all magnitudes, in their dtype; relative to the largest, no square can leave its range."""
    largest = magnitudes.max()
    return largest * array_module(magnitudes).sqrt(((magnitudes / (largest or 1)) ** 2).mean())
