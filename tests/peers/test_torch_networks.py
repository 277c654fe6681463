"""Wave-U-Net and Demucs beside PyTorch networks written as their authors wrote them, on the same weights."""

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from glowsep.layers import GLU, Chain, LeakyReLU, ReLU, StridedConvolution, TransposedConvolution
from glowsep.systems.demucs import train as demucs
from glowsep.systems.demucs.model import Demucs, DemucsConfig
from glowsep.systems.wave_u_net import train as wave_u_net
from glowsep.systems.wave_u_net.model import WaveUNet, WaveUNetConfig

torch.set_num_threads(1)

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
TOLERANCE = {np.float64: 1e-10, np.float32: 1e-4}
SMALL = {
    "Wave-U-Net": (WaveUNet, wave_u_net.SMALL),
    "Demucs": (Demucs, demucs.SMALL),
    "Demucs, resampling": (Demucs, dataclasses.replace(demucs.SMALL, resample=True, lstm_layers=2)),
}


@pytest.fixture
def torch_networks(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import torch_networks

    yield torch_networks
    for name in ("compare_steps", "compare_networks", "torch_networks"):
        sys.modules.pop(name, None)


def relative(mine, theirs):
    return float((mine - theirs).norm() / (theirs.norm() + 1e-12))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("kind, config", SMALL.values(), ids=list(SMALL))
def test_outputs_and_every_gradient_are_those_of_pytorch(kind, config, dtype, torch_networks):
    rng = np.random.default_rng(0)
    network = kind(config, rng, dtype)
    for parameter in network.parameters().values():
        parameter += 0.01 * rng.standard_normal(parameter.shape)
    theirs = torch_networks.with_weights_of(network)
    x = (0.1 * rng.standard_normal((2, config.channels, config.lengths(3000)[0]))).astype(dtype)
    other, tape = torch.from_numpy(x).requires_grad_(), []
    mine, expected = network.forward(x, tape), theirs(other)
    assert mine.shape == expected.shape
    assert relative(torch.from_numpy(mine.copy()), expected.detach()) <= TOLERANCE[dtype]
    dy = rng.standard_normal(mine.shape).astype(dtype)
    dx = network.backward(dy, tape)
    expected.backward(torch.from_numpy(dy))
    assert relative(torch.from_numpy(dx.copy()), other.grad) <= TOLERANCE[dtype]
    gradients = ((name, p.grad) for name, p in theirs.named_parameters())
    for gradient, correct in torch_networks.paired(network, network.gradients(), gradients):
        assert relative(gradient, correct) <= TOLERANCE[dtype]


def full_size_blocks():
    wave, full = WaveUNetConfig(), DemucsConfig()
    width, outputs = full.filters, full.sources * full.channels
    first = Chain(StridedConvolution(wave.channels, wave.filters, wave.down_kernel), LeakyReLU(wave.slope))
    last = Chain(StridedConvolution(3 * wave.filters, wave.filters, wave.up_kernel), LeakyReLU(wave.slope))
    yield "Wave-U-Net's first", first, (1, wave.channels, 2000)
    yield "Wave-U-Net's last", last, (1, 3 * wave.filters, 2000)
    window = {"kernel": full.kernel, "stride": full.stride}
    first = Chain(
        StridedConvolution(full.channels, width, **window), ReLU(), StridedConvolution(width, 2 * width, 1), GLU()
    )
    last = Chain(
        StridedConvolution(width, 2 * width, full.context), GLU(), TransposedConvolution(width, outputs, **window)
    )
    yield "Demucs' first", first, (1, full.channels, 8000)
    yield "Demucs' last", last, (1, width, 2000)


def as_torch(layer):
    if isinstance(layer, LeakyReLU):
        return torch.nn.LeakyReLU(layer.slope)
    if isinstance(layer, ReLU | GLU):
        return torch.nn.ReLU() if isinstance(layer, ReLU) else torch.nn.GLU(dim=1)
    rows, taps, (stride,) = len(layer.W), layer.windows.taps, layer.windows.stride
    columns = layer.W.shape[1] // taps
    if isinstance(layer, TransposedConvolution):
        return torch.nn.ConvTranspose1d(rows, columns, taps, stride)
    return torch.nn.Conv1d(columns, rows, taps, stride)


@pytest.mark.parametrize("block, shape", [pytest.param(*rest, id=name) for name, *rest in full_size_blocks()])
def test_the_first_and_the_last_block_of_the_full_size_are_those_of_pytorch(block, shape, torch_networks):
    rng = np.random.default_rng(1)
    theirs = torch.nn.Sequential(*map(as_torch, block.layers))
    with torch.no_grad():
        for mine, parameter in torch_networks.paired(block, block.parameters(), theirs.named_parameters()):
            parameter.copy_(mine)
    x, tape = rng.standard_normal(shape).astype(np.float32), []
    other = torch.from_numpy(x).requires_grad_()
    y, expected = block.forward(x, tape), theirs(other)
    assert relative(torch.from_numpy(y.copy()), expected.detach()) <= 1e-4
    dy = rng.standard_normal(y.shape).astype(np.float32)
    dx = block.backward(dy, tape)
    expected.backward(torch.from_numpy(dy))
    assert relative(torch.from_numpy(dx.copy()), other.grad) <= 1e-4
    gradients = ((name, p.grad) for name, p in theirs.named_parameters())
    for gradient, correct in torch_networks.paired(block, block.gradients(), gradients):
        assert relative(gradient, correct) <= 1e-4


def test_the_benchmark_s_steps_agree_and_another_weight_is_told(torch_networks, monkeypatch):
    import compare_networks

    size = WaveUNetConfig(levels=2, filters=3)
    training = dataclasses.replace(wave_u_net.TRAINING, samples=100, batch=2)
    monkeypatch.setitem(compare_networks.NETWORKS, "Wave-U-Net", (WaveUNet, size, training))
    ours = compare_networks.subject("Wave-U-Net", "cpu")
    theirs = compare_networks.theirs_of(ours, training.loss, "cpu")
    assert compare_networks.require_agreement(ours, theirs) <= compare_networks.TOLERANCE
    theirs = compare_networks.theirs_of(ours, training.loss, "cpu")
    next(iter(ours.network.parameters().values()))[0] += 1
    with pytest.raises(SystemExit, match="differs from ours"):
        compare_networks.require_agreement(ours, theirs)


def test_the_floor_counts_every_product(torch_networks):
    """By hand: Wave-U-Net of one level and three filters, valid convolutions of 15 and 5 taps, 4 sources, stereo."""
    import compare_networks

    config = WaveUNetConfig(levels=1, filters=3)
    network = WaveUNet(config)
    inputs, outputs = config.lengths(10)
    down = inputs - 14
    bottom = (down + 1) // 2 - 14
    expected = 15 * 2 * 3 * down + 15 * 3 * 6 * bottom + 5 * 9 * 3 * outputs + 5 * 6 * outputs
    sources = np.zeros((1, 4, 2, inputs), np.float32)
    assert compare_networks.products(network, sources) == 2 * expected
