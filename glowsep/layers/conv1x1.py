"""The invertible 1x1 convolution: a learnt rotation (and more) of the channels."""

import numpy as np

from glowsep.arrays.library import array_module
from glowsep.layers.bijection import Bijection


class InvertibleConv1x1(Bijection):
    r"""Mix the channels of every frame by one invertible matrix: :math:`z_t = W x_t`.

    .. math:: \log|\det| = \text{frames} \cdot \sum_g \log|\det W_g|

    With ``groups`` > 1 each group of channels has its own small matrix :math:`W_g`. Group :math:`g` holds the
    channels :math:`g, g+G, g+2G, \dots` (:math:`G` = ``groups``), so that every group has members from both halves
    that a coupling keeps apart. ``W`` starts as a random rotation: log-det 0, perfectly conditioned.

    Source: Kingma & Dhariwal 2018 ("Glow"), section 3.2; the groups: Kim et al. 2020 ("Glow-TTS"); chapter 7.

    Parameters
    ----------
    channels : int
    groups : int
        A divisor of ``channels``.
    rng : numpy.random.Generator, optional
        For the rotation; seed 0 if none is given.

    Attributes
    ----------
    W : (groups, channels/groups, channels/groups)

    Raises
    ------
    ValueError
        If ``groups`` does not divide ``channels``.

    Examples
    --------
    >>> layer = InvertibleConv1x1(6, groups=2)
    >>> x = np.ones((1, 6, 5), np.float32)
    >>> bool(np.allclose(layer.inverse(layer.forward(x)[0]), x, atol=1e-5))
    True
    """

    parameter_names = ("W",)

    def __init__(
        self,
        channels: int,
        groups: int = 1,
        rng: np.random.Generator | None = None,
        dtype: type[np.floating] = np.float32,
    ):
        self.W = random_rotations(channels, groups, rng).astype(dtype)
        self.dW = None

    def forward(self, x, condition=None, tape=None):
        return self._mix(self.W, x), self._logdet(x)

    def inverse(self, z, condition=None, tape=None):
        return self._mix(self._inverse(z), z)

    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        W_inverse = self._inverse(z)
        dx, x = self._mix(self.W.swapaxes(1, 2), dz), self._mix(W_inverse, z)
        if not self.is_frozen:
            # d log|det W| / dW = W^{-T}, once for every frame
            self.dW = self._outer_products(dz, x) + z.shape[2] * dlogdet.sum() * W_inverse.swapaxes(1, 2)
        return dx, x

    def backward_inverse(self, dx, x, condition=None, tape=None):
        return self._mix(self._inverse(x).swapaxes(1, 2), dx), self._mix(self.W, x)

    def describe(self):
        groups, size, _ = self.W.shape
        return f"{groups * size} channels in groups of {size}, "

    def _logdet(self, x):
        xp = array_module(x)
        batch, _, frames = x.shape
        # slogdet and not log(det): the determinant of a large matrix overflows, and may be negative.
        return xp.full(batch, frames * xp.linalg.slogdet(self.W)[1].sum(), dtype=x.dtype)

    def _inverse(self, like):
        """The inverse of each group's matrix, found in float64: its error would be every frame's error."""
        return array_module(like).linalg.inv(self.W.astype(np.float64)).astype(self.W.dtype)

    def _grouped(self, x):
        """(batch, channels, frames) as (groups, channels of a group, batch · frames)."""
        groups, size, _ = self.W.shape
        return x.swapaxes(0, 1).reshape(size, groups, -1).swapaxes(0, 1)

    def _outer_products(self, dz, x):
        r""":math:`\sum_t dz_t x_t^\top`, per group: the gradient with respect to W without the log-det's part."""
        return self._grouped(dz) @ self._grouped(x).swapaxes(1, 2)

    def _mix(self, matrices, x):
        batch, channels, frames = x.shape
        xp = array_module(x)
        mixed = xp.empty((channels, batch, frames), x.dtype).swapaxes(0, 1)
        xp.matmul(matrices, self._grouped(x), out=self._grouped(mixed))
        return mixed


def random_rotations(channels, groups=1, rng=None):
    """One random orthogonal matrix of determinant 1 per group, (groups, size, size) in float64.

    The Q of a Gaussian matrix's QR decomposition, with the signs of R's diagonal taken into Q, is uniform among
    the orthogonal matrices (Mezzadri 2007).
    """
    if groups < 1 or channels % groups:
        raise ValueError(f"groups is {groups}, but must divide the {channels} channels")
    rng = np.random.default_rng(0) if rng is None else rng
    size = channels // groups
    rotations, upper = np.linalg.qr(rng.standard_normal((groups, size, size)))
    rotations *= np.sign(np.diagonal(upper, axis1=1, axis2=2))[:, None, :]
    rotations[:, :, 0] *= np.sign(np.linalg.det(rotations))[:, None]
    return rotations
