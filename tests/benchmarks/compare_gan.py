"""A step of SpecGAN's critic and one of its generator, at the small size, here and in PyTorch; see compare.py."""

import numpy as np
from compare_steps import HAS_TORCH, LEARNING_RATE, TOLERANCE, alternately, product_rate

from glowsep.arrays.devices import to_device, to_host
from glowsep.learning.adam import Adam
from glowsep.systems.gan_prior.model import FORMS, LAYERS, GANConfig, critic, generator
from glowsep.systems.gan_prior.train import TrainingConfig, critic_gradients, generator_gradients

CONFIG, TRAINING = GANConfig(), TrainingConfig()


class Ours:
    """Both steps by hand, on a fixed batch. Each returns its loss."""

    def __init__(self, device):
        rng = np.random.default_rng(0)
        self.generator, self.critic = generator(CONFIG, rng), critic(CONFIG, rng)
        for network in (self.generator, self.critic):
            for parameter in network.parameters().values():  # away from small sounds and from biases of zero
                parameter += 0.03 * rng.standard_normal(parameter.shape, np.float32)
            network.load({name: to_device(array, device) for name, array in network.parameters().items()})
        shape = (TRAINING.batch, 1, *FORMS[CONFIG.form].largest)
        real, between = rng.uniform(-1, 1, (2, *shape)).astype(np.float32)
        z = rng.uniform(-1, 1, (TRAINING.batch, CONFIG.latent)).astype(np.float32)
        self.real, self.between, self.z = (to_device(array, device) for array in (real, between, z))
        self.adams = [Adam(network.parameters(), LEARNING_RATE) for network in (self.generator, self.critic)]

    def critic_step(self):
        generated = self.generator.frozen().forward(self.z, [])
        loss, self.dcritic = critic_gradients(
            self.critic, self.real, generated, self.between, TRAINING.penalty, np.random.default_rng(0)
        )
        self.adams[1].step(self.dcritic)
        return float(loss)

    def generator_step(self):
        loss, self.dgenerator = generator_gradients(self.generator, self.critic, self.z, np.random.default_rng(0))
        self.adams[0].step(self.dgenerator)
        return float(loss)


def products():
    """Multiplications and additions of all matrix products of one ``forward`` of a batch: generator and critic."""
    smallest = np.prod(FORMS[CONFIG.form].smallest)
    pairs = zip(CONFIG.widths[:-1], CONFIG.widths[1:], range(LAYERS - 1, -1, -1), strict=True)
    convolutions = sum(25 * inputs * outputs * smallest * 4**level for inputs, outputs, level in pairs)
    dense = smallest * CONFIG.widths[-1]
    return (2 * TRAINING.batch * (convolutions + CONFIG.latent * dense), 2 * TRAINING.batch * (convolutions + dense))


#: How often a step needs those, of the generator and of the critic. The critic's: forward and both gradients of two
#: batches; and for the penalty of a third forward, back, forward with directions, and both gradients.
PASSES = {"critic": (1, 3 * 2 + 5), "generator": (3, 2)}


def require_agreement(ours, theirs):
    """One step of each kind: the largest difference of losses and gradients, which must be below ``TOLERANCE``."""
    differences = []
    for kind in PASSES:
        mine, other = getattr(ours, f"{kind}_step")(), getattr(theirs, f"{kind}_step")()
        gradients = {name: to_host(array) for name, array in getattr(ours, f"d{kind}").items()}
        differences += [abs(mine - other) / max(abs(other), 1e-2), theirs.difference(kind, gradients)]
    if not max(differences) <= TOLERANCE:
        raise SystemExit(f"PyTorch's steps differ from ours by {differences}, more than {TOLERANCE:.0e}")
    return max(differences)


def measure(rounds, device, progress):
    """The rows of the table, one per kind of step, and one for both as training takes them."""
    ours, theirs, difference = Ours(device), None, None
    if HAS_TORCH:
        from torch_gan import Theirs

        theirs = Theirs(ours, device)
        difference = require_agreement(ours, theirs)
    rows, whole = [], {}
    for kind, passes in PASSES.items():
        sides = {"ours": ours} | ({"torch": theirs} if theirs else {})
        functions = {name: getattr(side, f"{kind}_step") for name, side in sides.items()}
        rate = product_rate(device)
        seconds = {name: float(np.median(s)) for name, s in alternately(functions, device, rounds).items()}
        floor = sum(number * count for number, count in zip(passes, products(), strict=True)) / rate
        times = TRAINING.critic_steps if kind == "critic" else 1
        for name, value in {**seconds, "floor": floor}.items():
            whole[name] = whole.get(name, 0) + times * value
        rows.append({"step": kind, "seconds": seconds, "floor": floor, "difference": difference})
        progress(describe(rows[-1]))
    floor = whole.pop("floor")
    rows.append(
        {"step": f"{TRAINING.critic_steps} of the critic, 1 of the generator", "seconds": whole, "floor": floor}
    )
    progress(describe(rows[-1]))
    return [{"network": "SpecGAN", "batch": TRAINING.batch, **row} for row in rows]


def describe(row):
    """A row as a line of text."""
    seconds = row["seconds"]
    times = ", ".join(f"{name} {1e3 * value:.1f} ms" for name, value in seconds.items())
    shares = [f"{row['floor'] / seconds['ours']:.0%} of the floor's rate"]
    if "torch" in seconds:
        shares.append(f"{seconds['ours'] / seconds['torch']:.2f} of PyTorch's")
    return f"SpecGAN, {row['step']}: {times}; {', '.join(shares)}"
