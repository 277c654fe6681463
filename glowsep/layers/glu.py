"""The gated linear unit: one half of the channels decides how much of the other half passes."""

import numpy as np

from glowsep.arrays.library import array_module, fused
from glowsep.layers.parameters import Parameters


class GLU(Parameters):
    r"""The gated linear unit :math:`g = a\, \sigma(b)`: half as many channels out as in, and no tanh, unlike `Gate`.

    .. math::

        \frac{\partial g}{\partial a} = \sigma(b), \qquad
        \frac{\partial g}{\partial b} = a\, \sigma(b)\, (1 - \sigma(b)) = g\, (1 - \sigma(b))

    Source: Dauphin et al. 2017, section 2; Défossez et al. 2019, section 4; chapter 5 (the gate).

    Examples
    --------
    >>> GLU().forward(np.ones((1, 4, 3)), []).shape
    (1, 2, 3)
    """

    def forward(self, x: np.ndarray, tape: list) -> np.ndarray:
        """x = (a, b), stacked along the channels, (batch, 2 · channels, …), to g (batch, channels, …)."""
        if x.shape[1] % 2:
            raise ValueError(f"x has shape {x.shape}, expected an even number of channels")
        a, b = first_and_second_half(x)
        sigmoid = array_module(x).empty_like(b)
        g = gate(sigmoid, a, b)
        tape.append((g, sigmoid))
        return g

    def backward(self, dg: np.ndarray, tape: list) -> np.ndarray:
        """The gradient with respect to x, from that with respect to g."""
        g, sigmoid = tape.pop()
        xp, order = array_module(dg), (1, 0, *range(2, dg.ndim))
        dx = xp.empty((2 * dg.shape[1], len(dg), *dg.shape[2:]), dg.dtype).transpose(order)
        gate_backward(*first_and_second_half(dx), dg, g, sigmoid)
        return dx


def first_and_second_half(x):
    """Views of both halves of the channels."""
    return x[:, : x.shape[1] // 2], x[:, x.shape[1] // 2 :]


@fused
def gate(sigmoid, a, b):
    r"""Writes σ(b), which is :math:`(1 + \tanh(b/2))/2` and so never overflows, and returns a σ(b)."""
    xp = array_module(a)
    xp.multiply(b, 0.5, out=sigmoid)
    xp.tanh(sigmoid, out=sigmoid)
    sigmoid += 1
    sigmoid *= 0.5
    return a * sigmoid


@fused
def gate_backward(da, db, dg, g, sigmoid):
    """Writes da and db."""
    xp = array_module(da)
    xp.multiply(dg, sigmoid, out=da)
    xp.multiply(dg, g, out=db)
    db -= db * sigmoid
