"""A convolution with a stride and padding, along one axis or several: over waveforms or spectrograms."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from glowsep.arrays.integers import ceil_divide
from glowsep.layers.channels import row_sums
from glowsep.layers.parameters import Parameters, replica
from glowsep.layers.windows import (
    Amounts,
    Columns,
    Windows,
    batch_first,
    channels_first,
    correlate,
    outer,
    spread,
    windows_with_batch,
    with_batch,
)

if TYPE_CHECKING:
    from typing import Self  # Python 3.11 and later

#: One number for every axis, or one number for all of them.
PerAxis = int | tuple[int, ...]
#: Zeros before and after: "same", one number for all edges, or a pair (before, after) for every axis.
Padding = str | int | tuple[tuple[int, int], ...]


class StridedConvolution(Parameters):
    r"""A convolution whose windows are ``stride`` positions apart.

    .. math:: y_{o,t} = b_o + \sum_{k,i} W_{o,k,i}\, x_{i,\, s t + d k - p}

    Along two axes t, s, k, d and p are pairs. The matrix ``W`` (outputs, taps · inputs) is that of `Convolution`, which
    is this layer with stride 1 and padding "same", written for the excerpts of tens of frames that a flow learns
    from: it shifts all channels and items at once, and chapter 5 derives it. This one is for waveforms of 10⁵ samples
    and for spectrograms. It makes the columns of its product block by block (`glowsep.layers.windows`), so memory grows
    with x and y, not with the kernel.

    Source: Dumoulin & Visin 2016, sections 2 and 4; Stoller et al. 2018 and Défossez et al. 2019, who use it over time,
    Donahue et al. 2019, who use it over spectrograms; chapter 5.

    Parameters
    ----------
    inputs, outputs : int
        Channels of x and of y.
    kernel : int or tuple of int
        Taps along the one axis, or along each of several.
    stride, dilation : int or tuple of int
        Positions between two windows, s above, and between two taps of one, d.
    padding : int, pairs of int, or "same"
        Zeros beyond the edges: p before and after; or, for each axis, before and after it, ``((1, 2), (0, 0))``; or as
        many as it takes for ceil(positions / stride) outputs, one more after than before if the number is odd.
    rng : numpy.random.Generator, optional
        For the first weights (Glorot & Bengio 2010); seed 0 if none is given.

    Raises
    ------
    ValueError
        If a number is below 1, or does not fit the number of axes; in ``forward``, if x is shorter than a window.

    Examples
    --------
    >>> import numpy as np
    >>> StridedConvolution(2, 3, kernel=8, stride=4).forward(np.zeros((1, 2, 20), np.float32), []).shape
    (1, 3, 4)
    >>> spectrogram = np.zeros((1, 1, 128, 128), np.float32)
    >>> StridedConvolution(1, 8, kernel=(5, 5), stride=2, padding="same").forward(spectrogram, []).shape
    (1, 8, 64, 64)
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
        self.W, self.b = first_weights(outputs, inputs, self.windows.taps, rng, dtype), np.zeros(outputs, dtype)
        self.dW = self.db = None

    def forward(self, x: np.ndarray, tape: list) -> np.ndarray:
        """x (batch, inputs, …) to y (batch, outputs, …)."""
        columns = Columns(channels_first(x), *self._windows_and_amounts(x.shape))
        y = correlate(self.W, columns)
        if self.b is not None:
            y += self.b.reshape(-1, *(1,) * (y.ndim - 1))  # in place: new memory costs more than the sum
        if not self.is_frozen:
            tape.append(columns)
        tape.append(x.shape)
        return batch_first(y)

    def backward(self, dy: np.ndarray, tape: list) -> np.ndarray:
        """The gradient with respect to x, from that with respect to y; sets dW and db."""
        shape = tape[-1]
        self.set_gradients(dy, tape)
        windows, amounts = self._windows_and_amounts(shape)
        start = tuple(before for before, _ in amounts)
        return batch_first(spread(self.W, channels_first(dy), windows, start, with_batch(shape[0], shape[2:])))

    def set_gradients(self, dy, tape):
        """``backward`` if no gradient with respect to x is needed."""
        tape.pop()
        if not self.is_frozen:
            dy = channels_first(dy)
            self.dW = outer(dy, tape.pop())
            self.db = None if self.b is None else row_sums(dy.reshape(len(dy), -1))

    def linearise(self, x: np.ndarray, tape: list) -> tuple[np.ndarray, Self]:
        """y, and the linear layer ``y + J v`` of directions v: the same convolution without its bias."""
        return self.frozen().forward(x, tape), without_bias(self)

    def describe(self):
        return described(*self.W.shape, self.windows)

    def amounts(self, lengths: tuple[int, ...]) -> Amounts:
        """The zeros before and after, for axes of these lengths."""
        if self.padding != "same":
            return self.padding
        counts = tuple(ceil_divide(n, s) for n, s in zip(lengths, self.windows.stride, strict=True))
        missing = [max(0, covered - n) for covered, n in zip(self.windows.lengths(counts), lengths, strict=True)]
        return tuple((m // 2, m - m // 2) for m in missing)

    def _windows_and_amounts(self, shape):
        """Both with the batch as one of the axes."""
        require_axes(self.windows, shape)
        amounts = self.amounts(shape[2:])
        for n, (before, after), extent in zip(shape[2:], amounts, self.windows.extents, strict=True):
            if n + before + after < extent:
                raise ValueError(f"x has shape {shape}, too short with {before + after} zeros for a window of {extent}")
        return windows_with_batch(self.windows), with_batch((0, 0), amounts)


def require_axes(windows, shape):
    if len(shape) - 2 != len(windows.kernel):
        raise ValueError(f"x has shape {shape}, expected {len(windows.kernel)} axes after the channels")


def windows_of(kernel, stride, dilation):
    """The windows of a convolution; ``kernel`` says along how many axes."""
    axes = len(kernel) if isinstance(kernel, tuple) else 1
    numbers = {"kernel": kernel, "stride": stride, "dilation": dilation}
    for name, value in numbers.items():
        numbers[name] = tuple(value) if isinstance(value, tuple) else (value,) * axes
        if len(numbers[name]) != axes or min(numbers[name]) < 1:
            raise ValueError(f"{name} is {value}, expected at least 1 along each of {axes} axes")
    return Windows(**numbers)


def padding_of(padding, axes):
    """The padding as pairs, or "same"."""
    pairs = ((padding, padding),) * axes if isinstance(padding, int) else padding
    if pairs != "same" and (isinstance(pairs, str) or len(pairs) != axes or min(min(pair) for pair in pairs) < 0):
        expected = f'"same", a number of at least 0, or (before, after) for each of {axes} axes'
        raise ValueError(f"padding is {padding!r}, expected {expected}")
    return pairs


def first_weights(rows, channels, taps, rng, dtype):
    """Glorot & Bengio 2010: the variance of signal and gradient is roughly preserved."""
    rng = np.random.default_rng(0) if rng is None else rng
    return (math.sqrt(2 / (taps * (rows + channels))) * rng.standard_normal((rows, taps * channels))).astype(dtype)


def without_bias(layer):
    """A view of an affine layer with the same W and no bias."""
    view = replica(layer)
    view.b, view.parameter_names = None, ("W",)
    return view


def described(rows, columns, windows):
    return f"{columns // windows.taps} to {rows} channels, kernel {windows.kernel}, stride {windows.stride}, "
