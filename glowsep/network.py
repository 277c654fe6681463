"""The coupling's inner network: gated convolutions, not invertible, so with an explicit cache."""

import numpy as np

from .backend import array_module, fused
from .parameters import Parameters


class Convolution(Parameters):
    r"""A convolution over time that keeps the number of frames (zeros beyond the edges).

    .. math:: y_{o,t} = b_o + \sum_{i,k} W_{o,k,i}\, x_{i,\, t + (k - \lfloor K/2 \rfloor) d}

    Laid out as one matrix product: ``columns`` stacks the K shifted inputs, (K · inputs, batch · frames), and ``W`` is
    stored as the matrix (outputs, K · inputs) that multiplies it. With ``kernel`` 1 the columns are the input itself.
    Chapter 5 derives the gradients.
    """

    parameter_names = ("W", "b")

    def __init__(self, inputs, outputs, kernel, dilation, rng, dtype):
        # Glorot & Bengio 2010: the variance of signal and gradient is about kept.
        scale = np.sqrt(2 / (kernel * inputs + outputs))
        self.W = (scale * rng.standard_normal((outputs, kernel * inputs))).astype(dtype)
        self.b = np.zeros(outputs, dtype)
        self.dW = self.db = None
        self.shifts = [(k - kernel // 2) * dilation for k in range(kernel)]

    def forward(self, x):
        """x (inputs, batch, frames) to y (outputs, batch, frames)."""
        _, batch, frames = x.shape
        y = self.W @ self._columns(x)
        y += self.b[:, None]  # in place, as elsewhere here: new memory costs more than the sum
        return y.reshape(-1, batch, frames)

    def backward_input(self, dy):
        """Gradient by the input, from the gradient ``dy`` by the output."""
        outputs, batch, frames = dy.shape
        dcolumns = (self.W.T @ dy.reshape(outputs, -1)).reshape(len(self.shifts), -1, batch, frames)
        dx = dcolumns[len(self.shifts) // 2]  # the shift by 0: all others are added to it
        for dcolumn, shift in zip(dcolumns, self.shifts, strict=True):
            if shift:
                here, there = overlap(shift, dx.size)
                dcolumn[:, :, beyond(shift, frames)] = 0
                dx.reshape(-1)[there] += dcolumn.reshape(-1)[here]
        return dx

    def set_gradients(self, dy, x):
        """The parameters' gradients, from the gradient ``dy`` by the output and the input ``x``."""
        dy = dy.reshape(len(dy), -1)
        self.dW = dy @ self._columns(x).T
        self.db = row_sums(dy)

    def _columns(self, x):
        inputs, batch, frames = x.shape
        if self.shifts == [0]:
            return x.reshape(inputs, -1)
        columns = array_module(x).empty((len(self.shifts), inputs, batch, frames), x.dtype)
        for column, shift in zip(columns, self.shifts, strict=True):
            here, there = overlap(shift, x.size)
            column.reshape(-1)[here] = x.reshape(-1)[there]
            column[:, :, beyond(shift, frames)] = 0
        return columns.reshape(-1, batch * frames)


def row_sums(matrix):
    """The sum of every row: as a product with ones it is several times as fast as ``sum``."""
    return matrix @ array_module(matrix).ones(matrix.shape[1], matrix.dtype)


def frame_sums(x):
    """The sums over frames, (channels, batch, 1), of x (channels, batch, frames)."""
    channels, batch, frames = x.shape
    return row_sums(x.reshape(-1, frames)).reshape(channels, batch, 1)


# All channels and items are shifted at once, as one line of numbers, and what has then come in from a neighbouring item
# is set to zero: a copy of one line is three times, a sum five times as fast as many copies and sums of a few frames.


def overlap(shift, length):
    """The slices of t and of t + shift for which both lie within 0 … length - 1."""
    return slice(max(0, -shift), max(0, length - max(0, shift))), slice(max(0, shift), max(0, length + min(0, shift)))


def beyond(shift, frames):
    """The slice of the frames t for which t + shift does not lie within 0 … frames - 1."""
    return slice(0, min(-shift, frames)) if shift < 0 else slice(max(0, frames - shift), frames)


class GatedNetwork(Parameters):
    r"""Input 1x1, L gated convolutions with residual and skip paths, output 1x1.

    .. math::

        h_0 = W_{in} x, \qquad
        a_l, b_l = W_l * h_{l-1} + V_l c, \qquad
        g_l = \tanh(a_l)\, \sigma(b_l), \qquad
        r_l, k_l = U_l g_l, \qquad
        h_l = h_{l-1} + r_l, \qquad
        y = W_{out} \textstyle\sum_l k_l

    ``W_out`` starts at zero, so that every coupling starts as the identity. The condition :math:`c`, one vector an
    item, shifts the gates. Source: van den Oord et al. 2016 ("WaveNet"), sections 2.3 to 2.5; chapters 5 and 8.

    Not a bijection: ``forward`` returns ``y, cache``, and ``backward(dy, cache)`` returns ``dx``.

    Parameters
    ----------
    inputs, outputs : int
        Channels of x and of y.
    hidden : int
        Channels of h.
    layers : int
        The number L of gated convolutions; the dilation of layer l is ``dilation ** l``.
    kernel : int
        Odd.
    dilation : int
    condition_channels : int
        Length of the condition vector; 0 for none.
    rng : numpy.random.Generator
    """

    dcondition = None

    def __init__(self, inputs, outputs, hidden, layers, kernel, dilation, condition_channels, rng, dtype=np.float32):
        if kernel % 2 == 0:
            raise ValueError(f"kernel is {kernel}, but must be odd: a frame needs as many neighbours on either side")

        def convolution(inputs, outputs, kernel=1, dilation=1):
            return Convolution(inputs, outputs, kernel, dilation, rng, dtype)

        self.input = convolution(inputs, hidden)
        self.gates = [convolution(hidden, 2 * hidden, kernel, dilation**layer) for layer in range(layers)]
        self.splits = [convolution(hidden, 2 * hidden) for _ in range(layers)]
        conditioned = layers if condition_channels else 0
        self.conditions = [convolution(condition_channels, 2 * hidden) for _ in range(conditioned)]
        self.output = convolution(hidden, outputs)
        self.output.W[:] = 0

    def parts(self):
        lists = {"gates": self.gates, "splits": self.splits, "conditions": self.conditions}
        numbered = {f"{name}.{index}": part for name, parts in lists.items() for index, part in enumerate(parts)}
        return {"input": self.input} | numbered | {"output": self.output}

    def forward(self, x, condition=None):
        """x (batch, inputs, frames) to y (batch, outputs, frames), and the cache that ``backward`` wants."""
        xp = array_module(x)
        x = xp.ascontiguousarray(x.swapaxes(0, 1))
        condition = self._columned(condition, x)
        hidden = self.input.forward(x)
        skip = xp.zeros_like(hidden)
        hiddens, activations = [], []
        for layer, (gate, split) in enumerate(zip(self.gates, self.splits, strict=True)):
            hiddens.append(hidden)
            before = gate.forward(hidden)
            if condition is not None:
                before += self.conditions[layer].forward(condition)
            activation = tanh_and_sigmoid(before)
            activations.append(activation)
            residual_and_skip = split.forward(activation[0] * activation[1])
            hidden = hidden + residual_and_skip[: len(hidden)]
            skip += residual_and_skip[len(hidden) :]
        y = self.output.forward(skip)
        return y.swapaxes(0, 1), (x, condition, hiddens, activations, skip)

    def backward(self, dy, cache):
        """Gradient by x; sets the gradients of all parameters, and ``dcondition``."""
        x, condition, hiddens, activations, skip = cache
        dx, (dinput, dgates, dsplits, doutput) = self._backpropagate(dy, cache)
        self.input.set_gradients(dinput, x)
        for layer, (tanh, sigmoid) in enumerate(activations):
            self.gates[layer].set_gradients(dgates[layer], hiddens[layer])
            self.splits[layer].set_gradients(dsplits[layer], tanh * sigmoid)
            if condition is not None:
                self.conditions[layer].set_gradients(frame_sums(dgates[layer]), condition)
        self.output.set_gradients(doutput, skip)
        return dx

    def backward_input(self, dy, cache):
        """Gradient by x, the parameters frozen; sets ``dcondition``."""
        return self._backpropagate(dy, cache)[0]

    def _backpropagate(self, dy, cache):
        """Gradient by x, and by the output of every convolution."""
        x, condition, hiddens, activations, skip = cache
        xp = array_module(dy)
        doutput = xp.ascontiguousarray(dy.swapaxes(0, 1))
        dskip = self.output.backward_input(doutput)
        dhidden = xp.zeros_like(dskip)
        dgates, dsplits = [], []
        for gate, split, activation in zip(self.gates[::-1], self.splits[::-1], activations[::-1], strict=True):
            dsplit = xp.concatenate([dhidden, dskip])
            dgate = tanh_and_sigmoid_backward(split.backward_input(dsplit), activation)
            dhidden += gate.backward_input(dgate)
            dgates.insert(0, dgate)
            dsplits.insert(0, dsplit)
        self.dcondition = None if condition is None else self._condition_gradient(dgates)
        dx = self.input.backward_input(dhidden)
        return dx.swapaxes(0, 1), (dhidden, dgates, dsplits, doutput)

    def _condition_gradient(self, dgates):
        by_layer = zip(self.conditions, dgates, strict=True)
        return sum(part.backward_input(frame_sums(dgate)) for part, dgate in by_layer)[:, :, 0].T

    def _columned(self, condition, x):
        """The condition (batch, condition_channels) as one frame, (condition_channels, batch, 1)."""
        if (condition is not None) != bool(self.conditions):
            given, wanted = ("a", "none") if condition is not None else ("no", "one")
            raise ValueError(f"{given} condition was given, but this network was built for {wanted}")
        return None if condition is None else array_module(x).ascontiguousarray(condition.T)[:, :, None]


def tanh_and_sigmoid(before):
    r"""Both activations of a gated layer at once, (2, hidden, batch, frames), from a and b stacked.

    The sigmoid is a tanh too, :math:`\sigma(b) = (1 + \tanh(b/2))/2`, which never overflows.
    """
    activation = before.reshape(2, -1, *before.shape[1:])
    activate(*activation)
    return activation


@fused
def activate(a, b):
    """a becomes tanh(a), b becomes σ(b), both (hidden, batch, frames)."""
    xp = array_module(a)
    xp.tanh(a, out=a)
    b *= 0.5
    xp.tanh(b, out=b)
    b += 1
    b *= 0.5


def tanh_and_sigmoid_backward(dgated, activation):
    r"""Gradient by a and b, stacked, from the gradient by g = tanh(a)·σ(b), whose memory is used up.

    .. math:: \partial g/\partial a = \sigma (1 - \tanh^2), \qquad \partial g/\partial b = \tanh\, \sigma\, (1 - \sigma)
    """
    dbefore = array_module(dgated).empty((2, *dgated.shape), dgated.dtype)
    activate_backward(*dbefore, dgated, *activation)
    return dbefore.reshape(-1, *dgated.shape[1:])


@fused
def activate_backward(da, db, dgated, tanh, sigmoid):
    """Writes both gradients, all (hidden, batch, frames); dgated is used up."""
    xp = array_module(da)
    xp.multiply(dgated, sigmoid, out=da)
    xp.multiply(da, tanh, out=db)
    # What both have now lacks a factor 1 - f, where f is tanh or σ: so take away what it is times f.
    da -= xp.multiply(db, tanh, out=dgated)
    db -= xp.multiply(db, sigmoid, out=dgated)
