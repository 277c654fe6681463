"""The network of Demucs, version 2, level within level."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from glowsep.arrays.integers import ceil_divide, require_whole
from glowsep.arrays.library import array_module
from glowsep.layers.activations import ReLU
from glowsep.layers.chain import Chain
from glowsep.layers.glu import GLU
from glowsep.layers.lstm import LSTM
from glowsep.layers.parameters import Parameters, set_gradients
from glowsep.layers.sinc_resampling import SincResampling
from glowsep.layers.skip import SkipSum
from glowsep.layers.strided_convolution import StridedConvolution
from glowsep.layers.transposed_convolution import TransposedConvolution


@dataclass(frozen=True)
class DemucsConfig:
    """The size of a Demucs; the defaults are the published one. Saved in its weights file.

    Attributes
    ----------
    sources, channels : int
        How many sources there are, and how many channels the mixture and each of them have.
    depth : int
        Levels.
    filters : int
        Channels of the first level; every level has twice as many as the one before.
    kernel, stride : int
        Of the convolutions that lower the rate, and of the transposed ones that raise it.
    context : int
        Taps of the convolutions on the way up, which look at neighbouring frames.
    lstm_layers : int
    resample : bool
        Whether the network hears its input at twice the rate.
    rescale : float
        Half way to this standard deviation, on a logarithmic scale, the first weights of every convolution are brought;
        0 leaves them alone.
    rate : int
        Hz. Everything else is resampled.

    Raises
    ------
    ValueError
        If a number is not a whole one, or below 1.

    Examples
    --------
    >>> DemucsConfig().valid_length(441_000)
    447146
    """

    sources: int = 4
    channels: int = 2
    depth: int = 6
    filters: int = 64
    kernel: int = 8
    stride: int = 4
    context: int = 3
    lstm_layers: int = 2
    resample: bool = True
    rescale: float = 0.1
    rate: int = 44_100

    def __post_init__(self):
        require_whole(1, sources=self.sources, channels=self.channels, depth=self.depth, filters=self.filters)
        require_whole(1, kernel=self.kernel, stride=self.stride, context=self.context, rate=self.rate)
        require_whole(1, lstm_layers=self.lstm_layers)

    @property
    def grid(self) -> int:
        """Samples from one frame of the deepest level to the next."""
        return max(1, self.stride**self.depth // (2 if self.resample else 1))

    def valid_length(self, samples: int) -> int:
        """The fewest samples of which every level's windows fit without a rest, and at least ``samples`` come out, once
        the convolutions on the way up have had their context."""
        length = 2 * samples if self.resample else samples
        for _ in range(self.depth):
            length = max(1, ceil_divide(length - self.kernel, self.stride) + 1) + self.context - 1
        for _ in range(self.depth):
            length = (length - 1) * self.stride + self.kernel
        return ceil_divide(length, 2) if self.resample else length

    def lengths(self, samples: int) -> tuple[int, int]:
        """The fewest samples that go in, and that come out of them, for at least ``samples`` to come out."""
        inputs = self.valid_length(samples)
        length = 2 * inputs if self.resample else inputs
        for _ in range(self.depth):
            length = (length - self.kernel) // self.stride + 1
        for _ in range(self.depth):
            length = (length - self.context) * self.stride + self.kernel
        return inputs, length // 2 if self.resample else length


class Demucs(Parameters):
    r"""Estimates of all sources from a mixture, (batch, sources · channels, samples), source by source.

    Level i lowers the rate and raises it again. What goes around the next level is added to what comes out of it:

    .. math:: f_i(x) = d_i\big(e_i(x) + f_{i+1}(e_i(x))\big)

    .. math::

        e_i = \operatorname{GLU} \circ \operatorname{Conv}_1 \circ \operatorname{ReLU} \circ
              \operatorname{Conv}_{8, \text{stride } 4}, \qquad
        d_i = \operatorname{ReLU} \circ \operatorname{Conv}^T_{8, \text{stride } 4} \circ \operatorname{GLU} \circ
              \operatorname{Conv}_3

    without the last ReLU in :math:`d_0`. The deeper level gives fewer frames than it takes, so :math:`e_i(x)` is
    cropped to them for the sum. At the bottom, both directions of an LSTM and a linear layer. The estimates need not
    sum to the mixture.

    Source: Défossez, Usunier, Bottou & Bach 2019, section 4; version 2 of their code (resampling, no normalisation
    layers).

    Parameters
    ----------
    config : DemucsConfig, optional
    rng : numpy.random.Generator, optional
        For the first weights; seed 0 if none is given.

    Examples
    --------
    >>> config = DemucsConfig(depth=2, filters=4, lstm_layers=1)
    >>> inputs, outputs = config.lengths(500)
    >>> outputs >= 500, Demucs(config).forward(np.zeros((1, 2, inputs), np.float32), []).shape[2] == outputs
    (True, True)
    """

    def __init__(
        self,
        config: DemucsConfig | None = None,
        rng: np.random.Generator | None = None,
        dtype: type[np.floating] = np.float32,
    ):
        self.config = config = DemucsConfig() if config is None else config
        options = {"rng": np.random.default_rng(0) if rng is None else rng, "dtype": dtype}
        window = {"kernel": config.kernel, "stride": config.stride}
        width = config.filters * 2 ** (config.depth - 1)
        linear = StridedConvolution(2 * width, width, 1, **options)
        level = Chain(LSTM(width, width, config.lstm_layers, **options), linear)
        for i in reversed(range(config.depth)):
            width = config.filters * 2**i
            inputs, outputs = (width // 2,) * 2 if i else (config.channels, config.sources * config.channels)
            level = Chain(
                StridedConvolution(inputs, width, **window, **options),
                ReLU(),
                StridedConvolution(width, 2 * width, 1, **options),
                GLU(),
                SkipSum(level),
                StridedConvolution(width, 2 * width, config.context, **options),
                GLU(),
                TransposedConvolution(width, outputs, **window, **options),
                *([ReLU()] if i else []),
            )
        if config.rescale:
            rescale(level, config.rescale, but=linear)
        layers = [SincResampling(2, 1), level, SincResampling(1, 2)] if config.resample else [level]
        self.network = Standardised(Chain(*layers))

    def parts(self):
        return {"network": self.network}

    def forward(self, x: np.ndarray, tape: list) -> np.ndarray:
        """The mixture x (batch, channels, samples) to estimates (batch, sources · channels, fewer samples)."""
        return self.network.forward(x, tape)

    def backward(self, dy: np.ndarray, tape: list) -> np.ndarray:
        """The gradient with respect to x, from that with respect to the estimates; sets those of all parameters."""
        return self.network.backward(dy, tape)

    def set_gradients(self, dy, tape):
        """``backward`` if no gradient with respect to x is needed, as in training."""
        set_gradients(self.network, dy, tape)

    def describe(self):
        return f"{self.config.depth} levels, {self.config.filters} filters, "


class Standardised(Parameters):
    r"""An inner layer that hears every item at one loudness, and answers at the item's own.

    .. math:: y = \sigma\, f\Big(\frac{x - \mu}{\sigma + \epsilon}\Big) + \mu

    with the mean :math:`\mu` and the standard deviation :math:`\sigma` of the item's mean over channels. Both depend on
    x, so with :math:`u` the inner input, :math:`v` its output, and N frames of C channels whose mean is m,

    .. math::

        d\mu = \sum dy - \frac{\sum du}{\sigma + \epsilon}, \qquad
        d\sigma = \sum dy\, v - \frac{\sum du\, u}{\sigma + \epsilon}, \qquad
        dx = \frac{du}{\sigma + \epsilon} + \frac{1}{C} \Big(\frac{d\mu}{N}
             + \frac{m - \mu}{(N - 1)\, \sigma}\, d\sigma\Big)

    Source: version 2 of Demucs' code (Défossez et al. 2019); the chain rule.

    Parameters
    ----------
    inner : Parameters
        Any plain layer.
    epsilon : float
        Keeps silence from being divided by 0.

    Examples
    --------
    >>> Standardised(Chain()).forward(np.array([[[1.0, 2.0, 3.0]]]), []).round(3)
    array([[[1., 2., 3.]]])
    """

    def __init__(self, inner: Parameters, epsilon: float = 1e-5):
        self.inner, self.epsilon = inner, epsilon

    def parts(self):
        return {"inner": self.inner}

    def forward(self, x: np.ndarray, tape: list) -> np.ndarray:
        """x (batch, channels, frames) to what the inner layer makes of it."""
        mono = x.mean(axis=1, keepdims=True)
        mean = mono.mean(axis=2, keepdims=True)
        deviation = mono.std(axis=2, keepdims=True, ddof=1)
        u = (x - mean) / (deviation + self.epsilon)
        v = self.inner.forward(u, tape)
        tape.append((mono, mean, deviation, u, v))
        y = v * deviation
        y += mean  # in place: new memory costs more than the sum
        return y

    def backward(self, dy: np.ndarray, tape: list) -> np.ndarray:
        """The gradient with respect to x, from that with respect to y."""
        mono, mean, deviation, u, v = tape.pop()
        du = self.inner.backward(dy * deviation, tape)
        direct = du / (deviation + self.epsilon)
        dmean = sum_of_items(dy) - sum_of_items(direct)
        ddeviation = products_of_items(dy, v) - products_of_items(direct, u)
        _, channels, frames = u.shape
        smallest = np.finfo(mono.dtype).tiny  # of silence the deviation has no gradient
        slope = (mono - mean) / ((frames - 1) * array_module(mono).maximum(deviation, smallest))
        return direct + (dmean / frames + ddeviation * slope) / channels

    def set_gradients(self, dy, tape):
        """``backward`` if no gradient with respect to x is needed: the loudness has no parameters."""
        _, _, deviation, _, _ = tape.pop()
        set_gradients(self.inner, dy * deviation, tape)


def sum_of_items(x):
    """The sum over channels and frames of every item, (batch, 1, 1)."""
    return x.sum(axis=(1, 2), keepdims=True)


def products_of_items(x, y):
    """The sum over channels and frames of x times y, of every item, (batch, 1, 1)."""
    return array_module(x).einsum("bcn,bcn->b", x, y)[:, None, None]


def rescale(part: Parameters, reference: float, but: Parameters | None = None) -> None:
    r"""Bring the first weights of all convolutions half way to one scale, in place, ``but`` those of one.

    .. math:: W \leftarrow W / \sqrt{\sigma / r}

    :math:`\sigma` is the standard deviation of W, r the reference. Without layers that normalise, signals would fade or
    grow from level to level.

    Source: Défossez et al. 2019, section 4 (initial weight rescaling).
    """
    if isinstance(part, StridedConvolution | TransposedConvolution) and part is not but:
        scale = math.sqrt(float(part.W.std(ddof=1)) / reference)
        part.W /= scale
        part.b /= scale
    for inner in part.parts().values():
        rescale(inner, reference, but)
