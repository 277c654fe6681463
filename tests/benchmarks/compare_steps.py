"""A training step and the steps of both searches, here and in PyTorch, on the same weights; see compare.py."""

import importlib.util
import time
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from glowsep.arrays.devices import to_device
from glowsep.arrays.library import array_module
from glowsep.layers.channels import channels_outermost
from glowsep.learning.adam import Adam
from glowsep.learning.clipping import clip_by_global_norm
from glowsep.systems.glow.fast.freeze import freeze
from glowsep.systems.glow.fast.fuse import fuse
from glowsep.systems.glow.fast.parallel import ParallelGlow, parallel
from glowsep.systems.glow.model import Glow, GlowConfig, standard_normal_log_prob
from glowsep.systems.glow.prior import PriorConfig
from glowsep.systems.glow.train import TrainingConfig

HAS_TORCH = importlib.util.find_spec("torch") is not None  # without it, its rows are left out

NETWORKS = {
    "default prior": PriorConfig().glow,
    "the paper's": GlowConfig(channels=514, squeeze=2, steps=12, hidden=128, layers=4, kernel=5, dilation=1),
}
FRAMES = {"default prior": TrainingConfig.frames, "the paper's": 64}  # an excerpt of training
LEARNING_RATE, CLIP = 1e-6, 1.0  # a rate so low that both walk along the same weights
TOLERANCE = 1e-4


@dataclass
class Subject:
    """A network that is no longer the identity, and a batch for it, on ``device``."""

    glow: ParallelGlow
    x: np.ndarray
    condition: np.ndarray | None
    latent: np.ndarray

    @classmethod
    def of(cls, config, batch, device, frames):
        rng = np.random.default_rng(0)
        glow = parallel(fuse(Glow(config, rng)))
        x = rng.standard_normal((batch, config.channels, frames), np.float32)
        latent = rng.standard_normal((batch, config.squeeze * config.channels, frames // config.squeeze), np.float32)
        condition = rng.standard_normal((batch, config.condition_channels), np.float32)
        condition = condition if config.condition_channels else None
        glow.forward(x[:1], condition if condition is None else condition[:1])  # initialises the ActNorms
        for parameter in glow.parameters().values():
            parameter += 0.01 * rng.standard_normal(parameter.shape, np.float32)
        glow.load({name: to_device(array, device) for name, array in glow.parameters().items()} | glow.state())
        moved = [None if array is None else to_device(array, device) for array in (x, condition, latent)]
        return cls(glow, channels_outermost(moved[0]), moved[1], channels_outermost(moved[2]))


class Ours:
    """The steps by hand. Every one returns its loss."""

    def __init__(self, subject):
        self.glow, self.x, self.condition = subject.glow, subject.x, subject.condition
        self.latent = subject.latent
        self.adam = Adam(self.glow.parameters(), LEARNING_RATE)

    # What only the search needs: who measures the memory of a training step must not hold it.

    @cached_property
    def latent_adam(self):
        return Adam({"z": self.latent}, LEARNING_RATE)

    @cached_property
    def target(self):
        return abs(self.x)

    @cached_property
    def frozen(self):
        return freeze(self.glow)

    def training(self):
        return self._learn(tape=[])

    def training_recomputed(self):
        return self._learn(tape=None)

    def _learn(self, tape):
        z, logdet = self.glow.forward(self.x, self.condition, tape)
        dlogdet = array_module(z).full(len(z), -1 / z.size, z.dtype)
        self.glow.backward(z / z.size, dlogdet, z, self.condition, tape)
        gradients = self.glow.gradients()
        clip_by_global_norm(gradients, CLIP)
        self.adam.step(gradients)
        return float(-(standard_normal_log_prob(z) + logdet).sum() / z.size)

    def latent_search(self):
        tape = []
        x = self.frozen.inverse(self.latent, self.condition, tape)
        error = x - self.target
        self.dlatent, _ = self.frozen.backward_inverse(error, x, self.condition, tape)
        self.latent_adam.step({"z": self.dlatent})
        return float(0.5 * (error * error).sum())

    def annealed_search(self):
        self.score, log_prob = self.frozen.log_prob_gradient(self.x, self.condition)
        return float(log_prob.sum())


def theirs_of(subject, device):
    """PyTorch's side, or None where it is not installed."""
    if not HAS_TORCH:
        return None
    from torch_steps import Theirs

    return Theirs(subject, device)


def require_agreement(ours, theirs):
    """One step of each kind from the same weights: their losses and gradients must agree to ``TOLERANCE``.

    Returns the largest relative difference. Raises SystemExit where they differ by more.
    """
    differences = {}
    for kind in ("training", "training_recomputed", "latent_search", "annealed_search"):
        mine = getattr(ours, kind)()
        other = getattr(theirs, kind.removesuffix("_recomputed"))()
        differences[f"{kind}: loss"] = abs(mine - other) / abs(other)
        differences[f"{kind}: gradients"] = theirs.difference(kind, ours)
    worst = max(differences, key=differences.get)
    if not differences[worst] <= TOLERANCE:
        raise SystemExit(f"PyTorch's {worst} differs from ours by {differences[worst]:.1e}, more than {TOLERANCE:.0e}")
    return differences[worst]


def products(config, positions):
    """Multiplications and additions of all matrix products of one ``forward`` over ``positions`` squeezed frames."""
    channels, hidden = config.squeeze * config.channels, config.hidden
    layer = hidden * 2 * hidden * config.kernel + hidden * 2 * hidden
    coupling = channels // 2 * hidden + config.layers * layer + hidden * channels
    return 2 * positions * config.steps * (coupling + channels * config.group_size)


#: How often a step needs those: forward, the gradients with respect to the input, and in training those with respect
#: to the weights.
PASSES = {"training": 3, "latent_search": 2, "annealed_search": 2}


def product_rate(device, size=2048, rounds=8):
    """The best rate of one large float32 matrix product, in operations a second."""
    a, b = (to_device(np.random.default_rng(seed).random((size, size), np.float32), device) for seed in (0, 1))
    xp, out = array_module(a), a.copy()
    return 2 * size**3 / min(alternately({"": lambda: xp.matmul(a, b, out=out)}, device, rounds)[""])


def alternately(functions, device, rounds, counted=3, settling=0.1):
    """Seconds of ``counted`` calls a turn of every function by name, in ``rounds`` turns.

    A turn begins with calls that do not count, for ``settling`` seconds at least: both sides' threads go on looking for
    work for some hundredths of a second after their last, and take that time from the other side's; and the caches are
    full of the other's numbers. Whoever trains takes many steps in a row.
    """
    seconds = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            settled = time.perf_counter() + settling
            while time.perf_counter() < settled:
                timed(function, device)
            seconds[name] += [timed(function, device) for _ in range(counted)]
    return seconds


def timed(function, device):
    """The seconds that a call takes."""
    synchronise(device)
    started = time.perf_counter()
    function()
    synchronise(device)
    return time.perf_counter() - started


def synchronise(device):
    """Wait until the GPU, where there is one, has done all that it was told."""
    if device == "cuda":
        array_module(to_device(np.zeros(1), device)).cuda.Device().synchronize()
        if HAS_TORCH:
            import torch

            torch.cuda.synchronize()


def measure(batches, rounds, device, progress):
    """The rows of the table, one a network, a batch and a kind of step: median seconds, ratios, share of the floor."""
    rows = []
    for network, config in NETWORKS.items():
        for batch in batches:
            subject = Subject.of(config, batch, device, FRAMES[network])
            ours, theirs = Ours(subject), theirs_of(subject, device)
            difference = theirs and require_agreement(ours, theirs)
            for kind, passes in PASSES.items():
                functions = {"kept": getattr(ours, kind)}
                if kind == "training":
                    functions["recomputed"] = ours.training_recomputed
                if theirs:
                    functions["torch"] = getattr(theirs, kind)
                rate = product_rate(device)
                seconds = {name: float(np.median(s)) for name, s in alternately(functions, device, rounds).items()}
                floor = passes * products(config, batch * FRAMES[network] // config.squeeze) / rate
                rows.append({
                    "network": network, "batch": batch, "step": kind, "seconds": seconds, "floor": floor,
                    "rate": rate, "difference": difference,
                })  # fmt: skip
                progress(describe(rows[-1]))
    return rows


def describe(row):
    """A row as a line of text."""
    times = ", ".join(f"{name} {1e3 * seconds:.1f} ms" for name, seconds in row["seconds"].items())
    shares = [f"{row['floor'] / row['seconds']['kept']:.0%} of the floor's rate"]
    if "torch" in row["seconds"]:
        ours = {name: seconds for name, seconds in row["seconds"].items() if name != "torch"}
        shares += [f"{name} {seconds / row['seconds']['torch']:.2f} of PyTorch's" for name, seconds in ours.items()]
    return f"{row['network']}, batch {row['batch']}, {row['step'].replace('_', ' ')}: {times}; {', '.join(shares)}"
