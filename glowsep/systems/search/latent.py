"""The search: which sources, each likely under its prior, add up to the mixture?

A search is called with the mixture's magnitude and the priors, and returns what it found. Two are here: the latent
search of the paper, and a walk through falling noise levels that separates better.
"""

from collections.abc import Callable
from dataclasses import dataclass

from glowsep.arrays.library import array_module
from glowsep.learning.adam import Adam
from glowsep.learning.losses import poisson
from glowsep.systems.search.found import Found, require_iterations_and_weight
from glowsep.systems.search.starts import from_zero


@dataclass(frozen=True)
class LatentSearch:
    r"""Gradient descent on the latents (the paper's search).

    .. math:: \min_{z_1 \dots z_n} D\Big(x, \sum_i f_i^{-1}(z_i)\Big) + \lambda \sum_i \tfrac12 \lVert z_i \rVert^2

    with Adam, from :math:`z = 0`, every source's likeliest latent. :math:`\lambda = 0` is maximum likelihood,
    :math:`\lambda > 0` MAP. The gradient goes through the flow's inverse. A flow can generate *any* spectrogram, so
    the longer this search, the better it explains the mixture, and the less the priors have to say about who plays
    what: stop it early (chapter 12).

    Source: Zhu et al. 2022, section III-B, equations 3 to 5.

    Attributes
    ----------
    iterations : int
    learning_rate : float
    weight : float
        :math:`\lambda`, not negative.
    likelihood : callable
        ``poisson`` or ``gaussian`` of :mod:`glowsep.learning.losses`.
    start : callable
        ``from_zero``, ``from_prior`` or ``from_mixture``.

    Raises
    ------
    ValueError
        Where ``iterations`` is less than 1 or ``weight`` less than 0.
    """

    iterations: int = 150
    learning_rate: float = 0.01
    weight: float = 0.0
    likelihood: Callable = poisson
    start: Callable = from_zero

    def __post_init__(self):
        require_iterations_and_weight(self.iterations, self.weight)

    def __call__(self, mixture, priors, rng, callback=None):
        latents = {str(i): self.start(prior, mixture, len(priors), rng) for i, prior in enumerate(priors)}
        adam, history = Adam(latents, self.learning_rate), []
        for iteration in range(self.iterations):
            magnitudes, caches = generate_all(priors, latents)
            distance, dtotal = self.likelihood(mixture, magnitudes.sum(axis=0))
            gradients = {
                name: prior.backward_generate(dtotal, cache) + self.weight * latents[name]
                for name, prior, cache in zip(latents, priors, caches, strict=True)
            }
            energy = sum(0.5 * float((z * z).sum()) for z in latents.values())
            history.append({"likelihood": float(distance), "prior": energy})
            if callback is not None:
                callback(iteration, magnitudes, history[-1])
            adam.step(gradients)
        return Found(generate_all(priors, latents)[0], list(latents.values()), history)


def generate_all(priors, latents):
    """The magnitudes (sources, bins, frames) of a dict of latents, and ``backward_generate``'s caches."""
    generated = [prior.generate(z) for prior, z in zip(priors, latents.values(), strict=True)]
    magnitudes, caches = zip(*generated, strict=True)
    return array_module(magnitudes[0]).stack(magnitudes), caches
