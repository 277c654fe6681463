"""Work that is independent, such as the sources of a mixture, on a thread each."""

import functools
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
from threadpoolctl import ThreadpoolController

from glowsep.arrays.library import array_module


@contextmanager
def side_by_side(number, like):
    """A ``map`` for use in ``with``, which has up to ``number`` calls at work at once, on as many cores.

    BLAS computes one matrix product on all cores, but between two products all of them but one are idle. Here each core
    has a call of its own instead, and BLAS one thread a call: so the results of the same calls do not depend on the
    number of cores. NumPy lets go of Python's lock while it computes. Chapter 14.

    Where there is one call or one core only, or ``like`` lies on a GPU, which has one queue for all, it is Python's own
    ``map``, and BLAS is left alone.
    """
    at_once = min(number, available_cores(like))
    if at_once == 1:
        yield map
        return
    with blas().limit(limits=1), ThreadPoolExecutor(at_once) as pool:
        yield pool.map


def available_cores(like):
    """As many as NumPy's BLAS has been given (all, or ``OMP_NUM_THREADS``); one for arrays on a GPU.

    One, too, where threadpoolctl does not know NumPy's BLAS (Apple's Accelerate): its threads could not be held back.
    """
    if array_module(like) is not np:
        return 1
    return max((library.num_threads for library in blas().lib_controllers), default=1)


@functools.cache
def blas():
    """What says how many threads the matrix products have."""
    return ThreadpoolController().select(user_api="blas")
