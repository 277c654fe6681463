"""Activations: functions of one number, applied to every entry of an array of any shape."""

import numpy as np

from glowsep.arrays.library import array_module
from glowsep.layers.parameters import Parameters


class ReLU(Parameters):
    r"""Keep what is above 0: :math:`y = \max(x, 0)`.

    The derivative is 1 above 0 and 0 elsewhere, at 0 itself too.

    Source: Nair & Hinton 2010; chapter 5.

    Examples
    --------
    >>> ReLU().forward(np.array([[-1.0, 2.0]]), [])
    array([[0., 2.]])
    """

    def forward(self, x: np.ndarray, tape: list) -> np.ndarray:
        """y, of the shape of x."""
        y = array_module(x).maximum(x, 0)
        tape.append(y)
        return y

    def backward(self, dy: np.ndarray, tape: list) -> np.ndarray:
        """The gradient with respect to x, from that with respect to y."""
        return dy * (tape.pop() > 0)

    def linearise(self, x, tape):
        """y, and the linear layer ``v -> J v`` of directions v: it stays the same until an entry changes its sign."""
        y = self.forward(x, [])
        return y, Slopes((y > 0).astype(y.dtype))


class LeakyReLU(Parameters):
    r"""Keep what is above 0, and multiply what is below by ``slope``: :math:`y = \max(x, a x)`, with 0 < a < 1.

    The derivative is 1 above 0 and a elsewhere, at 0 itself too.

    Source: Maas et al. 2013; chapter 5.

    Parameters
    ----------
    slope : float
        a above.

    Raises
    ------
    ValueError
        If the slope is not between 0 and 1.

    Examples
    --------
    >>> LeakyReLU(0.2).forward(np.array([[-1.0, 2.0]]), [])
    array([[-0.2,  2. ]])
    """

    def __init__(self, slope: float = 0.2):
        if not 0 < slope < 1:
            raise ValueError(f"slope is {slope}, expected a number between 0 and 1")
        self.slope = slope

    def forward(self, x: np.ndarray, tape: list) -> np.ndarray:
        """y, of the shape of x."""
        xp = array_module(x)
        y = self.slope * x
        xp.maximum(x, y, out=y)  # x above 0, and the other one below
        tape.append(y)
        return y

    def backward(self, dy: np.ndarray, tape: list) -> np.ndarray:
        """The gradient with respect to x, from that with respect to y."""
        dx = self._slopes(tape.pop())
        dx *= dy
        return dx

    def linearise(self, x, tape):
        """y, and the linear layer ``v -> J v`` of directions v: it stays the same until an entry changes its sign."""
        y = self.forward(x, [])
        return y, Slopes(self._slopes(y))

    def describe(self):
        return f"slope {self.slope}, "

    def _slopes(self, y):
        """The derivative at x, whose sign is that of y."""
        slopes = (y > 0) * y.dtype.type(1 - self.slope)  # several times as fast as ``where``
        slopes += y.dtype.type(self.slope)
        return slopes


class Slopes(Parameters):
    """Every entry times a number of its own: what an activation is to small changes of its input.

    Examples
    --------
    >>> Slopes(np.array([[1.0, 0.5]])).forward(np.array([[2.0, 2.0]]), [])
    array([[2., 1.]])
    """

    def __init__(self, slopes: np.ndarray):
        self.slopes = slopes

    def forward(self, x: np.ndarray, tape: list) -> np.ndarray:
        """x times the slopes."""
        return x * self.slopes

    def backward(self, dy: np.ndarray, tape: list) -> np.ndarray:
        """The same: a diagonal matrix is its own transpose."""
        return dy * self.slopes


class Tanh(Parameters):
    r"""The hyperbolic tangent :math:`y = \tanh x`, whose derivative is :math:`1 - y^2`.

    Source: chapter 5.

    Examples
    --------
    >>> Tanh().forward(np.zeros((1, 2)), [])
    array([[0., 0.]])
    """

    def forward(self, x: np.ndarray, tape: list) -> np.ndarray:
        """y, of the shape of x."""
        y = array_module(x).tanh(x)
        tape.append(y)
        return y

    def backward(self, dy: np.ndarray, tape: list) -> np.ndarray:
        """The gradient with respect to x, from that with respect to y."""
        y = tape.pop()
        dx = y * y
        array_module(y).subtract(1, dx, out=dx)
        dx *= dy
        return dx
