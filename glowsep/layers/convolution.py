"""A convolution over time, as one matrix product."""

import numpy as np

from glowsep.arrays.library import array_module
from glowsep.layers.channels import as_matrix, row_sums
from glowsep.layers.parameters import Parameters


class Convolution(Parameters):
    r"""A convolution over time that keeps the number of frames (zeros beyond the edges).

    .. math:: y_{o,t} = b_o + \sum_{i,k} W_{o,k,i}\, x_{i,\, t + (k - \lfloor K/2 \rfloor) d}

    Laid out as one matrix product: ``columns`` stacks the K shifted inputs, (K · inputs, batch · frames), and ``W`` is
    stored as the matrix (outputs, K · inputs) that multiplies it. With ``kernel`` 1 the columns are the input itself.

    Source: Dumoulin & Visin 2016, section 4.1 (as a matrix); chapter 5 derives the gradients.

    Parameters
    ----------
    inputs, outputs : int
        Channels of x and of y.
    kernel, dilation : int
        Taps, K above, and frames between two taps, d.
    rng : numpy.random.Generator, optional
        For the first weights; seed 0 if none is given.

    Examples
    --------
    >>> import numpy as np
    >>> convolution, tape = Convolution(2, 3, kernel=5), []
    >>> convolution.forward(np.zeros((1, 2, 7), np.float32), tape).shape
    (1, 3, 7)
    """

    parameter_names = ("W", "b")

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 1,
        dilation: int = 1,
        rng: np.random.Generator | None = None,
        dtype: type[np.floating] = np.float32,
    ):
        rng = np.random.default_rng(0) if rng is None else rng
        # Glorot & Bengio 2010: the variance of signal and gradient is roughly preserved.
        scale = np.sqrt(2 / (kernel * inputs + outputs))
        self.W = (scale * rng.standard_normal((outputs, kernel * inputs))).astype(dtype)
        self.b = np.zeros(outputs, dtype)
        self.dW = self.db = None
        self.shifts = [(k - kernel // 2) * dilation for k in range(kernel)]

    def forward(self, x: np.ndarray, tape: list) -> np.ndarray:
        """x (batch, inputs, frames) to y (batch, outputs, frames)."""
        if not self.is_frozen:
            tape.append(x)
        batch, _, frames = x.shape
        y = self.W @ self._columns(x)
        y += self.b[:, None]  # in place, as elsewhere here: new memory costs more than the sum
        return y.reshape(-1, batch, frames).swapaxes(0, 1)

    def backward(self, dy: np.ndarray, tape: list) -> np.ndarray:
        """The gradient with respect to x, from that with respect to y; sets dW and db."""
        self.set_gradients(dy, tape)
        batch, _, frames = dy.shape
        dcolumns = (self.W.T @ as_matrix(dy)).reshape(len(self.shifts), -1, batch, frames)
        dx = dcolumns[len(self.shifts) // 2]  # the shift by 0: all others are added to it
        for dcolumn, shift in zip(dcolumns, self.shifts, strict=True):
            if shift:
                here, there = overlap(shift, dx.size)
                dcolumn[:, :, beyond(shift, frames)] = 0
                dx.reshape(-1)[there] += dcolumn.reshape(-1)[here]
        return dx.swapaxes(0, 1)

    def set_gradients(self, dy, tape):
        """``backward`` if no gradient with respect to x is needed."""
        if self.is_frozen:
            return
        dy = as_matrix(dy)
        self.dW = dy @ self._columns(tape.pop()).T
        self.db = row_sums(dy)

    def describe(self):
        outputs, inputs = len(self.b), self.W.shape[1] // len(self.shifts)
        return f"{inputs} to {outputs} channels, kernel {len(self.shifts)}, "

    def _columns(self, x):
        if self.shifts == [0]:
            return as_matrix(x)
        batch, inputs, frames = x.shape
        x = x.swapaxes(0, 1).reshape(-1)
        columns = array_module(x).empty((len(self.shifts), inputs, batch, frames), x.dtype)
        for column, shift in zip(columns, self.shifts, strict=True):
            here, there = overlap(shift, x.size)
            column.reshape(-1)[here] = x[there]
            column[:, :, beyond(shift, frames)] = 0
        return columns.reshape(-1, batch * frames)


# All channels and items are shifted at once, as one line of numbers, and what has then come in from a neighbouring item
# is set to zero: a copy of one line is three times, a sum five times as fast as many copies and sums of a few frames.


def overlap(shift, length):
    """The slices of t and of t + shift for which both lie within 0 … length - 1."""
    return slice(max(0, -shift), max(0, length - max(0, shift))), slice(max(0, shift), max(0, length + min(0, shift)))


def beyond(shift, frames):
    """The slice of the frames t for which t + shift does not lie within 0 … frames - 1."""
    return slice(0, min(-shift, frames)) if shift < 0 else slice(max(0, frames - shift), frames)
