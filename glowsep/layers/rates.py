"""Another number of frames: linear interpolation, and every n-th frame."""

import numpy as np

from glowsep.arrays.library import array_module
from glowsep.layers.parameters import Parameters


class LinearInterpolation(Parameters):
    r"""Put ``factor - 1`` frames between any two, on the straight line from one to the other.

    .. math:: y_{f t + j} = (1 - j/f)\, x_t + (j/f)\, x_{t+1}, \qquad 0 \le j < f

    The first and the last frame stay where they are ("align corners"): of n frames it makes f (n - 1) + 1, and never
    looks beyond the edges.

    Source: Stoller et al. 2018 ("Wave-U-Net"), section 3.2.

    Parameters
    ----------
    factor : int
        f above.

    Examples
    --------
    >>> LinearInterpolation(2).forward(np.array([[[0.0, 1.0, 4.0]]]), [])
    array([[[0. , 0.5, 1. , 2.5, 4. ]]])
    """

    def __init__(self, factor: int = 2):
        if factor < 1:
            raise ValueError(f"factor is {factor}, but must be at least 1")
        self.factor = factor

    def forward(self, x: np.ndarray, tape: list) -> np.ndarray:
        """x (batch, channels, n) to (batch, channels, factor · (n - 1) + 1)."""
        batch, channels, frames = x.shape
        y = array_module(x).empty((channels, batch, self.factor * (frames - 1) + 1), x.dtype).swapaxes(0, 1)
        y[:, :, :: self.factor] = x
        left, right = x[:, :, :-1], x[:, :, 1:]
        for j in range(1, self.factor):
            y[:, :, j :: self.factor] = (1 - j / self.factor) * left + j / self.factor * right
        return y

    def backward(self, dy: np.ndarray, tape: list) -> np.ndarray:
        """The gradient with respect to x: every frame takes part in the two gaps beside it."""
        dx = dy[:, :, :: self.factor].copy(order="K")
        for j in range(1, self.factor):
            between = dy[:, :, j :: self.factor]
            dx[:, :, :-1] += (1 - j / self.factor) * between
            dx[:, :, 1:] += j / self.factor * between
        return dx

    def describe(self):
        return f"factor {self.factor}, "


class Decimation(Parameters):
    """Keep every ``factor``-th frame, from the first on, without a filter: the convolution before it learns one.

    Source: Stoller et al. 2018 ("Wave-U-Net"), section 3.1.

    Examples
    --------
    >>> Decimation(2).forward(np.array([[[1.0, 2.0, 3.0]]]), [])
    array([[[1., 3.]]])
    """

    def __init__(self, factor: int = 2):
        if factor < 1:
            raise ValueError(f"factor is {factor}, but must be at least 1")
        self.factor = factor

    def forward(self, x: np.ndarray, tape: list) -> np.ndarray:
        """x (batch, channels, n) to (batch, channels, ceil(n / factor))."""
        tape.append(x.shape)
        return x[:, :, :: self.factor].copy(order="K")

    def backward(self, dy: np.ndarray, tape: list) -> np.ndarray:
        """The gradient with respect to x: zero where a frame was left out."""
        batch, channels, frames = tape.pop()
        dx = array_module(dy).zeros((channels, batch, frames), dy.dtype).swapaxes(0, 1)
        dx[:, :, :: self.factor] = dy
        return dx

    def describe(self):
        return f"factor {self.factor}, "
