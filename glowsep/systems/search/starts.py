"""Where a search may start: the walks at magnitudes of all sources, the latent search at their latents.

.. code-block:: python

    magnitudes = start(mixture, priors)                # (sources, bins, frames)
    latents = start(mixture, priors, rng)              # a list, each of its prior's latent_shape(frames)
"""

from collections.abc import Sequence

import numpy as np

from glowsep.arrays.library import array_module
from glowsep.learning.losses import SILENCE
from glowsep.learning.nmf import joint_parts, learn_dictionary
from glowsep.systems.search.searchable import SearchablePrior
from glowsep.systems.search.walk import summing_to

# Magnitudes, for the annealed and the constrained search


def from_dictionaries(mixture: np.ndarray, priors: Sequence[SearchablePrior], iterations: int = 60) -> np.ndarray:
    """Start from the priors' NMF dictionaries: all of them together explain the mixture (chapter 3).

    How loud an instrument plays is found from the mixture, so a quiet or a loud one is no surprise.

    Examples
    --------
    >>> from glowsep.systems.glow.instglow import InstGlow
    >>> priors = InstGlow.load().priors
    >>> mixture = np.ones((len(priors[0].mean), 3), np.float32)
    >>> from_dictionaries(mixture, priors).shape == (4, *mixture.shape)
    True
    """
    return joint_parts(mixture + SILENCE, [prior.dictionary for prior in priors], iterations)


def from_song(
    mixture: np.ndarray, priors: Sequence[SearchablePrior], magnitudes: np.ndarray, spectra: int, iterations: int = 60
) -> np.ndarray:
    """Start from dictionaries that have heard the song: `from_dictionaries`, with more spectra for every source.

    ``magnitudes`` (sources, bins, frames) are what a search has taken for the sources. In each, NMF finds ``spectra``,
    in half as many iterations as it then explains the mixture.

    Examples
    --------
    >>> from glowsep.systems.glow.instglow import InstGlow
    >>> priors = InstGlow.load().priors
    >>> mixture = np.ones((len(priors[0].mean), 3), np.float32)
    >>> from_song(mixture, priors, from_dictionaries(mixture, priors), spectra=2).shape == (4, *mixture.shape)
    True
    """
    xp, learning = array_module(mixture), iterations // 2
    heard = [learn_dictionary(each + SILENCE, spectra, learning, np.random.default_rng(0)) for each in magnitudes]
    both = [xp.concatenate([prior.dictionary, own], axis=1) for prior, own in zip(priors, heard, strict=True)]
    return joint_parts(mixture + SILENCE, both, iterations)


def from_average_spectra(mixture: np.ndarray, priors: Sequence[SearchablePrior]) -> np.ndarray:
    """Start from every instrument's average spectrum, in every frame the same.

    Examples
    --------
    >>> from glowsep.systems.glow.instglow import InstGlow
    >>> priors = InstGlow.load().priors
    >>> mixture = np.ones((len(priors[0].mean), 3), np.float32)
    >>> from_average_spectra(mixture, priors).shape == (4, *mixture.shape)
    True
    """
    xp = array_module(mixture)
    spectra = [prior.expand(xp.sqrt(prior.mean**2 + prior.variance))[:, None] for prior in priors]
    return xp.stack([xp.broadcast_to(spectrum, mixture.shape) for spectrum in spectra])


def from_equal_shares(mixture: np.ndarray, priors: Sequence[SearchablePrior]) -> np.ndarray:
    """Start from equal shares of the mixture, which need no knowledge at all.

    Examples
    --------
    >>> from_equal_shares(np.array([[4.0]]), ["any prior", "another"]).ravel()
    array([2., 2.])
    """
    return array_module(mixture).stack([mixture / len(priors)] * len(priors))


# Latents, for the latent search


def from_zero(mixture: np.ndarray, priors: Sequence[SearchablePrior], rng: np.random.Generator) -> list[np.ndarray]:
    """Every source's likeliest latent: its average spectrum, as far as the flow is linear (the paper's start)."""
    xp = array_module(mixture)
    return [xp.zeros(prior.latent_shape(mixture.shape[1]), mixture.dtype) for prior in priors]


def from_prior(mixture: np.ndarray, priors: Sequence[SearchablePrior], rng: np.random.Generator) -> list[np.ndarray]:
    """A random latent of each prior, z ~ N(0, I): another start, another end."""
    latents = [rng.standard_normal(prior.latent_shape(mixture.shape[1]), np.float32) for prior in priors]
    return [array_module(mixture).asarray(latent) for latent in latents]


def from_mixture(mixture: np.ndarray, priors: Sequence[SearchablePrior], rng: np.random.Generator) -> list[np.ndarray]:
    """The latents of equal shares of the mixture: they explain everything at once, so the search stays there."""
    return [prior.latent_of(mixture / len(priors)) for prior in priors]


def from_nmf(mixture: np.ndarray, priors: Sequence[SearchablePrior], rng: np.random.Generator) -> list[np.ndarray]:
    """The latents of what NMF makes of the mixture: where the walks start too, see `from_dictionaries`."""
    explained = summing_to(mixture, from_dictionaries(mixture, priors))
    return [prior.latent_of(magnitude) for prior, magnitude in zip(priors, explained, strict=True)]
