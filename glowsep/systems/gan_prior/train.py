"""Training a generator against a critic: WGAN-GP on solo recordings, by Adam."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass

import numpy as np

from glowsep.arrays.devices import on_device_of
from glowsep.arrays.library import array_module
from glowsep.datasets.solos import require_recordings
from glowsep.layers import Chain
from glowsep.learning.adam import Adam
from glowsep.learning.gradient_penalty import gradient_penalty
from glowsep.learning.schedules import Constant, WarmupStableDecay
from glowsep.learning.training import LearningCurve, Run, train
from glowsep.learning.training_record import TrainingRecord
from glowsep.learning.wasserstein import critic_loss, generator_loss
from glowsep.systems.gan_prior.gan import GAN
from glowsep.systems.gan_prior.model import critic, shuffled
from glowsep.systems.gan_prior.spectra import LogMagnitudes, log_magnitude


@dataclass(frozen=True)
class TrainingConfig:
    """How a generator and its critic are trained. Saved in their checkpoints.

    The defaults are for the small networks and twenty minutes of a core: larger steps that grow smaller at the end, and
    fewer of the critic. `published` is what takes a GPU for days.

    Attributes
    ----------
    steps : int
        Of the generator.
    batch : int
        Excerpts per step.
    critic_steps : int
        Of the critic, before each of the generator.
    learning_rate, beta1, beta2 : float
        Of Adam, for both.
    decay : float
        The share of the steps, the last ones, over which the learning rate falls to zero; 0 leaves it as it is.
    penalty : float
        The weight of the gradient penalty, λ.
    validate_every : int
        Steps between validation losses.
    seed : int

    Examples
    --------
    >>> TrainingConfig.published().critic_steps
    5
    """

    steps: int = 2000
    batch: int = 16
    critic_steps: int = 2
    learning_rate: float = 1e-3
    beta1: float = 0.5
    beta2: float = 0.9
    decay: float = 0.3
    penalty: float = 10.0
    validate_every: int = 50
    seed: int = 0

    @classmethod
    def published(cls) -> TrainingConfig:
        """As Donahue et al. 2019 trained WaveGAN and SpecGAN, appendix D."""
        return cls(steps=200_000, batch=64, critic_steps=5, learning_rate=1e-4, decay=0)


def fit(
    gan: GAN,
    solo: np.ndarray,
    validation: np.ndarray | None = None,
    config: TrainingConfig | None = None,
    checkpoint: str | os.PathLike | None = None,
    progress: bool = True,
) -> LearningCurve:
    r"""Train ``gan`` in place: the critic D tells recordings x from what G generates, and G learns what D likes.

    .. math:: \min_G \max_D \; E[D(x)] - E[D(G(z))] - \lambda\, E\big[(\lVert \nabla D(\hat x) \rVert - 1)^2\big],
              \qquad z \sim \mathcal{U}(-1, 1)

    with :math:`\hat x` on the straight line between a recording and a generated excerpt. The loss that is reported is
    the first two terms, the critic's estimate of how far the generated sounds are from the recordings.

    The randomness of step k is a function of (seed, k) alone. So a run that was killed, and resumed from its
    checkpoint, ends at the same weights to the last bit (on one CPU, with one number of threads).

    Source: Gulrajani et al. 2017, algorithm 1; Donahue et al. 2019, appendix D.

    Parameters
    ----------
    gan : GAN
        A new one: the training begins by measuring the mean and the deviation of its spectra in the recordings.
    solo, validation : (samples,)
        Solo recordings at the GAN's rate, one after the other (see `glowsep.datasets.solos.without_silence`).
    config : TrainingConfig
    checkpoint : path, optional
        Written at every validation, and every minute; read first if it exists.
    progress : bool
        Show a progress bar.

    Returns
    -------
    LearningCurve
        The critic's distances, on the training and on the validation recordings.

    Raises
    ------
    ValueError
        If the recordings are silent, or shorter than an excerpt.
    PriorError
        If the checkpoint is damaged, of another GAN, or of another configuration.
    """
    config = TrainingConfig() if config is None else config
    for name, waveform in {"the recordings": solo, "the validation recordings": validation}.items():
        if waveform is not None:
            require_recordings(name, waveform, shortest(gan))
    run = GANRun(gan, solo, validation, config)
    curve = train(run, config.steps, config.validate_every, checkpoint, progress)
    gan.training = TrainingRecord(len(solo) / gan.rate / 3600, curve.core_seconds / 60)
    return curve


class GANRun(Run):
    """The training of one generator and its critic, step by step; see ``fit``."""

    unit = "distance"

    def __init__(self, gan: GAN, solo: np.ndarray, validation: np.ndarray | None, config: TrainingConfig):
        self.gan, self.name, self.config = gan, gan.name, config
        self.solo, self.validation = solo, validation
        self.critic = critic(gan.config, np.random.default_rng([config.seed, 1]))
        like = next(iter(gan.generator.parameters().values()))
        self.critic.load({name: on_device_of(array, like) for name, array in self.critic.parameters().items()})
        options = {"beta1": config.beta1, "beta2": config.beta2}
        self.adams = {
            "generator": Adam(gan.generator.parameters(), **options),
            "critic": Adam(self.critic.parameters(), **options),
        }

        self.schedule = Constant(config.learning_rate)
        if config.decay:
            self.schedule = WarmupStableDecay(config.learning_rate, 0, config.steps, config.decay)

    def begin(self):
        measure(self.gan, self.solo, self.config)

    def step(self, number):
        rng = np.random.default_rng([self.config.seed, number])
        learning_rate = self.schedule(number)
        distances = [self._critic_step(rng, learning_rate) for _ in range(self.config.critic_steps)]
        self._generator_step(rng, learning_rate)
        return float(np.mean(distances))

    def _critic_step(self, rng, learning_rate):
        """Move the critic; returns its distance of the recordings from what is generated."""
        batch, gan = self.config.batch, self.gan
        real = gan.encode(random_excerpts(gan, self.solo, batch, rng))
        generated = gan.generator.frozen().forward(gan.latents(batch, rng), [])
        weight = on_device_of(rng.random((batch, *(1,) * (real.ndim - 1)), np.float32), real)
        between = generated + weight * (real - generated)
        loss, gradients = critic_gradients(self.critic, real, generated, between, self.config.penalty, rng)
        self.adams["critic"].step(gradients, learning_rate)
        return -float(loss)

    def _generator_step(self, rng, learning_rate):
        """Move the generator to where the critic's scores are higher."""
        z = self.gan.latents(self.config.batch, rng)
        _, gradients = generator_gradients(self.gan.generator, self.critic, z, rng)
        self.adams["generator"].step(gradients, learning_rate)

    def validation_loss(self, batches: int = 4):
        """The critic's distance of the validation recordings from what is generated, for fixed excerpts and latents."""
        if self.validation is None:
            return None
        gan, network, distances = self.gan, self.critic.frozen(), []
        for number in range(batches):
            rng = np.random.default_rng([2**32 - 1, number])
            real = gan.encode(random_excerpts(gan, self.validation, self.config.batch, rng))
            generated = gan.generator.frozen().forward(gan.latents(self.config.batch, rng), [])
            distances.append(float(network.forward(real, []).mean() - network.forward(generated, []).mean()))
        return float(np.mean(distances))

    def configuration(self):
        return {"GAN": dataclasses.asdict(self.gan.config), "training": dataclasses.asdict(self.config)}

    def arrays(self):
        parts = {"gan": self.gan.weights(), "critic": self.critic.parameters()}
        parts |= {f"adam of {name}": adam.state() for name, adam in self.adams.items()}
        return {f"{part}/{name}": array for part, arrays in parts.items() for name, array in arrays.items()}

    def load(self, arrays):
        parts = {}
        for name, array in arrays.items():
            part, _, own = name.partition("/")
            parts.setdefault(part, {})[own] = array
        for live, saved in ((self.gan.weights(), parts["gan"]), (self.critic.parameters(), parts["critic"])):
            for name, array in live.items():
                array[...] = on_device_of(saved[name], array)  # into the arrays that the optimisers hold
        for name, adam in self.adams.items():
            adam.load_state(parts[f"adam of {name}"])


def critic_gradients(
    network: Chain,
    real: np.ndarray,
    generated: np.ndarray,
    between: np.ndarray,
    penalty: float,
    rng: np.random.Generator,
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The critic's loss on recordings and on what is generated, and its gradients with those of the penalty between."""
    xp, batch, tape = array_module(real), len(real), []
    both = shuffled(network, 2 * batch, rng)
    scores = both.forward(xp.concatenate([real, generated]), tape)
    loss, dreal, dgenerated = critic_loss(scores[:batch], scores[batch:])
    both.set_gradients(xp.concatenate([dreal, dgenerated]), tape)
    gradients = both.gradients()
    _, of_penalty = gradient_penalty(shuffled(network, batch, rng), between, penalty)
    return loss, {name: gradient + of_penalty[name] for name, gradient in gradients.items()}


def generator_gradients(
    generator: Chain, network: Chain, z: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The generator's loss for latents z (batch, latent), and its gradients, through the frozen critic."""
    made, scored = [], []
    frozen = shuffled(network, len(z), rng).frozen()
    loss, dscores = generator_loss(frozen.forward(generator.forward(z, made), scored))
    generator.set_gradients(frozen.backward(dscores, scored), made)
    return loss, generator.gradients()


def measure(gan: GAN, solo: np.ndarray, config: TrainingConfig, batches: int = 40) -> None:
    """Set the mean and the deviation of every bin's log-magnitude, as training hears them."""
    if not isinstance(gan.spectra, LogMagnitudes):
        return
    first, second = 0, 0
    for number in range(batches):
        rng = np.random.default_rng([config.seed, 2**32 - 1, number])
        v = log_magnitude(gan.magnitudes(random_excerpts(gan, solo, 16, rng)))
        first, second = first + v.mean(axis=(0, 2)) / batches, second + (v**2).mean(axis=(0, 2)) / batches
    xp = array_module(first)
    # A bin in which nothing ever plays would have no deviation.
    gan.spectra.mean, gan.spectra.deviation = first, xp.sqrt(xp.maximum(second - first**2, 1e-4))


def random_excerpts(gan: GAN, solo: np.ndarray, batch: int, rng: np.random.Generator) -> np.ndarray:
    """Excerpts (batch, samples) of the recordings (samples,) as long as the GAN hears them, where its weights are."""
    length = gan.excerpt_length
    starts = rng.integers(0, len(solo) - length, batch)
    excerpts = np.stack([solo[start : start + length] for start in starts])
    return on_device_of(excerpts, next(iter(gan.generator.parameters().values())))


def shortest(gan: GAN) -> int:
    """Samples of recordings without which excerpts cannot be drawn."""
    return gan.excerpt_length + 1
