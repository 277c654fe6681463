"""The search: which sources, each likely under its prior, add up to the mixture?

A search is called with the mixture's magnitude and the priors, and returns what it `Found`. Any prior that keeps to
`SearchablePrior` can be searched: here is what the systems with one prior per source share.
"""

from glowsep.systems.search.annealed import AnnealedSearch
from glowsep.systems.search.constrained import ConstrainedLatentSearch
from glowsep.systems.search.found import Found
from glowsep.systems.search.latent import LatentSearch
from glowsep.systems.search.searchable import SearchablePrior

__all__ = ["AnnealedSearch", "ConstrainedLatentSearch", "Found", "LatentSearch", "SearchablePrior"]
