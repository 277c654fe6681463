"""Separation: all dictionaries explain the mixture together, and masks share it out."""

import numpy as np

from glowsep.arrays.devices import on_device_of
from glowsep.learning.nmf import joint_parts
from glowsep.signals.masks import ratio_masks


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
