"""Training: a dictionary from each instrument's solo frames."""

from collections.abc import Iterable

import numpy as np

from glowsep.learning.nmf import learn_dictionary


def learn_dictionaries(
    solos: Iterable[np.ndarray], components: int, iterations: int, rng: np.random.Generator
) -> np.ndarray:
    """A dictionary for each of the ``solos`` (bins, frames), one after the other: (sources, bins, components).

    Source: Smaragdis, Raj & Shashanka 2007, section 3; chapter 3.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> learn_dictionaries([rng.random((513, 20)), rng.random((513, 30))], 4, 2, rng).shape
    (2, 513, 4)
    """
    return np.stack([learn_dictionary(V, components, iterations, rng) for V in solos])
