"""The gradient of any function of one array, against central differences."""

from collections.abc import Callable

import numpy as np

from glowsep.check.stencils import along, central_difference, directions
from glowsep.check.verdict import GRADIENT, compare, expect_array


def gradient(
    function: Callable[[np.ndarray], float],
    gradient: Callable[[np.ndarray], np.ndarray],
    x: np.ndarray,
    rng: np.random.Generator | None = None,
    at_most: int = 1000,
) -> float:
    """Compare a gradient by hand with central differences.

    Parameters
    ----------
    function : callable
        ``function(x)`` is the loss, one number.
    gradient : callable
        ``gradient(x)`` claims to be its gradient, in the shape of ``x``.
    x : array
        Where; computed in float64.
    rng : numpy.random.Generator, optional
        Chooses the entries tried of a large ``x``; seed 0 if none is given.
    at_most : int
        Of a larger ``x`` only so many entries are tried, and one random direction through all of them.

    Returns
    -------
    float
        The largest error, relative to the largest entry of the gradient: at most 1e-6.

    Raises
    ------
    CheckError
        With the worst index, what was expected and what came, and the likely cause.

    Examples
    --------
    >>> import numpy as np
    >>> error = gradient(lambda x: np.sum(x**3), lambda x: 3 * x**2, np.array([1.0, -2.0]))

    Source: chapter 5.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    x = np.array(x, dtype=np.float64)
    name = getattr(gradient, "__name__", None)
    where = None if name == "<lambda>" else name
    got = gradient(x)
    expect_array(where, "the gradient", got, x.shape, x.dtype)
    tried = directions(x.shape, at_most, rng)
    slopes = np.array([central_difference(lambda: function(x), x, direction) for _, direction in tried])
    claimed = along(tried, got)
    slopes = slopes.reshape(claimed.shape)
    candidates = [("the sign is flipped", -slopes)]
    if slopes.ndim == 2 and slopes.shape == slopes.T.shape:
        candidates += [("the matrix is transposed", slopes.T)]
    labels = [label for label, _ in tried]
    return compare(where, "the gradient", claimed, slopes, GRADIENT, candidates, labels=labels)
