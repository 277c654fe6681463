"""What invertibility costs: a prior's flow, and a plain denoiser of no more weights, trained alike.

    python tests/benchmarks/denoiser.py data/freedoom4 data/freedoom4 --json data/results/denoiser.json

A flow that knows the density of noisy spectrograms removes noise by Tweedie's formula. A network that is told only to
remove noise learns the same function, the mean of what the noisy one may come from, and need not be invertible. Both
hear the same excerpts with the same noise, for as many steps, at the same rate. Scored are the noise that they leave in
solos of the validation split, as a share of what was added, and the annealed search with either on its songs.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the repository: it need not be installed

from glowsep import AnnealedSearch, Prior, separate
from glowsep.arrays.files import write_text
from glowsep.datasets import open_dataset
from glowsep.datasets.solos import solo_audio
from glowsep.evaluate import evaluate
from glowsep.layers import GatedNetwork
from glowsep.layers.parameters import Parameters
from glowsep.learning.adam import Adam
from glowsep.learning.clipping import clip_by_global_norm
from glowsep.learning.training import train
from glowsep.systems.glow.excerpts import random_batch, random_noise_levels, unaugmented
from glowsep.systems.glow.instglow import prior_config
from glowsep.systems.glow.noise import add_noise
from glowsep.systems.glow.prior import NOISE_FEATURES
from glowsep.systems.glow.train import PriorRun, TrainingConfig

LEVELS = (0.06, 0.1, 0.17, 0.3)


class Residual(Parameters):
    """y = x + N_1(x) + N_2(...) + ...: gated networks, each seeing all bins, as many as a flow has couplings."""

    initialised = False  # until its first step: the training measures the recordings before that

    def __init__(self, bins, hidden, count, rng):
        self.networks = [
            GatedNetwork(bins, bins, hidden, condition_channels=NOISE_FEATURES, rng=rng) for _ in range(count)
        ]

    def parts(self):
        return {str(number): network for number, network in enumerate(self.networks)}

    def forward(self, x, tape, condition):
        self.initialised = True
        for network in self.networks:
            x = x + network.forward(x, tape, condition)
        return x

    def backward(self, dy, tape):
        for network in reversed(self.networks):
            dy = dy + network.backward(dy, tape)
        return dy


class Denoiser(Prior):
    """A prior that cannot say how likely a spectrogram is, only where a noisy one comes from."""

    def __init__(self, name, config, rng):
        super().__init__(name, config, rng)
        glow = config.glow
        widths = range(8, glow.hidden + 1, 8)
        hidden = max(h for h in widths if size(Residual(glow.channels, h, glow.steps, rng)) <= size(self.flow))
        self.flow = Residual(glow.channels, hidden, glow.steps, rng)

    def noise(self, u, sigma, tape):
        """The noise in noisy u (batch, bins, frames), in units of sigma."""
        standard, _ = self.standardise(u, sigma)
        return self.flow.forward(standard, tape, self.condition(sigma))

    def denoise(self, u, sigma):
        return u - sigma[:, None, None] * self.noise(u, sigma, []), np.zeros(len(u), u.dtype)

    def latent_of(self, magnitude):
        return magnitude  # it has no latents

    def frozen(self):
        return self


class DenoiserRun(PriorRun):
    """The training of a denoiser: mean squared error of the noise, where a prior has its log-density."""

    unit = "mean squared error of the noise"

    def __init__(self, prior, solo, config):
        super().__init__(prior, solo, None, config)
        self.adam = Adam(prior.flow.parameters())

    def step(self, number):
        rng = np.random.default_rng([self.config.seed, number])
        u = random_batch(self.prior, self.solo, self.config, rng)
        sigma, tape = random_noise_levels(self.prior.config, len(u), rng), []
        noisy = add_noise(u, sigma, rng)
        error = self.prior.noise(noisy, sigma, tape) - (noisy - u) / sigma[:, None, None]
        self.prior.flow.backward(2 * error / error.size, tape)
        gradients = self.prior.flow.gradients()
        clip_by_global_norm(gradients, self.config.clip)
        self.adam.step(gradients, self.schedule(number))
        return float((error**2).mean())


def size(layer):
    """How many numbers it learns."""
    return sum(array.size for array in layer.parameters().values())


def left_over(prior, solo, sigma, batches=6):
    """The noise that is left after denoising held-out excerpts, as a share of the noise that was added."""
    config, left = unaugmented(TrainingConfig()), []
    for number in range(batches):
        rng = np.random.default_rng([2**32 - 1, number])
        u = random_batch(prior, solo, config, rng)
        levels = np.full(len(u), sigma, np.float32)
        denoised, _ = prior.denoise(add_noise(u, levels, rng), levels)
        left.append(((denoised - u) ** 2).mean() / sigma**2)
    return float(np.mean(left))


def scores(priors, held_out, tracks, iterations):
    """What one of the two models reaches: left-over noise by source and level, and SDR in dB by source."""

    def method(track):
        ordered = [priors[source] for source in track.sources]
        return separate(track.mixture, ordered, track.rate, AnnealedSearch(iterations)).estimates

    (found,) = evaluate(tracks, {"search": method}, quiet=True)
    return {
        "left": {name: [left_over(prior, held_out[name], sigma) for sigma in LEVELS] for name, prior in priors.items()},
        "sdr": {name: found.source_mean(name) for name in found.sources} | {"mean": found.mean()},
    }


def main():
    """Train both for every source, score both, and save the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("training", type=Path, help="a data set whose training split both hear")
    parser.add_argument("validation", type=Path, help="a data set whose validation split both are scored on")
    parser.add_argument("--steps", type=int, default=1000, help="of either training (default: %(default)s)")
    parser.add_argument("--iterations", type=int, default=30, help="of the search (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=8.0, help="of each song's beginning (default: %(default)s)")
    parser.add_argument("--json", type=Path, required=True, help="where to save the table")
    arguments = parser.parse_args()

    training, validation = (open_dataset(arguments.training, "train"), open_dataset(arguments.validation, "validation"))
    tracks = [track.excerpt(0, arguments.seconds) for track in validation]
    config = TrainingConfig(arguments.steps, warmup=min(TrainingConfig.warmup, arguments.steps // 10))
    flows, denoisers, held_out, minutes = {}, {}, {}, {"flow": 0.0, "denoiser": 0.0}
    for source in validation.sources:
        flow, denoiser = (kind(source, prior_config(), np.random.default_rng(0)) for kind in (Prior, Denoiser))
        solo, held_out[source] = (solo_audio(dataset, source, flow.config.rate) for dataset in (training, validation))
        runs = {"flow": PriorRun(flow, solo, None, config), "denoiser": DenoiserRun(denoiser, solo, config)}
        for name, run in runs.items():
            began = time.process_time()
            train(run, arguments.steps, arguments.steps)
            minutes[name] += (time.process_time() - began) / 60
        flows[source], denoisers[source] = flow, denoiser
    models = {"flow": flows, "denoiser": denoisers}
    table = {name: getattr(arguments, name) for name in ("steps", "seconds", "iterations")} | {"levels": LEVELS}
    table["models"] = {
        name: {"weights": size(next(iter(priors.values())).flow), "core_minutes": minutes[name]}
        | scores(priors, held_out, tracks, arguments.iterations)
        for name, priors in models.items()
    }
    write_text(arguments.json, json.dumps(table, indent=1) + "\n")
    print(json.dumps(table["models"], indent=1))


if __name__ == "__main__":
    main()
