"""How two arrays are compared, and what is said when they differ."""

import numpy as np

from glowsep.check.hints import explain

GRADIENT = 1e-6
# Errors are relative to an array's largest entry; where all of its entries are smaller than this, to this.
SMALL = 1e-3


class CheckError(AssertionError):
    """The contract is broken; the message says where, and where the pattern is known, why.

    Examples
    --------
    >>> issubclass(CheckError, AssertionError)
    True
    """


def fail(where, message):
    """Say what is wrong, and where; ``where`` is None if the message says it all."""
    raise CheckError(f"{where}: {message}" if where else message)


def compare(where, what, got, expected, tolerance, candidates=(), small=SMALL, labels=None):
    """The largest error, relative to the largest expected entry.

    Raises
    ------
    CheckError
        Above the tolerance, with the worst entry (its index, or its label), both values and the likely cause.
    """
    difference = np.abs(got - expected)
    error = difference.max(initial=0.0) / max(np.abs(expected).max(initial=0.0), small)
    if not error <= tolerance:  # put this way, NaN fails
        worst = int(np.argmax(difference))
        index = tuple(int(i) for i in np.unravel_index(worst, difference.shape))
        place = f" {labels[worst]}" if labels else f" at index {index}" if index else ""  # a number has no index
        fail(
            where,
            f"{what} is wrong{place}: expected {expected[index]:.9g}, got {got[index]:.9g} "
            f"(relative error {error:.2g}).{explain(got, expected, candidates)}",
        )
    return float(error)


def expect_array(where, what, array, shape, dtype):
    """See that ``array`` is one, of this shape and dtype."""
    if array is None:
        fail(where, f"{what} is not set (None), but must have shape {shape}")
    if not isinstance(array, np.ndarray):
        fail(where, f"{what} must be an array of shape {shape}, but is {described(array)}")
    if array.shape != shape:
        fail(where, f"{what} has shape {array.shape}, but must have {shape}")
    if array.dtype != dtype:
        fail(where, f"{what} is {array.dtype}, but must be {dtype}, the dtype of the input")


def described(value):
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    return f"a {type(value).__name__}"
