"""Moving arrays between main memory and a GPU, always explicitly; the only module that imports CuPy."""

from types import ModuleType

import numpy as np

from glowsep.arrays.library import array_module
from glowsep.errors import how_to_install


def to_host(array: np.ndarray) -> np.ndarray:
    """``array`` as a NumPy array in main memory: an explicit copy if it is on a GPU."""
    return array.get() if hasattr(array, "get") else np.asarray(array)


def to_device(array: np.ndarray, device: str) -> np.ndarray:
    """``array`` on ``device``.

    Parameters
    ----------
    array : numpy.ndarray
    device : {"cpu", "cuda"}

    Raises
    ------
    ValueError
        If the device is another, or "cuda" without CuPy or an NVIDIA GPU.
    """
    if device == "cpu":
        return to_host(array)
    if device == "cuda":
        return cuda().asarray(array)
    raise ValueError(f"device is {device!r}, expected 'cpu' or 'cuda'")


def on_device_of(array: np.ndarray, other: np.ndarray) -> np.ndarray:
    """``array`` (from any device) on the device of ``other``: the explicit step without which the two do not mix."""
    return to_host(array) if array_module(other) is np else array_module(other).asarray(array)


def cuda() -> ModuleType:
    """The ``cupy`` module, once a GPU has answered.

    Raises
    ------
    ValueError
        If CuPy is not installed, or finds no NVIDIA GPU.
    """
    try:
        import cupy
    except ImportError:
        remedy = f"{how_to_install('cuda12')} for CUDA 12, {how_to_install('cuda13')} for CUDA 13; or use 'cpu'"
        raise ValueError(f"device 'cuda' needs CuPy: {remedy}") from None
    try:
        found = cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError:
        found = 0
    if not found:
        raise ValueError("device 'cuda' needs an NVIDIA GPU and its driver, but none was found: use device 'cpu'")
    return cupy
