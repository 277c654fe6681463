r"""Windows of an array, as a matrix: what a convolution with a stride multiplies, one block at a time.

Position t of a convolution's output sees the window of its input at :math:`s t + d k`, where k runs over the kernel, s
is the stride and d the dilation. All windows side by side are the *columns* of a matrix (kernel · channels, positions),
and the convolution is one product with it. The columns repeat their input as often as the kernel has taps. So they are
made for as many positions at a time as the processor's cache holds: memory does not grow, and the product finds them
where they were written.

Three functions are all that convolutions need: `correlate` (the weights with the windows), its adjoint `spread`, and
`outer` (the gradient of the weights). Nothing is ever added into overlapping windows, which would cost as much as the
product itself: what `spread` writes to the positions of one *phase*, their remainder after division by the stride, is a
correlation too, with every s-th tap in reversed order. The phases of a block interleave while they are in the cache.

Arrays here are (channels, positions of the first axis, …), and the batch is one of the axes, of kernel 1. Source:
Chellapilla et al. 2006 (columns); Dumoulin & Visin 2016, section 4 (the adjoint); Shi et al. 2016, "Is the
deconvolution layer the same as a convolutional layer?" (phases).
"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from glowsep.arrays.integers import ceil_divide
from glowsep.arrays.library import array_module

#: The size of a block of columns in bytes: about half of a core's level-2 cache, and what fills a GPU.
BLOCK_ON_CPU, BLOCK_ON_GPU = 2**19, 2**27
#: But never fewer positions than these: a product of few columns reads the weights for too little work.
FEWEST = 256
#: To read the columns takes a product about as long as so many rows of its other matrix.
READING = 24
#: The bytes of an array that stays in a cache as a whole: phases of a larger one interleave block by block.
SMALL = 2**22

EVERYTHING = slice(None)


@dataclass(frozen=True)
class Windows:
    """The taps of a window along every axis, the distance of two windows, and that of two taps.

    Examples
    --------
    >>> Windows((3,), (2,), (1,)).counts((9,))
    (4,)
    """

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]

    @property
    def taps(self) -> int:
        return math.prod(self.kernel)

    @property
    def extents(self) -> tuple[int, ...]:
        """How many positions a window covers along every axis."""
        return tuple(d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True))

    def counts(self, lengths: tuple[int, ...]) -> tuple[int, ...]:
        """How many windows fit into arrays of these lengths, along every axis."""
        return tuple((n - e) // s + 1 for n, e, s in zip(lengths, self.extents, self.stride, strict=True))

    def lengths(self, counts: tuple[int, ...]) -> tuple[int, ...]:
        """How many positions so many windows cover, along every axis."""
        return tuple(s * (n - 1) + e for n, e, s in zip(counts, self.extents, self.stride, strict=True))


#: For every axis, zeros before and after; a number below 0 cuts off.
Amounts = tuple[tuple[int, int], ...]


def correlate(W: np.ndarray, columns: "Columns") -> np.ndarray:
    """W (outputs, taps · channels) times all windows of an array: (outputs, positions …)."""
    xp = array_module(W)
    y = xp.empty((len(W), *columns.counts), W.dtype)
    for block in columns.blocks():
        # The positions of a block follow one another in y, so this is a view.
        xp.matmul(W, columns.block(block), out=y[(EVERYTHING, *block)].reshape(len(W), -1))
    return y


def outer(dy: np.ndarray, columns: "Columns") -> np.ndarray:
    """The gradient of W in ``correlate(W, columns)``, from that of its result."""
    xp = array_module(dy)
    dy = xp.ascontiguousarray(dy)
    dW = xp.zeros((columns.rows, len(dy)), dy.dtype)
    for block in columns.blocks():
        dW += columns.block(block) @ dy[(EVERYTHING, *block)].reshape(len(dy), -1).T
    return xp.ascontiguousarray(dW.T)


def correlate_and_outer(W: np.ndarray, x: np.ndarray, columns: "Columns") -> tuple[np.ndarray, np.ndarray]:
    """Both ``correlate(W, columns)`` and ``outer(x, columns)``: of the same columns, which are made once."""
    xp = array_module(W)
    x = xp.ascontiguousarray(x)
    y, dW = xp.empty((len(W), *columns.counts), W.dtype), xp.zeros((columns.rows, len(x)), W.dtype)
    for block in columns.blocks():
        here, seen = (EVERYTHING, *block), columns.block(block)
        xp.matmul(W, seen, out=y[here].reshape(len(W), -1))
        dW += seen @ x[here].reshape(len(x), -1).T
    return y, xp.ascontiguousarray(dW.T)


def spread(
    W: np.ndarray, g: np.ndarray, windows: Windows, start: tuple[int, ...], lengths: tuple[int, ...]
) -> np.ndarray:
    """The adjoint of ``correlate``: every g (outputs, …) is spread over its window, and where windows overlap, added.

    Of the result (channels, …), ``lengths`` positions from ``start`` on along every axis.
    """
    W = W.reshape(len(W), *windows.kernel, -1)
    axes = zip(windows.kernel, windows.stride, windows.dilation, start, lengths, strict=True)
    axes = [phases(*axis) for axis in axes]
    # Windows before the first one, and after the last one, for which a position would look: zeros.
    before = [max(phase.farthest for phase in axis) for axis in axes]
    last = [axis[0].count - min(phase.nearest for phase in axis) for axis in axes]
    after = [max(0, end - n) for end, n in zip(last, g.shape[1:], strict=True)]
    g = padded(g, tuple(zip(before, after, strict=True)))
    result = array_module(g).empty((W.shape[-1], *lengths), g.dtype)
    for group in groups(axes, W.shape[-1]):
        farthest, nearest, counts, dilation = reach(group)
        taps = tuple((f - n) // d + 1 for f, n, d in zip(farthest, nearest, dilation, strict=True))
        own = Windows(taps, (1,) * len(taps), dilation)
        seen = zip(before, farthest, own.lengths(counts), strict=True)
        seen = tuple(slice(b - f, b - f + n) for b, f, n in seen)
        matrix, columns = stacked_taps(W, group, farthest, own), Columns(g[(EVERYTHING, *seen)], own)
        if counts == lengths:
            return correlate(matrix, columns)  # every stride is 1
        if len(matrix) * math.prod(counts) * g.itemsize <= SMALL:
            everywhere = tuple(slice(0, count) for count in counts)
            interleave(result, group, everywhere, correlate(matrix, columns))
            continue
        for block in columns.blocks():
            interleave(result, group, block, matrix @ columns.block(block))
    return result


def interleave(result, group, block, parts):
    """Write what was computed for a block of every phase of a group to the positions of these phases."""
    sizes = tuple(along.stop - along.start for along in block)
    for phase, part in zip(group, parts.reshape(len(group), -1, *sizes), strict=True):
        places = [axis.within(along) for axis, along in zip(phase, block, strict=True)]
        positions, inside = zip(*places, strict=True)
        result[(EVERYTHING, *positions)] = part[(EVERYTHING, *inside)]


def groups(axes, channels):
    """All combinations of the axes' phases, in groups that one product computes: all of them together, or each alone.

    Together they read the columns once, as one matrix with more rows. But they may reach different windows, and for
    those that a phase does not reach the matrix has zeros.
    """
    alone = [[combination] for combination in itertools.product(*axes)]
    together = [[combination for (combination,) in alone]]
    if len(alone) == 1 or any(axis[0].dilation > 1 for axis in axes):
        return alone

    def cost(group):
        farthest, nearest, _, _ = reach(group)
        taps = math.prod(f - n + 1 for f, n in zip(farthest, nearest, strict=True))
        return taps * (len(group) * channels + READING)

    return together if cost(together[0]) <= sum(map(cost, alone)) else alone


def reach(group):
    """How many windows a group of phases looks back, at most and at least, how many positions it has, and by how many
    windows its taps differ; each for every axis."""
    axes = list(zip(*group, strict=True))
    farthest = tuple(max(phase.farthest for phase in axis) for axis in axes)
    nearest = tuple(min(phase.nearest for phase in axis) for axis in axes)
    counts = tuple(max(phase.count for phase in axis) for axis in axes)
    return farthest, nearest, counts, tuple(axis[0].dilation for axis in axes)


def stacked_taps(W, group, farthest, own):
    """The matrix (phases · channels, taps · outputs) of a group of phases: their taps of W, in reversed order."""
    outputs, channels = len(W), W.shape[-1]
    matrix = array_module(W).zeros((len(group), channels, *own.kernel, outputs), W.dtype)
    for rows, phase in zip(matrix, group, strict=True):
        taps, columns = (EVERYTHING,), (EVERYTHING,)
        for axis, far in zip(phase, farthest, strict=True):
            first = (far - axis.farthest) // axis.dilation
            taps += (axis.reversed,)
            columns += (slice(first, first + axis.taps),)
        rows[columns] = W[taps].swapaxes(0, -1)
    return matrix.reshape(len(group) * channels, -1)


class Columns:
    """The windows of x (channels, …), with zeros around it, as the columns of a matrix (taps · channels, positions).

    It holds x; of the columns it makes one block at a time.
    """

    def __init__(self, x: np.ndarray, windows: Windows, amounts: Amounts | None = None):
        self.xp, self.dtype = array_module(x), x.dtype
        self.channels, self.rows = len(x), windows.taps * len(x)
        if amounts is not None:
            x = padded(x, amounts)
        self.counts = windows.counts(x.shape[1:])
        #: All windows, (taps …, channels, positions …): a view.
        self.view = self.xp.lib.stride_tricks.as_strided(
            x,
            (*windows.kernel, self.channels, *self.counts),
            (
                *(d * step for d, step in zip(windows.dilation, x.strides[1:], strict=True)),
                x.strides[0],
                *(s * step for s, step in zip(windows.stride, x.strides[1:], strict=True)),
            ),
        )

    def blocks(self) -> Iterator[tuple[slice, ...]]:
        """Slices of the positions, as many as one block of columns holds: they follow one another in memory."""
        size = BLOCK_ON_CPU if self.xp is np else BLOCK_ON_GPU
        room = max(FEWEST, size // (self.rows * self.dtype.itemsize))
        parts = []
        for count in reversed(self.counts):
            parts.insert(0, evenly(count, max(1, room)))
            room = room // count if len(parts[0]) == 1 else 0
        return itertools.product(*parts)

    def block(self, block: tuple[slice, ...]) -> np.ndarray:
        """The columns of a block of positions, (taps · channels, positions)."""
        columns = self.view[(..., *block)]
        if self.rows > self.channels:
            columns = self.xp.ascontiguousarray(columns)
        return columns.reshape(self.rows, -1)  # of one tap: x itself, without a copy


def classes_of(kernel, stride, dilation):
    """The taps of one axis, by the phase they read: taps, phase, its positions to the first tap and from tap to tap."""
    step = stride // math.gcd(stride, dilation)
    for tap in range(min(step, kernel)):
        offset, residue = divmod(tap * dilation, stride)
        yield slice(tap, None, step), residue, offset, step * dilation // stride


@dataclass(frozen=True)
class Phase:
    """Those positions of an axis that differ by multiples of the stride, and the windows that reach them.

    Position j of them is in the windows ``j - nearest``, ``j - nearest - dilation``, … and ``j - farthest``.
    """

    place: int  # the first of them
    stride: int
    count: int
    taps: int
    first: int  # the first tap that reaches these positions
    step: int  # from one such tap to the next
    dilation: int  # by how many windows two such taps differ
    nearest: int

    def within(self, block):
        """The positions that are in a block of this phase, and where in the block they are: the last may end early."""
        count = max(0, min(block.stop, self.count) - block.start)
        first = self.place + self.stride * block.start
        return slice(first, first + self.stride * count, self.stride), slice(count)

    @property
    def farthest(self):
        return self.nearest + (self.taps - 1) * self.dilation if self.taps else self.nearest

    @property
    def reversed(self):
        """These taps, the last one first: it reaches the window that lies farthest back."""
        last = self.first + (self.taps - 1) * self.step
        return slice(last, self.first - 1 if self.first else None, -self.step) if self.taps else slice(0)


def phases(kernel, stride, dilation, start, length):
    """The phases of one axis, for ``length`` positions from ``start`` on."""
    classes = classes_of(kernel, stride, dilation)
    reaching = {residue: (range(kernel)[taps], offset) for taps, residue, offset, _ in classes}
    shared = math.gcd(stride, dilation)
    found = []
    for place in range(min(stride, length)):
        strides, residue = divmod(start + place, stride)
        taps, offset = reaching.get(residue, (range(0), strides))  # a stride that is longer than the kernel leaves gaps
        found.append(
            Phase(
                place=place,
                stride=stride,
                count=ceil_divide(length - place, stride),
                taps=len(taps),
                first=taps.start,
                step=stride // shared,
                dilation=dilation // shared,
                nearest=offset - strides,
            )  # fmt: skip
        )
    return found


def padded(x: np.ndarray, amounts: Amounts) -> np.ndarray:
    """x (channels, …) with zeros before and after, along every axis of positions; x itself if there are none."""
    inside, outside, lengths = (EVERYTHING,), (EVERYTHING,), []
    for n, (before, after) in zip(x.shape[1:], amounts, strict=True):
        kept = slice(max(0, -before), max(0, -before, n + min(0, after)))
        inside += (kept,)
        outside += (slice(max(0, before), max(0, before) + kept.stop - kept.start),)
        lengths.append(n + before + after)
    if all(before <= 0 and after <= 0 for before, after in amounts):
        return x[inside]
    result = array_module(x).zeros((len(x), *lengths), x.dtype)
    result[outside] = x[inside]
    return result


def evenly(length, most):
    """Slices of 0 … length - 1 of nearly the same size, at most ``most`` each."""
    parts = ceil_divide(length, most)
    edges = [length * part // parts for part in range(parts + 1)]
    return [slice(a, b) for a, b in itertools.pairwise(edges)]


# A layer's arrays are (batch, channels, positions …), and the channels are outermost in memory. With one axis the
# batch comes next: the runs that are copied are long. With two axes the batch comes last: a row of a few frames, of
# all items together, is a long run again.


def with_batch(batch, axes: tuple) -> tuple:
    """What holds for every axis of positions, and what holds for the batch where it is in memory."""
    return (batch, *axes) if len(axes) == 1 else (*axes, batch)


def windows_with_batch(windows: Windows) -> Windows:
    """The same windows of every item: the batch is an axis of kernel 1."""
    return Windows(*(with_batch(1, axes) for axes in (windows.kernel, windows.stride, windows.dilation)))


def channels_first(x: np.ndarray) -> np.ndarray:
    """A view of x (batch, channels, positions …) in the order in memory that suits its number of axes."""
    return x.transpose(1, *with_batch(0, tuple(range(2, x.ndim))))


def batch_first(y: np.ndarray) -> np.ndarray:
    """The way back: (batch, channels, positions …)."""
    return y.swapaxes(0, 1) if y.ndim == 3 else y.transpose(y.ndim - 1, *range(y.ndim - 1))
