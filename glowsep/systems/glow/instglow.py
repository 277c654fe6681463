"""InstGlow: one Glow prior per instrument, and a search for sources that add up to the mixture."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path

import numpy as np

from glowsep.datasets.solos import require_playing, solo_audio
from glowsep.datasets.track import Dataset
from glowsep.errors import PriorError
from glowsep.learning.training import LearningCurve
from glowsep.learning.training_record import TrainingRecord
from glowsep.learning.weights import make_folder, weight_files
from glowsep.signals.masks import MASK_EXPONENT
from glowsep.signals.spectrogram import default_hop, require_window
from glowsep.systems.glow.prior import Prior, PriorConfig
from glowsep.systems.glow.searching import SearchingSystem
from glowsep.systems.glow.separate import require_one_domain
from glowsep.systems.glow.train import PriorRun, TrainingConfig, add_spectra, shortest
from glowsep.systems.per_source import PerSource
from glowsep.systems.search.found import Found


class InstGlow(PerSource, SearchingSystem):
    """The paper's system: source priors that have heard solo recordings only, searched together.

    Source: Zhu et al. 2022, section III; chapters 9 to 12.

    It takes the parameters of `SearchingSystem`: the priors, and how to search them.

    Examples
    --------
    >>> InstGlow.load()
    InstGlow(bass, drums, guitar, piano; trained on solos)
    """

    name = "instglow"
    weights = "priors"
    unit = PriorRun.unit

    @property
    def training(self) -> TrainingRecord:
        return TrainingRecord.together(prior.training for prior in self.priors)

    @property
    def parameter_count(self) -> int:
        return sum(prior.parameter_count for prior in self.priors)

    def only(self, sources: Iterable[str]) -> InstGlow:
        priors = [self.priors[position] for position in self.positions(sources)]
        return InstGlow(priors, self.search, self.mask_exponent, self.seed)

    @classmethod
    def fit_source(
        cls,
        dataset: Dataset,
        source: str,
        validation: Dataset | None = None,
        *,
        steps: int = TrainingConfig.steps,
        batch: int = TrainingConfig.batch,
        frames: int = TrainingConfig.frames,
        drive: float = TrainingConfig.drive,
        start: str | PathLike | None = None,
        spectra: int | None = None,
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
    ) -> tuple[Prior, LearningCurve]:
        """Train the prior of one source on its solo recordings.

        Parameters
        ----------
        dataset, validation : glowsep.datasets.Dataset
            Only their ``recordings`` of the source are read, never a mixture.
        source : str
        steps, batch, frames : int
        drive : float
            See `glowsep.systems.glow.train.TrainingConfig`.
        start : path, optional
            A prior's file to go on from, with its configuration; by default training starts with a new prior.
        spectra : int, optional
            In the dictionary that a search starts from. A prior to go on from keeps those that it has, and gets so many
            beside them: by default none.
        window_length, hop, flow_steps, hidden : int, optional
        exponent, scale : float, optional
            Of a new prior: see `prior_config`.
        seed : int
            Of the first weights and of the training.
        device : {"cpu", "cuda"}
        checkpoint : path, optional
            Written now and then; read first if it exists.
        progress : bool
            Show progress bars.

        Raises
        ------
        DatasetError
            If the source plays in none of the tracks.
        PriorError
            If the prior to start from is damaged, or of another source.
        ValueError
            See `prior_config`; or if a prior to start from is given a configuration.
        """
        own = {"window_length": window_length, "hop": hop, "flow_steps": flow_steps, "hidden": hidden}
        own |= {"exponent": exponent, "scale": scale}
        if start is None:
            prior = new_prior(source, seed, components=spectra, **own)
        else:
            prior = prior_to_go_on_from(start, source, **own)
        solo = solo_audio(dataset, source, prior.config.rate, progress)
        held_out = None if validation is None else solo_audio(validation, source, prior.config.rate, progress)
        warmup = min(TrainingConfig.warmup, steps // 10)
        training = TrainingConfig(steps, batch, frames, warmup=warmup, drive=drive, seed=seed)
        prior.to(device)
        if start is not None and spectra:
            add_spectra(prior, solo, training, spectra)
        return prior, prior.fit(solo, held_out, training, checkpoint, progress)

    @classmethod
    def require_solos(
        cls,
        datasets: Mapping[str, Dataset],
        sources: Iterable[str],
        *,
        frames: int = TrainingConfig.frames,
        start: str | PathLike | None = None,
        window_length: int | None = None,
        hop: int | None = None,
    ) -> None:
        """Refuse a data set in which a source plays for too short a time, before any of them is trained.

        Recordings are read only until enough of the source has been heard.

        Parameters
        ----------
        datasets : dict of str to glowsep.datasets.Dataset
            "training" and, if there is one, "validation".
        sources : iterable of str
        frames, start, window_length, hop
            As `fit_source` will have them.

        Raises
        ------
        DatasetError
            Names the data set, the source, and how many seconds of it were found and are needed.
        PriorError, ValueError
            See `fit_source`.
        """
        training = TrainingConfig(frames=frames)
        for source in sources:
            if start is None:
                config = prior_config(window_length, hop)
            else:
                config = prior_to_go_on_from(start, source, window_length=window_length, hop=hop).config
            require_enough(datasets, source, config, training)

    def save(self, path: str | PathLike, precision: type[np.floating] = np.float32) -> None:
        """Write every prior to ``path/<source>.npz``, its flow in ``precision``.

        Raises
        ------
        PriorError
            If ``path`` is a file, or the folder is not writable or full.
        """
        make_folder(path)
        for prior in self.priors:
            prior.save(Path(path, f"{prior.name}.npz"), precision)

    @classmethod
    def load(
        cls,
        path: str | PathLike | Sequence[str | PathLike] | None = None,
        *,
        search: Callable[..., Found] | None = None,
        mask_exponent: float = MASK_EXPONENT,
        seed: int = 0,
        device: str = "cpu",
    ) -> InstGlow:
        """Read priors; by default those that come with glowsep. For the other parameters see `InstGlow`.

        Parameters
        ----------
        path : path or sequence of path
            A folder of priors, a prior's file, or several of these. The sources are in the order in which they are
            named; those of a folder in the order of their files' names, whatever it was when they were saved.
        device : {"cpu", "cuda"}

        Raises
        ------
        PriorError
            See `load_priors`.
        """
        path = cls.shipped_weights() if path is None else path
        paths = [path] if isinstance(path, str | PathLike) else path
        return cls(load_priors(paths, device), search, mask_exponent, seed)

    @classmethod
    def load_source(cls, path: str | PathLike) -> Prior:
        return Prior.load(path)


def prior_config(
    window_length: int | None = None,
    hop: int | None = None,
    flow_steps: int | None = None,
    hidden: int | None = None,
    exponent: float | None = None,
    scale: float | None = None,
    components: int | None = None,
) -> PriorConfig:
    """The default configuration of a prior, but for what is given.

    Parameters
    ----------
    window_length, hop : int, optional
        Of the STFT, in samples. With a window alone the hop is a quarter of it.
    flow_steps, hidden : int, optional
        The flow's steps, and the hidden channels of its couplings.
    exponent, scale : float, optional
        Of the flow's domain.
    components : int, optional
        Spectra in the dictionary.

    Raises
    ------
    ValueError
        If the hop does not divide the window, or the flow cannot mix the window's bins in groups.

    Examples
    --------
    >>> prior_config(2048, flow_steps=4).hop
    512
    """
    default = PriorConfig()
    if window_length is None:
        window_length, hop = default.window_length, hop or default.hop
    hop = hop or default_hop(window_length)
    require_window(window_length, hop)
    group = default.glow.group_size
    if window_length % (2 * group):
        raise ValueError(
            f"window_length is {window_length}, but must be a multiple of {2 * group}: the flow mixes bins in groups "
            f"of {group}, and there are half as many bins as samples"
        )
    glow = replace(default.glow, channels=window_length // 2, **_given(steps=flow_steps, hidden=hidden))
    domain = _given(exponent=exponent, scale=scale, components=components)
    return replace(default, window_length=window_length, hop=hop, glow=glow, **domain)


def new_prior(source: str, seed: int, **configuration) -> Prior:
    """An untrained prior of a source, of this `prior_config`."""
    return Prior(source, prior_config(**configuration), np.random.default_rng(seed))


def prior_to_go_on_from(path: str | PathLike, source: str, **configuration) -> Prior:
    """The prior of a source that is to be trained further: it has its configuration, so none may be given.

    Raises
    ------
    PriorError
        If the file is damaged, or holds the prior of another source.
    ValueError
        If a value of ``configuration`` is given.
    """
    if given := list(_given(**configuration)):
        raise ValueError(f"{given[0]} is given, but {path} has its own; leave it out, or train a new prior")
    prior = Prior.load(path)
    if prior.name.casefold() != source.casefold():
        raise PriorError(f"{path}: the prior of {prior.name!r}, not of {source!r}; name another file")
    return prior


def load_priors(paths: Iterable[str | PathLike], device: str = "cpu") -> list[Prior]:
    """Load priors that can explain a mixture together.

    Parameters
    ----------
    paths : iterable of path
        Prior files, or folders of them.
    device : {"cpu", "cuda"}

    Raises
    ------
    PriorError
        If a file is missing or damaged, a folder holds none, two priors have one name, or they do not fit together.

    Examples
    --------
    >>> [prior.name for prior in load_priors([InstGlow.shipped_weights()])]
    ['bass', 'drums', 'guitar', 'piano']
    """
    files = [file for path in paths for file in weight_files(path)]
    priors = [Prior.load(file) for file in files]
    try:
        require_one_domain(priors, files)
    except ValueError as error:
        raise PriorError(error) from None
    return [prior.to(device) for prior in priors]


def require_enough(datasets: Mapping[str, Dataset], source: str, config: PriorConfig, training: TrainingConfig) -> None:
    """Refuse a data set in which a source plays for too short a time: what `InstGlow.require_solos` asks of each."""
    needed = {part: shortest(config, training, validation=part == "validation") for part in datasets}
    require_playing(datasets, [source], config.rate, needed)


def _given(**values):
    return {name: value for name, value in values.items() if value is not None}
