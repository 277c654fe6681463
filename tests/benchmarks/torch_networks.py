"""Wave-U-Net and Demucs in PyTorch, written as their authors wrote them, with our weights."""

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from glowsep.arrays.devices import to_host
from glowsep.layers.lstm import LSTMLayer
from glowsep.systems.demucs.model import Demucs
from glowsep.systems.wave_u_net.model import WaveUNet


class TorchWaveUNet(nn.Module):
    """Stoller et al. 2018: down, bottom and up; parameters in the order in which they are used."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        width = [config.channels] + [config.filters * (i + 1) for i in range(config.levels + 1)]
        levels = range(config.levels)
        self.down = nn.ModuleList(nn.Conv1d(width[i], width[i + 1], config.down_kernel) for i in levels)
        self.bottom = nn.Conv1d(width[-2], width[-1], config.down_kernel)
        self.up = nn.ModuleList(
            nn.Conv1d(width[i + 1] + width[i + 2], width[i + 1], config.up_kernel) for i in reversed(levels)
        )
        self.out = nn.Conv1d(width[0] + width[1], (config.sources - 1) * config.channels, 1)

    def forward(self, x):
        slope, skips, h = self.config.slope, [], x
        for convolution in self.down:
            h = functional.leaky_relu(convolution(h), slope)
            skips.append(h)
            h = h[:, :, ::2]
        h = functional.leaky_relu(self.bottom(h), slope)
        for convolution in self.up:
            h = functional.interpolate(h, size=2 * h.shape[2] - 1, mode="linear", align_corners=True)
            h = torch.cat([center_trim(skips.pop(), h.shape[2]), h], dim=1)
            h = functional.leaky_relu(convolution(h), slope)
        mixture = center_trim(x, h.shape[2])
        first = torch.tanh(self.out(torch.cat([mixture, h], dim=1)))
        rest = mixture - first.view(len(x), -1, self.config.channels, h.shape[2]).sum(dim=1)
        return torch.cat([first, rest], dim=1)


class TorchDemucs(nn.Module):
    """Défossez et al. 2019, version 2: encoder, LSTM and decoder; parameters in the order in which they are used."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.encoder = nn.ModuleList()
        inputs = config.channels
        for index in range(config.depth):
            width = config.filters * 2**index
            self.encoder.append(
                nn.Sequential(
                    nn.Conv1d(inputs, width, config.kernel, config.stride),
                    nn.ReLU(),
                    nn.Conv1d(width, 2 * width, 1),
                    nn.GLU(dim=1),
                )
            )
            inputs = width
        self.lstm = nn.LSTM(width, width, config.lstm_layers, bidirectional=True)
        self.linear = nn.Conv1d(2 * width, width, 1)
        self.decoder = nn.ModuleList()
        for index in reversed(range(config.depth)):
            width = config.filters * 2**index
            outputs = width // 2 if index else config.sources * config.channels
            decode = [
                nn.Conv1d(width, 2 * width, config.context),
                nn.GLU(dim=1),
                nn.ConvTranspose1d(width, outputs, config.kernel, config.stride),
            ]
            self.decoder.append(nn.Sequential(*decode, *([nn.ReLU()] if index else [])))

    def forward(self, x):
        mono = x.mean(dim=1, keepdim=True)
        mean, deviation = mono.mean(dim=-1, keepdim=True), mono.std(dim=-1, keepdim=True)
        h, skips = (x - mean) / (1e-5 + deviation), []
        if self.config.resample:
            h = resample(h, 2, 1)
        for encode in self.encoder:
            h = encode(h)
            skips.append(h)
        h = self.linear(self.lstm(h.permute(2, 0, 1))[0].permute(1, 2, 0))
        for decode in self.decoder:
            h = decode(h + center_trim(skips.pop(), h.shape[2]))
        if self.config.resample:
            h = resample(h, 1, 2)
        return h * deviation + mean


def center_trim(x, frames):
    excess = x.shape[2] - frames
    return x[:, :, excess // 2 : x.shape[2] - (excess - excess // 2)]


def resample(x, new, old, zeros=24, rolloff=0.945):
    """As in the library julius: one filter for each of the ``new`` phases, edges repeated."""
    lower = rolloff * min(new, old)
    width = math.ceil(zeros * old / lower)
    n = torch.arange(-width, width + old, dtype=torch.float64)
    kernels = []
    for j in range(new):
        t = ((n / old - j / new) * lower).clamp(-zeros, zeros)
        kernel = torch.sinc(t) * torch.cos(t * math.pi / zeros / 2) ** 2
        kernels.append(kernel / kernel.sum())
    kernels = torch.stack(kernels)[:, None].to(x)
    lines = functional.pad(x.reshape(-1, 1, x.shape[2]), (width, width + old), mode="replicate")
    y = functional.conv1d(lines, kernels, stride=old)
    return y.transpose(1, 2).reshape(*x.shape[:2], -1)[:, :, : x.shape[2] * new // old]


def with_weights_of(network):
    """The same network in PyTorch."""
    theirs = {WaveUNet: TorchWaveUNet, Demucs: TorchDemucs}[type(network)](network.config)
    theirs.to(torch.from_numpy(to_host(next(iter(network.parameters().values())))).dtype)
    with torch.no_grad():
        for mine, parameter in paired(network, network.parameters(), theirs.named_parameters()):
            parameter.copy_(mine)
    return theirs


def difference_of_gradients(network, theirs):
    """The distance of our gradient from theirs, of all parameters together, relative to its length."""
    pairs = list(paired(network, network.gradients(), ((name, p.grad) for name, p in theirs.named_parameters())))
    distance, length = (math.sqrt(sum(float((g**2).sum()) for g in gradients)) for gradients in (
        [mine - other for mine, other in pairs], [other for _, other in pairs],
    ))  # fmt: skip
    return distance / length


def paired(network, mine, theirs):
    """Our arrays in PyTorch's layout, each with its counterpart. Both sides list them in the order of their use."""
    for array, (name, other) in zip(in_torch_layout(network, mine), theirs, strict=True):
        if array.shape != other.shape:
            raise SystemExit(f"{name}: ours has shape {tuple(array.shape)}, PyTorch's {tuple(other.shape)}")
        yield array, other


def in_torch_layout(part, arrays, prefix=""):
    """A part's arrays as PyTorch holds them: an LSTM's two directions one after the other, a kernel's taps last."""
    own = [torch.from_numpy(np.ascontiguousarray(to_host(arrays[prefix + name]))) for name in part.parameter_names]
    if isinstance(part, LSTMLayer):
        yield from (array[direction] for direction in (0, 1) for array in own)
    elif own:
        W, b = own
        yield from (torch.movedim(W.reshape(len(W), part.windows.taps, -1), -1, 1), b)
    for name, inner in part.parts().items():
        yield from in_torch_layout(inner, arrays, f"{prefix}{name}.")
