"""Which array library an array belongs to, and moving between them: the only module that knows CuPy's name."""

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
