"""The constrained latent search: the likeliest latents whose sources are the mixture."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from glowsep.arrays.integers import require_whole
from glowsep.arrays.library import array_module
from glowsep.systems.search.found import Found, require_fading_and_falling, require_iterations_and_weight
from glowsep.systems.search.searchable import SearchablePrior
from glowsep.systems.search.starts import from_dictionaries, from_song
from glowsep.systems.search.walk import falling, walk


@dataclass(frozen=True)
class ConstrainedLatentSearch:
    r"""The paper's search with the mixture as a constraint: the sources' latents are likely, and their sum is exact.

    .. math::

        \min_{s_1 \dots s_n} E_\sigma = \sum_i \tfrac12 \lVert z_i \rVert^2, \qquad
        z_i = f_{i,\sigma}(u_i), \quad u_i = c\, s_i^\alpha, \qquad
        \text{subject to } \sum_i s_i = x \text{ in every bin}

    `LatentSearch` walks through the latents and weighs how well their sources explain the mixture. A flow is
    invertible, so the walk may as well go through the sources, where the constraint is simple. There, with the Jacobian
    :math:`J_i = \partial f_{i,\sigma} / \partial u_i`, a small step changes the energy by
    :math:`dE_\sigma = \sum_i z_i^\top J_i\, du_i`, hence

    .. math:: \nabla_{u_i} E_\sigma = J_i^\top z_i

    which is what a flow's backward pass makes of :math:`dz = z`, the log-det left out. For levels :math:`\sigma` from
    the highest to the lowest, in geometric steps:

    1. go down that gradient with some momentum, :math:`v_i \leftarrow \beta v_i - \lambda \sigma^2 J_i^\top z_i`,
       :math:`u_i \leftarrow u_i + v_i`,
    2. scale the magnitudes of every bin so that they sum to the mixture's,
       :math:`s_i \leftarrow x\, s_i / \sum_j s_j`: of all sources with the right sum those nearest to :math:`s` in the
       generalised Kullback-Leibler divergence.

    The result is the mean over the second half of the last walk.

    The start decides a great deal, and the priors' dictionaries have never heard this song. What the first walk finds
    has: NMF learns ``spectra`` more from every source of it, :math:`S_i \approx W_i' H_i'`, the mixture is explained by
    :math:`[W_1 \; W_1' \; W_2 \; W_2' \cdots]`, and the next walk starts from there.

    Why :math:`\sigma^2`: if clean data are Gaussian, :math:`u \sim \mathcal N(\mu, C)`, then so are noisy ones, the
    flow is linear, and :math:`J^\top z = (C + \sigma^2 I)^{-1} (u - \mu)`. A step with :math:`\lambda = 1` ends at

    .. math:: u - \sigma^2 J^\top z = \mu + C\, (C + \sigma^2 I)^{-1} (u - \mu)

    Wiener's filter, which takes noise of level :math:`\sigma` away. The annealed search's step is the same for such a
    flow, whose log-det is constant. For any other flow the log-det matters, and the two belong to each other: it is
    noise that makes the log-det right, by Tweedie's formula; a walk that adds none and counts it drifts to the modes of
    the density, which are no typical sounds.

    Sources: Zhu et al. 2022, section III-B (the energy); Mariani et al. 2024 (the sum as a constraint); Lee & Seung
    2001 (scaling as the nearest point); chapter 12.

    Attributes
    ----------
    iterations : int
        Of each walk.
    weight : float
        :math:`\lambda`: how far every step follows the priors.
    momentum : float
        :math:`\beta`, at least 0 and less than 1.
    sigma_max, sigma_min : float
        The noise levels :math:`\sigma` of the first and the last iteration, in the flow's domain.
    walks : int
        One after the other; each but the first starts from dictionaries of what the one before has found.
    spectra : int
        That these have beside the priors' own, for each source.
    start : callable
        Of the first walk: ``from_dictionaries``, ``from_average_spectra`` or ``from_equal_shares`` of
        :mod:`glowsep.systems.search.starts`.

    Raises
    ------
    ValueError
        If ``iterations``, ``walks`` or ``spectra`` is less than 1, ``weight`` less than 0, ``momentum`` outside [0, 1),
        or the levels rise.

    Examples
    --------
    >>> ConstrainedLatentSearch(iterations=15).weight
    1.0
    """

    iterations: int = 6
    weight: float = 1.0
    momentum: float = 0.3
    sigma_max: float = 0.3
    sigma_min: float = 0.06
    walks: int = 4
    spectra: int = 16
    start: Callable = from_dictionaries

    def __post_init__(self) -> None:
        require_iterations_and_weight(self.iterations, self.weight)
        require_whole(1, walks=self.walks, spectra=self.spectra)
        require_fading_and_falling(self.momentum, self.sigma_max, self.sigma_min)

    def __call__(
        self,
        mixture: np.ndarray,
        priors: Sequence[SearchablePrior],
        rng: np.random.Generator,
        callback: Callable | None = None,
    ) -> Found:
        """Search the sources of a mixture's magnitude (bins, frames); nothing is drawn from ``rng``.

        ``callback`` and the history go on through all walks.
        """
        found, history = None, []
        for _ in range(self.walks):
            if found is None:
                start = self.start(mixture, priors)
            else:
                start = from_song(mixture, priors, found.magnitudes, self.spectra)
            found = self._walk(mixture, priors, start, len(history), callback)
            history += found.history
        return replace(found, history=history)

    def _walk(self, mixture, priors, start, before, callback):
        """One walk from these magnitudes, after so many iterations of other walks."""

        def step(each, magnitudes, velocities, sigma):
            return each(self._step, priors, magnitudes, velocities, [sigma] * len(priors))

        def heard(iteration, magnitudes, terms):
            callback(before + iteration, magnitudes, terms)

        sigmas = falling(self.sigma_max, self.sigma_min, self.iterations)
        return walk(mixture, priors, start, sigmas, step, None if callback is None else heard)

    def _step(self, prior, magnitude, velocity, sigma):
        """Step 1 for one source: its next magnitude and velocity, both (bins, frames), and the energy it came from."""
        u = prior.compress(magnitude[None])
        gradient, energy = prior.energy_gradient(u, array_module(u).full(1, sigma, np.float32))
        velocity = self.momentum * velocity - self.weight * sigma**2 * gradient[0]
        return prior.expand(u[0] + velocity), velocity, energy[0]
