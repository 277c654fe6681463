r"""The long short-term memory, in both directions of time, with backpropagation through time."""

import math

import numpy as np

from glowsep.arrays.devices import on_device_of
from glowsep.arrays.library import array_module, fused
from glowsep.layers.chain import Chain
from glowsep.layers.channels import channels_outermost
from glowsep.layers.parameters import Parameters

#: For the gates i, f, g, o: the sigmoid σ(a) is half · tanh(half · a) + shift, and the tanh is tanh(a).
HALF, SHIFT = (0.5, 0.5, 1.0, 0.5), (0.5, 0.5, 0.0, 0.5)


class LSTM(Chain):
    """Bidirectional LSTM layers one after the other, x (batch, inputs, frames) to y (batch, 2 · hidden, frames).

    Each reads both directions of the one before.

    Source: Hochreiter & Schmidhuber 1997; Graves & Schmidhuber 2005; in Demucs: Défossez et al. 2019, section 4.

    Parameters
    ----------
    inputs, hidden : int
        Channels of x; cells in each direction.
    layers : int
        How many.
    rng : numpy.random.Generator, optional
        For the first weights; seed 0 if none is given.

    Examples
    --------
    >>> LSTM(3, 8, layers=2).forward(np.zeros((1, 3, 5), np.float32), []).shape
    (1, 16, 5)
    """

    def __init__(
        self,
        inputs: int,
        hidden: int,
        layers: int = 1,
        rng: np.random.Generator | None = None,
        dtype: type[np.floating] = np.float32,
    ):
        rng = np.random.default_rng(0) if rng is None else rng
        super().__init__(*(LSTMLayer(2 * hidden if layer else inputs, hidden, rng, dtype) for layer in range(layers)))


class LSTMLayer(Parameters):
    r"""One LSTM forward in time and another one backward; y is both, stacked along the channels.

    .. math::

        a_t = W_x x_t + b_x + W_h h_{t-1} + b_h, \qquad (i, f, g, o) = (\sigma, \sigma, \tanh, \sigma)(a_t), \qquad
        c_t = f \odot c_{t-1} + i \odot g, \qquad h_t = o \odot \tanh c_t

    The four gates are stacked in :math:`a`, so a step has one product, and :math:`W_x x_t` of all steps is one product
    before the first. Backward in time, with :math:`\delta c_t` the gradient that arrives at a cell and
    :math:`\delta h_t = dy_t + W_h^T \delta a_{t+1}`,

    .. math::

        \delta c_t = f_{t+1} \odot \delta c_{t+1} + \delta h_t \odot o\, (1 - \tanh^2 c_t), \qquad
        \delta i = \delta c_t \odot g\, i (1 - i), \quad \delta f = \delta c_t \odot c_{t-1} f (1 - f), \quad
        \delta g = \delta c_t \odot i (1 - g^2), \quad \delta o = \delta h_t \odot \tanh c_t\, o (1 - o)

    and the gradients of all weights are again one product each, over all steps. The two biases have the same gradient,
    and only their sum counts; both are kept because published networks count and store both.

    Source: Hochreiter & Schmidhuber 1997; Gers et al. 2000 (the gate f); Graves & Schmidhuber 2005 (both directions,
    and these gradients).

    Parameters
    ----------
    inputs, hidden : int
        Channels of x; cells in each direction.
    rng : numpy.random.Generator, optional
        For the first weights, uniform up to :math:`1/\sqrt{\text{hidden}}`; seed 0 if none is given.

    Attributes
    ----------
    W_x : (2, 4 · hidden, inputs)
        Forward and backward in time; rows in the order i, f, g, o.
    W_h : (2, 4 · hidden, hidden)
    b_x, b_h : (2, 4 · hidden)

    Examples
    --------
    >>> LSTMLayer(3, 8).forward(np.zeros((1, 3, 5), np.float32), []).shape
    (1, 16, 5)
    """

    parameter_names = ("W_x", "W_h", "b_x", "b_h")

    def __init__(
        self,
        inputs: int,
        hidden: int,
        rng: np.random.Generator | None = None,
        dtype: type[np.floating] = np.float32,
    ):
        rng = np.random.default_rng(0) if rng is None else rng
        bound = 1 / math.sqrt(hidden)
        shapes = {"W_x": (inputs,), "W_h": (hidden,), "b_x": (), "b_h": ()}
        for name, shape in shapes.items():
            setattr(self, name, rng.uniform(-bound, bound, (2, 4 * hidden, *shape)).astype(dtype))
            setattr(self, f"d{name}", None)

    # Within the layer time is outermost, and in the second direction it is reversed: a step is the same line for both,
    # and reads and writes one piece of memory. There the gates come next, (gate, direction, batch, cell), but in their
    # gradients last, so that W_h^T is one product with all of them. The sigmoid is a tanh too, of half its argument:
    # σ(a) = (1 + tanh(a/2))/2. So the halves are in the weights, and a step has one tanh for all gates.

    def forward(self, x: np.ndarray, tape: list) -> np.ndarray:
        """x (batch, inputs, frames) to y (batch, 2 · hidden, frames)."""
        xp = array_module(x)
        batch, _, frames = x.shape
        cells = self.W_h.shape[2]
        inputs = both_directions(x)
        half, shift = (on_device_of(np.reshape(gates, (4, 1, 1, 1)).astype(x.dtype), x) for gates in (HALF, SHIFT))
        # A copy: with few items, a product with a transposed view takes several times as long.
        W_h = xp.ascontiguousarray((half * by_gate(self.W_h)).swapaxes(2, 3))
        gates = xp.ascontiguousarray(self._gates(inputs, half))
        hidden = xp.zeros((frames + 1, 2, batch, cells), x.dtype)  # with what was before the first frame
        cell, tanh_cell = xp.zeros_like(hidden), xp.empty_like(hidden)
        for t in range(frames):
            a = gates[t]
            a += hidden[t] @ W_h
            open_gates(a, half, shift)
            step(*a, cell[t], cell[t + 1], tanh_cell[t + 1], hidden[t + 1])
        tape.append((inputs, gates, cell, tanh_cell, hidden))
        return one_array(hidden[1:])

    def backward(self, dy: np.ndarray, tape: list) -> np.ndarray:
        """The gradient with respect to x, from that with respect to y; sets the parameters' gradients."""
        xp = array_module(dy)
        inputs, gates, cell, tanh_cell, hidden = tape.pop()
        frames, _, batch, cells = cell[1:].shape
        dhidden = both_directions(dy, halves=True)
        da = xp.empty((frames, 2, batch, 4 * cells), dy.dtype)
        da_by_gate = xp.moveaxis(da.reshape(frames, 2, batch, 4, cells), 3, 1)  # a view
        dcell = xp.zeros((2, batch, cells), dy.dtype)
        for t in reversed(range(frames)):
            if t < frames - 1:
                dhidden[t] += da[t + 1] @ self.W_h
            step_backward(dcell, *da_by_gate[t], dhidden[t], *gates[t], cell[t], tanh_cell[t + 1])
        da = all_frames(da)
        if not self.is_frozen:
            heard = xp.concatenate([part.swapaxes(0, 1) for part in (inputs, hidden[:-1])], axis=3)
            dW = da.swapaxes(1, 2) @ heard.reshape(2, frames * batch, -1)  # one wide product is faster than two
            self.dW_x, self.dW_h = (part.copy() for part in xp.split(dW, [inputs.shape[3]], axis=2))
            self.db_x = da.sum(axis=1)
            self.db_h = self.db_x.copy()
        dx = (da @ self.W_x).reshape(2, frames, batch, -1)
        return channels_outermost((dx[0] + dx[1][::-1]).transpose(1, 2, 0))

    def _gates(self, inputs, half):
        """What the inputs and the biases say to the gates of all frames: (frames, 4, 2, batch, cells), a view."""
        frames, _, batch, _ = inputs.shape
        W_x, b = by_gate(self.W_x), by_gate((self.b_x + self.b_h)[:, :, None])
        gates = all_frames(inputs) @ (half * W_x).swapaxes(2, 3)
        gates += (half * b).swapaxes(2, 3)
        return array_module(inputs).moveaxis(gates.reshape(4, 2, frames, batch, -1), 2, 0)

    def describe(self):
        return f"{self.W_x.shape[2]} to {2 * self.W_h.shape[2]} channels, "


def by_gate(W):
    """W (2, 4 · cells, inputs) with the gates outermost: (4, 2, cells, inputs), a view."""
    return W.reshape(2, 4, -1, W.shape[2]).swapaxes(0, 1)


def all_frames(x):
    """x (frames, 2, batch, channels) as one matrix per direction, (2, frames · batch, channels)."""
    return x.swapaxes(0, 1).reshape(2, -1, x.shape[3])


def both_directions(x, halves=False):
    """x (batch, channels, frames) as (frames, 2, batch, channels): forward and backward in time.

    Of ``halves`` of the channels the first is for one direction and the second for the other.
    """
    x = x.transpose(2, 0, 1)
    channels = x.shape[2] // 2
    forward, backward = (x[:, :, :channels], x[:, :, channels:]) if halves else (x, x)
    return array_module(x).stack([forward, backward[::-1]], axis=1)


def one_array(hidden):
    """(frames, 2, batch, cells) as (batch, 2 · cells, frames), the channels outermost: undoes ``both_directions``."""
    parts = [hidden[:, 0], hidden[::-1, 1]]
    return array_module(hidden).concatenate([part.transpose(2, 1, 0) for part in parts]).swapaxes(0, 1)


@fused
def open_gates(a, half, shift):
    """From a, halved where the gate is a sigmoid, to what the gates let through; in place."""
    array_module(a).tanh(a, out=a)
    a *= half
    a += shift


@fused
def step(i, f, g, o, cell_before, cell, tanh_cell, hidden):
    """One step of all cells, with open gates. Writes the last three."""
    xp = array_module(i)
    xp.multiply(f, cell_before, out=cell)
    cell += i * g
    xp.tanh(cell, out=tanh_cell)
    xp.multiply(o, tanh_cell, out=hidden)


@fused
def step_backward(dcell, di, df, dg, do, dhidden, i, f, g, o, cell_before, tanh_cell):
    """One step of all cells backward in time. Writes the gates' gradients; ``dcell`` moves on to the frame before."""
    xp = array_module(dcell)
    dcell += dhidden * o * (1 - tanh_cell * tanh_cell)
    xp.multiply(dcell * g, i * (1 - i), out=di)
    xp.multiply(dcell * cell_before, f * (1 - f), out=df)
    xp.multiply(dcell * i, 1 - g * g, out=dg)
    xp.multiply(dhidden * tanh_cell, o * (1 - o), out=do)
    dcell *= f
