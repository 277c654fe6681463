r"""The gradient penalty of WGAN-GP, and its gradient: a derivative of a derivative, without an automatic one."""

import numpy as np

from glowsep.arrays.library import array_module
from glowsep.layers.parameters import Parameters, set_gradients

#: Under the root of a norm, so that a gradient of zero has one: negligible beside the penalty's target of 1.
TINY = 1e-12


def gradient_penalty(
    critic: Parameters, x: np.ndarray, weight: float = 10.0
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    r"""How far the slope of a critic D is from 1 at every item of x, and what its parameters should do about it.

    .. math:: P = \frac{\lambda}{B} \sum_{i=1}^B \big(\lVert g_i \rVert - 1\big)^2, \qquad g_i = \nabla_x D(x_i)

    The parameters act on P through g, which is itself the result of a way back. To differentiate a way back one would
    go back through it; there is a shorter path. Let :math:`v_i = \partial P / \partial g_i`, and hold it fixed. Then

    .. math::

        \frac{\partial P}{\partial \theta} = \sum_i \frac{\partial}{\partial \theta}\, v_i^T \nabla_x D(x_i)
        = \frac{\partial}{\partial \theta} \sum_i J_i\, v_i,

    where :math:`J_i v_i` is the derivative of D at :math:`x_i` in the direction :math:`v_i`: a *forward* pass of
    directions. And a critic of convolutions, leaky ReLUs and linear maps is linear around x: its matrices without
    their biases, and for every activation its slope, 1 or a, which small changes of the parameters leave as it is. So
    the directions go forward through this linear network, and its ordinary way back gives the gradient of P with
    respect to every matrix. Biases only move the points where a slope changes: their gradient is zero.

    Source: Gulrajani et al. 2017 ("WGAN-GP"), equation 3; Pearlmutter 1994 (derivatives along a direction).

    Parameters
    ----------
    critic : Parameters
        A plain layer with ``linearise``, such as a `Chain` of those that have it; its output is one number per item,
        (batch, 1). Neither its parameters nor their gradients change.
    x : (batch, …)
        Where: for WGAN-GP, between real and generated items.
    weight : float
        λ above.

    Returns
    -------
    penalty : array of no dimensions
    gradients : dict
        Of the penalty, with the names of ``critic.parameters()``: add them to those of the critic's loss.

    Raises
    ------
    ValueError
        If the critic returns more than one number per item, or a layer of it is not piecewise linear.

    Examples
    --------
    >>> from glowsep.layers import Linear
    >>> critic = Linear(2, 1, dtype=np.float64)
    >>> critic.W[:] = [[0.6, 0.8]]  # of slope 1 everywhere
    >>> round(float(gradient_penalty(critic, np.zeros((3, 2)))[0]), 6)
    0.0
    """
    xp = array_module(x)
    tape = []
    score, linear = critic.linearise(x, tape)
    if score.shape != (len(x), 1):
        raise ValueError(f"the critic's output has shape {score.shape}, expected ({len(x)}, 1): one number per item")
    ones = xp.ones_like(score)
    g = linear.frozen().backward(ones, tape)
    squares = (g.reshape(len(g), -1) ** 2).sum(axis=1)
    norms = xp.sqrt(squares + TINY).reshape(-1, *(1,) * (g.ndim - 1))
    penalty = weight * ((norms - 1) ** 2).mean()
    v = (2 * weight / len(x)) * (1 - 1 / norms) * g
    tape = []
    linear.forward(v, tape)
    set_gradients(linear, ones, tape)
    found = linear.gradients()
    return penalty, {
        name: found[name] if name in found else xp.zeros_like(parameter)
        for name, parameter in critic.parameters().items()
    }
