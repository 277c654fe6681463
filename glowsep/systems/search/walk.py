"""A walk among sources that always sum to the mixture: what the annealed and the constrained search share."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from glowsep.arrays.library import array_module
from glowsep.arrays.threads import side_by_side
from glowsep.learning.losses import SILENCE, poisson
from glowsep.systems.search.found import Found
from glowsep.systems.search.searchable import SearchablePrior


def walk(
    mixture: np.ndarray,
    priors: Sequence[SearchablePrior],
    start: np.ndarray,
    sigmas: Sequence[float],
    step: Callable[[Callable, np.ndarray, np.ndarray, float], Iterable[tuple]],
    callback: Callable | None = None,
) -> Found:
    """Take a step at each noise level, and scale the sources to the mixture after each.

    Parameters
    ----------
    mixture : (bins, frames)
        Magnitudes.
    priors : sequence of SearchablePrior
        One per source.
    start : (sources, bins, frames)
        Magnitudes; they need not sum to the mixture.
    sigmas : sequence of float
        The noise level of each step.
    step : callable
        From (each, magnitudes, velocities, sigma) to each source's next magnitude, its next velocity, both (bins,
        frames), and what the prior says against it; ``each`` is a ``map`` that has the sources at work side by side.
    callback : callable, optional
        Called with (iteration, magnitudes, terms).

    Returns
    -------
    Found
        Its magnitudes are the mean over the second half of the walk.
    """
    xp = array_module(mixture)
    magnitudes = summing_to(mixture, start)
    velocities, total, history = xp.zeros_like(magnitudes), xp.zeros_like(magnitudes), []
    with side_by_side(len(priors), mixture) as each:
        for iteration, sigma in enumerate(sigmas):
            moved = step(each, magnitudes, velocities, sigma)
            magnitudes, velocities, energies = (xp.stack(parts) for parts in zip(*moved, strict=True))
            distance, _ = poisson(mixture, magnitudes.sum(axis=0))
            history.append({"likelihood": float(distance), "prior": float(energies.sum())})
            magnitudes = summing_to(mixture, magnitudes)
            if iteration >= len(sigmas) // 2:
                total += magnitudes
            if callback is not None:
                callback(iteration, magnitudes, history[-1])
        magnitudes = total / (len(sigmas) - len(sigmas) // 2)
        latents = list(each(lambda prior, magnitude: prior.latent_of(magnitude), priors, magnitudes))
    return Found(magnitudes, latents, history)


def falling(sigma_max: float, sigma_min: float, iterations: int) -> list[float]:
    """Noise levels from the highest to the lowest, in geometric steps.

    Examples
    --------
    >>> [round(sigma, 6) for sigma in falling(0.4, 0.1, 3)]
    [0.4, 0.2, 0.1]
    """
    return np.geomspace(sigma_max, sigma_min, iterations).tolist()


def summing_to(mixture: np.ndarray, magnitudes: np.ndarray) -> np.ndarray:
    """Magnitudes (sources, bins, frames), scaled in every bin so that they sum to the mixture's (bins, frames).

    Examples
    --------
    >>> summing_to(np.array([[8.0]]), np.array([[[3.0]], [[1.0]]])).round(3).ravel()
    array([6., 2.])
    """
    floored = magnitudes + SILENCE  # so that a source that vanished may come back
    return mixture * (floored / floored.sum(axis=0))
