"""The affine coupling: half of the channels scales and shifts the other half."""

import numpy as np

from glowsep.arrays.library import array_module
from glowsep.layers.bijection import Bijection
from glowsep.layers.channels import halves, stacked
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
        At least 2; the first half is the larger one if the number is odd.
    hidden, layers, kernel, dilation, condition_channels
        Of the inner network, see :class:`glowsep.layers.gated_network.GatedNetwork`.
    bound : float
        The bound B of the log-scale, in nats.
    rng : numpy.random.Generator, optional
        For the network's first weights; seed 0 if none is given.

    Examples
    --------
    >>> layer, x = AffineCoupling(4), np.ones((1, 4, 5), np.float32)
    >>> bool(np.all(layer.forward(x)[0] == x))  # a new coupling is the identity
    True
    """

    def __init__(
        self,
        channels: int,
        hidden: int = 96,
        layers: int = 3,
        kernel: int = 3,
        dilation: int = 2,
        condition_channels: int = 0,
        bound: float = 1.0,
        rng: np.random.Generator | None = None,
        dtype: type[np.floating] = np.float32,
    ):
        if channels < 2:
            raise ValueError(f"channels is {channels}, but a coupling needs at least 2")
        rng = np.random.default_rng(0) if rng is None else rng
        self.unchanged = (channels + 1) // 2
        self.bound = bound
        outputs = 2 * (channels - self.unchanged)
        self.network = GatedNetwork(
            self.unchanged, outputs, hidden, layers, kernel, dilation, condition_channels, rng, dtype
        )

    def parts(self):
        return {"network": self.network}

    def forward(self, x, condition=None, tape=None):
        x_a, x_b = self.halves(x)
        log_scale, shift = self._log_scale_and_shift(x_a, condition, self.network, tape)
        z_b = x_b * array_module(x).exp(log_scale) + shift
        return stacked(x_a, z_b), log_scale.sum(axis=(1, 2))

    def inverse(self, z, condition=None, tape=None):
        z_a, z_b = self.halves(z)
        log_scale, shift = self._log_scale_and_shift(z_a, condition, self.network.frozen(), tape)
        x_b = (z_b - shift) * array_module(z).exp(-log_scale)
        return stacked(z_a, x_b)

    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        z_a, z_b = self.halves(z)
        dz_a, dz_b = self.halves(dz)
        tape = self._recorded_again(z_a, condition, self.network) if tape is None else tape
        log_scale, shift = tape.pop()
        scale = array_module(z).exp(log_scale)
        x_b = (z_b - shift) / scale
        dx_b = dz_b * scale
        dlog_scale = dx_b * x_b + dlogdet[:, None, None]
        dx_a = dz_a + self.network.backward(self._network_gradient(dlog_scale, dz_b, log_scale), tape)
        return stacked(dx_a, dx_b), stacked(z_a, x_b)

    def backward_inverse(self, dx, x, condition=None, tape=None):
        x_a, x_b = self.halves(x)
        dx_a, dx_b = self.halves(dx)
        network = self.network.frozen()
        tape = self._recorded_again(x_a, condition, network) if tape is None else tape
        log_scale, shift = tape.pop()
        scale = array_module(x).exp(log_scale)
        dz_b = dx_b / scale
        # x_b = (z_b - shift) / scale, so a larger shift or scale lowers x_b: hence both minus signs.
        dz_a = dx_a + network.backward(self._network_gradient(-dx_b * x_b, -dz_b, log_scale), tape)
        return stacked(dz_a, dz_b), stacked(x_a, x_b * scale + shift)

    def halves(self, x):
        """Views of the channels that pass unchanged, and of those that are scaled and shifted."""
        return x[:, : self.unchanged], x[:, self.unchanged :]

    def describe(self):
        return f"{self.unchanged + len(self.network.output.b) // 2} channels, "

    def _log_scale_and_shift(self, x_a, condition, network, tape):
        """s and t for the half that passes unchanged; both are on the tape, above what the network needs."""
        tape = [] if tape is None else tape
        raw, shift = halves(network.forward(x_a, tape, condition))
        log_scale = self.bound * array_module(raw).tanh(raw / self.bound)
        tape.append((log_scale, shift))
        return log_scale, shift

    def _recorded_again(self, x_a, condition, network):
        """Run the network again: x_a passed unchanged, so its input is still there."""
        tape = []
        self._log_scale_and_shift(x_a, condition, network, tape)
        return tape

    def _network_gradient(self, dlog_scale, dshift, log_scale):
        d_raw = dlog_scale * (1 - (log_scale / self.bound) ** 2)  # the derivative of B tanh(r / B)
        return stacked(d_raw, dshift)
