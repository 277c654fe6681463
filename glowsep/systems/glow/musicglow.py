"""MusicGlow: one labelled Glow for all instruments, and the same search as instGlow's."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from os import PathLike

import numpy as np

from glowsep.datasets.solos import solo_audio
from glowsep.datasets.track import Dataset
from glowsep.errors import PriorError
from glowsep.learning.training_record import TrainingRecord
from glowsep.signals.masks import MASK_EXPONENT
from glowsep.systems.glow.instglow import prior_config, require_enough
from glowsep.systems.glow.labelled import LabelledPrior, with_labels
from glowsep.systems.glow.searching import SearchingSystem
from glowsep.systems.glow.together import LabelledRun
from glowsep.systems.glow.train import TrainingConfig
from glowsep.systems.search.found import Found

#: Of Adam, by default: twice as many as a prior of one instrument takes, since each of these hears all instruments.
STEPS = 2 * TrainingConfig.steps


class MusicGlow(SearchingSystem):
    """The paper's second system: a single flow that is told which instrument it hears.

    It is trained and searched as `InstGlow` is, and is one network where that has one per source. Its limit is its
    labels: a source that was not there when it was trained cannot be added, and is refused by name.

    Source: Zhu et al. 2022, section III-A; chapters 10 to 12.

    Parameters
    ----------
    prior : LabelledPrior
    search, mask_exponent, seed
        As for `SearchingSystem`.

    Raises
    ------
    ValueError
        If the prior is untrained.

    Examples
    --------
    >>> from glowsep.systems.glow.config import GlowConfig, PriorConfig
    >>> tiny = with_labels(PriorConfig(window_length=64, hop=16, glow=GlowConfig(channels=32, steps=1, hidden=4)), 2)
    >>> prior = LabelledPrior(["bass", "drums"], tiny)
    >>> _ = prior.flow.forward(np.ones((1, 32, 8), np.float32), prior.of(0).condition(np.float32([0.1])))
    >>> MusicGlow(prior)
    MusicGlow(bass, drums; trained on solos)
    """

    name = "musicglow"
    weights = "musicglow.npz"
    unit = LabelledRun.unit

    def __init__(
        self,
        prior: LabelledPrior,
        search: Callable[..., Found] | None = None,
        mask_exponent: float = MASK_EXPONENT,
        seed: int = 0,
    ) -> None:
        super().__init__(prior.each(), search, mask_exponent, seed)
        self.prior = prior

    @property
    def training(self) -> TrainingRecord:
        return self.prior.training

    @property
    def parameter_count(self) -> int:
        return self.prior.parameter_count

    def only(self, sources: Iterable[str]) -> MusicGlow:
        return MusicGlow(self.prior.of(self.positions(sources)), self.search, self.mask_exponent, self.seed)

    @classmethod
    def fit(
        cls,
        dataset: Dataset,
        validation: Dataset | None = None,
        *,
        steps: int = STEPS,
        batch: int = TrainingConfig.batch,
        frames: int = TrainingConfig.frames,
        drive: float = TrainingConfig.drive,
        window_length: int | None = None,
        hop: int | None = None,
        flow_steps: int | None = None,
        hidden: int | None = None,
        exponent: float | None = None,
        scale: float | None = None,
        seed: int = 0,
        device: str = "cpu",
        checkpoint: str | PathLike | None = None,
        progress: bool = False,
    ) -> MusicGlow:
        """Train one flow on the solo recordings of all sources of a data set; its ``curve`` says how that went.

        Parameters
        ----------
        dataset, validation : glowsep.datasets.Dataset
            Only their ``recordings`` are read, never a mixture.
        steps, batch, frames, drive, window_length, hop, flow_steps, hidden, exponent, scale, seed, device
            As for `InstGlow.fit_source`. A batch has excerpts of all sources.
        checkpoint : path, optional
            Written now and then; read first if it exists.
        progress : bool
            Show progress bars.

        Raises
        ------
        DatasetError
            If a source plays for too short a time, in training or in validation.
        PriorError
            If the checkpoint is damaged or of another training.
        ValueError
            See `prior_config`.
        """
        config = prior_config(window_length, hop, flow_steps, hidden, exponent, scale)
        config, sources = with_labels(config, len(dataset.sources)), dataset.sources
        warmup = min(TrainingConfig.warmup, steps // 10)
        training = TrainingConfig(steps, batch, frames, warmup=warmup, drive=drive, seed=seed)
        datasets = {"training": dataset} | ({} if validation is None else {"validation": validation})
        for source in sources:
            require_enough(datasets, source, config, training)
        solos = {name: [solo_audio(part, s, config.rate, progress) for s in sources] for name, part in datasets.items()}
        prior = LabelledPrior(sources, config, np.random.default_rng(seed)).to(device)
        curve = prior.fit(solos["training"], solos.get("validation"), training, checkpoint, progress)
        system = cls(prior)
        system.curve = curve
        return system

    def save(self, path: str | PathLike, precision: type[np.floating] = np.float32) -> None:
        """Write flow, labels and statistics to one ``.npz`` file, whole or not at all, the flow in ``precision``.

        Raises
        ------
        PriorError
            If the folder is missing, not writable or full.
        """
        self.prior.save(path, precision)

    @classmethod
    def load(
        cls,
        path: str | PathLike | None = None,
        *,
        search: Callable[..., Found] | None = None,
        mask_exponent: float = MASK_EXPONENT,
        seed: int = 0,
        device: str = "cpu",
    ) -> MusicGlow:
        """Read what `save` wrote; by default what comes with glowsep. For the other parameters see `MusicGlow`.

        Parameters
        ----------
        device : {"cpu", "cuda"}

        Raises
        ------
        PriorError
            If the file is missing, damaged, of another system, or untrained.
        """
        path = cls.shipped_weights() if path is None else path
        prior = LabelledPrior.load(path).to(device)
        if not prior.flow.initialised:
            raise PriorError(f"{path}: is untrained; train it first")
        return cls(prior, search, mask_exponent, seed)
