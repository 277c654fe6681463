"""Padding: what a signal is taken to be beyond its edges."""

import numpy as np

from glowsep.arrays.library import array_module
from glowsep.layers.parameters import Parameters

MODES = ("zeros", "edge", "reflect")


class Padding(Parameters):
    r"""Frames before the first and after the last: zeros, the first and last frame again, or the mirror image.

    Beyond the edges a frame that is repeated is *used* more than once, so on the way back its gradients are added: each
    padded frame's goes to the frame that it repeats.

    Source: Dumoulin & Visin 2016, section 2 (zeros); chapter 5 (what is used twice).

    Parameters
    ----------
    before, after : int
        Frames.
    mode : "zeros", "edge" or "reflect"
        "reflect" mirrors about the first and the last frame, which are not repeated.

    Raises
    ------
    ValueError
        If the mode is unknown or a number is below 0; in ``forward``, if there are too few frames to mirror.

    Examples
    --------
    >>> Padding(2, 1, "reflect").forward(np.array([[[1.0, 2.0, 3.0]]]), [])
    array([[[3., 2., 1., 2., 3., 2.]]])
    """

    def __init__(self, before: int, after: int, mode: str = "zeros"):
        if mode not in MODES or before < 0 or after < 0:
            expected = f"numbers of at least 0 and one of {', '.join(MODES)}"
            raise ValueError(f"before, after and mode are {before}, {after} and {mode!r}, expected {expected}")
        self.before, self.after, self.mode = before, after, mode

    def forward(self, x: np.ndarray, tape: list) -> np.ndarray:
        """x (batch, channels, frames) to (batch, channels, before + frames + after)."""
        batch, channels, frames = x.shape
        if self.mode == "reflect" and max(self.before, self.after) >= frames:
            raise ValueError(f"x has {frames} frames, too few to mirror {max(self.before, self.after)} beyond an edge")
        y = array_module(x).empty((channels, batch, self.before + frames + self.after), x.dtype).swapaxes(0, 1)
        y[:, :, self.before : self.before + frames] = x
        for outside, repeated in self._edges(frames):
            y[:, :, outside] = 0 if self.mode == "zeros" else x[:, :, repeated]
        return y

    def backward(self, dy: np.ndarray, tape: list) -> np.ndarray:
        """The gradient with respect to x, from that with respect to y."""
        frames = dy.shape[2] - self.before - self.after
        dx = dy[:, :, self.before : self.before + frames].copy(order="K")
        for outside, repeated in self._edges(frames):
            if self.mode == "edge":
                dx[:, :, repeated] += dy[:, :, outside].sum(axis=2, keepdims=True)
            elif self.mode == "reflect":
                dx[:, :, repeated] += dy[:, :, outside]
        return dx

    def describe(self):
        return f"{self.before} before, {self.after} after, {self.mode}, "

    def _edges(self, frames):
        """What lies outside y's middle, and the frames of x that stand there: before, and after."""
        before, after = slice(0, self.before), slice(self.before + frames, None)
        if self.mode == "reflect":
            first = slice(self.before, 0, -1)
            last = slice(frames - 2, frames - 2 - self.after if self.after < frames - 1 else None, -1)
            return [(before, first), (after, last)]
        return [(before, slice(0, 1)), (after, slice(frames - 1, frames))]
