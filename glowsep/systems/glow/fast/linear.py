"""ActNorm and 1x1 convolution, merged into one small matrix and one vector per group of channels."""

from functools import cached_property

from glowsep.arrays.library import array_module
from glowsep.layers import ActNorm, InvertibleConv1x1
from glowsep.layers.bijection import Bijection
from glowsep.layers.channels import channel_sums


class FusedLinear(Bijection):
    r"""ActNorm, then 1x1 convolution: the same map in half as many passes over memory.

    .. math::

        y = W (e^{s} \odot x + b) = A x + c, \qquad A = W \operatorname{diag}(e^{s}), \quad c = W b, \qquad
        \log|\det| = \text{frames} \cdot \sum_g \log|\det A_g|

    The gradients of all three parameters follow from those with respect to :math:`A` and :math:`c`, small ones again:

    .. math::

        dA = \sum_t dy_t\, x_t^\top + \text{frames} \cdot d\mathrm{logdet}\, A^{-\top}, \quad dc = \sum_t dy_t; \qquad
        dW = dA \operatorname{diag}(e^{s}) + dc\, b^\top, \quad ds = \operatorname{diag}(A^\top dA), \quad
        db = W^\top dc

    The two layers are its parts: it has no parameters of its own, and sets their gradients. Sources: as theirs;
    chapter 14.

    Parameters
    ----------
    actnorm : ActNorm
    convolution : InvertibleConv1x1
        For the same number of channels.

    Attributes
    ----------
    fixed : LinearMap or None
        A map that is found once, because the parameters will not change: set by ``freeze``, on a frozen view only.

    Examples
    --------
    >>> import numpy as np
    >>> from glowsep.layers import ActNorm, InvertibleConv1x1
    >>> layer, x = FusedLinear(ActNorm(4), InvertibleConv1x1(4, 2)), np.ones((1, 4, 3), np.float32)
    >>> bool(np.allclose(layer.inverse(layer.forward(x)[0]), x, atol=1e-5))
    True
    """

    fixed = None

    def __init__(self, actnorm: ActNorm, convolution: InvertibleConv1x1):
        self.actnorm, self.convolution = actnorm, convolution

    def parts(self):
        return {"actnorm": self.actnorm, "convolution": self.convolution}

    def forward(self, x, condition=None, tape=None):
        if not self.actnorm.initialised:
            self.actnorm.initialise(x)
        linear = self.linear_map()
        return linear.apply(x), array_module(x).full(len(x), x.shape[2] * linear.log_determinant, x.dtype)

    def inverse(self, y, condition=None, tape=None):
        return self.linear_map().undo(y)

    def backward(self, dy, dlogdet, y, condition=None, tape=None):
        linear = self.linear_map()
        dx, x = linear.mix(linear.A.swapaxes(1, 2), dy), linear.undo(y)
        if not (self.is_frozen or self.actnorm.is_frozen and self.convolution.is_frozen):
            log_determinant_part = y.shape[2] * dlogdet.sum() * linear.A_inverse.swapaxes(1, 2)
            dA = self.convolution._outer_products(dy, x) + log_determinant_part
            dc = linear.grouped(channel_sums(dy))
            if not self.convolution.is_frozen:
                self.convolution.dW = dA * linear.scale[:, None, :] + dc[:, :, None] * linear.bias[:, None, :]
            if not self.actnorm.is_frozen:
                self.actnorm.dlog_scale = linear.ungrouped((linear.A * dA).sum(axis=1))
                self.actnorm.dbias = linear.ungrouped((self.convolution.W * dc[:, :, None]).sum(axis=1))
        return dx, x

    def backward_inverse(self, dx, x, condition=None, tape=None):
        linear = self.linear_map()
        return linear.mix(linear.A_inverse.swapaxes(1, 2), dx), linear.apply(x)

    def linear_map(self):
        """The map that the present parameters make."""
        return self.fixed or LinearMap(self.actnorm, self.convolution)


class LinearMap:
    """y = A x + c in every frame, with A (groups, size, size) and c (channels, 1); and its inverse.

    What costs most is found when it is first asked for: a forward pass needs no inverse, an inverse no determinant.

    Parameters
    ----------
    actnorm : ActNorm
    convolution : InvertibleConv1x1
    """

    def __init__(self, actnorm: ActNorm, convolution: InvertibleConv1x1):
        self.convolution = convolution
        self.scale, self.bias = (
            self.grouped(array_module(actnorm.bias).exp(actnorm.log_scale)),
            self.grouped(actnorm.bias),
        )
        self.A = convolution.W * self.scale[:, None, :]
        self.c = self.ungrouped((convolution.W * self.bias[:, None, :]).sum(axis=2))[:, None]

    def apply(self, x):
        """y, freshly allocated."""
        y = self.mix(self.A, x)
        y += self.c
        return y

    def undo(self, y):
        """x, freshly allocated: A⁻¹ (y - c), where A⁻¹ c = b / scale, so no copy of y is needed."""
        x = self.mix(self.A_inverse, y)
        x -= self.ungrouped(self.bias / self.scale)[:, None]
        return x

    @cached_property
    def log_determinant(self):
        """log|det| of all groups together, a number: what one frame adds to the log-det."""
        return array_module(self.A).linalg.slogdet(self.A)[1].sum()

    @cached_property
    def A_inverse(self):
        return self.convolution._inverse(self.A) / self.scale[:, :, None]

    def mix(self, matrices, x):
        return self.convolution._mix(matrices, x)

    def grouped(self, vector):
        """One number per channel, (channels,), as (groups, size)."""
        return vector.reshape(-1, len(self.convolution.W)).T

    @staticmethod
    def ungrouped(vectors):
        return vectors.T.reshape(-1)
