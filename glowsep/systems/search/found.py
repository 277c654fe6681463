"""The search: which sources, each likely under its prior, add up to the mixture?

A search is called with the mixture's magnitude and the priors, and returns what it found. Two are here: the latent
search of the paper, and a walk through falling noise levels that separates better.
"""

from dataclasses import dataclass

import numpy as np


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


def require_iterations_and_weight(iterations, weight):
    if iterations < 1:
        raise ValueError(f"iterations is {iterations}, but must be at least 1")
    if not weight >= 0:
        raise ValueError(f"weight (lambda) is {weight}, but must be at least 0")
