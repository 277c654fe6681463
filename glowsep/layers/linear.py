"""A linear map of a vector, and the reshaping that makes a vector of an array."""

from __future__ import annotations

import math

import numpy as np

from glowsep.layers.parameters import Parameters
from glowsep.layers.strided_convolution import first_weights, without_bias


class Linear(Parameters):
    r"""A linear map and a shift, :math:`y = W x + b`, of one vector per item: a dense layer.

    A vector in every frame is another matter: there `Convolution` with kernel 1 is the same map.

    .. math:: dx = W^T dy, \qquad dW = \sum_{items} dy\, x^T, \qquad db = \sum_{items} dy

    Source: chapter 5.

    Parameters
    ----------
    inputs, outputs : int
        Lengths of x and of y.
    rng : numpy.random.Generator, optional
        For the first weights (Glorot & Bengio 2010); seed 0 if none is given.

    Examples
    --------
    >>> Linear(100, 16).forward(np.zeros((2, 100), np.float32), []).shape
    (2, 16)
    """

    parameter_names = ("W", "b")

    def __init__(
        self,
        inputs: int,
        outputs: int,
        rng: np.random.Generator | None = None,
        dtype: type[np.floating] = np.float32,
    ):
        self.W, self.b = first_weights(outputs, inputs, 1, rng, dtype), np.zeros(outputs, dtype)
        self.dW = self.db = None

    def forward(self, x: np.ndarray, tape: list) -> np.ndarray:
        """x (batch, inputs) to y (batch, outputs)."""
        if x.ndim != 2:
            raise ValueError(f"x has shape {x.shape}, expected (batch, {self.W.shape[1]}): one vector per item")
        if not self.is_frozen:
            tape.append(x)
        y = x @ self.W.T
        return y if self.b is None else y + self.b

    def backward(self, dy: np.ndarray, tape: list) -> np.ndarray:
        """The gradient with respect to x, from that with respect to y; sets dW and db."""
        if not self.is_frozen:
            self.dW, self.db = dy.T @ tape.pop(), dy.sum(axis=0)
        return dy @ self.W

    def linearise(self, x, tape):
        """y, and the linear layer ``v -> J v`` of directions v: the same without its bias."""
        return self.frozen().forward(x, tape), without_bias(self)

    def describe(self):
        outputs, inputs = self.W.shape
        return f"{inputs} to {outputs}, "


class Reshape(Parameters):
    """The same numbers in another shape, which does not count the batch: (batch, …) to (batch, *shape).

    Parameters
    ----------
    *shape : int
        One of them may be -1: what remains. ``Reshape(-1)`` makes a vector of every item.

    Examples
    --------
    >>> Reshape(8, 4, 4).forward(np.zeros((2, 128)), []).shape
    (2, 8, 4, 4)
    """

    def __init__(self, *shape: int):
        self.shape = shape

    def forward(self, x: np.ndarray, tape: list) -> np.ndarray:
        """x (batch, …) to (batch, *shape)."""
        size = math.prod(x.shape[1:])
        known = math.prod(n for n in self.shape if n != -1)
        if size % known or -1 not in self.shape and size != known:
            raise ValueError(f"x has shape {x.shape}, and no item of it fits the shape {self.shape}")
        tape.append(x.shape)
        return x.reshape(len(x), *self.shape)

    def backward(self, dy: np.ndarray, tape: list) -> np.ndarray:
        """The gradient in the shape of x."""
        return dy.reshape(tape.pop())

    def linearise(self, x, tape):
        """y, and the layer itself, which is linear."""
        return self.forward(x, tape), self

    def describe(self):
        return f"to {self.shape}, "
