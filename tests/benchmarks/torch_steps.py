"""The steps of compare_steps.py in PyTorch. A module of its own: who measures our memory must not import PyTorch."""

from functools import cached_property

import numpy as np
import torch
from compare_steps import CLIP, LEARNING_RATE
from torch_glow import paired_gradients, with_weights_of

from glowsep.arrays.devices import to_host


class Theirs:
    """A training step and the steps of both searches. Every one returns its loss."""

    def __init__(self, subject, device):
        self.subject, self.device = subject, device
        self.network = with_weights_of(subject.glow).to(device)
        arrays = subject.x, subject.condition, subject.latent
        self.x, self.condition, self.latent = (None if a is None else tensor(a, device) for a in arrays)
        self.latent.requires_grad_()
        self.adam = torch.optim.Adam(self.network.parameters(), LEARNING_RATE)

    @cached_property
    def latent_adam(self):
        return torch.optim.Adam([self.latent], LEARNING_RATE)

    @cached_property
    def target(self):
        return self.x.abs()

    @cached_property
    def frozen(self):
        return with_weights_of(self.subject.glow).to(self.device).requires_grad_(False)

    def training(self):
        self.adam.zero_grad()
        loss = -self.network.log_prob(self.x, self.condition).sum() / self.x.numel()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), CLIP)
        self.adam.step()
        return loss.item()

    def latent_search(self):
        self.latent_adam.zero_grad()
        error = self.frozen.inverse(self.latent, self.condition) - self.target
        loss = 0.5 * (error**2).sum()
        loss.backward()
        self.latent_adam.step()
        return loss.item()

    def annealed_search(self):
        self.noisy = self.x.clone().requires_grad_()
        log_prob = self.frozen.log_prob(self.noisy, self.condition).sum()
        log_prob.backward()
        return log_prob.item()

    def difference(self, kind, ours):
        """The largest relative difference of our gradients from these, after both have done one step of ``kind``."""
        if kind.startswith("training"):
            pairs = paired_gradients(self.network, {name: to_host(g) for name, g in ours.glow.gradients().items()})
        elif kind == "latent_search":
            pairs = [(self.latent.grad, tensor(ours.dlatent, self.device))]
        else:
            pairs = [(self.noisy.grad, tensor(ours.score, self.device))]
        return max(float((theirs - mine).norm() / (theirs.norm() + 1e-12)) for theirs, mine in pairs)


def tensor(array, device):
    """A copy of our array as PyTorch lays it out."""
    return torch.tensor(np.ascontiguousarray(to_host(array)), device=device)
