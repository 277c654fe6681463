"""Layers one after the other."""

from __future__ import annotations

import numpy as np

from glowsep.layers.parameters import Parameters, set_gradients


class Chain(Parameters):
    """Plain layers one after the other: forward in a loop over one tape, backward in the reversed loop.

    Source: chapter 5 (the tape).

    Parameters
    ----------
    *layers : Parameters
        From the input to the output; their parameters are called "0.W", "1.W", …

    Examples
    --------
    >>> from glowsep.layers import LeakyReLU, Linear
    >>> Chain(Linear(3, 5), LeakyReLU(), Linear(5, 1)).forward(np.zeros((2, 3), np.float32), []).shape
    (2, 1)
    """

    def __init__(self, *layers: Parameters):
        self.layers = list(layers)

    def parts(self):
        return {str(index): layer for index, layer in enumerate(self.layers)}

    def forward(self, x: np.ndarray, tape: list) -> np.ndarray:
        """The output of the last layer."""
        for layer in self.layers:
            x = layer.forward(x, tape)
        return x

    def backward(self, dy: np.ndarray, tape: list) -> np.ndarray:
        """The gradient with respect to x, from that with respect to the output; sets those of all parameters."""
        for layer in reversed(self.layers):
            dy = layer.backward(dy, tape)
        return dy

    def set_gradients(self, dy: np.ndarray, tape: list) -> None:
        """``backward`` if no gradient with respect to x is needed: the first layer does not compute it."""
        first, *others = self.layers
        for layer in reversed(others):
            dy = layer.backward(dy, tape)
        set_gradients(first, dy, tape)

    def linearise(self, x: np.ndarray, tape: list) -> tuple[np.ndarray, Chain]:
        """The output y, and the linear chain ``v -> J v`` of directions v at x.

        What is on the tape afterwards is what ``backward`` of the *frozen* linear chain pops.

        Raises
        ------
        ValueError
            If a layer is not piecewise linear.
        """
        parts = []
        for layer in self.layers:
            if not hasattr(layer, "linearise"):
                raise ValueError(f"{type(layer).__name__} is not piecewise linear: it has no linearise")
            x, part = layer.linearise(x, tape)
            parts.append(part)
        return x, Chain(*parts)

    def describe(self):
        return f"{len(self.layers)} layers, "
