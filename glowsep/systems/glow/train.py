"""Training a prior: maximum likelihood on solo recordings, by Adam."""

from __future__ import annotations

import dataclasses
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from glowsep.arrays.devices import on_device_of
from glowsep.arrays.library import array_module
from glowsep.datasets.solos import require_recordings
from glowsep.learning.adam import Adam
from glowsep.learning.clipping import clip_by_global_norm
from glowsep.learning.nmf import learn_dictionary
from glowsep.learning.schedules import WarmupStableDecay
from glowsep.learning.training import LearningCurve, Run, train
from glowsep.learning.training_record import TrainingRecord
from glowsep.systems.glow.config import read_config
from glowsep.systems.glow.excerpts import excerpt_length, random_batch, random_noise_levels, unaugmented
from glowsep.systems.glow.model import standard_normal_log_prob
from glowsep.systems.glow.noise import add_noise, log_volume

if TYPE_CHECKING:
    from glowsep.systems.glow.prior import Prior


@dataclass(frozen=True)
class TrainingConfig:
    """How a prior is trained. Saved in its checkpoints.

    Attributes
    ----------
    steps, batch, frames : int
        Adam's steps; spectrogram excerpts per step, and frames per excerpt.
    learning_rate, warmup, clip : float, int, float
        Highest learning rate, the steps until it is reached, and the gradients' largest global norm.
    gain_db, equaliser_db : float
        Augmentation: the standard deviation of a gain, and of a smooth filter curve, both in dB.
    drive : float
        Augmentation: the share of excerpts that are overdriven, as by a guitar's amplifier.
    validate_every : int
        Steps between validation losses.
    seed : int

    Examples
    --------
    >>> TrainingConfig(steps=100).batch
    8
    """

    steps: int = 8_000
    batch: int = 8
    frames: int = 16
    learning_rate: float = 1e-3
    warmup: int = 200
    clip: float = 1.0
    gain_db: float = 6.0
    equaliser_db: float = 5.0
    drive: float = 0.0
    validate_every: int = 250
    seed: int = 0


def fit(
    prior: Prior,
    solo: np.ndarray,
    validation: np.ndarray | None = None,
    config: TrainingConfig | None = None,
    checkpoint: str | os.PathLike | None = None,
    progress: bool = True,
) -> LearningCurve:
    r"""Train ``prior`` in place to a small negative log-likelihood of noisy solo spectrograms.

    .. math:: -\frac{1}{BD} \sum_{b=1}^{B} \log p_{\sigma_b}(u_b + \sigma_b \varepsilon_b), \qquad
              \log \sigma_b \sim \mathcal{U}, \quad \varepsilon_b \sim \mathcal{N}(0, I)

    A new prior measures its statistics in the recordings first; one that has been trained keeps its own, and goes on.

    The randomness of step k is a function of (seed, k) alone. So a run that was killed, and resumed from its
    checkpoint, ends at the same weights to the last bit (on one CPU, with one number of threads).

    Parameters
    ----------
    prior : glowsep.Prior
    solo, validation : (samples,)
        Solo recordings at the prior's rate, one after the other (see `glowsep.datasets.solos.without_silence`).
    config : TrainingConfig
    checkpoint : path, optional
        Written at every validation, and every minute; read first if it exists.
    progress : bool
        Show a progress bar.

    Returns
    -------
    LearningCurve
        Losses in nats per dimension.

    Raises
    ------
    ValueError
        If the recordings are silent, or shorter than two excerpts (for validation: than one).
    PriorError
        If the checkpoint is damaged, of another prior, or of another configuration.

    Source: Zhu et al. 2022, section III; Song & Ermon 2019, section 4; chapter 10.
    """
    config = TrainingConfig() if config is None else config
    require_recordings("the recordings", solo, shortest(prior.config, config))
    if validation is not None:
        require_recordings("the validation recordings", validation, shortest(prior.config, config, validation=True))
    run = PriorRun(prior, solo, validation, config)
    curve = train(run, config.steps, config.validate_every, checkpoint, progress)
    heard = TrainingRecord(len(solo) / prior.config.rate / 3600, curve.core_seconds / 60)
    prior.training = TrainingRecord.together([prior.training, heard])  # a loaded prior has a past
    return curve


class PriorRun(Run):
    """The training of one prior, step by step; see ``fit``."""

    unit = "nats/dim"

    def __init__(self, prior, solo, validation, config):
        self.prior, self.name, self.config = prior, prior.name, config
        self.solo, self.validation = solo, validation
        self.adam = Adam(prior.flow.parameters())
        self.schedule = WarmupStableDecay(config.learning_rate, config.warmup, config.steps)

    def begin(self):
        if not self.prior.flow.initialised:  # a trained flow keeps the statistics that it was trained with
            measure(self.prior, self.solo, self.config)

    def step(self, number):
        rng = np.random.default_rng([self.config.seed, number])
        u = random_batch(self.prior, self.solo, self.config, rng)
        return training_step(self.prior, self.adam, u, self.config, self.schedule(number), rng)

    def validation_loss(self):
        return None if self.validation is None else validation_loss(self.prior, self.validation, self.config)

    def configuration(self):
        return {"prior": dataclasses.asdict(self.prior.config), "training": dataclasses.asdict(self.config)}

    def saved_configuration(self, header):
        saved = super().saved_configuration(header)
        return saved | {"prior": json.loads(json.dumps(dataclasses.asdict(read_config(saved["prior"]))))}

    def arrays(self):
        prior = self.prior
        weights = prior.flow.parameters() | prior.flow.state() | prior.statistics()
        flow = {f"flow.{name}": array for name, array in weights.items()}
        return flow | {f"adam.{name}": array for name, array in self.adam.state().items()}

    def load(self, arrays):
        prior = self.prior
        weights = {name.removeprefix("flow."): a for name, a in arrays.items() if name.startswith("flow.")}
        for statistic in prior.statistics():
            setattr(prior, statistic, on_device_of(weights.pop(statistic), prior.mean))
        for name, live in prior.flow.parameters().items():
            live[...] = on_device_of(weights[name], live)  # into the arrays that the optimiser holds
        prior.flow.load(weights | prior.flow.parameters())
        self.adam.load_state({name.removeprefix("adam."): a for name, a in arrays.items() if name.startswith("adam.")})


def training_step(prior, adam, u, config, learning_rate, rng):
    """One step of Adam on the excerpts u (batch, bins, frames): their loss in nats per dimension."""
    sigma = on_device_of(random_noise_levels(prior.config, len(u), rng), u)
    noisy, condition = add_noise(u, sigma, rng), prior.condition(sigma)
    standard, deviation = prior.standardise(noisy, sigma)
    tape = []
    z, logdet = prior.flow.forward(standard, condition, tape)
    log_prob = standard_normal_log_prob(z) + logdet - log_volume(u, deviation)
    dimensions = u.size  # of the whole batch: the loss is a mean over items and dimensions
    dlogdet = array_module(u).full(len(u), -1 / dimensions, u.dtype)
    prior.flow.backward(z / dimensions, dlogdet, z, condition, tape)
    gradients = prior.flow.gradients()
    clip_by_global_norm(gradients, config.clip)
    adam.step(gradients, learning_rate)
    return float(-log_prob.sum() / dimensions)


def measure(prior, solo, config, batches=40):
    """Set the prior's statistics: mean and variance of every bin as training hears them, and a dictionary."""
    first, second = 0, 0
    for number in range(batches):
        u = random_batch(prior, solo, config, np.random.default_rng([config.seed, 2**32 - 1, number]))
        first, second = first + u.mean(axis=(0, 2)) / batches, second + (u**2).mean(axis=(0, 2)) / batches
    prior.mean, prior.variance = first, second - first**2
    prior.dictionary = measure_dictionary(prior, solo, config, prior.config.components)


def add_spectra(prior: Prior, solo: np.ndarray, config: TrainingConfig, count: int) -> None:
    """Put ``count`` spectra of these recordings beside those that the prior's dictionary has.

    Where a prior goes on to hear other recordings, a search should be able to start from these as well.
    """
    own = measure_dictionary(prior, solo, config, count)
    prior.dictionary = array_module(own).concatenate([prior.dictionary, own], axis=1)
    prior.config = dataclasses.replace(prior.config, components=prior.dictionary.shape[1])


def measure_dictionary(prior, solo, config, components, batches=160, every=4, iterations=60):
    """An NMF dictionary (bins, components) of frames from all over the recordings, each in its own colour."""
    plain, rng = unaugmented(config), np.random.default_rng([config.seed, 2**32 - 2])
    # Only one frame in a few, for neighbours are alike: a dictionary learns more from more music.
    drawn = [random_batch(prior, solo, plain, rng)[:, :, ::every].swapaxes(0, 1) for _ in range(batches)]
    magnitudes = prior.expand(array_module(drawn[0]).concatenate(drawn, axis=1))
    frames = magnitudes.reshape(prior.config.glow.channels, -1)
    return learn_dictionary(frames, components, iterations, rng)


def shortest(prior_config, config, validation=False):
    """Samples of recordings without which excerpts cannot be drawn: two excerpts long, or one for validation."""
    excerpt = excerpt_length(prior_config, config.frames)
    return excerpt + 1 if validation else 2 * excerpt + 1


def validation_loss(prior, validation, config, batches=4):
    """The loss on fixed excerpts with fixed noise, without augmentation: nats per dimension."""
    plain = unaugmented(config)
    losses = []
    for number in range(batches):
        rng = np.random.default_rng([2**32 - 1, number])
        u = random_batch(prior, validation, plain, rng)
        sigma = on_device_of(random_noise_levels(prior.config, len(u), rng), u)
        losses.append(-prior.noisy_log_prob(add_noise(u, sigma, rng), sigma).mean() / u[0].size)
    return float(array_module(losses[0]).stack(losses).mean())
