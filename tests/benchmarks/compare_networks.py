"""A training step of the small networks that hear waveforms, here and in PyTorch; see compare.py."""

from unittest import mock

import numpy as np
from compare_steps import HAS_TORCH, LEARNING_RATE, PASSES, TOLERANCE, alternately, product_rate

from glowsep.arrays.devices import to_device
from glowsep.layers.lstm import LSTMLayer
from glowsep.layers.strided_convolution import StridedConvolution
from glowsep.layers.transposed_convolution import TransposedConvolution
from glowsep.learning.adam import Adam
from glowsep.systems.demucs import train as demucs
from glowsep.systems.demucs.model import Demucs
from glowsep.systems.supervised.trained_network import moved
from glowsep.systems.supervised.training import LOSSES, loss_and_gradients
from glowsep.systems.wave_u_net import train as wave_u_net
from glowsep.systems.wave_u_net.model import WaveUNet

#: By name: the network, its size, and its training.
NETWORKS = {
    "Wave-U-Net": (WaveUNet, wave_u_net.SMALL, wave_u_net.TRAINING),
    "Demucs": (Demucs, demucs.SMALL, demucs.TRAINING),
}


class Ours:
    """A training step by hand. It returns its loss."""

    def __init__(self, network, sources, loss):
        self.network, self.sources, self.loss = network, sources, LOSSES[loss]
        self.adam = Adam(network.parameters(), LEARNING_RATE)

    def step(self):
        value, gradients = loss_and_gradients(self.network, self.sources, self.loss)
        self.adam.step(gradients)
        return value


def theirs_of(ours, loss, device):
    """PyTorch's side, on the same weights."""
    import torch
    from torch_networks import center_trim, difference_of_gradients, with_weights_of

    network = with_weights_of(ours.network).to(device)
    sources = torch.from_numpy(ours.sources if device == "cpu" else ours.sources.get()).to(device)
    adam = torch.optim.Adam(network.parameters(), LEARNING_RATE)
    measure = {"mean square error": torch.nn.functional.mse_loss, "mean absolute error": torch.nn.functional.l1_loss}

    class Theirs:
        def step(self):
            adam.zero_grad()
            estimates = network(sources.sum(dim=1))
            value = measure[loss](estimates, center_trim(sources.flatten(1, 2), estimates.shape[2]))
            value.backward()
            adam.step()
            return value.item()

        def difference(self):
            return difference_of_gradients(ours.network, network)

    return Theirs()


def require_agreement(ours, theirs):
    """One step from the same weights: the larger difference of loss and gradient, which must be below ``TOLERANCE``."""
    mine, other = ours.step(), theirs.step()
    difference = max(abs(mine - other) / abs(other), theirs.difference())
    if not difference <= TOLERANCE:
        raise SystemExit(f"PyTorch's step differs from ours by {difference:.1e}, more than {TOLERANCE:.0e}")
    return difference


def products(network, sources):
    """Multiplications and additions of all matrix products of one ``forward`` of the mixtures of these sources."""
    counts = []

    def counting(kind):
        forward = kind.forward

        def counted(layer, x, tape):
            y = forward(layer, x, tape)
            weights = layer.W_x.size + layer.W_h.size if kind is LSTMLayer else layer.W.size
            frames = y.shape[2] if kind is StridedConvolution else x.shape[2]
            counts.append(2 * weights * len(x) * frames)
            return y

        return mock.patch.object(kind, "forward", counted)

    with counting(StridedConvolution), counting(TransposedConvolution), counting(LSTMLayer):
        network.forward(sources.sum(axis=1), [])
    return sum(counts)


def subject(name, device):
    """One of the `NETWORKS` on the device with our side of a step: random sources stand for music."""
    kind, size, training = NETWORKS[name]
    rng = np.random.default_rng(0)
    network = moved(kind(size, rng), device)
    inputs, _ = size.lengths(training.samples)
    sources = 0.1 * rng.standard_normal((training.batch, size.sources, size.channels, inputs), np.float32)
    return Ours(network, to_device(sources, device), training.loss)


def measure(rounds, device, progress):
    """The rows of the table, one per network: median seconds, the ratio, and the share of the floor."""
    rows = []
    for name, (*_, training) in NETWORKS.items():
        ours = subject(name, device)
        functions, difference = {"ours": ours.step}, None
        if HAS_TORCH:
            theirs = theirs_of(ours, training.loss, device)
            difference = require_agreement(ours, theirs)
            functions["torch"] = theirs.step
        rate = product_rate(device)
        turns = alternately(functions, device, rounds, counted=1, settling=0)
        seconds = {side: float(np.median(times)) for side, times in turns.items()}
        floor = PASSES["training"] * products(ours.network, ours.sources) / rate
        rows.append({
            "network": name, "batch": training.batch, "step": "training", "seconds": seconds, "floor": floor,
            "rate": rate, "difference": difference,
        })  # fmt: skip
        progress(describe(rows[-1]))
    return rows


def describe(row):
    """A row as a line of text."""
    times = ", ".join(f"{side} {seconds:.2f} s" for side, seconds in row["seconds"].items())
    line = (
        f"{row['network']}, batch {row['batch']}: {times}; {row['floor'] / row['seconds']['ours']:.0%} of the floor's"
    )
    if "torch" in row["seconds"]:
        line += f" rate, {row['seconds']['ours'] / row['seconds']['torch']:.2f} of PyTorch's time"
    return line
