"""Where a search may start: magnitudes of all sources for the annealed search, a latent per source for the latent one.

.. code-block:: python

    magnitudes = start(mixture, priors)                # (sources, bins, frames)
    latent = start(prior, mixture, sources, rng)       # of prior.latent_shape(frames)
"""

from collections.abc import Sequence

import numpy as np

from glowsep.arrays.library import array_module
from glowsep.learning.losses import SILENCE
from glowsep.learning.nmf import joint_parts
from glowsep.systems.search.searchable import SearchablePrior

# Magnitudes, for the annealed search


def from_dictionaries(mixture: np.ndarray, priors: Sequence[SearchablePrior], iterations: int = 30) -> np.ndarray:
    """Start from the priors' NMF dictionaries: all of them together explain the mixture (chapter 3).

    How loud an instrument plays is found from the mixture, so a quiet or a loud one is no surprise.

    Examples
    --------
    >>> from glowsep.systems.glow.instglow import InstGlow
    >>> from_dictionaries(np.ones((512, 3), np.float32), InstGlow.load().priors).shape
    (4, 512, 3)
    """
    return joint_parts(mixture + SILENCE, [prior.dictionary for prior in priors], iterations)


def from_average_spectra(mixture: np.ndarray, priors: Sequence[SearchablePrior]) -> np.ndarray:
    """Start from every instrument's average spectrum, in every frame the same.

    Examples
    --------
    >>> from glowsep.systems.glow.instglow import InstGlow
    >>> from_average_spectra(np.ones((512, 3), np.float32), InstGlow.load().priors).shape
    (4, 512, 3)
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


# A latent, for the latent search


def from_zero(prior: SearchablePrior, mixture: np.ndarray, sources: int, rng: np.random.Generator) -> np.ndarray:
    """Every source's likeliest latent: its average spectrum, as far as the flow is linear."""
    return array_module(mixture).zeros(prior.latent_shape(mixture.shape[1]), mixture.dtype)


def from_prior(prior: SearchablePrior, mixture: np.ndarray, sources: int, rng: np.random.Generator) -> np.ndarray:
    """A random latent of the prior, z ~ N(0, I): another start, another end."""
    latent = rng.standard_normal(prior.latent_shape(mixture.shape[1]), np.float32)
    return array_module(mixture).asarray(latent)


def from_mixture(prior: SearchablePrior, mixture: np.ndarray, sources: int, rng: np.random.Generator) -> np.ndarray:
    """The latent of an equal share of the mixture: it explains everything at once, so the search stays there."""
    return prior.latent_of(mixture / sources)
