"""The search: which sources, each likely under its prior, add up to the mixture?

A search is called with the mixture's magnitude and the priors, and returns what it found. Two are here: the latent
search of the paper, and a walk through falling noise levels that separates better.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .backend import array_module
from .likelihood import SILENCE, poisson
from .nmf import activations
from .optim import Adam
from .threads import side_by_side


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
        Per iteration: "likelihood", minus the log-likelihood of the mixture, and "prior", minus the sources'
        log-densities.
    """

    magnitudes: np.ndarray
    latents: list
    history: list


def from_dictionaries(mixture, priors, iterations=30):
    """Start from the priors' NMF dictionaries: the mixture, explained by all of them together (chapter 3).

    How loud an instrument plays here is found from the mixture, so a quiet or a loud one is no surprise.
    """
    xp = array_module(mixture)
    dictionaries = [prior.dictionary for prior in priors]
    H = activations(mixture + SILENCE, xp.concatenate(dictionaries, axis=1), iterations)
    ends = np.cumsum([W.shape[1] for W in dictionaries])[:-1].tolist()
    return xp.stack([W @ part for W, part in zip(dictionaries, xp.split(H, ends), strict=True)])


def from_average_spectra(mixture, priors):
    """Start from every instrument's average spectrum, in every frame the same."""
    xp = array_module(mixture)
    spectra = [prior.expand(xp.sqrt(prior.mean**2 + prior.variance))[:, None] for prior in priors]
    return xp.stack([spectrum + 0 * mixture for spectrum in spectra])


def from_equal_shares(mixture, priors):
    """Start from equal shares of the mixture: knows nothing."""
    return array_module(mixture).stack([mixture / len(priors)] * len(priors))


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


@dataclass(frozen=True)
class AnnealedSearch:
    r"""A walk through falling noise levels, on which every step denoises each source and keeps their sum.

    For levels :math:`\sigma` from the loudest to the quietest, in geometric steps:

    1. blur every source: :math:`\tilde u_i = u_i + \sigma \varepsilon_i`,
    2. ask its prior what it may have been: :math:`\hat u_i = E[u_i \mid \tilde u_i]
       = \tilde u_i + \sigma^2 \nabla \log p_{i,\sigma}(\tilde u_i)`,
    3. go there with some momentum, :math:`v_i \leftarrow \beta v_i + \lambda (\hat u_i - u_i)`,
       :math:`u_i \leftarrow u_i + v_i`, and scale the magnitudes of every bin so that they sum to the mixture's.

    and the magnitudes found are the mean over the second half of the walk: each of its places is a guess that the noise
    has moved about, and of all answers the mean of the guesses has the smallest expected squared error.

    The constraint is kept exactly, so the likelihood has nothing to overfit; the noise hides all that is finer than
    what has been decided so far. A source that sounds unlike its instrument is moved most.

    Sources: Jayaram & Thickstun 2020 (annealed separation by score); Zhu et al. 2023, "DiffPIR", algorithm 1 (denoise,
    project, blur); chapter 12.

    Attributes
    ----------
    iterations : int
    weight : float
        :math:`\lambda`: how far every step follows the priors.
    momentum : float
        :math:`\beta`, at least 0 and less than 1.
    loudest, quietest : float
        The noise levels of the first and the last iteration, in the flow's domain.
    start : callable
        ``from_dictionaries``, ``from_average_spectra`` or ``from_equal_shares``.

    Raises
    ------
    ValueError
        Where ``iterations`` is less than 1, ``weight`` less than 0, ``momentum`` outside [0, 1), or the levels rise.
    """

    iterations: int = 60
    weight: float = 1.0
    momentum: float = 0.3
    loudest: float = 0.2
    quietest: float = 0.06
    start: Callable = from_dictionaries

    def __post_init__(self):
        require_iterations_and_weight(self.iterations, self.weight)
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum is {self.momentum}, but must be at least 0 and less than 1")
        if not 0 < self.quietest <= self.loudest:
            raise ValueError(f"the noise levels are {self.loudest} to {self.quietest}, but must fall and be above 0")

    def __call__(self, mixture, priors, rng, callback=None):
        xp = array_module(mixture)
        magnitudes = summing_to(mixture, self.start(mixture, priors))
        velocities, total, history = xp.zeros_like(magnitudes), xp.zeros_like(magnitudes), []
        levels = np.geomspace(self.loudest, self.quietest, self.iterations).tolist()
        with side_by_side(len(priors), mixture) as each:
            for iteration, noise in enumerate(levels):
                blurs = [noise * xp.asarray(rng.standard_normal(mixture.shape, np.float32)) for _ in priors]
                found = each(self._followed, priors, magnitudes, velocities, blurs, [noise] * len(priors))
                magnitudes, velocities, log_probs = (xp.stack(parts) for parts in zip(*found, strict=True))
                distance, _ = poisson(mixture, magnitudes.sum(axis=0))
                history.append({"likelihood": float(distance), "prior": -float(log_probs.sum())})
                magnitudes = summing_to(mixture, magnitudes)
                if iteration >= self.iterations // 2:
                    total += magnitudes
                if callback is not None:
                    callback(iteration, magnitudes, history[-1])
            magnitudes = total / (self.iterations - self.iterations // 2)
            latents = list(each(lambda prior, magnitude: prior.latent_of(magnitude), priors, magnitudes))
        return Found(magnitudes, latents, history)

    def _followed(self, prior, magnitude, velocity, blur, noise):
        """Steps 1 to 3 for one source: its next magnitude and velocity, both (bins, frames), and its log-density."""
        u = prior.compress(magnitude[None])
        denoised, log_prob = prior.denoise(u + blur, array_module(u).full(1, noise, np.float32))
        velocity = self.momentum * velocity + self.weight * (denoised - u)[0]
        return prior.expand(u[0] + velocity), velocity, log_prob[0]


def summing_to(mixture, magnitudes):
    """Magnitudes (sources, bins, frames), scaled in every bin so that they sum to the mixture's (bins, frames)."""
    floored = magnitudes + SILENCE  # so that a source that vanished may come back
    return mixture * (floored / floored.sum(axis=0))


def generate_all(priors, latents):
    """The magnitudes (sources, bins, frames) of a dict of latents, and ``backward_generate``'s caches."""
    generated = [prior.generate(z) for prior, z in zip(priors, latents.values(), strict=True)]
    magnitudes, caches = zip(*generated, strict=True)
    return array_module(magnitudes[0]).stack(magnitudes), caches


def require_iterations_and_weight(iterations, weight):
    if iterations < 1:
        raise ValueError(f"iterations is {iterations}, but must be at least 1")
    if not weight >= 0:
        raise ValueError(f"weight (lambda) is {weight}, but must be at least 0")
