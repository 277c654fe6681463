"""The coupling's inner network: gated convolutions, not invertible, so with an explicit cache."""

import numpy as np

from glowsep.arrays.library import array_module
from glowsep.layers.parameters import Parameters


class Convolution(Parameters):
    r"""A convolution over time that keeps the number of frames (zeros beyond the edges).

    .. math:: y_{o,t} = b_o + \sum_{i,k} W_{o,k,i}\, x_{i,\, t + (k - \lfloor K/2 \rfloor) d}

    Laid out as one matrix product: ``columns`` stacks the K shifted inputs, (K · inputs, batch · frames), and ``W`` is
    stored as the matrix (outputs, K · inputs) that multiplies it. With ``kernel`` 1 the columns are the input itself.
    Chapter 5 derives the gradients.
    """

    parameter_names = ("W", "b")

    def __init__(self, inputs, outputs, kernel, dilation, rng, dtype):
        # Glorot & Bengio 2010: the variance of signal and gradient is about kept.
        scale = np.sqrt(2 / (kernel * inputs + outputs))
        self.W = (scale * rng.standard_normal((outputs, kernel * inputs))).astype(dtype)
        self.b = np.zeros(outputs, dtype)
        self.dW = self.db = None
        self.shifts = [(k - kernel // 2) * dilation for k in range(kernel)]

    def forward(self, x):
        """x (inputs, batch, frames) to y (outputs, batch, frames)."""
        _, batch, frames = x.shape
        y = self.W @ self._columns(x)
        y += self.b[:, None]  # in place, as elsewhere here: new memory costs more than the sum
        return y.reshape(-1, batch, frames)

    def backward_input(self, dy):
        """Gradient by the input, from the gradient ``dy`` by the output."""
        outputs, batch, frames = dy.shape
        dcolumns = (self.W.T @ dy.reshape(outputs, -1)).reshape(len(self.shifts), -1, batch, frames)
        dx = dcolumns[len(self.shifts) // 2]  # the shift by 0: all others are added to it
        for dcolumn, shift in zip(dcolumns, self.shifts, strict=True):
            if shift:
                here, there = overlap(shift, dx.size)
                dcolumn[:, :, beyond(shift, frames)] = 0
                dx.reshape(-1)[there] += dcolumn.reshape(-1)[here]
        return dx

    def set_gradients(self, dy, x):
        """The parameters' gradients, from the gradient ``dy`` by the output and the input ``x``."""
        dy = dy.reshape(len(dy), -1)
        self.dW = dy @ self._columns(x).T
        self.db = row_sums(dy)

    def _columns(self, x):
        inputs, batch, frames = x.shape
        if self.shifts == [0]:
            return x.reshape(inputs, -1)
        columns = array_module(x).empty((len(self.shifts), inputs, batch, frames), x.dtype)
        for column, shift in zip(columns, self.shifts, strict=True):
            here, there = overlap(shift, x.size)
            column.reshape(-1)[here] = x.reshape(-1)[there]
            column[:, :, beyond(shift, frames)] = 0
        return columns.reshape(-1, batch * frames)


def row_sums(matrix):
    """The sum of every row: as a product with ones it is several times as fast as ``sum``."""
    return matrix @ array_module(matrix).ones(matrix.shape[1], matrix.dtype)


def frame_sums(x):
    """The sums over frames, (channels, batch, 1), of x (channels, batch, frames)."""
    channels, batch, frames = x.shape
    return row_sums(x.reshape(-1, frames)).reshape(channels, batch, 1)


# All channels and items are shifted at once, as one line of numbers, and what has then come in from a neighbouring item
# is set to zero: a copy of one line is three times, a sum five times as fast as many copies and sums of a few frames.


def overlap(shift, length):
    """The slices of t and of t + shift for which both lie within 0 … length - 1."""
    return slice(max(0, -shift), max(0, length - max(0, shift))), slice(max(0, shift), max(0, length + min(0, shift)))


def beyond(shift, frames):
    """The slice of the frames t for which t + shift does not lie within 0 … frames - 1."""
    return slice(0, min(-shift, frames)) if shift < 0 else slice(max(0, frames - shift), frames)
