"""A transposed convolution: the way back of a convolution with a stride, used as the way forward."""

import numpy as np

from glowsep.layers.channels import row_sums
from glowsep.layers.parameters import Parameters
from glowsep.layers.strided_convolution import (
    Padding,
    PerAxis,
    described,
    first_weights,
    padding_of,
    require_axes,
    windows_of,
    without_bias,
)
from glowsep.layers.windows import (
    Amounts,
    Columns,
    batch_first,
    channels_first,
    correlate,
    correlate_and_outer,
    spread,
    windows_with_batch,
    with_batch,
)


class TransposedConvolution(Parameters):
    r"""Spread every input position over a window of the output; windows are ``stride`` positions apart and add up.

    .. math:: y_{o,\, s t + d k - p} = b_o + \sum_{t,k,i} W_{i,k,o}\, x_{i,t}

    It is the adjoint of `StridedConvolution`: forward and backward have changed places, and so have inputs and outputs
    in ``W`` (inputs, taps · outputs). With a stride above 1 it raises the sample rate.

    Source: Dumoulin & Visin 2016, section 4; Défossez et al. 2019, section 4; Donahue et al. 2019 ("WaveGAN"), 3.1;
    chapter 5 (the way back of a convolution).

    Parameters
    ----------
    inputs, outputs : int
        Channels of x and of y.
    kernel, stride, dilation : int or tuple of int
        As in `StridedConvolution`.
    padding : int, pairs of int, or "same"
        How much of the output is cut off before and after it, along every axis; "same" makes y ``stride`` times as long
        as x.
    rng : numpy.random.Generator, optional
        For the first weights; seed 0 if none is given.

    Raises
    ------
    ValueError
        If a number is below 1, or does not fit the number of axes; in ``forward``, if the padding cuts off everything.

    Examples
    --------
    >>> import numpy as np
    >>> TransposedConvolution(3, 2, kernel=8, stride=4).forward(np.zeros((1, 3, 4), np.float32), []).shape
    (1, 2, 20)
    >>> latent = np.zeros((1, 8, 4, 4), np.float32)
    >>> TransposedConvolution(8, 4, kernel=(5, 5), stride=2, padding="same").forward(latent, []).shape
    (1, 4, 8, 8)
    """

    parameter_names = ("W", "b")

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: PerAxis,
        stride: PerAxis = 1,
        dilation: PerAxis = 1,
        padding: Padding = 0,
        rng: np.random.Generator | None = None,
        dtype: type[np.floating] = np.float32,
    ):
        self.windows = windows_of(kernel, stride, dilation)
        self.padding = padding_of(padding, len(self.windows.kernel))
        self.W, self.b = first_weights(inputs, outputs, self.windows.taps, rng, dtype), np.zeros(outputs, dtype)
        self.dW = self.db = None

    def forward(self, x: np.ndarray, tape: list) -> np.ndarray:
        """x (batch, inputs, …) to y (batch, outputs, …)."""
        require_axes(self.windows, x.shape)
        amounts = self.amounts()
        covered = self.windows.lengths(x.shape[2:])
        lengths = tuple(n - before - after for n, (before, after) in zip(covered, amounts, strict=True))
        if min(lengths) < 1:
            raise ValueError(f"x has shape {x.shape}: of {covered} outputs, padding {amounts} leaves none")
        start = with_batch(0, tuple(before for before, _ in amounts))
        windows = windows_with_batch(self.windows)
        y = spread(self.W, channels_first(x), windows, start, with_batch(len(x), lengths))
        if self.b is not None:
            y += self.b.reshape(-1, *(1,) * (y.ndim - 1))
        if not self.is_frozen:
            tape.append(x)
        return batch_first(y)

    def backward(self, dy: np.ndarray, tape: list) -> np.ndarray:
        """The gradient with respect to x, from that with respect to y; sets dW and db."""
        dy = channels_first(dy)
        columns = Columns(dy, windows_with_batch(self.windows), with_batch((0, 0), self.amounts()))
        if self.is_frozen:
            return batch_first(correlate(self.W, columns))
        dx, self.dW = correlate_and_outer(self.W, channels_first(tape.pop()), columns)
        self.db = None if self.b is None else row_sums(dy.reshape(len(dy), -1))
        return batch_first(dx)

    def linearise(self, x, tape):
        """y, and the linear layer ``y + J v`` of directions v: the same without its bias."""
        return self.frozen().forward(x, tape), without_bias(self)

    def describe(self):
        inputs, columns = self.W.shape
        outputs = columns // self.windows.taps
        return described(outputs, inputs * self.windows.taps, self.windows)

    def amounts(self) -> Amounts:
        """What is cut off before and after, along every axis; below 0 where zeros are added."""
        if self.padding != "same":
            return self.padding
        excess = [e - s for e, s in zip(self.windows.extents, self.windows.stride, strict=True)]
        return tuple((max(0, e) // 2, e - max(0, e) // 2) for e in excess)
