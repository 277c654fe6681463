"""The coupling's inner network: gated convolutions, not invertible, so with an explicit cache."""

import numpy as np

from glowsep.arrays.library import array_module
from glowsep.layers.convolution import Convolution, frame_sums
from glowsep.layers.gates import tanh_and_sigmoid, tanh_and_sigmoid_backward
from glowsep.layers.parameters import Parameters


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
