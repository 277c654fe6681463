"""The coupling's inner network: gated convolutions, not invertible, so it needs a tape."""

import numpy as np

from glowsep.arrays.library import array_module
from glowsep.layers.channels import channels_outermost, frame_sums, halves, stacked
from glowsep.layers.convolution import Convolution
from glowsep.layers.gate import Gate
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

    ``W_out`` starts at zero, so that every coupling starts as the identity. The condition :math:`c`, one vector per
    item, shifts the gates. Source: van den Oord et al. 2016 ("WaveNet"), sections 2.3 to 2.5; chapters 5 and 8.

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
    rng : numpy.random.Generator, optional
        For the first weights; seed 0 if none is given.

    Examples
    --------
    >>> import numpy as np
    >>> network, tape = GatedNetwork(4, 6), []
    >>> y = network.forward(np.ones((2, 4, 5), np.float32), tape)
    >>> y.shape, network.backward(y, tape).shape, tape
    ((2, 6, 5), (2, 4, 5), [])
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        hidden: int = 96,
        layers: int = 3,
        kernel: int = 3,
        dilation: int = 2,
        condition_channels: int = 0,
        rng: np.random.Generator | None = None,
        dtype: type[np.floating] = np.float32,
    ):
        if kernel % 2 == 0:
            raise ValueError(f"kernel is {kernel}, expected an odd number: as many neighbours on either side")
        rng = np.random.default_rng(0) if rng is None else rng

        def convolution(inputs, outputs, kernel=1, dilation=1):
            return Convolution(inputs, outputs, kernel, dilation, rng, dtype)

        self.gate = Gate()
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

    def forward(self, x: np.ndarray, tape: list, condition: np.ndarray | None = None) -> np.ndarray:
        """x (batch, inputs, frames) to y (batch, outputs, frames)."""
        self._require_condition(condition)
        hidden = self.input.forward(channels_outermost(x), tape)
        skip = array_module(x).zeros_like(hidden)
        for layer, (gate, split) in enumerate(zip(self.gates, self.splits, strict=True)):
            before = gate.forward(hidden, tape)
            if condition is not None:
                before += self.conditions[layer].forward(condition[:, :, None], tape)
            residual, further = halves(split.forward(self.gate.forward(before, tape), tape))
            hidden = hidden + residual
            skip += further
        return self.output.forward(skip, tape)

    def backward(self, dy: np.ndarray, tape: list) -> np.ndarray:
        """The gradient with respect to x, from that with respect to y; sets the gradients of all parameters."""
        dskip = self.output.backward(channels_outermost(dy), tape)
        dhidden = array_module(dy).zeros_like(dskip)
        for layer in reversed(range(len(self.gates))):
            dbefore = self.gate.backward(self.splits[layer].backward(stacked(dhidden, dskip), tape), tape)
            if self.conditions:
                self.conditions[layer].set_gradients(frame_sums(dbefore), tape)
            dhidden += self.gates[layer].backward(dbefore, tape)
        return self.input.backward(dhidden, tape)

    def describe(self):
        inputs, hidden, outputs = self.input.W.shape[1], len(self.input.b), len(self.output.b)
        return f"{inputs} to {outputs} channels by {len(self.gates)} gated layers of {hidden}, "

    def _require_condition(self, condition):
        if (condition is not None) != bool(self.conditions):
            given, expected = ("a", "none") if condition is not None else ("no", "one")
            raise ValueError(f"{given} condition was given, but this network was built for {expected}")
