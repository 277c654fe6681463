"""Glow: a sequence of bijections, itself a bijection."""

import math
from dataclasses import dataclass

import numpy as np

from glowsep.arrays.library import array_module
from glowsep.layers import ActNorm, AffineCoupling, InvertibleConv1x1, Squeeze
from glowsep.layers.bijection import Bijection


@dataclass(frozen=True)
class GlowConfig:
    """The shape of a Glow. Saved in the weights file, so that loading needs nothing else.

    ``channels`` are those of the data (here frequency bins), ``squeeze`` neighbouring frames become channels, then
    ``steps`` times [ActNorm, 1x1 convolution in groups of ``group_size`` channels, affine coupling]. ``hidden``,
    ``layers``, ``kernel``, ``dilation``, ``condition_channels`` and ``bound`` are the couplings'.

    Examples
    --------
    >>> GlowConfig(channels=512, squeeze=2).steps
    12
    """

    channels: int = 514
    squeeze: int = 2
    steps: int = 12
    group_size: int = 4
    hidden: int = 96
    layers: int = 3
    kernel: int = 3
    dilation: int = 2
    condition_channels: int = 0
    bound: float = 1.0


class Glow(Bijection):
    r"""The composition of bijections, :math:`f = f_K \circ \dots \circ f_1`; its log-det is the sum of theirs.

    .. math:: \log p(x) = \log \mathcal{N}(f(x); 0, I) + \sum_k \log|\det \partial f_k|

    ``backward`` rebuilds every layer's input from its output, so memory does not grow with depth.
    Source: Kingma & Dhariwal 2018 ("Glow"), section 3; Zhu et al. 2022, section III; chapter 9.

    Parameters
    ----------
    config : GlowConfig
    rng : numpy.random.Generator, optional
        For the first weights; seed 0 if none is given.

    Examples
    --------
    >>> flow = Glow(GlowConfig(channels=4, steps=2))
    >>> x = np.random.default_rng(0).standard_normal((3, 4, 6)).astype(np.float32)
    >>> flow.log_prob(x).shape, flow.sample(2, 6, np.random.default_rng(0)).shape
    ((3,), (2, 4, 6))
    """

    def __init__(
        self, config: GlowConfig, rng: np.random.Generator | None = None, dtype: type[np.floating] = np.float32
    ):
        self.config = config
        rng = np.random.default_rng(0) if rng is None else rng
        channels = config.channels * config.squeeze
        if channels % config.group_size:
            raise ValueError(f"group_size is {config.group_size}, but must divide the {channels} squeezed channels")
        self.layers = [Squeeze(config.squeeze)]
        for _ in range(config.steps):
            self.layers += [
                ActNorm(channels, dtype),
                InvertibleConv1x1(channels, channels // config.group_size, rng, dtype),
                AffineCoupling(
                    channels,
                    config.hidden,
                    config.layers,
                    config.kernel,
                    config.dilation,
                    config.condition_channels,
                    config.bound,
                    rng,
                    dtype,
                ),
            ]

    def parts(self):
        return {str(index): layer for index, layer in enumerate(self.layers)}

    def forward(self, x, condition=None, tape=None):
        """x (batch, channels, frames) to z (batch, squeeze · channels, frames / squeeze) and logdet (batch,)."""
        z, logdet = x, 0
        for layer in self.layers:
            z, layer_logdet = layer.forward(z, condition, tape)
            logdet = logdet + layer_logdet
        return z, logdet

    def inverse(self, z, condition=None, tape=None):
        """z back to x."""
        for layer in reversed(self.layers):
            z = layer.inverse(z, condition, tape)
        return z

    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        for layer in reversed(self.layers):
            dz, z = layer.backward(dz, dlogdet, z, condition, tape)
        return dz, z

    def backward_inverse(self, dx, x, condition=None, tape=None):
        for layer in self.layers:
            dx, x = layer.backward_inverse(dx, x, condition, tape)
        return dx, x

    def log_prob(self, x: np.ndarray, condition: np.ndarray | None = None) -> np.ndarray:
        """Log-density of each item, (batch,), in nats."""
        z, logdet = self.forward(x, condition)
        return standard_normal_log_prob(z) + logdet

    def log_prob_gradient(self, x: np.ndarray, condition: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        r"""The score :math:`\nabla_x \log p(x)`, (batch, channels, frames), and ``log_prob`` (batch,)."""
        flow, tape = self.frozen(), []
        z, logdet = flow.forward(x, condition, tape)
        score, _ = flow.backward(-z, array_module(z).ones_like(logdet), z, condition, tape)
        return score, standard_normal_log_prob(z) + logdet

    def sample(
        self,
        batch: int,
        frames: int,
        rng: np.random.Generator,
        temperature: float = 1.0,
        condition: np.ndarray | None = None,
    ) -> np.ndarray:
        """Draw ``batch`` items of ``frames`` frames: the latent from N(0, temperature²), then its inverse.

        Raises
        ------
        ValueError
            If ``frames`` is not a multiple of the squeeze factor.
        """
        factor = self.config.squeeze
        if frames % factor:
            raise ValueError(f"frames is {frames}, expected a multiple of {factor}")
        shape = batch, factor * self.config.channels, frames // factor
        like = next(iter(self.parameters().values()))
        z = array_module(like).asarray(temperature * rng.standard_normal(shape), dtype=like.dtype)
        return self.inverse(z, condition)

    @property
    def initialised(self) -> bool:
        """Whether a first batch has initialised every ActNorm."""
        return all(layer.initialised for layer in self.layers if isinstance(layer, ActNorm))

    def describe(self):
        config = self.config
        return f"{config.channels} channels, squeeze {config.squeeze}, {config.steps} steps, "


def standard_normal_log_prob(z):
    r""":math:`\sum \log \mathcal{N}(z; 0, 1)` over each item's dimensions, (batch,), in nats."""
    dimensions = z[0].size
    return -0.5 * (z * z).sum(axis=(1, 2)) - 0.5 * math.log(2 * math.pi) * dimensions
