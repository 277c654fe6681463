"""The same Glow in PyTorch, as its users would write it: modules, ``conv1d``, autograd.

Only the benchmarks and their test need it. ``with_weights_of`` takes over the weights of a ``glowsep.Glow``, so that
both compute the same function. Shapes are (batch, channels, frames) as there; memory is laid out as PyTorch likes it.
"""

import math

import torch
from torch import nn


class ActNorm(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.log_scale = nn.Parameter(torch.zeros(channels, 1))
        self.bias = nn.Parameter(torch.zeros(channels, 1))

    def forward(self, x, condition=None):
        return x * self.log_scale.exp() + self.bias, x.shape[2] * self.log_scale.sum()

    def inverse(self, z, condition=None):
        return (z - self.bias) * (-self.log_scale).exp()


class InvertibleConv1x1(nn.Module):
    """Group g holds the channels g, g + G, g + 2G, …: so the groups are an axis after a reshape."""

    def __init__(self, channels, groups):
        super().__init__()
        size = channels // groups
        self.W = nn.Parameter(torch.eye(size).repeat(groups, 1, 1))

    def forward(self, x, condition=None):
        return self.mix(self.W, x), x.shape[2] * torch.linalg.slogdet(self.W)[1].sum()

    def inverse(self, z, condition=None):
        return self.mix(torch.linalg.inv(self.W), z)

    def mix(self, W, x):
        batch, channels, frames = x.shape
        groups, size, _ = W.shape
        return torch.einsum("goi,bigt->bogt", W, x.view(batch, size, groups, frames)).reshape(x.shape)


class GatedLayer(nn.Module):
    def __init__(self, hidden, kernel, dilation, condition_channels):
        super().__init__()
        self.gate = nn.Conv1d(hidden, 2 * hidden, kernel, padding=dilation * (kernel // 2), dilation=dilation)
        self.split = nn.Conv1d(hidden, 2 * hidden, 1)
        self.condition = nn.Conv1d(condition_channels, 2 * hidden, 1) if condition_channels else None

    def forward(self, hidden, condition):
        before = self.gate(hidden)
        if self.condition is not None:
            before = before + self.condition(condition[:, :, None])
        a, b = before.chunk(2, dim=1)
        residual, skip = self.split(torch.tanh(a) * torch.sigmoid(b)).chunk(2, dim=1)
        return hidden + residual, skip


class GatedNetwork(nn.Module):
    def __init__(self, inputs, outputs, config):
        super().__init__()
        self.input = nn.Conv1d(inputs, config.hidden, 1)
        self.layers = nn.ModuleList(
            GatedLayer(config.hidden, config.kernel, config.dilation**layer, config.condition_channels)
            for layer in range(config.layers)
        )
        self.output = nn.Conv1d(config.hidden, outputs, 1)

    def forward(self, x, condition=None):
        hidden, total = self.input(x), 0
        for layer in self.layers:
            hidden, skip = layer(hidden, condition)
            total = total + skip
        return self.output(total)


class AffineCoupling(nn.Module):
    def __init__(self, channels, config):
        super().__init__()
        self.bound = config.bound
        self.network = GatedNetwork(channels - channels // 2, 2 * (channels // 2), config)

    def forward(self, x, condition=None):
        x_a, x_b = x.chunk(2, dim=1)
        log_scale, shift = self.log_scale_and_shift(x_a, condition)
        return torch.cat([x_a, x_b * log_scale.exp() + shift], dim=1), log_scale.sum(dim=(1, 2))

    def inverse(self, z, condition=None):
        z_a, z_b = z.chunk(2, dim=1)
        log_scale, shift = self.log_scale_and_shift(z_a, condition)
        return torch.cat([z_a, (z_b - shift) * (-log_scale).exp()], dim=1)

    def log_scale_and_shift(self, x_a, condition):
        raw, shift = self.network(x_a, condition).chunk(2, dim=1)
        return self.bound * torch.tanh(raw / self.bound), shift


class TorchGlow(nn.Module):
    """``config`` is a ``glowsep.GlowConfig``."""

    def __init__(self, config):
        super().__init__()
        self.squeeze = config.squeeze
        channels = config.channels * config.squeeze
        self.layers = nn.ModuleList()
        for _ in range(config.steps):
            self.layers.append(ActNorm(channels))
            self.layers.append(InvertibleConv1x1(channels, channels // config.group_size))
            self.layers.append(AffineCoupling(channels, config))

    def forward(self, x, condition=None):
        batch, channels, frames = x.shape
        z = x.view(batch, channels, -1, self.squeeze).permute(0, 3, 1, 2).reshape(batch, self.squeeze * channels, -1)
        logdet = 0
        for layer in self.layers:
            z, layer_logdet = layer(z, condition)
            logdet = logdet + layer_logdet
        return z, logdet

    def inverse(self, z, condition=None):
        for layer in reversed(self.layers):
            z = layer.inverse(z, condition)
        batch, channels, frames = z.shape
        pairs = z.view(batch, self.squeeze, channels // self.squeeze, frames).permute(0, 2, 3, 1)
        return pairs.reshape(batch, channels // self.squeeze, -1)

    def log_prob(self, x, condition=None):
        z, logdet = self(x, condition)
        return -0.5 * (z * z).sum(dim=(1, 2)) - 0.5 * math.log(2 * math.pi) * z[0].numel() + logdet


def with_weights_of(glow):
    """A ``TorchGlow`` with copies of the weights of a ``glowsep.Glow``."""
    network, weights = TorchGlow(glow.config), glow.parameters()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.copy_(as_torch_has_it(weights[our_name(name)], parameter.shape))
    return network


def paired_gradients(network, ours):
    """PyTorch's gradient of every parameter beside ours, from ``glowsep.Glow.gradients``, as (theirs, ours)."""
    named = network.named_parameters()
    return [(p.grad, as_torch_has_it(ours[our_name(name)], p.shape).to(p.device)) for name, p in named]


def our_name(name):
    """``layers.2.network.layers.0.gate.weight`` is ``3.network.gates.0.W`` here: the squeeze is a layer, too."""
    parts = name.split(".")[1:]
    parts[0] = str(int(parts[0]) + 1)
    if "layers" in parts:
        _, layer, part = parts[2:5]
        parts[2:5] = [f"{part}s", layer]
    return ".".join(parts).replace("weight", "W").replace(".bias", ".b" if "network" in parts else ".bias")


def as_torch_has_it(array, shape):
    """Our (outputs, kernel · inputs) as PyTorch's (outputs, inputs, kernel)."""
    tensor = torch.as_tensor(array)
    if tensor.ndim == 2:
        outputs, inputs, kernel = shape
        tensor = tensor.reshape(outputs, kernel, inputs).transpose(1, 2)
    return tensor.reshape(shape)
