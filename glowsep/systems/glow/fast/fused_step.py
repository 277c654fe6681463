"""A step of flow in few passes over memory: ActNorm, 1x1 convolution and coupling in one."""

from glowsep.arrays.library import array_module, fused
from glowsep.layers.bijection import Bijection
from glowsep.layers.convolution import row_sums


class FusedStep(Bijection):
    r"""ActNorm, 1x1 convolution and affine coupling, one after the other: the same map in fewer passes over memory.

    Large arrays are read from memory and written back by every operation, and that takes longer than the arithmetic
    itself. So the two linear maps become one small matrix and one vector for every group of channels,

    .. math::

        y = W (e^{s} \odot x + b) = A x + c, \qquad A = W \operatorname{diag}(e^{s}), \quad c = W b, \qquad
        \log|\det| = \text{frames} \cdot \sum_g \log|\det A_g|,

    and the gradients by all three of their parameters come from those by :math:`A` and :math:`c`, small ones again:

    .. math::

        dA = \sum_t dy_t\, x_t^\top + \text{frames} \cdot d\mathrm{logdet}\, A^{-\top}, \quad dc = \sum_t dy_t; \qquad
        dW = dA \operatorname{diag}(e^{s}) + dc\, b^\top, \quad ds = \operatorname{diag}(A^\top dA), \quad
        db = W^\top dc

    :math:`y` belongs to the step, so the coupling writes into it, and what it computes of one number after the other is
    one chain (see ``fused``).

    The three layers are its parts: it has no parameters of its own, and sets their gradients. A test holds it against
    them. Sources: as theirs; chapter 14.

    Parameters
    ----------
    actnorm : ActNorm
    convolution : InvertibleConv1x1
    coupling : AffineCoupling
        All three for the same number of channels.
    """

    def __init__(self, actnorm, convolution, coupling):
        self.actnorm, self.convolution, self.coupling = actnorm, convolution, coupling

    def parts(self):
        return {"actnorm": self.actnorm, "convolution": self.convolution, "coupling": self.coupling}

    @property
    def dcondition(self):
        """Gradient of the loss by the condition, (batch, condition_channels), of the last backward call."""
        return self.coupling.dcondition

    def forward(self, x, condition=None):
        return self.forward_keeping(x, condition)[:2]

    def forward_keeping(self, x, condition=None):
        if not self.actnorm.initialised:
            self.actnorm.initialise(x)
        A, c = self._linear_map()
        y = self._mix(A, x)
        y += c
        y_a, y_b = self._halves(y)
        kept = log_scale, shift, _ = self._log_scale_and_shift(y_a, condition)
        couple(y_b, log_scale, shift)  # in its memory: from here on, y is z
        logdet = x.shape[2] * self._log_determinant(A) + item_sums(log_scale)
        return y, logdet, kept

    def inverse(self, z, condition=None):
        return self.inverse_keeping(z, condition)[0]

    def inverse_keeping(self, z, condition=None):
        A, c = self._linear_map()
        z_a, z_b = self._halves(z)
        kept = log_scale, shift, _ = self._log_scale_and_shift(z_a, condition)
        y = empty_like(z)
        y_a, y_b = self._halves(y)
        y_a[...] = z_a
        uncouple(y_b, z_b, log_scale, shift)
        y -= c
        return self._mix(self._inverse_matrices(y), y), kept

    def backward(self, dz, dlogdet, z, condition=None, kept=None):
        A, c = self._linear_map()
        A_inverse = self._inverse_matrices(z)
        dy, y = self._backward_coupling(dz, dlogdet, z, condition, kept, self.coupling.network.backward)
        y -= c
        dx, x = self._mix(A.swapaxes(1, 2), dy), self._mix(A_inverse, y)
        dA = self.convolution._outer_products(dy, x) + z.shape[2] * dlogdet.sum() * A_inverse.swapaxes(1, 2)
        self._set_gradients(A, dA, self._grouped(channel_sums(dy)))
        return dx, x

    def backward_input(self, dz, dlogdet, z, condition=None, kept=None):
        A, c = self._linear_map()
        dy, y = self._backward_coupling(dz, dlogdet, z, condition, kept, self.coupling.network.backward_input)
        y -= c
        return self._mix(A.swapaxes(1, 2), dy), self._mix(self._inverse_matrices(y), y)

    def backward_inverse(self, dx, x, condition=None, kept=None):
        A, c = self._linear_map()
        z, dz = self._mix(A, x), self._mix(self._inverse_matrices(x).swapaxes(1, 2), dx)
        z += c
        z_a, z_b = self._halves(z)
        dz_a, dz_b = self._halves(dz)
        log_scale, shift, cache = self._log_scale_and_shift(z_a, condition) if kept is None else kept
        dnetwork = empty_like(dz, 2 * dz_b.shape[1])
        draw, dshift = halves(dnetwork)
        couple_backward_inverse(z_b, dz_b, draw, dshift, log_scale, shift, self.coupling.bound)
        dz_a += self.coupling.network.backward_input(dnetwork, cache)
        return dz, z

    # The coupling

    def _backward_coupling(self, dz, dlogdet, z, condition, kept, network_backward):
        """dy and y, both of them ours."""
        z_a, z_b = self._halves(z)
        dz_a, dz_b = self._halves(dz)
        log_scale, shift, cache = self._log_scale_and_shift(z_a, condition) if kept is None else kept
        y, dy, dnetwork = empty_like(z), empty_like(z), empty_like(z, 2 * z_b.shape[1])
        y_a, y_b = self._halves(y)
        dy_a, dy_b = self._halves(dy)
        draw, dshift = halves(dnetwork)
        y_a[...] = z_a
        draw[...] = dlogdet[:, None, None]
        couple_backward(y_b, dy_b, draw, dshift, z_b, dz_b, log_scale, shift, self.coupling.bound)
        del log_scale, shift  # unless they are kept, their memory is free for what follows
        array_module(dz).add(dz_a, network_backward(dnetwork, cache), out=dy_a)
        return dy, y

    def _log_scale_and_shift(self, z_a, condition):
        """As the coupling's, but in the memory of the network's output."""
        y, cache = self.coupling.network.forward(z_a, condition)
        log_scale, shift = halves(y)
        bound_log_scale(log_scale, self.coupling.bound)
        return log_scale, shift, cache

    def _halves(self, x):
        return self.coupling._halves(x)

    # The linear map

    def _linear_map(self):
        """A, (groups, size, size), and c, (channels, 1)."""
        scale, bias = self._scale_and_bias()
        W = self.convolution.W
        c = (W * bias[:, None, :]).sum(axis=2)
        return W * scale[:, None, :], self._ungrouped(c)[:, None]

    def _log_determinant(self, A):
        """log|det| of all groups together, a number: what a frame adds to the log-det."""
        return array_module(A).linalg.slogdet(A)[1].sum()

    def _inverse_matrices(self, like):
        """The inverses of A, (groups, size, size)."""
        scale, _ = self._scale_and_bias()
        return self.convolution._inverse(like) / scale[:, :, None]

    def _set_gradients(self, A, dA, dc):
        """The gradients by the parameters of ActNorm and convolution, from dA and dc (groups, size)."""
        scale, bias = self._scale_and_bias()
        self.convolution.dW = dA * scale[:, None, :] + dc[:, :, None] * bias[:, None, :]
        self.actnorm.dlog_scale = self._ungrouped((A * dA).sum(axis=1))
        self.actnorm.dbias = self._ungrouped((self.convolution.W * dc[:, :, None]).sum(axis=1))

    def _scale_and_bias(self):
        """ActNorm's, both (groups, size)."""
        actnorm = self.actnorm
        return self._grouped(array_module(actnorm.bias).exp(actnorm.log_scale)), self._grouped(actnorm.bias)

    def _mix(self, matrices, x):
        return self.convolution._mix(matrices, x)

    def _grouped(self, vector):
        """A number a channel, (channels,), as (groups, size)."""
        return vector.reshape(-1, len(self.convolution.W)).T

    @staticmethod
    def _ungrouped(vectors):
        return vectors.T.reshape(-1)


class FrozenStep(FusedStep):
    """A fused step for a search, during which no weight changes: all that depends on weights alone is found once.

    The matrices are small, but many: with less than a second of music, to invert them in every iteration can take a
    third of the time of a score, with ten seconds a twentieth. Chapter 14 measures it.

    Parameters
    ----------
    step : FusedStep
        Initialised. Its parameters, which this one shares, must not change from now on.
    """

    def __init__(self, step):
        super().__init__(step.actnorm, step.convolution, step.coupling)
        self.linear_map = A, _ = step._linear_map()
        self.log_determinant, self.inverse_matrices = step._log_determinant(A), step._inverse_matrices(A)

    def _linear_map(self):
        return self.linear_map

    def _log_determinant(self, A):
        return self.log_determinant

    def _inverse_matrices(self, like):
        return self.inverse_matrices


def empty_like(x, channels=None):
    """New memory for an array like x (batch, channels, frames), its channels outermost."""
    batch, same, frames = x.shape
    return array_module(x).empty((channels or same, batch, frames), x.dtype).swapaxes(0, 1)


def halves(x):
    """Views of the first and second half of the channels."""
    return x[:, : x.shape[1] // 2], x[:, x.shape[1] // 2 :]


def channel_sums(x):
    """The sum over items and frames for every channel, (channels,)."""
    return row_sums(x.swapaxes(0, 1).reshape(x.shape[1], -1))


def item_sums(x):
    """The sum over channels and frames for every item, (batch,)."""
    batch, channels, frames = x.shape
    return row_sums(x.swapaxes(0, 1).reshape(channels, -1).T).reshape(batch, frames).sum(axis=1)


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
def couple_backward(x_b, dx_b, draw, dshift, z_b, dz_b, log_scale, shift, bound):
    """Writes x_b, dx_b and dshift; draw holds the log-det's gradient, and becomes that by the network's first half."""
    xp = array_module(x_b)
    scale = xp.exp(log_scale)
    xp.subtract(z_b, shift, out=x_b)
    x_b /= scale
    xp.multiply(dz_b, scale, out=dx_b)
    draw += dx_b * x_b
    draw *= 1 - (log_scale / bound) ** 2
    dshift[...] = dz_b


@fused
def couple_backward_inverse(x_b, dx_b, draw, dshift, log_scale, shift, bound):
    """x_b becomes z_b, and dx_b becomes dz_b; writes draw and dshift."""
    xp = array_module(x_b)
    scale = xp.exp(log_scale)
    xp.multiply(dx_b, x_b, out=draw)
    draw *= (log_scale / bound) ** 2 - 1
    dx_b /= scale
    xp.negative(dx_b, out=dshift)
    x_b *= scale
    x_b += shift
