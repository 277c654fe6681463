"""The latent search of the paper: gradient descent on the sources' latents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from glowsep.arrays.library import array_module
from glowsep.learning.adam import Adam
from glowsep.learning.losses import poisson
from glowsep.systems.search.found import Found, require_iterations_and_weight
from glowsep.systems.search.searchable import SearchablePrior
from glowsep.systems.search.starts import from_nmf, from_zero


@dataclass(frozen=True)
class LatentSearch:
    r"""Gradient descent on the latents (the paper's search).

    .. math:: \min_{z_1 \dots z_n} D\Big(x, \sum_i f_{i,\sigma}^{-1}(z_i)\Big)
              + \lambda \sum_i \tfrac12 \lVert z_i \rVert^2

    with Adam. :math:`\lambda = 0` is maximum likelihood, :math:`\lambda > 0` MAP. The gradient goes through the
    generator. `published` gives the paper's own settings; the defaults differ from them in three points:

    - :math:`\lambda` is on the scale of the likelihood. Near the solution :math:`D(x, m) \approx 2 \Delta u^2 / c^2` in
      the domain :math:`u = c \sqrt m`, so that :math:`\lambda` allows errors :math:`\Delta u` of :math:`\sigma_y =
      \tfrac c2 \sqrt\lambda`. With :math:`\lambda = 0` the priors have no say, with 1 the mixture has none.
    - The start is what NMF makes of the mixture, `from_nmf`. Adam moves a latent by no more than the learning rate per
      iteration, and the latents of a sound are about 1: from :math:`z = 0` the way is long.
    - The latents are those of a blurred level :math:`\sigma`, whose density has fewer modes to be caught in. They
      describe a source up to noise of that size, so :math:`\sigma_y = \sigma`: with :math:`c = 10` and
      :math:`\sigma = 0.3`, :math:`\lambda = (2\sigma/c)^2 \approx 4 \cdot 10^{-3}`. At the lowest level what counts is
      the error of adding magnitudes instead of spectra, 0.08 to 0.09: :math:`\lambda \approx 3 \cdot 10^{-4}`.

    A flow can generate *any* spectrogram: the less the priors count, the better this search explains the mixture, and
    the less it says about who plays what (chapter 12). `ConstrainedLatentSearch` keeps the sum exactly instead.

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
        ``from_nmf``, ``from_zero``, ``from_prior`` or ``from_mixture`` of :mod:`glowsep.systems.search.starts`.
    sigma : float, optional
        The noise level :math:`\sigma` of the latents, in the flow's domain; the priors' lowest if it is None.

    Raises
    ------
    ValueError
        If ``iterations`` is less than 1 or ``weight`` less than 0; when called, if a prior is not trained at ``sigma``.

    Examples
    --------
    >>> LatentSearch(iterations=10, weight=0.1).learning_rate
    0.03
    """

    iterations: int = 40
    learning_rate: float = 0.03
    weight: float = 4e-3
    likelihood: Callable = poisson
    start: Callable = from_nmf
    sigma: float | None = 0.3

    @classmethod
    def published(cls, **changes: object) -> LatentSearch:
        """The paper's search to the letter: from z = 0, without weight, 150 iterations, at the priors' lowest level.

        Parameters
        ----------
        changes
            Attributes that are to differ from the paper's.

        Examples
        --------
        >>> LatentSearch.published(iterations=300).weight
        0.0
        """
        paper = {"iterations": 150, "learning_rate": 0.01, "weight": 0.0, "start": from_zero, "sigma": None}
        return cls(**paper | changes)

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
        if self.sigma is not None:
            priors = [prior.at(self.sigma) for prior in priors]
        latents = {str(i): latent for i, latent in enumerate(self.start(mixture, priors, rng))}
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
