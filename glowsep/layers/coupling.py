"""The affine coupling: half of the channels scales and shifts the other half."""

import numpy as np

from glowsep.arrays.library import array_module
from glowsep.layers.bijection import Bijection
from glowsep.layers.gated_network import GatedNetwork


class AffineCoupling(Bijection):
    r"""Scale and shift the second half of the channels by what a network reads in the first half.

    .. math::

        z_a = x_a, \qquad z_b = e^{s(x_a)} \odot x_b + t(x_a), \qquad
        \log|\det| = \sum s(x_a), \qquad s = B \tanh(r / B)

    The inverse needs :math:`s(z_a)` and :math:`t(z_a)` only, so the network may be anything. Its output :math:`r` is
    bounded to :math:`(-B, B)`: neither direction can explode.

    Source: Dinh et al. 2017 ("Real NVP"), section 3.3; Kingma & Dhariwal 2018 ("Glow"), section 3.3; chapter 8.

    Parameters
    ----------
    channels : int
        At least 2; the first half is the larger one where the number is odd.
    hidden, layers, kernel, dilation, condition_channels
        Of the inner network, see :class:`glowsep.layers.gated_network.GatedNetwork`.
    bound : float
        The bound B of the log-scale, in nats.
    rng : numpy.random.Generator, optional
        For the network's first weights; seed 0 where none is given.
    """

    def __init__(
        self,
        channels,
        hidden=96,
        layers=3,
        kernel=3,
        dilation=2,
        condition_channels=0,
        bound=1.0,
        rng=None,
        dtype=np.float32,
    ):
        if channels < 2:
            raise ValueError(f"channels is {channels}, but a coupling needs at least 2")
        rng = np.random.default_rng(0) if rng is None else rng
        self.kept = (channels + 1) // 2
        self.bound = bound
        outputs = 2 * (channels - self.kept)
        self.network = GatedNetwork(
            self.kept, outputs, hidden, layers, kernel, dilation, condition_channels, rng, dtype
        )

    def parts(self):
        return {"network": self.network}

    @property
    def dcondition(self):
        """Gradient of the loss by the condition, (batch, condition_channels), of the last backward call."""
        return self.network.dcondition

    def forward(self, x, condition=None):
        return self.forward_keeping(x, condition)[:2]

    def forward_keeping(self, x, condition=None):
        x_a, x_b = self._halves(x)
        log_scale, shift, cache = self._log_scale_and_shift(x_a, condition)
        z_b = x_b * array_module(x).exp(log_scale) + shift
        return self._joined(x_a, z_b), log_scale.sum(axis=(1, 2)), (log_scale, shift, cache)

    def inverse(self, z, condition=None):
        return self.inverse_keeping(z, condition)[0]

    def inverse_keeping(self, z, condition=None):
        z_a, z_b = self._halves(z)
        log_scale, shift, cache = self._log_scale_and_shift(z_a, condition)
        x_b = (z_b - shift) * array_module(z).exp(-log_scale)
        return self._joined(z_a, x_b), (log_scale, shift, cache)

    def backward(self, dz, dlogdet, z, condition=None, kept=None):
        return self._backward(dz, dlogdet, z, condition, kept, self.network.backward)

    def backward_input(self, dz, dlogdet, z, condition=None, kept=None):
        return self._backward(dz, dlogdet, z, condition, kept, self.network.backward_input)

    def _backward(self, dz, dlogdet, z, condition, kept, network_backward):
        z_a, z_b = self._halves(z)
        dz_a, dz_b = self._halves(dz)
        log_scale, shift, cache = self._log_scale_and_shift(z_a, condition) if kept is None else kept
        scale = array_module(z).exp(log_scale)
        x_b = (z_b - shift) / scale
        dx_b = dz_b * scale
        dlog_scale = dx_b * x_b + dlogdet[:, None, None]
        dx_a = dz_a + network_backward(self._network_gradient(dlog_scale, dz_b, log_scale), cache)
        return self._joined(dx_a, dx_b), self._joined(z_a, x_b)

    def backward_inverse(self, dx, x, condition=None, kept=None):
        x_a, x_b = self._halves(x)
        dx_a, dx_b = self._halves(dx)
        log_scale, shift, cache = self._log_scale_and_shift(x_a, condition) if kept is None else kept
        scale = array_module(x).exp(log_scale)
        dz_b = dx_b / scale
        # x_b = (z_b - shift) / scale, so a larger shift or scale lowers x_b: hence both minus signs.
        dz_a = dx_a + self.network.backward_input(self._network_gradient(-dx_b * x_b, -dz_b, log_scale), cache)
        return self._joined(dz_a, dz_b), self._joined(x_a, x_b * scale + shift)

    def _log_scale_and_shift(self, x_a, condition):
        y, cache = self.network.forward(x_a, condition)
        raw, shift = y[:, : y.shape[1] // 2], y[:, y.shape[1] // 2 :]
        return self.bound * array_module(y).tanh(raw / self.bound), shift, cache

    def _network_gradient(self, dlog_scale, dshift, log_scale):
        draw = dlog_scale * (1 - (log_scale / self.bound) ** 2)  # the derivative of B tanh(r / B)
        return self._joined(draw, dshift)

    def _halves(self, x):
        return x[:, : self.kept], x[:, self.kept :]

    @staticmethod
    def _joined(first, second):
        """Stacked along the channels, which stay outermost in memory."""
        xp = array_module(first)
        return xp.concatenate([first.swapaxes(0, 1), second.swapaxes(0, 1)]).swapaxes(0, 1)
