"""The search: which sources, each likely under its prior, add up to the mixture?

A search is called with the mixture's magnitude and the priors, and returns what it found. Two are here: the latent
search of the paper, and a walk through falling noise levels that separates better.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .backend import array_module
from .likelihood import poisson
from .optim import Adam


@dataclass
class Found:
    """What a search found.

    Attributes
    ----------
    magnitudes : (sources, bins, frames)
        In the priors' units (a full-scale sine has 1), before any mask.
    latents : list of (squeeze · bins, frames / squeeze)
        One per source.
    history : list of dict
        Per iteration: "likelihood", minus the log-likelihood of the mixture, and "prior", minus the sources' log-densities.
    """

    magnitudes: np.ndarray
    latents: list
    history: list


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
        ``poisson`` or ``gaussian`` of :mod:`glowsep.likelihood`.
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
    start: Callable = None

    def __post_init__(self):
        require_iterations_and_weight(self.iterations, self.weight)

    def __call__(self, mixture, priors, rng, callback=None):
        xp = array_module(mixture)
        start = from_zero if self.start is None else self.start
        latents = {str(i): start(prior, mixture, len(priors), rng) for i, prior in enumerate(priors)}
        adam, history = Adam(latents, self.learning_rate), []
        for iteration in range(self.iterations):
            magnitudes = xp.stack([prior.generate(z) for prior, z in zip(priors, latents.values(), strict=True)])
            distance, dtotal = self.likelihood(mixture, magnitudes.sum(axis=0))
            gradients = {
                name: prior.backward_generate(dtotal, latents[name]) + self.weight * latents[name]
                for name, prior in zip(latents, priors, strict=True)
            }
            energy = sum(0.5 * float((z * z).sum()) for z in latents.values())
            history.append({"likelihood": float(distance), "prior": energy})
            if callback is not None:
                callback(iteration, magnitudes, history[-1])
            adam.step(gradients)
        magnitudes = xp.stack([prior.generate(z) for prior, z in zip(priors, latents.values(), strict=True)])
        return Found(magnitudes, list(latents.values()), history)


def from_zero(prior, mixture, sources, rng):
    """Every source's likeliest latent: its average spectrum, as far as the flow is linear."""
    return array_module(mixture).zeros(prior.latent_shape(mixture.shape[1]), mixture.dtype)


def from_prior(prior, mixture, sources, rng):
    """A random latent of the prior, z ~ N(0, I): another start, another end."""
    latent = rng.standard_normal(prior.latent_shape(mixture.shape[1]), np.float32)
    return array_module(mixture).asarray(latent)


def from_mixture(prior, mixture, sources, rng):
    """The latent of an equal share of the mixture: explains everything at once, so the search stays there."""
    return prior.latent_of(mixture / sources)


def require_iterations_and_weight(iterations, weight):
    if iterations < 1:
        raise ValueError(f"iterations is {iterations}, but must be at least 1")
    if not weight >= 0:
        raise ValueError(f"weight (lambda) is {weight}, but must be at least 0")
