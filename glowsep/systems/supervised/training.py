"""Training a network on random mixtures: how far are its estimates from the sources?"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from glowsep.arrays.devices import on_device_of
from glowsep.arrays.library import array_module
from glowsep.arrays.threads import available_cores, side_by_side
from glowsep.datasets.stems import Stems
from glowsep.datasets.track import Dataset
from glowsep.layers.parameters import Parameters, add_gradients, replica, set_gradients
from glowsep.layers.skip import cropped
from glowsep.learning.adam import Adam
from glowsep.learning.clipping import clip_by_global_norm
from glowsep.learning.losses import mean_absolute, mean_square
from glowsep.learning.schedules import WarmupStableDecay
from glowsep.learning.training import Run, train
from glowsep.learning.training_record import TrainingRecord
from glowsep.systems.supervised.examples import Augmentation, random_sources, without_augmentation
from glowsep.systems.supervised.trained_network import TrainedNetwork

LOSSES: dict[str, Callable] = {"mean square error": mean_square, "mean absolute error": mean_absolute}


@dataclass(frozen=True)
class TrainingConfig:
    """How a network is trained on mixtures. Saved in its checkpoints.

    Attributes
    ----------
    steps, batch : int
        Adam's steps, and mixtures per step.
    samples : int
        Of the estimates of a mixture, at least.
    loss : "mean square error" or "mean absolute error"
    learning_rate, warmup : float, int
        The highest learning rate, and the steps until it is reached.
    clip : float or None
        The largest norm of all gradients together; None leaves them as they are.
    augmentation : Augmentation
    validate_every, validation_batches : int
        Steps between validation losses, and the batches of which one is the mean.
    seed : int

    Examples
    --------
    >>> TrainingConfig(steps=100).batch
    8
    """

    steps: int = 6_000
    batch: int = 8
    samples: int = 32_768
    loss: str = "mean square error"
    learning_rate: float = 1e-3
    warmup: int = 200
    clip: float | None = None
    augmentation: Augmentation = field(default_factory=Augmentation)
    validate_every: int = 250
    validation_batches: int = 12
    seed: int = 0


def fit(
    name: str,
    network: Parameters,
    dataset: Dataset,
    validation: Dataset | None,
    config: TrainingConfig,
    checkpoint: str | os.PathLike | None = None,
    progress: bool = False,
) -> TrainedNetwork:
    """Train ``network`` in place, up to the step at which its validation loss was the lowest.

    The randomness of step k is a function of (seed, k) alone. So a run that was killed, and resumed from its
    checkpoint, ends at the same weights to the last bit (on one CPU, with one number of threads).

    Parameters
    ----------
    name : str
        Of the system, for the progress bar and the checkpoint.
    network : Parameters
        A plain layer from mixtures (batch, channels, samples) to estimates (batch, sources · channels, fewer samples),
        with a ``config`` that knows ``rate``, ``channels`` and ``lengths``.
    dataset, validation : glowsep.datasets.Dataset
        Of the same sources. Without validation the last step's weights are kept.
    config : TrainingConfig
    checkpoint : path, optional
        Written at every validation, and every minute; read first if it exists.
    progress : bool
        Show progress bars.

    Raises
    ------
    DatasetError
        If a source plays in none of the tracks, or there is no room for the stems.
    PriorError
        If the checkpoint is damaged, of another system, or of another configuration.
    """
    rate, channels = network.config.rate, network.config.channels
    stems = Stems(dataset, rate, channels, quiet=not progress)
    held_out = None if validation is None else Stems(validation, rate, channels, quiet=not progress)
    run = MixtureRun(name, network, stems, held_out, config)
    curve = train(run, config.steps, config.validate_every, checkpoint, progress)
    run.keep_best()
    return TrainedNetwork(network, stems.sources, TrainingRecord(stems.hours, curve.core_seconds / 60), curve)


class MixtureRun(Run):
    """The training of one network on random mixtures, step by step; see ``fit``."""

    def __init__(
        self, name: str, network: Parameters, stems: Stems, validation: Stems | None, config: TrainingConfig
    ) -> None:
        self.name, self.unit = name, config.loss
        self.network, self.stems, self.validation, self.config = network, stems, validation, config
        self.adam = Adam(network.parameters())
        self.schedule = WarmupStableDecay(config.learning_rate, min(config.warmup, config.steps // 10), config.steps)
        #: The lowest validation loss until now, and the weights that had it.
        self.lowest, self.best = np.inf, {name: array.copy() for name, array in network.parameters().items()}

    def step(self, number):
        config = self.config
        sources = self.random_sources(self.stems, config.augmentation, [config.seed, number])
        loss, gradients = loss_and_gradients(self.network, sources, LOSSES[config.loss])
        if config.clip is not None:
            clip_by_global_norm(gradients, config.clip)
        self.adam.step(gradients, self.schedule(number))
        return loss

    def validation_loss(self):
        if self.validation is None:
            return None
        plain, network = without_augmentation(self.config.augmentation), self.network.frozen()
        losses = []
        for number in range(self.config.validation_batches):
            sources = self.random_sources(self.validation, plain, [2**32 - 1, number])
            losses.append(mean_loss(network, sources, LOSSES[self.config.loss]))
        loss = float(np.mean(losses))
        if loss < self.lowest:
            self.lowest = loss
            for name, array in self.network.parameters().items():
                self.best[name][...] = array
        return loss

    def keep_best(self):
        """Go back to the weights whose validation loss was the lowest."""
        if self.validation is not None:
            for name, array in self.network.parameters().items():
                array[...] = self.best[name]

    def random_sources(self, stems, augmentation, seed):
        """The sources of a batch of mixtures, (batch, sources, channels, samples), on the network's device."""
        rng, network = np.random.default_rng(seed), self.network.config
        inputs, _ = network.lengths(self.config.samples)
        sources = random_sources(stems, self.config.batch, network.channels, inputs, augmentation, rng)
        return on_device_of(sources, next(iter(self.network.parameters().values())))

    def configuration(self):
        return {
            "network": dataclasses.asdict(self.network.config),
            "training": dataclasses.asdict(self.config),
            "sources": self.stems.sources,
        }

    def arrays(self):
        weights = {f"network.{name}": array for name, array in self.network.parameters().items()}
        best = {f"best.{name}": array for name, array in self.best.items()}
        adam = {f"adam.{name}": array for name, array in self.adam.state().items()}
        return weights | best | adam | {"lowest": np.array(self.lowest if np.isfinite(self.lowest) else -1.0)}

    def load(self, arrays):
        for live, prefix in ((self.network.parameters(), "network."), (self.best, "best.")):
            for name, array in live.items():
                array[...] = on_device_of(arrays[prefix + name], array)  # into the arrays that the optimiser holds
        lowest = float(arrays["lowest"])
        self.lowest = lowest if lowest >= 0 else np.inf
        self.adam.load_state({name.removeprefix("adam."): a for name, a in arrays.items() if name.startswith("adam.")})


def loss_and_gradients(network: Parameters, sources: np.ndarray, loss: Callable) -> tuple[float, dict[str, np.ndarray]]:
    r"""The loss of a batch, and its gradients with respect to the network's parameters.

    .. math:: \frac1B \sum_{b=1}^{B} D(s_b, \hat s(x_b)), \qquad x_b = \sum_k s_{b,k}

    Every core takes a share of the batch, with a replica of the network: the gradient of a sum is a sum over shares.

    Parameters
    ----------
    network : Parameters
        See `fit`.
    sources : (batch, sources, channels, samples)
    loss : callable
        Such as `glowsep.learning.losses.mean_square`: a mean over everything.
    """
    number = max(1, min(available_cores(sources), len(sources)))
    shares = array_module(sources).array_split(sources, number)
    replicas = [network, *(replica(network) for _ in shares[1:])]

    def backward(network, share):
        tape = []
        estimates = network.forward(share.sum(axis=1), tape)
        value, gradient = loss(targets(share, estimates), estimates)
        part = len(share) / len(sources)
        gradient *= part
        set_gradients(network, gradient, tape)
        return value * part

    with side_by_side(number, sources) as each:
        values = list(each(backward, replicas, shares))
    add_gradients(*replicas)
    return float(sum(values)), network.gradients()


def mean_loss(network: Parameters, sources: np.ndarray, loss: Callable) -> float:
    """The loss of a batch of mixtures with these sources (batch, sources, channels, samples)."""
    estimates = network.forward(sources.sum(axis=1), [])
    return float(loss(targets(sources, estimates), estimates)[0])


def targets(sources: np.ndarray, estimates: np.ndarray) -> np.ndarray:
    """The middle of the sources (batch, sources, channels, samples) in the shape of the shorter estimates."""
    flat = sources.reshape(len(sources), -1, sources.shape[3])
    return cropped(flat, estimates.shape[2])
