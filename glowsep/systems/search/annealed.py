"""The annealed search: a walk through falling noise levels, each step of which takes fresh noise away again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from glowsep.arrays.library import array_module
from glowsep.systems.search.found import Found, require_fading_and_falling, require_iterations_and_weight
from glowsep.systems.search.searchable import SearchablePrior
from glowsep.systems.search.starts import from_dictionaries
from glowsep.systems.search.walk import falling, walk


@dataclass(frozen=True)
class AnnealedSearch:
    r"""A walk through falling noise levels; every step denoises each source and keeps their sum.

    For levels :math:`\sigma` from the highest to the lowest, in geometric steps:

    1. add noise to every source: :math:`\tilde u_i = u_i + \sigma \varepsilon_i`,
    2. ask its prior what it may have been: :math:`\hat u_i = E[u_i \mid \tilde u_i]
       = \tilde u_i + \sigma^2 \nabla \log p_{i,\sigma}(\tilde u_i)`,
    3. go there with some momentum, :math:`v_i \leftarrow \beta v_i + \lambda (\hat u_i - u_i)`,
       :math:`u_i \leftarrow u_i + v_i`, and scale the magnitudes of every bin so that they sum to the mixture's.

    The result is the mean over the second half of the walk. Each step of it is a guess that the noise has moved about,
    and of all answers the mean of the guesses has the smallest expected squared error.

    The constraint is kept exactly, so the likelihood has nothing to overfit; the noise hides all that is finer than
    what has been decided so far. A source that sounds unlike its instrument is moved most.

    Source: Jayaram & Thickstun 2020 (annealed separation by score); Zhu et al. 2023, "DiffPIR", algorithm 1 (denoise,
    project, add noise); chapter 12.

    Attributes
    ----------
    iterations : int
    weight : float
        :math:`\lambda`: how far every step follows the priors.
    momentum : float
        :math:`\beta`, at least 0 and less than 1.
    sigma_max, sigma_min : float
        The noise levels :math:`\sigma` of the first and the last iteration, in the flow's domain.
    start : callable
        ``from_dictionaries``, ``from_average_spectra`` or ``from_equal_shares`` of
        :mod:`glowsep.systems.search.starts`.

    Raises
    ------
    ValueError
        If ``iterations`` is less than 1, ``weight`` less than 0, ``momentum`` outside [0, 1), or the levels rise.

    Examples
    --------
    >>> AnnealedSearch(iterations=20).sigma_max
    0.2
    """

    iterations: int = 60
    weight: float = 1.0
    momentum: float = 0.3
    sigma_max: float = 0.2
    sigma_min: float = 0.06
    start: Callable = from_dictionaries

    def __post_init__(self) -> None:
        require_iterations_and_weight(self.iterations, self.weight)
        require_fading_and_falling(self.momentum, self.sigma_max, self.sigma_min)

    def __call__(
        self,
        mixture: np.ndarray,
        priors: Sequence[SearchablePrior],
        rng: np.random.Generator,
        callback: Callable | None = None,
    ) -> Found:
        """Search the sources of a mixture's magnitude (bins, frames)."""
        xp, sources = array_module(mixture), len(priors)

        def step(each, magnitudes, velocities, sigma):
            noises = [sigma * xp.asarray(rng.standard_normal(mixture.shape, np.float32)) for _ in priors]
            return each(self._step, priors, magnitudes, velocities, noises, [sigma] * sources)

        sigmas = falling(self.sigma_max, self.sigma_min, self.iterations)
        return walk(mixture, priors, self.start(mixture, priors), sigmas, step, callback)

    def _step(self, prior, magnitude, velocity, noise, sigma):
        """Steps 1 to 3 for one source: its next magnitude and velocity, both (bins, frames), minus its log-density."""
        u = prior.compress(magnitude[None])
        denoised, log_prob = prior.denoise(u + noise, array_module(u).full(1, sigma, np.float32))
        velocity = self.momentum * velocity + self.weight * (denoised - u)[0]
        return prior.expand(u[0] + velocity), velocity, -log_prob[0]
