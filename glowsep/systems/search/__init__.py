"""The search: which sources, each likely under its prior, add up to the mixture?

A search is called with the mixture's magnitudes and the priors, and returns what it found. Every prior with the same
methods can be searched: what glow and gan_prior share.
"""

from glowsep.systems.search.annealed import AnnealedSearch
from glowsep.systems.search.found import Found
from glowsep.systems.search.latent import LatentSearch

__all__ = ["AnnealedSearch", "Found", "LatentSearch"]
