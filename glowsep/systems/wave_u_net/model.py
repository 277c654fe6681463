"""The network of Wave-U-Net, level within level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glowsep.arrays.integers import ceil_divide, require_whole
from glowsep.arrays.library import array_module
from glowsep.layers.activations import LeakyReLU, Tanh
from glowsep.layers.chain import Chain
from glowsep.layers.parameters import Parameters, set_gradients
from glowsep.layers.rates import Decimation, LinearInterpolation
from glowsep.layers.skip import SkipConcatenation, add_cropped, cropped
from glowsep.layers.strided_convolution import StridedConvolution


@dataclass(frozen=True)
class WaveUNetConfig:
    """The size of a Wave-U-Net; the defaults are the published one. Saved in its weights file.

    Attributes
    ----------
    sources, channels : int
        How many sources there are, and how many channels the mixture and each of them have.
    levels : int
        How often the number of frames is halved.
    filters : int
        Channels of the first level; level i has (i + 1) times as many.
    down_kernel, up_kernel : int
        Taps on the way down, and on the way up.
    slope : float
        Of the leaky ReLU.
    rate : int
        Hz. Everything else is resampled.

    Raises
    ------
    ValueError
        If a number is not a whole one, or too small.

    Examples
    --------
    >>> WaveUNetConfig().lengths(16_384)
    (147443, 16389)
    """

    sources: int = 4
    channels: int = 2
    levels: int = 12
    filters: int = 24
    down_kernel: int = 15
    up_kernel: int = 5
    slope: float = 0.2
    rate: int = 22_050

    def __post_init__(self):
        require_whole(2, sources=self.sources)  # the last one is what the others leave
        require_whole(1, channels=self.channels, levels=self.levels, filters=self.filters, rate=self.rate)
        require_whole(1, down_kernel=self.down_kernel, up_kernel=self.up_kernel)

    @property
    def grid(self) -> int:
        """Samples from one frame of the deepest level to the next: shifted by them, a song has shifted estimates."""
        return 2**self.levels

    def lengths(self, samples: int) -> tuple[int, int]:
        r"""The fewest samples that go in, and that come out of them, for at least ``samples`` to come out.

        No convolution looks beyond the edges of its input, and no frame is half seen. Of n frames at the bottom,

        .. math::

            \textit{out} = 2^L (n - 1) + 1 - (2^L - 1)(k_{up} - 1), \qquad
            \textit{in} = 2^L (n + k_{down} - 2) + 1 + (2^L - 1)(k_{down} - 1)
        """
        down, up, factor = self.down_kernel - 1, self.up_kernel - 1, self.grid
        frames = 1 + ceil_divide(max(samples, 1) - 1 + (factor - 1) * up, factor)
        outputs = factor * (frames - 1) + 1 - (factor - 1) * up
        return factor * (frames + down - 1) + 1 + (factor - 1) * down, outputs


class WaveUNet(Parameters):
    r"""Estimates of all sources from a mixture, (batch, sources · channels, samples), source by source.

    .. math::

        \hat s_k = \tanh(W_k\, [x; f_0(x)] + b_k), \quad k < K, \qquad \hat s_K = x - \sum_{k < K} \hat s_k

    where x stands for the middle of the mixture, and level i is

    .. math:: f_i(x) = u_i([d_i(x); \textit{interpolated } f_{i+1}(\textit{decimated } d_i(x))]), \qquad f_L = d_L

    with convolutions :math:`d_i` of 15 taps and :math:`u_i` of 5, each followed by a leaky ReLU, and :math:`d_i(x)`
    cropped to the frames that stand beside it. The estimates sum to
    the mixture by construction. They are shorter than it: all that they depend on has been heard.

    Source: Stoller, Ewert & Dixon 2018, section 3 (the form with context, linear interpolation and a difference
    output).

    Parameters
    ----------
    config : WaveUNetConfig, optional
    rng : numpy.random.Generator, optional
        For the first weights; seed 0 if none is given.

    Examples
    --------
    >>> config = WaveUNetConfig(levels=2, filters=3)
    >>> inputs, outputs = config.lengths(100)
    >>> outputs, WaveUNet(config).forward(np.zeros((1, 2, inputs), np.float32), []).shape
    (101, (1, 8, 101))
    """

    def __init__(
        self,
        config: WaveUNetConfig | None = None,
        rng: np.random.Generator | None = None,
        dtype: type[np.floating] = np.float32,
    ):
        self.config = config = WaveUNetConfig() if config is None else config
        rng = np.random.default_rng(0) if rng is None else rng

        def convolution(inputs, outputs, kernel):
            return StridedConvolution(inputs, outputs, kernel, rng=rng, dtype=dtype)

        width = [config.channels] + [config.filters * (i + 1) for i in range(config.levels + 1)]
        level = Chain(convolution(*width[-2:], config.down_kernel), LeakyReLU(config.slope))
        for i in reversed(range(config.levels)):
            level = Chain(
                convolution(width[i], width[i + 1], config.down_kernel),
                LeakyReLU(config.slope),
                SkipConcatenation(Chain(Decimation(2), level, LinearInterpolation(2))),
                convolution(width[i + 1] + width[i + 2], width[i + 1], config.up_kernel),
                LeakyReLU(config.slope),
            )
        outputs = (config.sources - 1) * config.channels
        self.network = Chain(SkipConcatenation(level), convolution(width[0] + width[1], outputs, 1), Tanh())

    def parts(self):
        return {"network": self.network}

    def forward(self, x: np.ndarray, tape: list) -> np.ndarray:
        """The mixture x (batch, channels, samples) to estimates (batch, sources · channels, fewer samples)."""
        first = self.network.forward(x, tape)
        rest = cropped(x, first.shape[2]) - self._by_source(first).sum(axis=1)
        return array_module(x).concatenate([first.swapaxes(0, 1), rest.swapaxes(0, 1)]).swapaxes(0, 1)

    def backward(self, dy: np.ndarray, tape: list) -> np.ndarray:
        """The gradient with respect to x, from that with respect to the estimates; sets those of all parameters."""
        dfirst, drest = self._first_and_rest(dy)
        return add_cropped(self.network.backward(dfirst, tape), drest)

    def set_gradients(self, dy, tape):
        """``backward`` if no gradient with respect to x is needed, as in training."""
        dfirst, _ = self._first_and_rest(dy)
        set_gradients(self.network, dfirst, tape)

    def _first_and_rest(self, dy):
        """The gradient that arrives at all sources but the last, which is the rest; and at the last one."""
        drest = dy[:, -self.config.channels :]
        dfirst = self._by_source(dy[:, : -self.config.channels]) - drest[:, None]
        return dfirst.reshape(len(dy), -1, dy.shape[2]), drest

    def _by_source(self, y):
        """(batch, sources · channels, samples) as (batch, sources, channels, samples)."""
        return y.reshape(len(y), -1, self.config.channels, y.shape[2])

    def describe(self):
        return f"{self.config.levels} levels, {self.config.filters} filters, "
