"""NumPy or CuPy: which library an array belongs to, so that the same source lines run on both."""

import functools
import sys
from collections.abc import Callable
from types import ModuleType

import numpy as np


def array_module(array: np.ndarray) -> ModuleType:
    """The module, ``numpy`` or ``cupy``, whose functions fit ``array``: ``xp = array_module(x)``, then ``xp.exp(x)``.

    The array's type names its library, so CuPy is never imported on a machine without it. Source: chapter 14.

    Examples
    --------
    >>> array_module(np.zeros(3)) is np
    True
    """
    library = type(array).__module__.split(".")[0]
    return sys.modules[library] if library == "cupy" else np


def fused(function: Callable[..., None]) -> Callable[..., None]:
    """Make one GPU kernel of an element-wise ``function``: a decorator.

    On a GPU every NumPy-style operation is a launch of its own, and reads and writes all of its arrays. CuPy can
    compile several into one launch, if they are purely element-wise. NumPy cannot: there the function runs as written.
    The results are the same. ``function`` may change its arguments in place; the first must be an array. Source:
    chapter 14.
    """

    @functools.wraps(function)
    def run(first, *others):
        library = array_module(first)
        return (function if library is np else _kernel(library, function))(first, *others)

    return run


@functools.cache
def _kernel(library, function):
    return library.fuse(function)
