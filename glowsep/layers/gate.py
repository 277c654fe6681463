r"""The gate: one half of the channels decides how much of the other half passes."""

import numpy as np

from glowsep.arrays.library import array_module, fused
from glowsep.layers.channels import empty_like, halves
from glowsep.layers.parameters import Parameters


class Gate(Parameters):
    r"""The gated activation of WaveNet, :math:`g = \tanh(a)\, \sigma(b)`: half as many channels out as in.

    .. math::

        \frac{\partial g}{\partial a} = \sigma(b)\, (1 - \tanh(a)^2), \qquad
        \frac{\partial g}{\partial b} = \tanh(a)\, \sigma(b)\, (1 - \sigma(b))

    Source: van den Oord et al. 2016 ("WaveNet"), section 2.3; chapter 5.

    Examples
    --------
    >>> import numpy as np
    >>> tape = []
    >>> Gate().forward(np.zeros((1, 2, 3)), tape).shape
    (1, 1, 3)
    """

    def forward(self, x: np.ndarray, tape: list) -> np.ndarray:
        """x = (a, b), stacked along the channels, (batch, 2 · channels, frames), to g (batch, channels, frames)."""
        activations = empty_like(x)
        tanh, sigmoid = halves(activations)
        activate(tanh, sigmoid, *halves(x))
        tape.append((tanh, sigmoid))
        return tanh * sigmoid

    def backward(self, dg: np.ndarray, tape: list) -> np.ndarray:
        """The gradient with respect to x, from that with respect to g."""
        tanh, sigmoid = tape.pop()
        dx = empty_like(dg, 2 * dg.shape[1])
        activate_backward(*halves(dx), dg, tanh, sigmoid)
        return dx


@fused
def activate(tanh, sigmoid, a, b):
    r"""Writes tanh(a) and σ(b). The sigmoid is a tanh too, :math:`(1 + \tanh(b/2))/2`, which never overflows."""
    xp = array_module(a)
    xp.tanh(a, out=tanh)
    xp.multiply(b, 0.5, out=sigmoid)
    xp.tanh(sigmoid, out=sigmoid)
    sigmoid += 1
    sigmoid *= 0.5


@fused
def activate_backward(da, db, dg, tanh, sigmoid):
    """Writes da and db."""
    xp = array_module(da)
    xp.multiply(dg, sigmoid, out=da)
    xp.multiply(da, tanh, out=db)
    # Both still lack a factor 1 - f, where f is tanh or σ: so subtract what they are times f.
    da -= db * tanh
    db -= db * sigmoid
