"""The loss that gradients are checked with, and its derivatives by brute force."""

import numpy as np

from glowsep.check.stencils import STEP, central_difference, directions, jacobians


class LinearLoss:
    r"""A random linear loss, :math:`\sum a z + \sum b \log|\det|`: no gradient of it is right by symmetry.

    Its derivatives come in two parts, through ``z`` and through the log-det: most mistakes are in one of them.
    ``function`` below takes no arguments, reads a live array, and returns ``z`` and ``logdet`` (batch,).
    """

    def __init__(self, shape, rng):
        self.a = rng.standard_normal(shape)
        self.b = rng.standard_normal(shape[0])

    def jacobians(self, function, array, step=STEP):
        """Of ``z`` and, in the last row, ``logdet`` with respect to ``array``: (batch, outputs + 1, inputs)."""
        return jacobians(lambda: _packed(*function()), array, step)

    def by_items(self, jacobian, shape):
        """The two parts of the gradient with respect to an array of ``shape`` (batch, ...), from its ``jacobians``."""
        through_z = np.einsum("bo,boi->bi", self.a.reshape(len(self.a), -1), jacobian[:, :-1])
        through_logdet = self.b[:, None] * jacobian[:, -1]
        return through_z.reshape(shape), through_logdet.reshape(shape)

    def by_parameter(self, function, parameter, at_most, rng):
        """The directions tried, and the two parts of the derivative along each.

        In the parameter's shape where every entry was tried, else one number per direction.
        """
        tried = directions(parameter.shape, at_most, rng)
        changes = [central_difference(lambda: _packed(*function()), parameter, unit) for _, unit in tried]
        through_z = np.array([np.vdot(self.a.reshape(len(self.a), -1), change[:, :-1]) for change in changes])
        through_logdet = np.array([np.vdot(self.b, change[:, -1]) for change in changes])
        shape = parameter.shape if len(tried) == parameter.size else (len(tried),)
        return tried, through_z.reshape(shape), through_logdet.reshape(shape)


def _packed(z, logdet):
    return np.concatenate([z.reshape(len(z), -1), logdet[:, None]], axis=1)
