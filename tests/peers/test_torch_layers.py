"""Every gradient by hand beside PyTorch's autograd, on the same weights, in both directions.

Each layer is written once more in a few lines of PyTorch, from its equation, with ``conv1d``, ``matmul`` and
``slogdet``; the weights are ours, moved away from where training starts.
"""

import numpy as np
import pytest
import torch
from torch.nn.functional import conv1d

from glowsep.layers import ActNorm, AffineCoupling, InvertibleConv1x1, InvertibleConv1x1PLU, Squeeze
from glowsep.systems.glow.model import Glow, GlowConfig

torch.set_num_threads(1)  # the arrays are too small to share out

BATCH, FRAMES = 3, 8
RELATIVE, ABSOLUTE = 1e-9, 1e-10


# The layers in PyTorch: functions of the layer (for its fixed numbers), its weights w as tensors, x or z, and c.


def actnorm_forward(layer, w, x, c):
    z = torch.exp(w["log_scale"])[None, :, None] * x + w["bias"][None, :, None]
    return z, x.shape[2] * w["log_scale"].sum() * torch.ones(len(x), dtype=x.dtype)


def actnorm_inverse(layer, w, z, c):
    return (z - w["bias"][None, :, None]) / torch.exp(w["log_scale"])[None, :, None]


def whole_matrix(W):
    """The groups' matrices as one, (channels, channels): group g holds channels g, g + G, g + 2G, …"""
    groups, size, _ = W.shape
    members = torch.arange(groups * size).reshape(size, groups).T
    whole = torch.zeros(groups * size, groups * size, dtype=W.dtype)
    for group, indices in enumerate(members):
        whole = whole.index_put((indices[:, None], indices[None, :]), W[group])
    return whole


def conv1x1_forward(layer, w, x, c):
    whole = whole_matrix(w["W"])
    return conv1d(x, whole[:, :, None]), x.shape[2] * torch.slogdet(whole)[1].expand(len(x))


def conv1x1_inverse(layer, w, z, c):
    return torch.linalg.solve(whole_matrix(w["W"]), z)


def plu_weights(layer, w):
    identity = torch.eye(w["L"].shape[1], dtype=w["L"].dtype)
    diagonal = torch.tensor(layer.sign) * torch.exp(w["log_diagonal"])
    lower, upper = torch.tril(w["L"], -1) + identity, torch.triu(w["U"], 1) + torch.diag_embed(diagonal)
    return {"W": torch.tensor(layer.P) @ lower @ upper}


def plu_forward(layer, w, x, c):
    return conv1x1_forward(layer, plu_weights(layer, w), x, c)


def plu_inverse(layer, w, z, c):
    return conv1x1_inverse(layer, plu_weights(layer, w), z, c)


def gated_network(network, w, x, c):
    """``W`` (outputs, kernel · inputs) in PyTorch's (outputs, inputs, kernel)."""

    def convolution(name, x, dilation=1):
        outputs, columns = w[f"{name}.W"].shape
        kernel = columns // x.shape[1]
        weight = w[f"{name}.W"].reshape(outputs, kernel, x.shape[1]).permute(0, 2, 1)
        padding = dilation * (kernel - 1) // 2
        return conv1d(x, weight, w[f"{name}.b"], padding=padding, dilation=dilation)

    hidden = convolution("input", x)
    skip = 0
    for layer, gate in enumerate(network.gates):
        dilation = gate.shifts[-1] - gate.shifts[-2] if len(gate.shifts) > 1 else 1
        before = convolution(f"gates.{layer}", hidden, dilation)
        if c is not None:
            before = before + convolution(f"conditions.{layer}", c[:, :, None])
        a, b = before.chunk(2, dim=1)
        residual, to_skip = convolution(f"splits.{layer}", torch.tanh(a) * torch.sigmoid(b)).chunk(2, dim=1)
        hidden, skip = hidden + residual, skip + to_skip
    return convolution("output", skip)


def inner(w, name):
    """The weights of the inner part ``name``, by their names within it."""
    return {key.removeprefix(name + "."): value for key, value in w.items() if key.startswith(name + ".")}


def coupling_scale_and_shift(layer, w, first, c):
    raw, shift = gated_network(layer.network, inner(w, "network"), first, c).chunk(2, dim=1)
    return layer.bound * torch.tanh(raw / layer.bound), shift


def coupling_forward(layer, w, x, c):
    first, second = x[:, : layer.unchanged], x[:, layer.unchanged :]
    log_scale, shift = coupling_scale_and_shift(layer, w, first, c)
    return torch.cat([first, torch.exp(log_scale) * second + shift], dim=1), log_scale.sum(dim=(1, 2))


def coupling_inverse(layer, w, z, c):
    first, second = z[:, : layer.unchanged], z[:, layer.unchanged :]
    log_scale, shift = coupling_scale_and_shift(layer, w, first, c)
    return torch.cat([first, (second - shift) / torch.exp(log_scale)], dim=1)


def squeeze_forward(layer, w, x, c):
    z = torch.cat([x[:, :, k :: layer.factor] for k in range(layer.factor)], dim=1)
    return z, torch.zeros(len(x), dtype=x.dtype)


def squeeze_inverse(layer, w, z, c):
    return torch.stack(z.chunk(layer.factor, dim=1), dim=3).flatten(2)


def glow_forward(glow, w, x, c):
    logdet = 0
    for index, layer in enumerate(glow.layers):
        x, layer_logdet = PEERS[type(layer)][0](layer, inner(w, str(index)), x, c)
        logdet = logdet + layer_logdet
    return x, logdet


def glow_inverse(glow, w, z, c):
    for index, layer in reversed(list(enumerate(glow.layers))):
        z = PEERS[type(layer)][1](layer, inner(w, str(index)), z, c)
    return z


PEERS = {
    ActNorm: (actnorm_forward, actnorm_inverse),
    InvertibleConv1x1: (conv1x1_forward, conv1x1_inverse),
    InvertibleConv1x1PLU: (plu_forward, plu_inverse),
    AffineCoupling: (coupling_forward, coupling_inverse),
    Squeeze: (squeeze_forward, squeeze_inverse),
    Glow: (glow_forward, glow_inverse),
}


def layers():
    """Each layer with the channels of its input and of its condition."""
    double = {"rng": np.random.default_rng(0), "dtype": np.float64}
    sizes = {"hidden": 5, "layers": 3, "kernel": 3, "dilation": 2}
    glow = {"channels": 4, "squeeze": 2, "steps": 3, "group_size": 4, "hidden": 5, "layers": 2, "kernel": 5}
    return {
        "actnorm": (ActNorm(6, np.float64), 6, 0),
        "convolution, one group": (InvertibleConv1x1(6, **double), 6, 0),
        "convolution, three groups": (InvertibleConv1x1(6, 3, **double), 6, 0),
        "PLU, one group": (InvertibleConv1x1PLU(6, **double), 6, 0),
        "PLU, two groups": (InvertibleConv1x1PLU(6, 2, **double), 6, 0),
        "squeeze": (Squeeze(2), 6, 0),
        "coupling": (AffineCoupling(6, **sizes, **double), 6, 0),
        "coupling, kernel 1": (AffineCoupling(6, **sizes | {"kernel": 1}, **double), 6, 0),
        "coupling, odd, conditioned": (AffineCoupling(7, **sizes, condition_channels=2, bound=2.0, **double), 7, 2),
        "Glow": (Glow(GlowConfig(**glow), **double), 4, 0),
        "Glow, conditioned": (Glow(GlowConfig(**glow, condition_channels=2), **double), 4, 2),
    }


def subject_of(name):
    """A layer with its weights moved, the same weights as tensors, an input and a condition."""
    layer, channels, condition_channels = layers()[name]
    rng = np.random.default_rng(1)
    x = rng.standard_normal((BATCH, channels, FRAMES))
    condition = rng.standard_normal((BATCH, condition_channels)) if condition_channels else None
    layer.forward(x, condition)  # an ActNorm initialises itself
    for parameter in layer.parameters().values():
        parameter += 0.2 * rng.standard_normal(parameter.shape)
    weights = {name: torch.tensor(array, requires_grad=True) for name, array in layer.parameters().items()}
    return layer, weights, x, condition


@pytest.fixture(params=list(layers()))
def subject(request):
    return subject_of(request.param)


def tensor(array):
    return None if array is None else torch.tensor(array, requires_grad=True)


def assert_equal(ours, theirs):
    np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=RELATIVE, atol=ABSOLUTE)


def gradient(of):
    """Autograd leaves None where the loss does not depend on a tensor: the gradient is zero."""
    return torch.zeros_like(of) if of.grad is None else of.grad


def test_forward_and_backward(subject):
    layer, weights, x, condition = subject
    rng = np.random.default_rng(2)
    their_x, their_condition = tensor(x), tensor(condition)
    their_z, their_logdet = PEERS[type(layer)][0](layer, weights, their_x, their_condition)
    dz, dlogdet = rng.standard_normal(their_z.shape), rng.standard_normal(BATCH)
    ((torch.tensor(dz) * their_z).sum() + (torch.tensor(dlogdet) * their_logdet).sum()).backward()

    z, logdet = layer.forward(x, condition)
    assert_equal(z, their_z)
    assert_equal(logdet, their_logdet)
    dx, rebuilt = layer.backward(dz, dlogdet, z, condition)
    assert_equal(dx, their_x.grad)
    np.testing.assert_allclose(rebuilt, x, rtol=RELATIVE, atol=ABSOLUTE)
    assert layer.gradients().keys() == weights.keys()
    for name, ours in layer.gradients().items():
        assert_equal(ours, gradient(weights[name]))
    dx, _ = layer.frozen().backward(dz, dlogdet, z, condition)
    assert_equal(dx, their_x.grad)


def test_inverse_and_its_backward(subject):
    layer, weights, x, condition = subject
    z = layer.forward(x, condition)[0]
    dx = np.random.default_rng(3).standard_normal(x.shape)
    their_z, their_condition = tensor(z), tensor(condition)
    their_x = PEERS[type(layer)][1](layer, weights, their_z, their_condition)
    (torch.tensor(dx) * their_x).sum().backward()

    assert_equal(layer.inverse(z, condition), their_x)
    dz, rebuilt = layer.backward_inverse(dx, x, condition)
    assert_equal(dz, their_z.grad)
    np.testing.assert_allclose(rebuilt, z, rtol=RELATIVE, atol=ABSOLUTE)


def test_the_log_det_is_that_of_autograd_s_jacobian(subject):
    """The Jacobian by autograd, the log-det by ours: independent of every log-det formula."""
    layer, weights, x, condition = subject
    logdet = layer.forward(x, condition)[1]
    fixed = {name: weight.detach() for name, weight in weights.items()}
    for item in range(BATCH):
        c = None if condition is None else torch.tensor(condition[item : item + 1])

        def latent(flat, c=c):
            return PEERS[type(layer)][0](layer, fixed, flat.reshape(1, *x.shape[1:]), c)[0].flatten()

        jacobian = torch.autograd.functional.jacobian(latent, torch.tensor(x[item].ravel()))
        assert_equal(logdet[item], torch.linalg.slogdet(jacobian)[1])


def test_the_score_of_glow():
    """The gradient of log_prob with respect to the data, with torch.distributions for the latent's density."""
    layer, weights, x, condition = subject_of("Glow, conditioned")
    their_x = tensor(x)
    their_z, their_logdet = glow_forward(layer, weights, their_x, torch.tensor(condition))
    their_log_prob = torch.distributions.Normal(0, 1).log_prob(their_z).sum(dim=(1, 2)) + their_logdet
    their_log_prob.sum().backward()
    score, log_prob = layer.log_prob_gradient(x, condition)
    assert_equal(score, their_x.grad)
    assert_equal(log_prob, their_log_prob)
    assert_equal(layer.log_prob(x, condition), their_log_prob)
