"""What systems have in common that search priors for the sources of a mixture: all but where the priors come from."""

from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from os import PathLike
from pathlib import Path

import numpy as np

from glowsep.signals import audio
from glowsep.signals.masks import MASK_EXPONENT
from glowsep.systems.glow.prior import Prior
from glowsep.systems.glow.separate import require_one_domain, separate, separate_file
from glowsep.systems.search.constrained import ConstrainedLatentSearch
from glowsep.systems.search.found import Found
from glowsep.systems.system import System


class SearchingSystem(System):
    """Separates by a search among priors, one per source, that add up to the mixture.

    Source: Zhu et al. 2022, section III-B; chapter 12.

    Parameters
    ----------
    priors : sequence of glowsep.Prior
        One per source, all of one rate and one STFT, and all on one device.
    search : callable, optional
        ``ConstrainedLatentSearch()`` (the default), ``AnnealedSearch()``, ``LatentSearch()``, or your own.
    mask_exponent : float
        Masks divide the mixture in proportion to the magnitudes to this power.
    seed : int
        Of the search's noise: the same for every mixture, so that their order does not matter.

    Raises
    ------
    ValueError
        If there is no prior, one is untrained, or they do not fit together.
    """

    trained_on = "solos"

    def __init__(
        self,
        priors: Sequence[Prior],
        search: Callable[..., Found] | None = None,
        mask_exponent: float = MASK_EXPONENT,
        seed: int = 0,
    ) -> None:
        require_one_domain(priors)
        self.priors = list(priors)
        self.sources = tuple(prior.name for prior in priors)
        self.search = ConstrainedLatentSearch() if search is None else search
        self.mask_exponent, self.seed = mask_exponent, seed

    def separate(self, mixture: np.ndarray, rate: int) -> np.ndarray:
        rng = np.random.default_rng(self.seed)
        return separate(mixture, self.priors, rate, self.search, self.mask_exponent, rng).estimates

    def separate_file(
        self,
        song: str | PathLike,
        folder: str | PathLike,
        progress: bool = True,
        callback: Callable | None = None,
        stems: audio.Stems | None = None,
    ) -> list[Path]:
        rng = np.random.default_rng(self.seed)
        options = {"progress": progress, "callback": callback, "stems": stems}
        return separate_file(song, folder, self.priors, self.search, self.mask_exponent, rng, **options)

    def settings(self) -> dict[str, str]:
        own = fields(self.search) if is_dataclass(self.search) else ()
        values = {field.name.replace("_", " "): getattr(self.search, field.name) for field in own}
        return {
            "search": type(self.search).__name__,
            **{name: getattr(value, "__name__", str(value)) for name, value in values.items()},
            "mask exponent": f"{self.mask_exponent:g}",
        }
