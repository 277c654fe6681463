"""Which array library an array belongs to, and moving between them: the only module that knows CuPy's name."""

import functools
import sys

import numpy as np


def array_module(array):
    """The module (``numpy`` or ``cupy``) whose functions fit ``array``; see chapter 14.

    The same source lines run on both: ``xp = array_module(x)``, then ``xp.exp(x)``.
    An array library names itself through the array's type, so CuPy is never imported on a machine without it.
    """
    library = type(array).__module__.split(".")[0]
    return sys.modules[library] if library == "cupy" else np


def fused(function):
    """Make one kernel of an element-wise ``function``: a decorator (chapter 14).

    On a GPU every operation of NumPy's kind is a launch of its own, and reads and writes all of its arrays. CuPy can
    compile several into one launch, if they are element-wise only. NumPy cannot: there the function runs as written.
    The results are the same. ``function`` may change its arguments in place; the first must be an array.
    """

    @functools.wraps(function)
    def run(first, *others):
        library = array_module(first)
        return (function if library is np else _kernel(library, function))(first, *others)

    return run


@functools.cache
def _kernel(library, function):
    return library.fuse(function)
