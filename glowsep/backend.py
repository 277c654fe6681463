"""Which array library an array belongs to, and moving between them: the only module that knows CuPy's name."""

import ctypes
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


def to_host(array):
    """``array`` as a NumPy array in main memory (an explicit copy when it lies on a GPU)."""
    return array.get() if hasattr(array, "get") else np.asarray(array)


def to_device(array, device):
    """``array`` on ``device``.

    Parameters
    ----------
    array : numpy.ndarray
    device : {"cpu", "cuda"}

    Raises
    ------
    ValueError
        For another device, or "cuda" where CuPy or an NVIDIA GPU is missing.
    """
    if device == "cpu":
        return to_host(array)
    if device == "cuda":
        return cuda().asarray(array)
    raise ValueError(f"device is {device!r}, but must be 'cpu' or 'cuda'")


def beside(array, neighbour):
    """``array`` (in any memory) in the memory where ``neighbour`` lies: the explicit step that mixing them needs."""
    return to_host(array) if array_module(neighbour) is np else array_module(neighbour).asarray(array)


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


def keep_freed_memory():
    """Ask the C library to keep memory that is freed: the next step of a training or a search wants as much again.

    Given back to the system, it comes anew page by page, which takes longer than the arithmetic of an element-wise
    operation. For a process that is ours alone, as the command line's; in notebooks, glibc's environment variables
    ``MALLOC_MMAP_THRESHOLD_=33554432 MALLOC_TRIM_THRESHOLD_=4294967296 MALLOC_ARENA_MAX=1`` do the same. Does nothing
    where the C library is another than glibc (Linux).
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # macOS, Windows: no such function
        return
    trim_threshold, mmap_threshold, arena_max = -1, -3, -8  # M_TRIM_THRESHOLD, … of malloc.h
    mallopt(mmap_threshold, 2**25)  # the most it allows: larger arrays still come from the system, and go back
    mallopt(trim_threshold, 2**31 - 1)
    mallopt(arena_max, 1)  # one heap for all threads: what one has freed, another may take


def cuda():
    """The ``cupy`` module, once a GPU has answered.

    Raises
    ------
    ValueError
        Where CuPy is not installed, or finds no NVIDIA GPU.
    """
    try:
        import cupy
    except ImportError:
        raise ValueError(
            "device 'cuda' needs CuPy: pip install '.[cuda12]' or '.[cuda13]' in the repository, or use 'cpu'"
        ) from None
    try:
        found = cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError:
        found = 0
    if not found:
        raise ValueError("device 'cuda' needs an NVIDIA GPU and its driver, none was found: use device 'cpu'")
    return cupy
