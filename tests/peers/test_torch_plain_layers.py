"""Plain layers and losses beside PyTorch's own, on the same weights: outputs, and every gradient by autograd."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from glowsep.layers import (
    GLU,
    LSTM,
    Chain,
    LeakyReLU,
    Linear,
    LinearInterpolation,
    Padding,
    ReLU,
    Reshape,
    SincResampling,
    SkipConcatenation,
    StridedConvolution,
    Tanh,
    TransposedConvolution,
)
from glowsep.learning.gradient_penalty import gradient_penalty
from glowsep.learning.losses import mean_absolute, mean_square

torch.set_num_threads(1)

TOLERANCE = {np.float64: 1e-10, np.float32: 1e-4}


def taps_last(W, layer):
    """Our (rows, taps · channels) as PyTorch's (rows, channels, taps …)."""
    return torch.movedim(W.reshape(len(W), *layer.windows.kernel, -1), -1, 1)


def zeros_around(x, amounts):
    return functional.pad(x, [n for pair in reversed(amounts) for n in pair])


def strided(layer, w, x):
    convolution = functional.conv1d if x.ndim == 3 else functional.conv2d
    x = zeros_around(x, layer.amounts(tuple(x.shape[2:])))
    return convolution(x, taps_last(w["W"], layer), w["b"], layer.windows.stride, 0, layer.windows.dilation)


def transposed(layer, w, x):
    convolution = functional.conv_transpose1d if x.ndim == 3 else functional.conv_transpose2d
    W, own = taps_last(w["W"], layer), layer.windows
    y = convolution(x, W, None, own.stride, dilation=own.dilation)
    return zeros_around(y, [(-a, -b) for a, b in layer.amounts()]) + w["b"].reshape(1, -1, *[1] * (x.ndim - 2))


def lstm(layer, w, x):
    hidden, layers = layer.layers[0].W_h.shape[2], len(layer.layers)
    theirs = torch.nn.LSTM(x.shape[1], hidden, layers, bidirectional=True, dtype=x.dtype)
    weights = {}
    for index in range(layers):
        for direction, suffix in enumerate(("", "_reverse")):
            for name, own in {"weight_ih": "W_x", "weight_hh": "W_h", "bias_ih": "b_x", "bias_hh": "b_h"}.items():
                weights[f"{name}_l{index}{suffix}"] = w[f"{index}.{own}"][direction]
    return torch.func.functional_call(theirs, weights, (x.permute(2, 0, 1),))[0].permute(1, 2, 0)


def julius(layer, w, x):
    """The library julius: a convolution for each of the ``new`` phases, on x with its edges repeated."""
    lower = 0.945 * min(layer.new, layer.old)
    width = math.ceil(24 * layer.old / lower)
    n = torch.arange(-width, width + layer.old, dtype=torch.float64)
    kernels = []
    for j in range(layer.new):
        t = ((n / layer.old - j / layer.new) * lower).clamp(-24, 24) * math.pi
        kernel = torch.sinc(t / math.pi) * torch.cos(t / 24 / 2) ** 2
        kernels.append(kernel / kernel.sum())
    lines = functional.pad(x.reshape(-1, 1, x.shape[2]), (width, width + layer.old), mode="replicate")
    y = functional.conv1d(lines, torch.stack(kernels)[:, None].to(x.dtype), stride=layer.old)
    return y.transpose(1, 2).reshape(*x.shape[:2], -1)[:, :, : x.shape[2] * layer.new // layer.old]


def interpolation(layer, w, x):
    return functional.interpolate(x, layer.factor * (x.shape[2] - 1) + 1, mode="linear", align_corners=True)


def cases():
    """A layer, PyTorch's form of it as a function of layer, weights and x, and the shape of x."""

    def double(cls, *arguments, **keywords):
        return cls(*arguments, **keywords, rng=np.random.default_rng(0), dtype=np.float64)

    same = {"padding": "same"}
    return {
        "convolution": (double(StridedConvolution, 3, 4, 15), strided, (2, 3, 40)),
        "stride 4": (double(StridedConvolution, 3, 4, 8, 4), strided, (2, 3, 41)),
        "dilated, same": (double(StridedConvolution, 3, 4, 5, 2, 3, **same), strided, (2, 3, 40)),
        "two axes, same": (double(StridedConvolution, 3, 4, (5, 5), 2, **same), strided, (2, 3, 16, 13)),
        "two axes, explicit": (
            double(StridedConvolution, 2, 3, (3, 4), (1, 3), (2, 1), ((1, 0), (2, 3))), strided, (2, 2, 9, 11),
        ),
        "transposed, stride 4": (double(TransposedConvolution, 4, 3, 8, 4), transposed, (2, 4, 11)),
        "transposed, 25 taps": (double(TransposedConvolution, 4, 3, 25, 4, **same), transposed, (2, 4, 16)),
        "transposed, two axes": (double(TransposedConvolution, 4, 3, (5, 5), 2, **same), transposed, (2, 4, 4, 5)),
        "transposed, wide": (double(TransposedConvolution, 40, 50, (5, 5), 2, **same), transposed, (2, 40, 4, 4)),
        "transposed, dilated": (double(TransposedConvolution, 3, 2, 4, 2, 3, 1), transposed, (2, 3, 9)),
        "ReLU": (ReLU(), lambda _, w, x: functional.relu(x), (2, 3, 5)),
        "LeakyReLU": (LeakyReLU(0.2), lambda _, w, x: functional.leaky_relu(x, 0.2), (2, 3, 5)),
        "Tanh": (Tanh(), lambda _, w, x: torch.tanh(x), (2, 3, 5)),
        "GLU": (GLU(), lambda _, w, x: functional.glu(x, dim=1), (2, 6, 5)),
        "Linear": (double(Linear, 5, 3), lambda _, w, x: functional.linear(x, w["W"], w["b"]), (4, 5)),
        "LSTM": (double(LSTM, 3, 5, layers=2), lstm, (2, 3, 9)),
        "interpolation": (LinearInterpolation(2), interpolation, (2, 3, 9)),
        "interpolation by 3": (LinearInterpolation(3), interpolation, (2, 3, 9)),
        "reflect": (Padding(3, 2, "reflect"), lambda _, w, x: functional.pad(x, (3, 2), mode="reflect"), (2, 3, 5)),
        "edge": (Padding(3, 2, "edge"), lambda _, w, x: functional.pad(x, (3, 2), mode="replicate"), (2, 3, 5)),
        "upsampling": (SincResampling(2, 1), julius, (2, 2, 150)),
        "downsampling": (SincResampling(1, 2), julius, (2, 2, 301)),
        "skip": (
            SkipConcatenation(double(StridedConvolution, 3, 4, 5)),
            lambda layer, w, x: torch.cat([
                x[:, :, 2:-2], functional.conv1d(x, taps_last(w["inner.W"], layer.inner), w["inner.b"]),
            ], dim=1),
            (2, 3, 12),
        ),
    }  # fmt: skip


def assert_close(ours, theirs, tolerance):
    """Relative to the largest entry."""
    theirs = theirs.detach().numpy()
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
    assert np.abs(ours - theirs).max() <= tolerance * max(1.0, np.abs(theirs).max())


def tensor(array):
    return torch.tensor(np.ascontiguousarray(array), requires_grad=True)


def gradient(of):
    return torch.zeros_like(of) if of.grad is None else of.grad


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", cases())
def test_outputs_and_gradients_are_pytorch_s(name, dtype):
    layer, peer, shape = cases()[name]
    rng = np.random.default_rng(1)
    moved = {n: (p + 0.2 * rng.standard_normal(p.shape)).astype(dtype) for n, p in layer.parameters().items()}
    layer.load(moved)
    weights = {n: tensor(array) for n, array in moved.items()}
    x = rng.standard_normal(shape).astype(dtype)
    their_x, tape = tensor(x), []
    theirs, ours = peer(layer, weights, their_x), layer.forward(x, tape)
    assert_close(ours, theirs, TOLERANCE[dtype])
    dy = rng.standard_normal(ours.shape).astype(dtype)
    theirs.backward(torch.tensor(dy))
    assert_close(layer.backward(dy, tape), their_x.grad, TOLERANCE[dtype])
    for n, found in layer.gradients().items():
        assert_close(found, gradient(weights[n]), TOLERANCE[dtype])


@pytest.mark.parametrize("ours, theirs", [(mean_absolute, functional.l1_loss), (mean_square, functional.mse_loss)])
def test_losses_are_pytorch_s(ours, theirs):
    target, estimate = np.random.default_rng(2).standard_normal((2, 3, 4))
    their_estimate = tensor(estimate)
    loss = theirs(their_estimate, torch.tensor(target))
    loss.backward()
    value, found = ours(target, estimate)
    assert_close(np.array(value), loss, 1e-12)
    assert_close(found, their_estimate.grad, 1e-12)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_gradient_penalty_is_autograd_s_second_derivative(dtype):
    """PyTorch goes back through the way back (``create_graph``); we send directions forward."""
    rng = np.random.default_rng(3)
    critic = Chain(
        StridedConvolution(1, 4, (5, 5), 2, padding="same", dtype=dtype), LeakyReLU(),
        StridedConvolution(4, 8, (5, 5), 2, padding="same", dtype=dtype), LeakyReLU(),
        Reshape(-1), Linear(128, 1, dtype=dtype),
    )  # fmt: skip
    for parameter in critic.parameters().values():
        parameter += (0.1 * rng.standard_normal(parameter.shape)).astype(dtype)
    weights = {name: tensor(array) for name, array in critic.parameters().items()}
    x = rng.standard_normal((3, 1, 16, 16)).astype(dtype)
    their_x = h = tensor(x)
    for index in (0, 2):
        w = {name: weights[f"{index}.{name}"] for name in ("W", "b")}
        h = functional.leaky_relu(strided(critic.layers[index], w, h), 0.2)
    score = functional.linear(h.flatten(1), weights["5.W"], weights["5.b"])
    (slope,) = torch.autograd.grad(score.sum(), their_x, create_graph=True)
    theirs = 10 * ((slope.flatten(1).norm(dim=1) - 1) ** 2).mean()
    theirs.backward()
    penalty, gradients = gradient_penalty(critic, x)
    assert_close(np.array(penalty), theirs, TOLERANCE[dtype])
    for name, found in gradients.items():
        assert_close(found, gradient(weights[name]), TOLERANCE[dtype])
