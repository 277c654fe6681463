r"""Poisson NMF: a magnitude spectrogram as a dictionary of spectra times their activations (chapter 3).

.. math:: V \approx W H, \qquad W, H \ge 0

by the multiplicative updates of Lee & Seung 2001, which never raise the generalised Kullback-Leibler divergence.
"""

from collections.abc import Sequence

import numpy as np

from glowsep.arrays.library import array_module

TINY = 1e-10  # keeps 0 / 0 away; far below the magnitude of a 16-bit recording's quietest step


def learn_dictionary(V: np.ndarray, components: int, iterations: int, rng: np.random.Generator) -> np.ndarray:
    """The dictionary of a Poisson NMF, ``V ~ W H``, by multiplicative updates of both factors.

    Source: Lee & Seung 2001, theorem 2; chapter 3.

    Parameters
    ----------
    V : array, (bins, frames)
        Magnitudes.
    components, iterations : int
    rng : numpy.random.Generator

    Returns
    -------
    W : array, (bins, components)
        Each component sums to one.

    Examples
    --------
    >>> V = np.outer([0.2, 0.3, 0.5], [1.0, 7.0, 4.0])
    >>> learn_dictionary(V, 1, 10, np.random.default_rng(0)).round(2).ravel()
    array([0.2, 0.3, 0.5])
    """
    # Around the mean spectrum and the mean loudness: a start from which few components die.
    xp = array_module(V)
    W = normalised(V.mean(axis=1, keepdims=True) * xp.asarray(rng.uniform(0.1, 1, (len(V), components)), V.dtype))
    H = V.sum(axis=0) * xp.asarray(rng.uniform(0.1, 1, (components, V.shape[1])), V.dtype) / components
    for _ in range(iterations):
        H = update_activations(V, W, H)
        W = normalised(update_dictionary(V, W, H))
    return W


def joint_parts(V: np.ndarray, dictionaries: Sequence[np.ndarray], iterations: int) -> np.ndarray:
    r"""What each source contributes when all dictionaries explain V together: the parts :math:`W_i H_i`.

    .. math:: V \approx [W_1 \; W_2 \; \cdots] \, [H_1^\top \; H_2^\top \; \cdots]^\top

    Source: Smaragdis, Raj & Shashanka 2007, section 3; chapter 3.

    Parameters
    ----------
    V : array, (bins, frames)
    dictionaries : sequence of arrays, (bins, components)
        One for each source; they may have different numbers of components.
    iterations : int

    Returns
    -------
    array, (sources, bins, frames)

    Examples
    --------
    >>> low, high = np.array([[1.0], [0.0]]), np.array([[0.0], [1.0]])
    >>> joint_parts(np.array([[3.0], [5.0]]), [low, high], 1).round(6).tolist()
    [[[3.0], [0.0]], [[0.0], [5.0]]]
    """
    xp = array_module(V)
    H = activations(V, xp.concatenate(list(dictionaries), axis=1), iterations)
    ends = np.cumsum([W.shape[1] for W in dictionaries])[:-1].tolist()
    return xp.stack([W @ part for W, part in zip(dictionaries, xp.split(H, ends), strict=True)])


def activations(V: np.ndarray, W: np.ndarray, iterations: int) -> np.ndarray:
    """How loud each component is in each frame, H in ``V ~ W H`` for a fixed dictionary: (components, frames)."""
    H = array_module(V).tile(V.sum(axis=0) / W.shape[1], (W.shape[1], 1))
    for _ in range(iterations):
        H = update_activations(V, W, H)
    return H


def update_activations(V: np.ndarray, W: np.ndarray, H: np.ndarray) -> np.ndarray:
    """``H <- H * (W^T (V / W H)) / (W^T 1)``: never raises the divergence."""
    return H * (W.T @ (V / (W @ H + TINY))) / (W.sum(axis=0)[:, None] + TINY)


def update_dictionary(V: np.ndarray, W: np.ndarray, H: np.ndarray) -> np.ndarray:
    """``W <- W * ((V / W H) H^T) / (1 H^T)``: the same rule for the other factor."""
    return W * ((V / (W @ H + TINY)) @ H.T) / (H.sum(axis=1) + TINY)


def normalised(W: np.ndarray) -> np.ndarray:
    """Each component (a column) divided by its sum."""
    return W / (W.sum(axis=0) + TINY)
