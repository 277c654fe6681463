"""The latent search of the paper: gradient descent on the sources' latents."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from glowsep.arrays.library import array_module
from glowsep.learning.adam import Adam
from glowsep.learning.losses import poisson
from glowsep.systems.search.found import Found, require_iterations_and_weight
from glowsep.systems.search.searchable import SearchablePrior
from glowsep.systems.search.starts import from_zero


@dataclass(frozen=True)
class LatentSearch:
    r"""Gradient descent on the latents (the paper's search).

    .. math:: \min_{z_1 \dots z_n} D\Big(x, \sum_i f_i^{-1}(z_i)\Big) + \lambda \sum_i \tfrac12 \lVert z_i \rVert^2

    with Adam, from :math:`z = 0`, every source's likeliest latent. :math:`\lambda = 0` is maximum likelihood,
    :math:`\lambda > 0` MAP. The gradient goes through the generator. A flow can generate *any* spectrogram, so
    the longer this search, the better it explains the mixture, and the less the priors have to say about who plays
    what: stop it early (chapter 12).

    Source: Zhu et al. 2022, section III-B, equations 3 to 5; chapter 12.

    Attributes
    ----------
    iterations : int
    learning_rate : float
    weight : float
        :math:`\lambda`, not negative.
    likelihood : callable
        ``poisson`` or ``gaussian`` of :mod:`glowsep.learning.losses`.
    start : callable
        ``from_zero``, ``from_prior`` or ``from_mixture`` of :mod:`glowsep.systems.search.starts`.

    Raises
    ------
    ValueError
        If ``iterations`` is less than 1 or ``weight`` less than 0.

    Examples
    --------
    >>> LatentSearch(iterations=10, weight=0.1).learning_rate
    0.01
    """

    iterations: int = 150
    learning_rate: float = 0.01
    weight: float = 0.0
    likelihood: Callable = poisson
    start: Callable = from_zero

    def __post_init__(self) -> None:
        require_iterations_and_weight(self.iterations, self.weight)

    def __call__(
        self,
        mixture: np.ndarray,
        priors: Sequence[SearchablePrior],
        rng: np.random.Generator,
        callback: Callable | None = None,
    ) -> Found:
        """Search the sources of a mixture's magnitude (bins, frames)."""
        latents = {str(i): self.start(prior, mixture, len(priors), rng) for i, prior in enumerate(priors)}
        adam, history = Adam(latents, self.learning_rate), []
        for iteration in range(self.iterations):
            tapes = [[] for _ in priors]
            magnitudes = generate_all(priors, latents, tapes)
            distance, dtotal = self.likelihood(mixture, magnitudes.sum(axis=0))
            gradients = {
                name: prior.backward_generate(dtotal, tape) + self.weight * latents[name]
                for name, prior, tape in zip(latents, priors, tapes, strict=True)
            }
            energy = sum(0.5 * float((z * z).sum()) for z in latents.values())
            history.append({"likelihood": float(distance), "prior": energy})
            if callback is not None:
                callback(iteration, magnitudes, history[-1])
            adam.step(gradients)
        return Found(generate_all(priors, latents), list(latents.values()), history)


def generate_all(
    priors: Sequence[SearchablePrior], latents: dict[str, np.ndarray], tapes: Sequence[list | None] | None = None
) -> np.ndarray:
    """The magnitudes (sources, bins, frames) of a dict of latents, each prior with its own tape if there are tapes."""
    tapes = [None] * len(priors) if tapes is None else tapes
    magnitudes = [prior.generate(z, tape) for prior, z, tape in zip(priors, latents.values(), tapes, strict=True)]
    return array_module(magnitudes[0]).stack(magnitudes)
