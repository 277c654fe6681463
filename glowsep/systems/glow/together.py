"""Training a labelled prior: every batch has excerpts of all instruments, and each is told whose it is."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from glowsep.arrays.library import array_module
from glowsep.datasets.solos import require_recordings
from glowsep.layers.channels import channels_outermost
from glowsep.learning.training import LearningCurve, train
from glowsep.learning.training_record import TrainingRecord
from glowsep.systems.glow.excerpts import random_batch
from glowsep.systems.glow.train import (
    PriorRun,
    TrainingConfig,
    measure,
    shortest,
    training_step,
    validation_loss,
)

if TYPE_CHECKING:
    from glowsep.systems.glow.labelled import LabelledPrior


def fit(
    prior: LabelledPrior,
    solos: Sequence[np.ndarray],
    validation: Sequence[np.ndarray] | None = None,
    config: TrainingConfig | None = None,
    checkpoint: str | os.PathLike | None = None,
    progress: bool = True,
) -> LearningCurve:
    r"""Train ``prior`` in place to a small negative log-likelihood of noisy solo spectrograms, given whose they are.

    .. math:: -\frac{1}{BD} \sum_{b=1}^{B} \log p_{\sigma_b}(u_b + \sigma_b \varepsilon_b \mid k_b)

    As `glowsep.systems.glow.train.fit`, but for the labels :math:`k_b`: each instrument is in a batch as often as any
    other, on average. So a step costs as much as that of a single prior, and of n instruments each is heard in an nth
    of the excerpts.

    Parameters
    ----------
    prior : LabelledPrior
    solos, validation : sequence of (samples,)
        Each instrument's solo recordings, in the prior's order.
    config, checkpoint, progress
        As for a single prior.

    Returns
    -------
    LearningCurve
        Losses in nats per dimension; for validation the mean over the instruments.

    Raises
    ------
    ValueError
        If an instrument's recordings are silent, or shorter than two excerpts (for validation: than one); or if there
        are not as many recordings as instruments.
    PriorError
        If the checkpoint is damaged, of other instruments, or of another configuration.

    Source: Zhu et al. 2022, section III-A; chapters 10 and 11.
    """
    config = TrainingConfig() if config is None else config
    for kind, waveforms in {"recordings": solos, "validation recordings": validation}.items():
        if waveforms is None:
            continue
        if len(waveforms) != len(prior.name):
            raise ValueError(f"there are {len(waveforms)} recordings, expected one of each of {', '.join(prior.name)}")
        samples = shortest(prior.config, config, validation=waveforms is validation)
        for name, waveform in zip(prior.name, waveforms, strict=True):
            require_recordings(f"the {kind} of {name}", waveform, samples)
    run = LabelledRun(prior, solos, validation, config)
    curve = train(run, config.steps, config.validate_every, checkpoint, progress)
    heard = TrainingRecord(sum(map(len, solos)) / prior.config.rate / 3600, curve.core_seconds / 60)
    prior.training = TrainingRecord.together([prior.training, heard])  # a loaded prior has a past
    return curve


class LabelledRun(PriorRun):
    """The training of a labelled prior, step by step; see ``fit``. Its checkpoints hold what those of a prior hold."""

    def __init__(self, prior, solos, validation, config):
        super().__init__(prior, solos, validation, config)
        self.name = ", ".join(prior.name)

    def begin(self):
        if self.prior.flow.initialised:  # a trained flow keeps the statistics that it was trained with
            return
        priors = self.prior.each()
        for prior, solo in zip(priors, self.solo, strict=True):
            measure(prior, solo, self.config)
        for statistic, rows in self.prior.statistics().items():
            measured = array_module(rows).stack([getattr(prior, statistic) for prior in priors])
            setattr(self.prior, statistic, measured)

    def step(self, number):
        rng = np.random.default_rng([self.config.seed, number])
        which = random_instruments(len(self.solo), self.config.batch, rng)
        u = excerpts_of(self.prior, self.solo, which, self.config, rng)
        return training_step(self.prior.of(which), self.adam, u, self.config, self.schedule(number), rng)

    def validation_loss(self):
        if self.validation is None:
            return None
        of_each = zip(self.prior.each(), self.validation, strict=True)
        return float(np.mean([validation_loss(prior, solo, self.config) for prior, solo in of_each]))


def random_instruments(instruments: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """Who plays the items of a batch, (count,): one instrument after the other, beginning with a random one.

    So each is heard as often as any other, on average, and at all noise levels, though these rise from item to item of
    a batch.

    Examples
    --------
    >>> sorted(random_instruments(4, 8, np.random.default_rng(0)).tolist())
    [0, 0, 1, 1, 2, 2, 3, 3]
    """
    return (rng.integers(instruments) + np.arange(count)) % instruments


def excerpts_of(
    prior: LabelledPrior,
    solos: Sequence[np.ndarray],
    which: Iterable[int],
    config: TrainingConfig,
    rng: np.random.Generator,
) -> np.ndarray:
    """A random excerpt of each of these instruments: u (batch, bins, frames), on the prior's device.

    Channels outermost in memory.
    """
    one = replace(config, batch=1)
    excerpts = [random_batch(prior, solos[instrument], one, rng) for instrument in which]
    return channels_outermost(array_module(excerpts[0]).concatenate(excerpts))
