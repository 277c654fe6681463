"""One checker for every layer, bijection or not."""

from typing import Any

import numpy as np

from glowsep.check.bijections import check_bijection
from glowsep.check.plain_layers import check_plain
from glowsep.check.report import Report


def layer(
    layer: Any,
    x: np.ndarray,
    condition: np.ndarray | None = None,
    rng: np.random.Generator | None = None,
    at_most: int = 64,
) -> Report:
    r"""Check a layer against the whole contract of ``glowsep.layers``.

    In float64, and on a copy: the layer itself does not change. One that initialises itself from data does so, in
    the copy, from ``x``. The loss is a random linear one, :math:`\sum a z + \sum b \log|\det|`.

    A layer with an ``inverse`` is a bijection:

    - ``inverse`` undoes ``forward``; ``backward`` and ``backward_inverse`` rebuild their input;
    - the log-det of every item equals that of its Jacobian, found by brute force;
    - the gradients with respect to input and parameters, and through the inverse, equal central differences;
    - with a tape, all four methods give the same, and what is appended is popped;
    - the items of a batch do not see each other, and ``backward_inverse`` leaves the parameters' gradients alone.

    Any other layer is a plain one: the gradients of ``forward(x, tape)`` equal central differences, and ``backward``
    pops what ``forward`` has appended, last in, first out.

    Of both: shapes and dtypes, in the dtype of the layer's own parameters too; nothing is kept between calls, no
    gradient accumulates, no argument or parameter changes; and the frozen view, if there is one, gives the same
    gradients with respect to inputs and sets no others.

    Parameters
    ----------
    layer : Bijection or Parameters
        Or any object with their methods.
    x : (batch, channels, frames)
        A NumPy array, and a small one: the Jacobian has (channels · frames)² entries per item. Two items or more
        see more mistakes than one.
    condition : (batch, condition_channels), optional
    rng : numpy.random.Generator, optional
        For the loss; a seed of its own if none is given.
    at_most : int
        Of a larger parameter only so many entries are tried, and one random direction through all of them.

    Returns
    -------
    Report
        The worst relative errors: at most 1e-10 for the round trip, 1e-9 for the log-det, 1e-6 for gradients.

    Raises
    ------
    CheckError
        At the first broken promise, in words.

    Examples
    --------
    >>> import numpy as np
    >>> from glowsep import ActNorm
    >>> layer(ActNorm(3), np.random.default_rng(0).standard_normal((2, 3, 4))).gradient < 1e-6
    True

    Source: chapter 5; for each layer, its own chapter.
    """
    # Not a seed that somebody draws x from: were the loss's weights x itself, a transposed gradient would pass.
    rng = np.random.default_rng([5, 2022]) if rng is None else rng
    extra = () if condition is None else (condition.astype(np.float64),)
    check = check_bijection if hasattr(layer, "inverse") else check_plain
    return check(layer, x.astype(np.float64), extra, rng, at_most)
