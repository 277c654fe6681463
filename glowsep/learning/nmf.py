"""Poisson NMF: a magnitude spectrogram as a dictionary of spectra times their activations (chapter 3).

.. math:: V \\approx W H, \\qquad W, H \\ge 0

by the multiplicative updates of Lee & Seung 2001, which never raise the generalised Kullback-Leibler divergence.
"""

from glowsep.arrays.library import array_module

TINY = 1e-10  # keeps 0 / 0 away; far below the magnitude of a 16-bit recording's quietest step


def learn_dictionary(V, components, iterations, rng):
    """The dictionary of a Poisson NMF, ``V ~ W H``, by multiplicative updates of both factors.

    Parameters
    ----------
    V : numpy.ndarray, (bins, frames)
        Magnitudes.
    components, iterations : int
    rng : numpy.random.Generator

    Returns
    -------
    W : numpy.ndarray, (bins, components)
        Each component sums to one.
    """
    # Around the mean spectrum and the mean loudness: a start from which few components die.
    xp = array_module(V)
    W = normalised(V.mean(axis=1, keepdims=True) * xp.asarray(rng.uniform(0.1, 1, (len(V), components)), V.dtype))
    H = V.sum(axis=0) * xp.asarray(rng.uniform(0.1, 1, (components, V.shape[1])), V.dtype) / components
    for _ in range(iterations):
        H = update_activations(V, W, H)
        W = normalised(update_dictionary(V, W, H))
    return W


def activations(V, W, iterations):
    """How loud each component is in each frame, H in ``V ~ W H`` for a fixed dictionary: (components, frames)."""
    H = array_module(V).tile(V.sum(axis=0) / W.shape[1], (W.shape[1], 1))
    for _ in range(iterations):
        H = update_activations(V, W, H)
    return H


def update_activations(V, W, H):
    """``H <- H * (W^T (V / W H)) / (W^T 1)``: never raises the divergence `kullback_leibler`."""
    return H * (W.T @ (V / (W @ H + TINY))) / (W.sum(axis=0)[:, None] + TINY)


def update_dictionary(V, W, H):
    """``W <- W * ((V / W H) H^T) / (1 H^T)``: the same rule for the other factor."""
    return W * ((V / (W @ H + TINY)) @ H.T) / (H.sum(axis=1) + TINY)


def normalised(W):
    """Each component (a column) divided by its sum."""
    return W / (W.sum(axis=0) + TINY)


def kullback_leibler(V, model):
    """``sum(V log(V / model) - V + model)``: the negative Poisson log-likelihood, up to a constant."""
    xp = array_module(V)
    heard = xp.where(V > 0, V, 1)  # 0 log 0 = 0
    return (V * xp.log(heard / (model + TINY)) - V + model).sum()
