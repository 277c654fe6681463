"""Activation normalisation: one scale and one bias per channel."""

import numpy as np

from glowsep.arrays.library import array_module
from glowsep.layers.bijection import Bijection


class ActNorm(Bijection):
    r"""Scale and shift each channel: :math:`z_c = e^{s_c} x_c + b_c`.

    .. math:: \log|\det| = \text{frames} \cdot \sum_c s_c

    The first ``forward`` chooses :math:`s` and :math:`b` so that its own output has mean 0 and standard deviation 1
    in every channel. That happens once: the attribute ``initialised`` says so, and is saved with the weights.

    Source: Kingma & Dhariwal 2018 ("Glow"), section 3.1; chapter 6.

    Parameters
    ----------
    channels : int
    dtype : numpy dtype

    Attributes
    ----------
    log_scale, bias : (channels,)
        Learnt; their gradients are ``dlog_scale`` and ``dbias``.
    initialised : bool array of no dimensions
        Saved with the weights: a reload must not initialise again what training has moved.

    Examples
    --------
    >>> x = 3 + 2 * np.random.default_rng(0).standard_normal((2, 4, 50)).astype(np.float32)
    >>> layer = ActNorm(4)
    >>> z, logdet = layer.forward(x)
    >>> bool(np.allclose(z.std(axis=(0, 2)), 1, atol=1e-3)), bool(np.allclose(layer.inverse(z), x, atol=1e-5))
    (True, True)
    """

    parameter_names = ("log_scale", "bias")
    state_names = ("initialised",)

    def __init__(self, channels: int, dtype: type[np.floating] = np.float32):
        self.log_scale = np.zeros(channels, dtype)
        self.bias = np.zeros(channels, dtype)
        self.dlog_scale = self.dbias = None
        self.initialised = np.array(False)

    def initialise(self, x: np.ndarray) -> None:
        """Choose scale and bias from the data ``x`` (batch, channels, frames). A constant channel keeps scale 1."""
        xp = array_module(x)
        mean, deviation = x.mean(axis=(0, 2)), x.std(axis=(0, 2))
        # A silent or zero-padded channel has nothing to normalise: dividing by its deviation would give infinity.
        deviation = xp.where(deviation > 1e-6 * (1 + xp.abs(mean)), deviation, 1)
        # Written into the arrays that are there: an optimiser, or a frozen view, may hold them already.
        self.log_scale[:] = -xp.log(deviation)
        self.bias[:] = -mean / deviation
        self.initialised[...] = True

    def forward(self, x, condition=None, tape=None):
        if not self.initialised:
            self.initialise(x)
        z = x * self._scale(x) + self.bias[:, None]
        batch, _, frames = x.shape
        return z, array_module(x).full(batch, frames * self.log_scale.sum(), dtype=x.dtype)

    def inverse(self, z, condition=None, tape=None):
        return (z - self.bias[:, None]) * array_module(z).exp(-self.log_scale)[:, None]

    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        dx, x = dz * self._scale(z), self.inverse(z)  # the log-det does not depend on x
        if not self.is_frozen:
            frames = z.shape[2]
            self.dlog_scale = (dx * x).sum(axis=(0, 2)) + frames * dlogdet.sum()
            self.dbias = dz.sum(axis=(0, 2))
        return dx, x

    def backward_inverse(self, dx, x, condition=None, tape=None):
        return dx / self._scale(x), x * self._scale(x) + self.bias[:, None]

    def _scale(self, like):
        return array_module(like).exp(self.log_scale)[:, None]

    def describe(self):
        return f"{len(self.bias)} channels, "
