"""Independent work, such as the sources of a mixture, each on a thread of its own."""

import functools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
from threadpoolctl import ThreadpoolController

from glowsep.arrays.library import array_module


@contextmanager
def side_by_side(number: int, like: np.ndarray) -> Iterator[Callable]:
    """A ``map``, for use in ``with``, that works on up to ``number`` calls at once, on as many cores.

    BLAS computes one matrix product on all cores, but between two products all of them except one are idle. Here each
    core has a call of its own instead, and BLAS gets one thread per call: so the results of the same calls do not
    depend on the number of cores. NumPy releases Python's lock while it computes. Source: chapter 14.

    If there is only one call or one core, or ``like`` is on a GPU, which has one queue for all, it is Python's own
    ``map``, and BLAS is left alone.
    """
    at_once = min(number, available_cores(like))
    if at_once == 1:
        yield map
        return
    with blas().limit(limits=1), ThreadPoolExecutor(at_once) as pool:
        yield pool.map


def available_cores(like: np.ndarray) -> int:
    """As many cores as NumPy's BLAS has been given (all, or ``OMP_NUM_THREADS``); one for arrays on a GPU.

    One, too, if threadpoolctl does not know NumPy's BLAS (Apple's Accelerate): its threads could not be held back.
    """
    if array_module(like) is not np:
        return 1
    return max((library.num_threads for library in blas().lib_controllers), default=1)


@functools.cache
def blas():
    """The libraries for matrix products, which can be asked and told how many threads they use."""
    return ThreadpoolController().select(user_api="blas")
