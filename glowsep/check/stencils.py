"""Derivatives without thinking: central differences, accurate enough to judge everything else by."""

from collections.abc import Callable

import numpy as np

# f'(x) = sum_k w_k (f(x + kh) - f(x - kh)) / h + O(h^6), Fornberg 1988, table 1. The order is high so that h may
# be large: h^6 vanishes beside float64's rounding error, which is divided by h.
STEP = 2e-3
WEIGHTS = {1: 3 / 4, 2: -3 / 20, 3: 1 / 60}


def central_difference(function, array, direction, step=STEP):
    """How fast ``function()`` changes as the live ``array`` moves along ``direction``; it is put back after.

    Accurate for functions that bend on the scale of 1, or on the array's own scale if that is larger.
    """
    original = array.copy()
    step = step * max(1.0, np.abs(original[direction != 0]).max(initial=0.0))
    change = 0.0
    for multiple, weight in WEIGHTS.items():
        for sign in (1, -1):
            array[...] = original + sign * multiple * step * direction
            change = change + sign * weight * function()
    array[...] = original
    return change / step


def jacobians(function: Callable[[], np.ndarray], array: np.ndarray, step: float = STEP) -> np.ndarray:
    """The Jacobian of every batch item by brute force.

    Parameters
    ----------
    function : callable
        Of no arguments; reads the live ``array`` and returns (batch, outputs).
    array : (batch, ...)

    Returns
    -------
    (batch, outputs, inputs)
        One column per entry of an item. An entry is moved in all items at once: items do not see each other.
    """
    columns = []
    for entry in range(array[0].size):
        direction = np.zeros(array.shape)
        direction.reshape(len(array), -1)[:, entry] = 1
        columns.append(central_difference(function, array, direction, step))
    return np.stack(columns, axis=2)


def directions(shape, at_most, rng):
    """Directions in which to try an array, each with what to call it.

    All unit vectors, called by their index; if there are more than ``at_most``, some of them and, last, a
    random direction through all entries.
    """
    size = int(np.prod(shape))
    entries = range(size) if size <= at_most else np.sort(rng.choice(size, at_most - 1, replace=False))
    tried = []
    for entry in entries:
        index = tuple(int(i) for i in np.unravel_index(entry, shape))
        unit = np.zeros(shape)
        unit[index] = 1
        tried.append((f"at index {index}", unit))
    if size > at_most:
        tried.append(("along a random direction", rng.standard_normal(shape) / np.sqrt(size)))
    return tried


def along(tried, gradient):
    """What ``gradient`` says of the directions tried: in its own shape, where every entry was tried."""
    numbers = np.array([np.vdot(direction, gradient) for _, direction in tried])
    return numbers.reshape(gradient.shape) if len(tried) == gradient.size else numbers
