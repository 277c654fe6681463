"""The search: which sources, each likely under its prior, add up to the mixture?

A search is called with the mixture's magnitude and the priors, and returns what it found. Two are here: the latent
search of the paper, and a walk through falling noise levels that separates better.
"""

import numpy as np

from glowsep.arrays.library import array_module
from glowsep.learning.losses import SILENCE
from glowsep.learning.nmf import activations


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
