"""What a search returns, and what every search refuses."""

from dataclasses import dataclass

import numpy as np


@dataclass
class Found:
    """What a search found.

    Attributes
    ----------
    magnitudes : (sources, bins, frames)
        In the priors' units (a full-scale sine has 1), before any mask.
    latents : list of arrays
        One per source, of its prior's ``latent_shape``.
    history : list of dict
        Per iteration: "likelihood", minus the log-likelihood of the mixture, and "prior", what the search minimises of
        the sources: minus their log-densities, or their latents' energy.

    Examples
    --------
    >>> Found(np.ones((2, 512, 40)), [], []).magnitudes.shape
    (2, 512, 40)
    """

    magnitudes: np.ndarray
    latents: list[np.ndarray]
    history: list[dict[str, float]]


def require_iterations_and_weight(iterations: int, weight: float) -> None:
    """Refuse a search without iterations, or one that would flee from its priors.

    Raises
    ------
    ValueError
        If ``iterations`` is less than 1 or ``weight`` less than 0.

    Examples
    --------
    >>> require_iterations_and_weight(0, 1.0)
    Traceback (most recent call last):
        ...
    ValueError: iterations is 0, but must be at least 1
    """
    if iterations < 1:
        raise ValueError(f"iterations is {iterations}, but must be at least 1")
    if not weight >= 0:
        raise ValueError(f"weight (lambda) is {weight}, but must be at least 0")


def require_fading_and_falling(momentum: float, sigma_max: float, sigma_min: float) -> None:
    """Refuse a walk whose steps would never fade, or whose noise levels do not fall.

    Raises
    ------
    ValueError
        If ``momentum`` is outside [0, 1), or the levels rise or reach 0.

    Examples
    --------
    >>> require_fading_and_falling(0.3, sigma_max=0.1, sigma_min=0.2)
    Traceback (most recent call last):
        ...
    ValueError: the noise levels are 0.1 to 0.2, but must fall and be above 0
    """
    if not 0 <= momentum < 1:
        raise ValueError(f"momentum is {momentum}, but must be at least 0 and less than 1")
    if not 0 < sigma_min <= sigma_max:
        raise ValueError(f"the noise levels are {sigma_max} to {sigma_min}, but must fall and be above 0")
