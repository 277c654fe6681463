"""GAN-prior: one generator per instrument, and a search for latents whose sounds explain the mixture."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path

import numpy as np

from glowsep.datasets.solos import require_playing, solo_audio
from glowsep.datasets.track import Dataset
from glowsep.errors import PriorError
from glowsep.learning.training import LearningCurve
from glowsep.learning.training_record import TrainingRecord
from glowsep.learning.weights import make_folder, weight_files
from glowsep.signals import audio
from glowsep.signals.masks import MASK_EXPONENT
from glowsep.systems.gan_prior.gan import GAN
from glowsep.systems.gan_prior.model import GANConfig
from glowsep.systems.gan_prior.search import ProjectedGradientDescent
from glowsep.systems.gan_prior.separate import Separation, separate
from glowsep.systems.gan_prior.train import GANRun, TrainingConfig, fit, shortest
from glowsep.systems.per_source import PerSource, require_alike
from glowsep.systems.songs import separate_song

#: What GANs that are searched together must have in common.
SHARED = "form", "rate", "window_length", "hop", "latent"


class GANPrior(PerSource):
    """Separates by generators that have been trained, as GANs, on solo recordings only.

    Source: Narayanaswamy et al. 2020; Donahue et al. 2019 (SpecGAN and WaveGAN).

    Parameters
    ----------
    gans : sequence of GAN
        One per source, of one form and one STFT, and all on one device.
    search : ProjectedGradientDescent, optional
    mask_exponent : float
        Masks divide the mixture in proportion to the magnitudes to this power.
    raw : bool
        Whether the estimates are what the generators make, as published, or the mixture divided by masks of it.

    Raises
    ------
    ValueError
        If there is no GAN, two have one name, or they do not fit together.

    Examples
    --------
    >>> GANPrior([GAN("bass", GANConfig(channels=1)), GAN("drums", GANConfig(channels=1))])
    GANPrior(bass, drums; trained on solos)
    """

    name = "gan_prior"
    trained_on = "solos"
    weights = "gan_priors"
    unit = GANRun.unit

    def __init__(
        self,
        gans: Sequence[GAN],
        search: ProjectedGradientDescent | None = None,
        mask_exponent: float = MASK_EXPONENT,
        raw: bool = False,
    ) -> None:
        require_alike(gans, "GAN", SHARED)
        self.gans, self.sources = list(gans), tuple(gan.name for gan in gans)
        self.search = ProjectedGradientDescent() if search is None else search
        self.mask_exponent, self.raw = mask_exponent, raw

    @property
    def training(self) -> TrainingRecord:
        return TrainingRecord.together(gan.training for gan in self.gans)

    @property
    def parameter_count(self) -> int:
        return sum(gan.parameter_count for gan in self.gans)

    def found(self, mixture: np.ndarray, rate: int) -> Separation:
        """What a search finds in a mixture (channels, samples): raw estimates, and those by masks."""
        return separate(mixture, self.gans, rate, self.search, self.mask_exponent)

    def separate(self, mixture: np.ndarray, rate: int) -> np.ndarray:
        found = self.found(mixture, rate)
        return found.raw if self.raw else found.estimates

    def separate_file(
        self,
        song: str | PathLike,
        folder: str | PathLike,
        progress: bool = True,
        callback: Callable | None = None,
        stems: audio.Stems | None = None,
    ) -> list[Path]:
        def of_segment(segment, rate, start):
            return self.separate(segment, rate)

        return separate_song(song, folder, self.sources, of_segment, progress, stems, highest_rate=self.gans[0].rate)

    def only(self, sources: Iterable[str]) -> GANPrior:
        gans = [self.gans[position] for position in self.positions(sources)]
        return GANPrior(gans, self.search, self.mask_exponent, self.raw)

    @classmethod
    def fit_source(
        cls,
        dataset: Dataset,
        source: str,
        validation: Dataset | None = None,
        *,
        steps: int = TrainingConfig.steps,
        batch: int = TrainingConfig.batch,
        form: str = GANConfig.form,
        channels: int = GANConfig.channels,
        seed: int = 0,
        device: str = "cpu",
        checkpoint: str | PathLike | None = None,
        progress: bool = False,
    ) -> tuple[GAN, LearningCurve]:
        """Train the GAN of one source on its solo recordings.

        Parameters
        ----------
        dataset, validation : glowsep.datasets.Dataset
            Only their ``recordings`` of the source are read, never a mixture.
        source : str
        steps, batch : int
            See `glowsep.systems.gan_prior.train.TrainingConfig`.
        form, channels
            See `GANConfig`.
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
        """
        gan = GAN(source, GANConfig(form, channels), np.random.default_rng([seed, 0])).to(device)
        solo = solo_audio(dataset, source, gan.rate, progress)
        held_out = None if validation is None else solo_audio(validation, source, gan.rate, progress)
        return gan, fit(gan, solo, held_out, TrainingConfig(steps, batch, seed=seed), checkpoint, progress)

    @classmethod
    def require_solos(
        cls, datasets: Mapping[str, Dataset], sources: Iterable[str], *, form: str = GANConfig.form
    ) -> None:
        """Refuse a data set in which a source plays for too short a time, before any of them is trained.

        Parameters
        ----------
        datasets : dict of str to glowsep.datasets.Dataset
            "training" and, if there is one, "validation".
        sources : iterable of str
        form : str
            As `fit_source` will have it.

        Raises
        ------
        DatasetError
            Names the data set, the source, and how many seconds of it were found and are needed.
        """
        gan = GAN("any", GANConfig(form, channels=1))
        require_playing(datasets, sources, gan.rate, dict.fromkeys(datasets, shortest(gan)))

    def save(self, path: str | PathLike, precision: type[np.floating] = np.float32) -> None:
        """Write every GAN to ``path/<source>.npz``, its weights in ``precision``.

        Raises
        ------
        PriorError
            If ``path`` is a file, or the folder is not writable or full.
        """
        make_folder(path)
        for gan in self.gans:
            gan.save(Path(path, f"{gan.name}.npz"), precision)

    @classmethod
    def load(
        cls,
        path: str | PathLike | Sequence[str | PathLike] | None = None,
        *,
        iterations: int = ProjectedGradientDescent.iterations,
        mask_exponent: float = MASK_EXPONENT,
        raw: bool = False,
        device: str = "cpu",
    ) -> GANPrior:
        """Read GANs; by default those that come with glowsep. For the other parameters see `GANPrior`.

        Parameters
        ----------
        path : path or sequence of path
            A folder of GANs, a GAN's file, or several of these.
        iterations : int
            Of the search.
        device : {"cpu", "cuda"}

        Raises
        ------
        PriorError
            If a file is missing, damaged, or no GAN prior; a folder holds none; or they do not fit together.
        """
        path = cls.shipped_weights() if path is None else path
        paths = [path] if isinstance(path, str | PathLike) else path
        files = [file for path in paths for file in weight_files(path)]
        gans = [cls.load_source(file) for file in files]
        try:
            require_alike(gans, "GAN", SHARED, files)
        except ValueError as error:
            raise PriorError(error) from None
        return cls([gan.to(device) for gan in gans], ProjectedGradientDescent(iterations), mask_exponent, raw)

    @classmethod
    def load_source(cls, path: str | PathLike) -> GAN:
        return GAN.load(path)

    def settings(self) -> dict[str, str]:
        return {
            "form": self.gans[0].config.form,
            "iterations": str(self.search.iterations),
            "estimates": "raw" if self.raw else f"masks, exponent {self.mask_exponent:g}",
        }
