"""The invertible 1x1 convolution in its PLU form: the log-det is read off a diagonal."""

import numpy as np
import scipy

from glowsep.arrays.library import array_module
from glowsep.layers.conv1x1 import InvertibleConv1x1, random_rotations


class InvertibleConv1x1PLU(InvertibleConv1x1):
    r"""The 1x1 convolution with :math:`W = P L (U + \operatorname{diag}(\sigma\, e^{s}))`.

    :math:`P` is a fixed permutation, :math:`L` unit lower and :math:`U` strictly upper triangular, :math:`\sigma` fixed
    signs. The determinant of a triangular matrix is the product of its diagonal, so

    .. math:: \log|\det| = \text{frames} \cdot \sum_i s_i

    costs nothing, and ``W`` can never become singular. ``P``, ``L``, ``U``, ``s`` start as the factors of a random
    rotation. Source: Kingma & Dhariwal 2018 ("Glow"), section 3.2, equation 10; chapter 7.

    Attributes
    ----------
    L, U : (groups, size, size)
        Learnt; only the strict triangles are used and have a gradient.
    log_diagonal : (groups, size)
        Learnt, the :math:`s` above.
    P : (groups, size, size)
    sign : (groups, size)
        Fixed, and saved with the weights.

    Examples
    --------
    >>> InvertibleConv1x1PLU(6).forward(np.ones((1, 6, 5), np.float32))[1].round(3)  # a rotation
    array([0.], dtype=float32)
    """

    parameter_names = ("L", "U", "log_diagonal")
    state_names = ("P", "sign")

    def __init__(
        self,
        channels: int,
        groups: int = 1,
        rng: np.random.Generator | None = None,
        dtype: type[np.floating] = np.float32,
    ):
        permutations, lower, upper = scipy.linalg.lu(random_rotations(channels, groups, rng))
        diagonal = np.diagonal(upper, axis1=1, axis2=2)
        self.P, self.sign = permutations.astype(dtype), np.sign(diagonal).astype(dtype)
        self.L, self.U = np.tril(lower, -1).astype(dtype), np.triu(upper, 1).astype(dtype)
        self.log_diagonal = np.log(np.abs(diagonal)).astype(dtype)
        self.dL = self.dU = self.dlog_diagonal = None

    @property
    def W(self):
        """The matrices themselves, (groups, size, size)."""
        lower, upper = self._triangles()
        return self.P @ lower @ upper

    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        xp = array_module(z)
        lower, upper = self._triangles()
        dx, x = self._mix(self.W.swapaxes(1, 2), dz), self.inverse(z)
        if not self.is_frozen:
            dW = self._outer_products(dz, x)
            # W = (P L)(U + diag): the product rule, each factor's gradient restricted to where the factor is free.
            dupper = (self.P @ lower).swapaxes(1, 2) @ dW
            self.dL = xp.tril(self.P.swapaxes(1, 2) @ dW @ upper.swapaxes(1, 2), -1)
            self.dU = xp.triu(dupper, 1)
            self.dlog_diagonal = self._diagonal(dupper) * self._diagonal(upper) + z.shape[2] * dlogdet.sum()
        return dx, x

    def _logdet(self, x):
        batch, _, frames = x.shape
        return array_module(x).full(batch, frames * self.log_diagonal.sum(), dtype=x.dtype)

    def _triangles(self):
        xp = array_module(self.L)
        identity = xp.eye(self.L.shape[1], dtype=self.L.dtype)
        diagonal = self.sign * xp.exp(self.log_diagonal)
        return xp.tril(self.L, -1) + identity, xp.triu(self.U, 1) + identity * diagonal[:, None, :]

    @staticmethod
    def _diagonal(matrices):
        return array_module(matrices).diagonal(matrices, axis1=1, axis2=2)
