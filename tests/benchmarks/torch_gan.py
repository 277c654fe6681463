"""SpecGAN in PyTorch, on the weights of ours, as one would write it there; see compare_gan.py.

With 5 taps and a stride of 2, "same" leaves an odd number of zeros. Ours come after the excerpt, PyTorch's before it:
so everything here is mirrored, excerpts and kernels, and no copy with zeros around it is needed.
"""

import numpy as np
import torch
from compare_gan import CONFIG, LEARNING_RATE, TRAINING
from torch import nn

from glowsep.arrays.devices import to_host
from glowsep.layers import LeakyReLU, Linear, ReLU, StridedConvolution, TransposedConvolution


class Theirs:
    """Both steps by autograd. Each returns its loss."""

    def __init__(self, ours, device):
        self.networks = {name: mirrored(getattr(ours, name)).to(device) for name in ("generator", "critic")}
        self.real, self.between, self.z = (
            torch.tensor(np.ascontiguousarray(to_host(array)), device=device)
            for array in (ours.real, ours.between, ours.z)
        )
        self.real, self.between = self.real.flip(2, 3), self.between.flip(2, 3)
        self.adams = {name: torch.optim.Adam(n.parameters(), LEARNING_RATE) for name, n in self.networks.items()}
        self.layers = {name: getattr(ours, name).layers for name in self.networks}

    def critic_step(self):
        critic = self.networks["critic"]
        self.adams["critic"].zero_grad()
        with torch.no_grad():
            generated = self.networks["generator"](self.z)
        real, fake = critic(torch.cat([self.real, generated])).chunk(2)
        loss = fake.mean() - real.mean()
        between = self.between.detach().requires_grad_()
        (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
        penalty = TRAINING.penalty * ((slope.flatten(1).norm(dim=1) - 1) ** 2).mean()
        (loss + penalty).backward()
        self.adams["critic"].step()
        return loss.item()

    def generator_step(self):
        generator, critic = self.networks["generator"], self.networks["critic"]
        self.adams["generator"].zero_grad()
        loss = -critic(generator(self.z)).mean()
        loss.backward(inputs=list(generator.parameters()))
        self.adams["generator"].step()
        return loss.item()

    def difference(self, kind, gradients):
        """The largest relative difference of our gradients from these, after a step of both."""
        worst = 0.0
        for index, layer in enumerate(self.layers[kind]):
            for name, own in (("weight", "W"), ("bias", "b")):
                if hasattr(layer, own):
                    theirs = getattr(self.networks[kind][index], name).grad
                    mine = weight_of(layer, gradients[f"{index}.W"]) if own == "W" else gradients[f"{index}.b"]
                    if own == "b" and isinstance(layer, Linear) and len(mine) > 1:
                        mine = mirrored_rows(mine[:, None])[:, 0]
                    mine = torch.tensor(np.ascontiguousarray(mine), device=theirs.device)
                    worst = max(worst, float((theirs - mine).norm() / (theirs.norm() + 1e-6)))
        return worst


def mirrored(network):
    """Our chain in PyTorch, mirrored along both axes."""
    layers = []
    for layer in network.layers:
        if isinstance(layer, Linear):
            new = nn.Linear(layer.W.shape[1], layer.W.shape[0])
        elif isinstance(layer, StridedConvolution):
            outputs, columns = layer.W.shape
            new = nn.Conv2d(columns // 25, outputs, 5, 2, 2)
        elif isinstance(layer, TransposedConvolution):
            inputs, columns = layer.W.shape
            new = nn.ConvTranspose2d(inputs, columns // 25, 5, 2, 2, output_padding=1)
        elif isinstance(layer, LeakyReLU):
            new = nn.LeakyReLU(layer.slope)
        elif isinstance(layer, ReLU):
            new = nn.ReLU()
        elif hasattr(layer, "shape"):
            new = nn.Flatten() if layer.shape == (-1,) else nn.Unflatten(1, layer.shape)
        else:
            new = nn.Tanh()
        if hasattr(layer, "W"):
            bias = to_host(layer.b)
            if isinstance(layer, Linear) and len(bias) > 1:
                bias = mirrored_rows(bias[:, None])[:, 0]
            new.weight.data = torch.tensor(np.ascontiguousarray(weight_of(layer, to_host(layer.W))))
            new.bias.data = torch.tensor(bias.copy())
        layers.append(new)
    return nn.Sequential(*layers)


def weight_of(layer, W):
    """Our matrix as PyTorch's weight, mirrored."""
    if isinstance(layer, Linear):
        return mirrored_rows(W) if len(W) > 1 else mirrored_rows(W.T).T
    return np.moveaxis(W.reshape(len(W), 5, 5, -1), -1, 1)[:, :, ::-1, ::-1]


def mirrored_rows(W):
    """Rows that count channels and the smallest array's two axes."""
    channels = CONFIG.widths[-1]
    side = int(np.sqrt(len(W) // channels))
    return W.reshape(channels, side, side, -1)[:, ::-1, ::-1].reshape(len(W), -1)
