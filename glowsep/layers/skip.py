"""Skip connections: what goes around a part of a network, cut to the length of what went through it."""

import numpy as np

from glowsep.arrays.library import array_module
from glowsep.layers.parameters import Parameters, set_gradients


class SkipConcatenation(Parameters):
    r"""One level of a U-Net: x, cropped, with what an inner layer makes of it stacked below, along the channels.

    .. math:: y = \begin{pmatrix} \operatorname{crop}(x) \\ f(x) \end{pmatrix}, \qquad
              dx = \operatorname{crop}^T(dy_1) + f'(x)^T dy_2

    The inner layer f may return fewer frames than it was given; as many are cropped on either side. A deeper U-Net is
    an inner layer that holds another of these.

    Source: Stoller et al. 2018 ("Wave-U-Net"), section 3.2; Ronneberger et al. 2015 ("U-Net").

    Parameters
    ----------
    inner : Parameters
        Any plain layer.

    Examples
    --------
    >>> from glowsep.layers import StridedConvolution
    >>> SkipConcatenation(StridedConvolution(2, 3, kernel=5)).forward(np.zeros((1, 2, 9), np.float32), []).shape
    (1, 5, 5)
    """

    def __init__(self, inner: Parameters):
        self.inner = inner

    def parts(self):
        return {"inner": self.inner}

    def forward(self, x: np.ndarray, tape: list) -> np.ndarray:
        """x (batch, channels, frames) to (batch, channels + inner channels, fewer frames)."""
        through = self.inner.forward(x, tape)
        around = cropped(x, through.shape[2])
        tape.append(x.shape)
        return array_module(x).concatenate([around.swapaxes(0, 1), through.swapaxes(0, 1)]).swapaxes(0, 1)

    def backward(self, dy: np.ndarray, tape: list) -> np.ndarray:
        """The gradient with respect to x: x was used twice, so two gradients are added."""
        _, channels, frames = tape.pop()
        dx = self.inner.backward(dy[:, channels:], tape)
        return add_cropped(dx, dy[:, :channels])

    def set_gradients(self, dy, tape):
        """``backward`` if no gradient with respect to x is needed: what went around has no parameters."""
        _, channels, _ = tape.pop()
        set_gradients(self.inner, dy[:, channels:], tape)


class SkipSum(Parameters):
    r"""What an inner layer makes of x, plus x, cropped: :math:`y = \operatorname{crop}(x) + f(x)`.

    Source: Défossez et al. 2019 ("Demucs"), section 4; He et al. 2016.

    Parameters
    ----------
    inner : Parameters
        Any plain layer that keeps the number of channels.

    Examples
    --------
    >>> from glowsep.layers import StridedConvolution
    >>> SkipSum(StridedConvolution(2, 2, kernel=5)).forward(np.zeros((1, 2, 9), np.float32), []).shape
    (1, 2, 5)
    """

    def __init__(self, inner: Parameters):
        self.inner = inner

    def parts(self):
        return {"inner": self.inner}

    def forward(self, x: np.ndarray, tape: list) -> np.ndarray:
        """x (batch, channels, frames) to (batch, channels, fewer frames)."""
        through = self.inner.forward(x, tape)
        return through + cropped(x, through.shape[2])

    def backward(self, dy: np.ndarray, tape: list) -> np.ndarray:
        """The gradient with respect to x: x was used twice, so two gradients are added."""
        return add_cropped(self.inner.backward(dy, tape), dy)

    def set_gradients(self, dy, tape):
        """``backward`` if no gradient with respect to x is needed: what went around has no parameters."""
        set_gradients(self.inner, dy, tape)


def cropped(x: np.ndarray, frames: int) -> np.ndarray:
    """The middle ``frames`` of x (batch, channels, more frames), a view; one more is cut off after if it is odd."""
    excess = x.shape[2] - frames
    if excess < 0:
        raise ValueError(f"x has {x.shape[2]} frames, but what goes around {frames} of them must have at least as many")
    return x[:, :, excess // 2 : excess // 2 + frames]


def add_cropped(dx, dy):
    """dx with dy added in its middle: the way back of ``cropped``. In new memory: dx may be somebody else's."""
    frames = dy.shape[2]
    if dx.shape[2] == frames:
        return dx + dy
    result = array_module(dx).empty_like(dx)
    first = (dx.shape[2] - frames) // 2
    for edge in (slice(first), slice(first + frames, None)):
        result[:, :, edge] = dx[:, :, edge]
    array_module(dx).add(cropped(dx, frames), dy, out=cropped(result, frames))
    return result
