"""Band-limited resampling as a layer: a windowed sinc, and its adjoint on the way back."""

import math

import numpy as np

from glowsep.arrays.devices import on_device_of
from glowsep.arrays.integers import ceil_divide
from glowsep.arrays.library import array_module
from glowsep.layers.parameters import Parameters


class SincResampling(Parameters):
    r"""Resample by ``new / old``, for instance 2/1 or 1/2, with a low-pass filter below both Nyquist frequencies.

    .. math::

        y_j = \sum_n h\Big(\frac{n}{old} - \frac{j}{new}\Big)\, x_n, \qquad
        h(t) \propto \operatorname{sinc}(r t)\, \cos^2\!\Big(\frac{\pi r t}{2 Z}\Big), \qquad
        r = \rho \min(old, new)

    The sinc keeps Z zero crossings on either side, beyond which h is 0. Its cutoff is at the fraction :math:`\rho` of
    the lower Nyquist frequency, because no filter of finite length falls at once. The sum of the weights is 1 for every
    :math:`j`, so a constant stays as it is; beyond the edges, x keeps its first and its last value. Of n samples,
    floor(n · new / old) come out.

    The weights repeat after ``new`` outputs and ``old`` inputs. So ``BLOCK`` of these periods at a time are one matrix,
    a band of weights, and all of them one product. On the way back it is the transposed matrix, whose results overlap
    and are added.

    Source: Smith 2002, "Digital audio resampling" (windowed sinc); Défossez 2020, the library julius, whose default
    values these are, and which Demucs uses.

    Parameters
    ----------
    new, old : int
        The two rates, in any unit.
    zeros : int
        Z above.
    rolloff : float
        :math:`\rho` above.

    Raises
    ------
    ValueError
        If a rate is below 1.

    Examples
    --------
    >>> SincResampling(2, 1).forward(np.ones((1, 2, 5), np.float32), []).shape
    (1, 2, 10)
    >>> SincResampling(1, 2).forward(np.ones((1, 1, 4), np.float32), []).round(5)
    array([[[1., 1.]]], dtype=float32)
    """

    #: Periods in one product: more of them read less twice, and multiply more zeros.
    BLOCK = 64

    def __init__(self, new: int, old: int, zeros: int = 24, rolloff: float = 0.945):
        if new < 1 or old < 1:
            raise ValueError(f"rates are {new} and {old}, but must be at least 1")
        shared = math.gcd(new, old)
        self.new, self.old = new // shared, old // shared
        lower = rolloff * min(self.new, self.old)
        self.reach = math.ceil(zeros * self.old / lower)  # how many inputs a weight lies before the output, at most
        n, j = np.arange(-self.reach, self.reach + self.old), np.arange(self.new)[:, None]
        t = np.clip(lower * (n / self.old - j / self.new), -zeros, zeros)
        self.weights = np.sinc(t) * np.cos(np.pi * t / (2 * zeros)) ** 2
        self.weights /= self.weights.sum(axis=1, keepdims=True)

    def forward(self, x: np.ndarray, tape: list) -> np.ndarray:
        """x (batch, channels, samples) to (batch, channels, floor(samples · new / old))."""
        xp = array_module(x)
        batch, channels, samples = x.shape
        tape.append(samples)
        lines = xp.ascontiguousarray(x.swapaxes(0, 1)).reshape(-1, samples)
        blocks, hop, length = self._blocks(samples)
        ends = [xp.broadcast_to(lines[:, end], (len(lines), n)) for end, n in self._edges(samples)]
        lines = xp.concatenate([ends[0], lines, ends[1]], axis=1)
        step, along = lines.strides[1], lines.strides[0]
        windows = xp.lib.stride_tricks.as_strided(lines, (len(lines), blocks, length), (along, hop * step, step))
        y = xp.ascontiguousarray(windows).reshape(-1, length) @ self._matrix(x).T
        y = y.reshape(channels, batch, -1)[:, :, : samples * self.new // self.old]
        return xp.ascontiguousarray(y).swapaxes(0, 1)

    def backward(self, dy: np.ndarray, tape: list) -> np.ndarray:
        """The gradient with respect to x: the transposed matrix, overlaps added."""
        xp = array_module(dy)
        samples = tape.pop()
        batch, channels, outputs = dy.shape
        blocks, hop, length = self._blocks(samples)
        lines = xp.zeros((channels, batch, blocks * self.BLOCK * self.new), dy.dtype)
        lines[:, :, :outputs] = dy.swapaxes(0, 1)
        windows = (lines.reshape(-1, self.BLOCK * self.new) @ self._matrix(dy)).reshape(-1, blocks, length)
        dlines = xp.zeros((batch * channels, blocks + ceil_divide(length, hop) - 1, hop), dy.dtype)
        for place in range(0, length, hop):  # pieces of windows that do not overlap
            piece = windows[:, :, place : place + hop]
            dlines[:, place // hop : place // hop + blocks, : piece.shape[2]] += piece
        dlines = dlines.reshape(batch * channels, -1)
        (_, before), (_, after) = self._edges(samples)
        dx = dlines[:, before : before + samples].copy()
        dx[:, 0] += dlines[:, :before].sum(axis=1)
        dx[:, -1] += dlines[:, before + samples : before + samples + after].sum(axis=1)
        return dx.reshape(channels, batch, samples).swapaxes(0, 1)

    def describe(self):
        return f"{self.new}/{self.old}, "

    def _blocks(self, samples):
        """How many blocks it takes, by how many samples they are apart, and how many each sees."""
        blocks = ceil_divide(ceil_divide(samples, self.old), self.BLOCK)
        return blocks, self.BLOCK * self.old, self.old * (self.BLOCK - 1) + self.weights.shape[1]

    def _edges(self, samples):
        """The sample that goes on before the first one and behind the last one, and how often."""
        blocks, hop, length = self._blocks(samples)
        behind = hop * (blocks - 1) + length - self.reach - samples
        return (slice(0, 1), self.reach), (slice(samples - 1, samples), behind)

    def _matrix(self, like):
        """The weights of a block, (outputs, inputs): those of each period, further along by what it takes in."""
        taps = self.weights.shape[1]
        band = np.zeros((self.BLOCK, self.new, self.old * (self.BLOCK - 1) + taps), like.dtype)
        for period, rows in enumerate(band):
            rows[:, self.old * period : self.old * period + taps] = self.weights
        return on_device_of(band.reshape(self.BLOCK * self.new, -1), like)
