"""A prior of several instruments: one flow for all of them, which is told whose sound it hears."""

from __future__ import annotations

import copy
import os
from collections.abc import Sequence
from dataclasses import replace
from numbers import Integral

import numpy as np

from glowsep.arrays.library import array_module
from glowsep.learning.training import LearningCurve
from glowsep.systems.glow import together
from glowsep.systems.glow.config import NOISE_FEATURES, PriorConfig
from glowsep.systems.glow.prior import Prior
from glowsep.systems.glow.train import TrainingConfig


class LabelledPrior(Prior):
    r"""One flow for all instruments, a density for each: :math:`p_\sigma(u \mid k)` for the instrument k.

    .. math:: z = f(\bar u;\, c), \qquad \bar u = \frac{u - \mu_k}{\sqrt{v_k + \sigma^2}}, \qquad
              c = (\cos \pi j \tau_\sigma)_j \oplus e_k

    The condition c of the couplings' networks is that of `Prior`, and beside it the label :math:`e_k`, a one-hot
    vector. Mean, variance and dictionary are each instrument's own; the weights of the flow belong to all. So what one
    instrument teaches about overtones, onsets and noise may serve the others, and one file of weights does for all. The
    price: an instrument without a label cannot be described without training everything again.

    The prior has a row of statistics for each instrument. ``of(2)`` is the prior of the third one, and is searched like
    any other; ``of([2, 0, 2])`` that of a batch whose first and third items are played by the third instrument, whose
    second item by the first. All of these are views of one flow.

    Source: Zhu et al. 2022, section III-A (MusicGlow); van den Oord et al. 2016, section 2.5 (a condition in gated
    networks); chapter 11.

    Parameters
    ----------
    names : sequence of str
        Of the instruments.
    config : PriorConfig, optional
        For at least so many labels, see `with_labels`; for exactly so many by default.
    rng : numpy.random.Generator, optional
        For the first weights.

    Attributes
    ----------
    name : list of str, or str
        The instruments', or the instrument's if this is the prior of one.
    mean, variance : (instruments, bins), or (bins,)
    dictionary : (instruments, bins, components), or (bins, components)
    label : (instruments, labels), or (labels,)
        What the networks are told: 1 for this instrument, 0 for the others.

    Raises
    ------
    ValueError
        If a name is no text or is there twice, or the configuration has fewer labels than there are names.

    Examples
    --------
    >>> prior = LabelledPrior(["bass", "drums"])
    >>> prior.of(1).name, prior.of(1).condition(np.float32([0.03])).astype(int).tolist()
    ('drums', [[1, 1, 1, 1, 1, 1, 1, 1, 0, 1]])
    """

    kind = "labelled prior"

    def __init__(self, names: Sequence[str], config: PriorConfig | None = None, rng: np.random.Generator | None = None):
        if isinstance(names, str) or not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
            raise ValueError(f"the names are {names!r}, but must be words, each there once")
        names = list(names)
        config = with_labels(PriorConfig(), len(names)) if config is None else config
        labels = config.glow.condition_channels - NOISE_FEATURES
        if labels < len(names):
            raise ValueError(f"the flow has {labels} labels, but there are {len(names)} instruments")
        super().__init__(names, config, rng)
        self.label = np.eye(labels, dtype=np.float32)[: len(names)]
        for statistic, of_one in super().statistics().items():
            setattr(self, statistic, np.stack([of_one] * len(names)))

    def of(self, which: int | Sequence[int]) -> LabelledPrior:
        """The prior of one instrument, or that of a batch whose items are played by these: a view of the same flow.

        Parameters
        ----------
        which : int or sequence of int
            Positions among the instruments.
        """
        prior = copy.copy(self)
        if isinstance(which, Integral):
            prior.name = self.name[which]
        else:
            which = list(map(int, which))
            prior.name = [self.name[position] for position in which]
        for statistic, rows in self.statistics().items():
            setattr(prior, statistic, rows[which])
        return prior

    def each(self) -> list[LabelledPrior]:
        """The prior of every instrument, in order: what a search is given."""
        return [self.of(position) for position in range(len(self.name))]

    def condition(self, sigma: np.ndarray) -> np.ndarray:
        """What the networks are told of each item: `Prior.condition` of its noise level, then its instrument's label.

        Returns (batch, NOISE_FEATURES + labels).
        """
        levels = super().condition(sigma)
        xp = array_module(levels)
        labels = xp.broadcast_to(self.label, (len(levels), self.label.shape[-1]))
        return xp.concatenate([levels, labels], axis=1)

    @property
    def parameter_count(self) -> int:
        return super().parameter_count - self.label.size  # which nobody has learnt

    def statistics(self) -> dict[str, np.ndarray]:
        return super().statistics() | {"label": self.label}

    def fit(
        self,
        solo: Sequence[np.ndarray],
        validation: Sequence[np.ndarray] | None = None,
        config: TrainingConfig | None = None,
        checkpoint: str | os.PathLike | None = None,
        progress: bool = True,
    ) -> LearningCurve:
        """Train this prior in place on the recordings of every instrument, see `glowsep.systems.glow.together.fit`."""
        return together.fit(self, solo, validation, config, checkpoint, progress)


def with_labels(config: PriorConfig, labels: int) -> PriorConfig:
    """The same configuration, but of a flow whose condition has room for so many labels.

    Examples
    --------
    >>> with_labels(PriorConfig(), 4).glow.condition_channels
    12
    """
    return replace(config, glow=replace(config.glow, condition_channels=NOISE_FEATURES + labels))
