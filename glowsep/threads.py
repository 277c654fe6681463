"""Work that is independent, such as the sources of a mixture, on a thread each."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
from threadpoolctl import ThreadpoolController

from .backend import array_module


@contextmanager
def side_by_side(number, like):
    """A ``map`` for use in ``with``, which has up to ``number`` calls at work at once, on as many cores.

    BLAS computes one matrix product on all cores, but between two products all of them but one are idle. Here each core
    has a call of its own instead, and BLAS one thread a call: so results do not depend on the number of cores. NumPy
    lets go of Python's lock while it computes. No more cores are used than BLAS has been given (``OMP_NUM_THREADS``).

    Where there is one call or one core only, or ``like`` lies on a GPU, which has one queue for all, it is Python's own
    ``map``, and BLAS is left alone.
    """
    blas = ThreadpoolController().select(user_api="blas")
    cores = max((library.num_threads for library in blas.lib_controllers), default=1)
    if min(number, cores) == 1 or array_module(like) is not np:
        yield map
        return
    with blas.limit(limits=1), ThreadPoolExecutor(min(number, cores)) as pool:
        yield pool.map
