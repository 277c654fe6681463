"""A stand-in for CuPy: arrays of NumPy's in a wrapper that is as strict as a GPU's memory.

They never turn into NumPy arrays by themselves, refuse to be mixed with them, and answer NumPy's functions with
arrays of their own kind. Code that runs on them moves every array explicitly, and so runs on CuPy: a mistake is found
on a machine without a GPU. As in CuPy, what NumPy returns as a number is here an array of no dimensions.
"""

from types import ModuleType, SimpleNamespace

import numpy as np

REFUSAL = "Implicit conversion to a NumPy array is not allowed"


class ndarray(np.lib.mixins.NDArrayOperatorsMixin):
    """An array that lies "on the device". The module's name is what `glowsep.arrays.library.array_module` looks at."""

    __module__ = "cupy"

    def __init__(self, values):
        self.values = values

    def get(self):
        """The explicit way back to NumPy."""
        return self.values.copy()

    def __array__(self, dtype=None, copy=None):
        raise TypeError(REFUSAL)

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **options):
        if out is not None:
            options["out"] = out
        result = getattr(ufunc, method)(*taken_in(inputs), **taken_in(options))
        return handed_out(result) if out is None else out[0]

    def __array_function__(self, function, types, arguments, options):
        return handed_out(function(*taken_in(arguments), **taken_in(options)))

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(self.values, name)
        return on_device(found) if callable(found) else handed_out(found)

    def __getitem__(self, index):
        return handed_out(self.values[taken_in(index)])

    def __setitem__(self, index, value):
        self.values[taken_in(index)] = taken_in(value)

    def __iter__(self):
        return map(handed_out, self.values)

    def __len__(self):
        return len(self.values)

    def __bool__(self):
        return bool(self.values)

    def __float__(self):
        return float(self.values)

    def __int__(self):
        return int(self.values)


def taken_in(value):
    """The NumPy arrays within device arrays, and within tuples, lists and dicts of them; NumPy's own are refused."""
    if isinstance(value, ndarray):
        return value.values
    if isinstance(value, np.ndarray):
        raise TypeError(f"{REFUSAL}: a NumPy array of shape {value.shape} was mixed with arrays on the device")
    if isinstance(value, list | tuple):
        return type(value)(map(taken_in, value))
    if isinstance(value, dict):
        return {key: taken_in(item) for key, item in value.items()}
    return value


def handed_out(value):
    """NumPy arrays and numbers as device arrays, within tuples and lists too."""
    if isinstance(value, np.ndarray | np.generic):
        return ndarray(np.asarray(value))
    if isinstance(value, list):
        return [handed_out(item) for item in value]
    if isinstance(value, tuple):
        return tuple(map(handed_out, value))
    return value


def on_device(function):
    """A function of NumPy's that takes and gives device arrays."""

    def called(*arguments, **options):
        return handed_out(function(*taken_in(arguments), **taken_in(options)))

    return called


class InKernel(ndarray):
    """What a fused function is given in place of an array: only element-wise operations are allowed on it."""

    __module__ = "cupy"

    def __getattr__(self, name):
        if name in ("dtype", "ndim"):
            return getattr(self.values, name)
        raise NotImplementedError(f"{name} is not supported in a fused function")

    def refused(self, *arguments, **options):
        raise NotImplementedError("only element-wise operations are supported in a fused function")

    __array_function__ = __getitem__ = __iter__ = __len__ = __bool__ = __float__ = __int__ = refused

    def __setitem__(self, index, value):
        if index is not Ellipsis:
            self.refused()
        super().__setitem__(index, value)


def fuse(function):
    """Like ``cupy.fuse``: the function's operations together are one launch, and can be element-wise only."""

    def launched(*arguments):
        for argument in arguments:
            if not isinstance(argument, ndarray | int | float):
                raise TypeError(f"a fused function takes device arrays and numbers, but was given {type(argument)}")
        return function(*(InKernel(a.values) if isinstance(a, ndarray) else a for a in arguments))

    return launched


class StrictModule(ModuleType):
    """NumPy's functions, on device arrays; or those of one of NumPy's modules."""

    def __init__(self, name, numpy_module):
        super().__init__(name)
        self.__dict__["_numpy"] = numpy_module

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(self._numpy, name)
        if isinstance(found, ModuleType):
            return StrictModule(f"{self.__name__}.{name}", found)
        if isinstance(found, type) or not callable(found):  # dtypes and constants
            return found
        return on_device(found)


class DriverError(Exception):
    """Stands for CuPy's error where no driver answers."""


def stand_in():
    """A module to put into ``sys.modules["cupy"]``."""
    cupy = StrictModule("cupy", np)
    cupy.ndarray = ndarray
    cupy.fuse = fuse
    cupy.asarray = lambda values, dtype=None: ndarray(np.array(getattr(values, "values", values), dtype))
    cupy.cuda = SimpleNamespace(runtime=SimpleNamespace(getDeviceCount=lambda: 1, CUDARuntimeError=DriverError))
    return cupy
