"""A step of flow in few passes over memory: ActNorm, 1x1 convolution and coupling in one."""

from glowsep.arrays.library import array_module, fused
from glowsep.layers import ActNorm, AffineCoupling, InvertibleConv1x1
from glowsep.layers.bijection import Bijection
from glowsep.layers.channels import empty_like, halves, item_sums
from glowsep.systems.glow.fast.linear import FusedLinear


class FusedStep(Bijection):
    r"""ActNorm, 1x1 convolution and affine coupling, one after the other: the same map in fewer passes over memory.

    Every operation reads large arrays from memory and writes them back, and that takes longer than the arithmetic
    itself. So the two linear maps become one (``FusedLinear``). Its output belongs to the step, so the coupling writes
    into it, and everything that the coupling computes element by element is one chain (see ``fused``).

    The three layers are its parts: it has no parameters of its own, and sets their gradients. A test compares it with
    them. Sources: as theirs; chapter 14.

    Parameters
    ----------
    actnorm : ActNorm
    convolution : InvertibleConv1x1
    coupling : AffineCoupling
        All three for the same number of channels.

    Examples
    --------
    >>> import numpy as np
    >>> from glowsep.layers import ActNorm, AffineCoupling, InvertibleConv1x1
    >>> step, x = FusedStep(ActNorm(4), InvertibleConv1x1(4, 2), AffineCoupling(4)), np.ones((1, 4, 3), np.float32)
    >>> bool(np.allclose(step.inverse(step.forward(x)[0]), x, atol=1e-5))
    True
    """

    def __init__(self, actnorm: ActNorm, convolution: InvertibleConv1x1, coupling: AffineCoupling):
        self.linear, self.coupling = FusedLinear(actnorm, convolution), coupling

    def parts(self):
        return self.linear.parts() | {"coupling": self.coupling}

    def forward(self, x, condition=None, tape=None):
        y, logdet = self.linear.forward(x)
        y_a, y_b = self.coupling.halves(y)
        log_scale, shift = self._log_scale_and_shift(y_a, condition, self.coupling.network, tape)
        couple(y_b, log_scale, shift)  # in the memory of y, which is z from here on
        return y, logdet + item_sums(log_scale)

    def inverse(self, z, condition=None, tape=None):
        z_a, z_b = self.coupling.halves(z)
        log_scale, shift = self._log_scale_and_shift(z_a, condition, self.coupling.network.frozen(), tape)
        y = empty_like(z)
        y_a, y_b = self.coupling.halves(y)
        y_a[...] = z_a
        uncouple(y_b, z_b, log_scale, shift)
        return self.linear.inverse(y)

    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        z_a, z_b = self.coupling.halves(z)
        dz_a, dz_b = self.coupling.halves(dz)
        tape = self._recorded_again(z_a, condition, self.coupling.network) if tape is None else tape
        log_scale, shift = tape.pop()
        y, dy, dnetwork = empty_like(z), empty_like(z), empty_like(z, 2 * z_b.shape[1])
        y_a, y_b = self.coupling.halves(y)
        dy_a, dy_b = self.coupling.halves(dy)
        d_raw, dshift = halves(dnetwork)
        y_a[...] = z_a
        d_raw[...] = dlogdet[:, None, None]
        couple_backward(y_b, dy_b, d_raw, dshift, z_b, dz_b, log_scale, shift, self.coupling.bound)
        del log_scale, shift  # their memory is free for what follows
        array_module(dz).add(dz_a, self.coupling.network.backward(dnetwork, tape), out=dy_a)
        return self.linear.backward(dy, dlogdet, y)

    def backward_inverse(self, dx, x, condition=None, tape=None):
        dz, z = self.linear.backward_inverse(dx, x)
        z_a, z_b = self.coupling.halves(z)
        dz_a, dz_b = self.coupling.halves(dz)
        network = self.coupling.network.frozen()
        tape = self._recorded_again(z_a, condition, network) if tape is None else tape
        log_scale, shift = tape.pop()
        dnetwork = empty_like(dz, 2 * dz_b.shape[1])
        d_raw, dshift = halves(dnetwork)
        couple_backward_inverse(z_b, dz_b, d_raw, dshift, log_scale, shift, self.coupling.bound)
        dz_a += network.backward(dnetwork, tape)
        return dz, z

    def _log_scale_and_shift(self, z_a, condition, network, tape):
        """As the coupling's, but in the memory of the network's output."""
        tape = [] if tape is None else tape
        log_scale, shift = halves(network.forward(z_a, tape, condition))
        bound_log_scale(log_scale, self.coupling.bound)
        tape.append((log_scale, shift))
        return log_scale, shift

    def _recorded_again(self, z_a, condition, network):
        tape = []
        self._log_scale_and_shift(z_a, condition, network, tape)
        return tape


# The coupling's chains. All arrays have the shape of its second half; the equations are AffineCoupling's.


@fused
def bound_log_scale(raw, bound):
    """What the network puts out for the log-scale becomes B tanh(r / B)."""
    xp = array_module(raw)
    raw /= bound
    xp.tanh(raw, out=raw)
    raw *= bound


@fused
def couple(x_b, log_scale, shift):
    """x_b becomes z_b."""
    x_b *= array_module(x_b).exp(log_scale)
    x_b += shift


@fused
def uncouple(x_b, z_b, log_scale, shift):
    """Writes x_b."""
    xp = array_module(x_b)
    xp.subtract(z_b, shift, out=x_b)
    x_b *= xp.exp(-log_scale)


@fused
def couple_backward(x_b, dx_b, d_raw, dshift, z_b, dz_b, log_scale, shift, bound):
    """Writes x_b, dx_b and dshift; d_raw holds the log-det's gradient, and becomes that of the network's first half."""
    xp = array_module(x_b)
    scale = xp.exp(log_scale)
    xp.subtract(z_b, shift, out=x_b)
    x_b /= scale
    xp.multiply(dz_b, scale, out=dx_b)
    d_raw += dx_b * x_b
    d_raw *= 1 - (log_scale / bound) ** 2
    dshift[...] = dz_b


@fused
def couple_backward_inverse(x_b, dx_b, d_raw, dshift, log_scale, shift, bound):
    """x_b becomes z_b, and dx_b becomes dz_b; writes d_raw and dshift."""
    xp = array_module(x_b)
    scale = xp.exp(log_scale)
    xp.multiply(dx_b, x_b, out=d_raw)
    d_raw *= (log_scale / bound) ** 2 - 1
    dx_b /= scale
    xp.negative(dx_b, out=dshift)
    x_b *= scale
    x_b += shift
