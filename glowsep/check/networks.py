"""The same for what is not invertible: a network with an explicit cache, or any function of one array."""

import math
from dataclasses import dataclass, field

import numpy as np

from glowsep.check.hints import gradient_candidates
from glowsep.check.loss import LinearLoss
from glowsep.check.stencils import along, central_difference, directions
from glowsep.check.subject import Subject
from glowsep.check.verdict import GRADIENT, compare, expect_array


@dataclass
class NetworkReport:
    """The worst relative error of each kind of gradient that ``network`` measured, all at most 1e-6."""

    input_gradient: float = 0.0
    condition_gradient: float = 0.0
    parameter_gradients: dict = field(default_factory=dict)


def network(network, x, condition=None, rng=None, at_most=64):
    r"""Hold ``forward(x) -> y, cache`` and ``backward(dy, cache) -> dx`` against central differences.

    In float64, and on a copy. The loss is a random linear one, :math:`\sum a y`; the gradients by input, condition
    and parameters are compared, and ``backward`` must give them again after ``forward`` saw another input.

    Parameters
    ----------
    network : object
        With these two methods, ``parameters()``, ``gradients()`` and, if it is conditioned, ``dcondition``.
    x : (batch, channels, frames) or (batch, channels)
    condition : (batch, condition_channels), optional
    rng : numpy.random.Generator, optional
        For the loss; seed 0 where none is given.
    at_most : int
        Of a larger parameter only so many entries are tried, and one random direction through all of them.

    Returns
    -------
    NetworkReport

    Raises
    ------
    CheckError
        At the first broken promise, in words.

    Source: chapter 5.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    extra = () if condition is None else (condition.astype(np.float64),)
    x = x.astype(np.float64)
    subject = Subject(network, np.float64)
    y, cache = subject.call_for_two("forward", x, *extra)
    subject.expect_array("forward", "y", y, np.shape(y), x.dtype)
    loss = LinearLoss(y.shape, rng)
    frames = math.prod(x.shape[2:])

    def outputs():
        return subject.part.forward(x, *extra)[0], np.zeros(len(x))

    by_x = loss.by_items(loss.jacobians(outputs, x), x.shape)
    report = NetworkReport()

    dx = subject.call("backward", loss.a, cache)
    subject.expect_array("backward", "dx", dx, x.shape, x.dtype)
    candidates = gradient_candidates(*by_x, len(x), frames)
    report.input_gradient = subject.compare("backward", "dx", dx, sum(by_x), GRADIENT, candidates)
    for c in extra:
        by_condition = loss.by_items(loss.jacobians(outputs, c), c.shape)
        report.condition_gradient = subject.compare_condition("backward", by_condition, frames)
    gradients = subject.gradients()
    report.parameter_gradients = subject.compare_parameters(loss, outputs, gradients, at_most, rng, frames)

    subject.part.forward(0.5 * x + 1, *extra)
    again = subject.call("backward", loss.a, cache)
    subject.compare_again(dx, again, gradients, "called a second time with the same cache")
    return report


def gradient(function, gradient, x, rng=None, at_most=1000):
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
        Chooses the entries tried of a large ``x``; seed 0 where none is given.
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
    where = getattr(gradient, "__name__", "gradient")
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
