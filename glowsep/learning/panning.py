r"""Where each source is between the loudspeakers, found from magnitudes: a Poisson tensor factorisation.

.. math:: |X_{cft}| \approx \sum_i a_{ic} S_{ift}, \qquad \tfrac1C \textstyle\sum_c a_{ic}^2 = 1

Multiplicative updates never raise the generalised Kullback-Leibler divergence between the two sides, and they know
nothing of polarity. Where all channels are alike, every source keeps its share of every bin.
"""

import numpy as np

from glowsep.arrays.library import array_module
from glowsep.learning.nmf import TINY


def in_channels(magnitudes: np.ndarray, mixture: np.ndarray, iterations: int = 20) -> np.ndarray:
    r"""What each source contributes to each channel, :math:`a_{ic} S_{ift}`, from a first guess of the sources.

    .. math::

        a_{ic} \leftarrow a_{ic} \frac{\sum_{ft} S_{ift} \, |X_{cft}| / V_{cft}}{\sum_{ft} S_{ift}}, \qquad
        S_{ift} \leftarrow S_{ift} \frac{\sum_c a_{ic} \, |X_{cft}| / V_{cft}}{\sum_c a_{ic}}, \qquad
        V_{cft} = \sum_i a_{ic} S_{ift}

    in turns, each :math:`a_i` scaled to a mean square of one. Source: FitzGerald, Cranitch & Coyle 2005 (tensor
    factorisation of channels); Lee & Seung 2001 (the updates).

    Parameters
    ----------
    magnitudes : array, (sources, bins, frames)
        S, as heard in all channels together.
    mixture : array, (channels, bins, frames)
        Magnitudes of the mixture's channels.
    iterations : int

    Returns
    -------
    array, (sources, channels, bins, frames)
        The magnitudes themselves if there is one channel.

    Examples
    --------
    >>> guess = np.array([[[3.0, 1.0]], [[1.0, 3.0]]])
    >>> left, right = np.array([[8.0, 0.0]]), np.array([[0.0, 8.0]])
    >>> in_channels(guess, np.stack([left, right])).round(2)[0].tolist()
    [[[8.0, 0.0]], [[0.0, 0.0]]]
    """
    if len(mixture) == 1:
        return magnitudes[:, None]
    xp = array_module(magnitudes)
    S, a = magnitudes, xp.ones((len(magnitudes), len(mixture)), magnitudes.dtype)
    for _ in range(iterations):
        ratio = mixture / (xp.einsum("ic,ift->cft", a, S) + TINY)
        a = _with_mean_square_one(a * xp.einsum("ift,cft->ic", S, ratio))
        ratio = mixture / (xp.einsum("ic,ift->cft", a, S) + TINY)
        S = S * xp.einsum("ic,cft->ift", a, ratio) / (a.sum(axis=1)[:, None, None] + TINY)
    return a[:, :, None, None] * S[:, None]


def _with_mean_square_one(a):
    """Gains (sources, channels), each source's scaled; a source that is silent everywhere is in the middle."""
    xp = array_module(a)
    size = xp.sqrt((a**2).mean(axis=1, keepdims=True))
    return xp.where(size > 0, a / xp.where(size > 0, size, 1), 1)
