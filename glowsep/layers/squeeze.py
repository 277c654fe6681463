"""Squeeze: neighbouring frames become channels."""

from glowsep.arrays.library import array_module
from glowsep.layers.bijection import Bijection


class Squeeze(Bijection):
    r"""Stack every ``factor`` neighbouring frames as channels: (batch, C, T) to (batch, factor·C, T/factor).

    .. math:: z_{kC + c,\, t} = x_{c,\, \text{factor} \cdot t + k}

    Nothing is computed, only reordered, so the log-det is 0. The coupling that follows can then predict the odd
    frames from the even ones. Source: Dinh et al. 2017 ("Real NVP"), section 3.6; chapter 9.

    Raises
    ------
    ValueError
        If, in ``forward``, the number of frames is not a multiple of ``factor``.

    Examples
    --------
    >>> import numpy as np
    >>> Squeeze(2).forward(np.array([[[1, 2, 3, 4]]]))[0]
    array([[[1, 3],
            [2, 4]]])
    """

    def __init__(self, factor: int):
        if factor < 1:
            raise ValueError(f"factor is {factor}, but must be at least 1")
        self.factor = factor

    def forward(self, x, condition=None, tape=None):
        return self._stack(x), array_module(x).zeros(len(x), x.dtype)

    def inverse(self, z, condition=None, tape=None):
        return self._unstack(z)

    # A permutation's Jacobian is orthogonal: the permutation itself carries the gradients.

    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        return self._unstack(dz), self._unstack(z)

    def backward_inverse(self, dx, x, condition=None, tape=None):
        return self._stack(dx), self._stack(x)

    def describe(self):
        return f"factor {self.factor}, "

    def _stack(self, x):
        batch, channels, frames = x.shape
        if frames % self.factor:
            raise ValueError(f"the input has {frames} frames, expected a multiple of {self.factor}")
        pairs = x.swapaxes(0, 1).reshape(channels, batch, frames // self.factor, self.factor)
        stacked = pairs.transpose(3, 0, 1, 2).reshape(self.factor * channels, batch, -1)
        return stacked.swapaxes(0, 1)

    def _unstack(self, z):
        batch, channels, frames = z.shape
        if channels % self.factor:
            raise ValueError(f"the input has {channels} channels, expected a multiple of {self.factor}")
        stacked = z.swapaxes(0, 1).reshape(self.factor, channels // self.factor, batch, frames)
        return stacked.transpose(1, 2, 3, 0).reshape(channels // self.factor, batch, -1).swapaxes(0, 1)
