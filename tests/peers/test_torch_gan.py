"""SpecGAN and WaveGAN beside PyTorch, on the same weights: outputs, every gradient, and the search's gradient."""

import itertools

import numpy as np
import pytest
import torch
from test_torch_plain_layers import assert_close, strided, tensor, transposed
from torch.nn import functional

from glowsep.layers import (
    Chain,
    LeakyReLU,
    Linear,
    PhaseShuffle,
    ReLU,
    Reshape,
    StridedConvolution,
    TransposedConvolution,
)
from glowsep.systems.gan_prior.losses import WEIGHTS, SeparationLoss
from glowsep.systems.gan_prior.model import FORMS, GANConfig, critic, generator, shuffled
from glowsep.systems.gan_prior.spectra import WaveformSpectra

torch.set_num_threads(1)
TOLERANCE = 1e-4


def theirs_of(network, weights, x):
    """The same chain in PyTorch."""
    for index, layer in enumerate(network.layers):
        own = {name: weights.get(f"{index}.{name}") for name in ("W", "b")}
        if isinstance(layer, Linear):
            x = functional.linear(x, own["W"], own["b"])
        elif isinstance(layer, Reshape):
            x = x.reshape(len(x), *layer.shape)
        elif isinstance(layer, ReLU | LeakyReLU):
            x = functional.leaky_relu(x, getattr(layer, "slope", 0.0))
        elif isinstance(layer, StridedConvolution):
            x = strided(layer, own, x)
        elif isinstance(layer, TransposedConvolution):
            x = transposed(layer, own, x)
        elif isinstance(layer, PhaseShuffle):
            padded = functional.pad(x, (layer.most, layer.most), mode="reflect")
            starts = [layer.most - shift for shift in layer.shifts]
            x = torch.stack([row[:, s : s + x.shape[2]] for row, s in zip(padded, starts, strict=True)])
        else:
            x = torch.tanh(x)
    return x


def compared(network, x):
    rng = np.random.default_rng(1)
    for name, parameter in network.parameters().items():
        if name.endswith("b"):
            parameter += 0.1 * rng.standard_normal(parameter.shape).astype(np.float32)
    weights = {name: tensor(array) for name, array in network.parameters().items()}
    their_x, tape = tensor(x), []
    theirs, ours = theirs_of(network, weights, their_x), network.forward(x, tape)
    assert_close(ours, theirs, TOLERANCE)
    dy = rng.standard_normal(ours.shape).astype(np.float32)
    theirs.backward(torch.tensor(dy))
    assert_close(network.backward(dy, tape), their_x.grad, TOLERANCE)
    for name, gradient in network.gradients().items():
        assert_close(gradient, weights[name].grad, TOLERANCE)


@pytest.mark.parametrize("form", FORMS)
def test_the_small_networks_are_pytorch_s(form):
    rng, config = np.random.default_rng(0), GANConfig(form)
    compared(generator(config, rng), rng.uniform(-1, 1, (2, 100)).astype(np.float32))
    x = rng.uniform(-1, 1, (2, 1, *FORMS[form].largest)).astype(np.float32)
    compared(shuffled(critic(config, rng), 2, rng), x)


@pytest.mark.parametrize("form", FORMS)
def test_the_published_networks_first_and_last_blocks_are_pytorch_s(form):
    rng, config = np.random.default_rng(0), GANConfig.published(form)
    first, last = FORMS[form].smallest, FORMS[form].largest
    whole = generator(config, rng)
    compared(Chain(*whole.layers[:4]), rng.uniform(-1, 1, (1, 100)).astype(np.float32))
    half = tuple(n // s for n, s in zip(last, FORMS[form].stride, strict=True))
    compared(Chain(*whole.layers[-2:]), rng.standard_normal((1, 64, *half)).astype(np.float32))
    whole = critic(config, rng)
    compared(Chain(*whole.layers[:2]), rng.uniform(-1, 1, (1, 1, *last)).astype(np.float32))
    before = tuple(n * s for n, s in zip(first, FORMS[form].stride, strict=True))
    compared(Chain(*whole.layers[-4:]), rng.standard_normal((1, 512, *before)).astype(np.float32))


def test_spectra_of_waveforms_are_pytorch_s():
    layer, tape = WaveformSpectra(256, 128), []
    x = np.random.default_rng(0).standard_normal((2, 1, 2048)).astype(np.float32)
    their_x = tensor(x)
    spectrum = torch.stft(
        their_x[:, 0], 256, 128, window=torch.hann_window(256), center=True, pad_mode="constant", return_complex=True
    )[:, :-1, :-1]
    theirs = torch.stack([spectrum.real, spectrum.imag], dim=1)
    ours = layer.forward(x, tape)
    assert_close(ours, theirs, TOLERANCE)
    theirs.backward(torch.tensor(ours))
    assert_close(layer.backward(ours, tape), their_x.grad, TOLERANCE)


def their_loss(mixture, sources):
    """The four losses as they are written down, with autograd for the way back."""

    def log_power(s):
        return torch.log1p((s**2).sum(dim=-3))

    def levels(L):
        return [L, functional.avg_pool2d(L, 2), functional.avg_pool2d(functional.avg_pool2d(L, 2), 2)]

    def overlap(a, b):
        total = 0
        for one, other in zip(levels(a), levels(b), strict=True):
            for dim in (-2, -1):
                u, v = one.diff(dim=dim), other.diff(dim=dim)
                alpha = 2 * u.abs().mean(dim=(-2, -1), keepdim=True) / v.abs().mean(dim=(-2, -1), keepdim=True)
                p, q = 2 * torch.sigmoid(u) - 1, 2 * torch.sigmoid(alpha * v) - 1
                total = total + (p**2 * q**2).mean(dim=(-2, -1)) ** 0.25 / 6
        return total

    total = sources.sum(dim=0)
    x, m = log_power(mixture), log_power(total)
    loud = [torch.log1p((s**2).sum(dim=-3).sqrt()).sum(dim=-2) for s in (mixture, total)]
    pairs = list(itertools.combinations([log_power(s) for s in sources], 2))
    terms = {
        "frequency": (loud[0] / loud[1]).sum(dim=-1),
        "multi-resolution": sum((a - b).abs().sum(dim=(-2, -1)) for a, b in zip(levels(x), levels(m), strict=True)),
        "exclusion": sum(overlap(a, b) for a, b in pairs) / len(pairs),
        "inclusion": -overlap(x, m),
    }
    return terms, sum(WEIGHTS[name] * term.sum() for name, term in terms.items())


@pytest.mark.parametrize("components", [1, 2])
def test_the_losses_of_a_separation_are_pytorch_s(components):
    rng = np.random.default_rng(0)
    sources = rng.standard_normal((3, 2, components, 16, 32))
    mixture = sources.sum(axis=0) + rng.standard_normal((2, components, 16, 32))
    their_sources = tensor(sources)
    terms, loss = their_loss(torch.tensor(mixture), their_sources)
    loss.backward()
    ours, gradient = SeparationLoss(mixture)(sources)
    for name, term in terms.items():
        assert_close(ours[name], term, TOLERANCE)
    assert_close(gradient, their_sources.grad, TOLERANCE)
