"""Parameters with their gradients beside them: all that the optimiser, the checker and the weights file need."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from typing import Self  # Python 3.11 and later


class Parameters:
    """A layer or part of a network: its own parameters, and inner parts that have theirs.

    ``parameter_names`` lists the attributes that are learnt; the gradient of ``W`` is the attribute ``dW``, assigned by
    ``backward``, never accumulated. ``state_names`` lists those that are not learnt but belong in the weights file all
    the same. Nothing else is kept between calls.

    A layer that is not a bijection has two methods, and they share a *tape*, a list:

    ===============================  =========================================================================
    ``forward(x, tape) -> y``        appends to the tape what ``backward`` will want
    ``backward(dy, tape) -> dx``     pops it again; sets the parameters' gradients, unless the layer is frozen
    ===============================  =========================================================================

    Last in, first out: a chain of layers goes forward in a loop over one tape, and backward in the reversed loop.
    A tape belongs to the layer (or frozen view) that wrote it. Chapter 5.

    Examples
    --------
    >>> class Gain(Parameters):
    ...     parameter_names = ("g",)
    ...
    ...     def __init__(self):
    ...         self.g, self.dg = np.ones(1), None
    >>> Gain().parameters(), Gain().gradients()
    ({'g': array([1.])}, {'g': None})
    """

    parameter_names = ()
    state_names = ()
    #: Whether this is a frozen view, whose ``backward`` sets no gradients; see ``frozen``.
    is_frozen = False

    def __init_subclass__(cls):
        for names in (cls.parameter_names, cls.state_names):
            if isinstance(names, str):
                raise TypeError(f"{cls.__name__}: {names!r} is a string, expected a tuple of names: ({names!r},)")

    def parts(self) -> dict[str, Parameters]:
        """Inner parts that have parameters of their own, as a dict of name to part."""
        return {}

    def parameters(self) -> dict[str, np.ndarray]:
        """All parameters, inner parts included: a dict of dotted name to the live array."""
        return collect(self, lambda part: {name: getattr(part, name) for name in part.parameter_names})

    def gradients(self) -> dict[str, np.ndarray | None]:
        """The gradients of the last ``backward``, under the same dotted names as ``parameters``."""
        return collect(self, lambda part: {name: getattr(part, "d" + name) for name in part.parameter_names})

    def state(self) -> dict[str, np.ndarray]:
        """What a weights file needs beyond ``parameters``, under dotted names like theirs."""
        return collect(self, lambda part: {name: getattr(part, name) for name in part.state_names})

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        """Take over parameters and state from ``arrays``, a dict such as ``parameters() | state()``.

        Raises
        ------
        ValueError
            If a name is missing or unexpected, or a shape differs.
        """
        own = self.parameters() | self.state()
        for name in own.keys() ^ arrays.keys():
            raise ValueError(f"these weights do not fit this network: {name!r} is on one side only")
        for name, array in arrays.items():
            if np.shape(own[name]) != array.shape:
                raise ValueError(f"{name!r} has shape {array.shape}, expected {np.shape(own[name])}")
        assign(self, arrays)

    def frozen(self) -> Self:
        """A view with the very same arrays, inner parts included, whose ``backward`` sets no gradients.

        Gradients with respect to inputs are computed as before: this is what a search walks on. The view sees what an
        optimiser does to the arrays; it does not see other arrays that the part is given later (``load``).
        """
        if self.is_frozen:
            return self
        view = replica(self)
        for part in all_parts(view):
            part.is_frozen = True
        return view

    def __repr__(self) -> str:
        arrays = list(self.parameters().values())
        count = sum(array.size for array in arrays)
        place = "" if not arrays else f", on {device_name(arrays[0])}"
        frozen = ", frozen" if self.is_frozen else ""
        return f"{type(self).__name__}({self.describe()}{count:,} parameters{place}{frozen})"

    def describe(self) -> str:
        """What ``repr`` says about the shape: words that end in ", ", or nothing."""
        return ""


def device_name(array):
    """Where an array is, in words: "cpu" or "cuda"."""
    return "cpu" if isinstance(array, np.ndarray) else "cuda"


def replica(part, known=None):
    """A copy of a part and its inner parts with the very same arrays. Gradients that are set later are its own."""
    known = {} if known is None else known  # an inner part that several others hold is copied once
    if id(part) not in known:
        known[id(part)] = other = copy.copy(part)
        for name, value in vars(part).items():
            setattr(other, name, with_replicas(value, known))
    return known[id(part)]


def with_replicas(value, known):
    """An attribute's value with replicas in place of its parts, which may be in a list, a tuple or a dict."""
    if isinstance(value, Parameters):
        return replica(value, known)
    if isinstance(value, list | tuple):
        return type(value)([with_replicas(inner, known) for inner in value])
    if isinstance(value, dict):
        return {key: with_replicas(inner, known) for key, inner in value.items()}
    return value


def set_gradients(part, dy, tape):
    """``backward`` if no gradient with respect to x is needed: a part for which that is less work has this method."""
    (part.set_gradients if hasattr(part, "set_gradients") else part.backward)(dy, tape)


def add_gradients(total, *others):
    """Add the gradients of other replicas of a part to its own, in place."""
    own = total.gradients()
    for part in others:
        for name, gradient in part.gradients().items():
            if gradient is not None:  # as in a layer that is frozen by itself
                own[name] += gradient


def all_parts(part):
    """The part itself and everything inside it, each once, wherever ``replica`` looks for parts."""
    known = {}

    def visit(value):
        if isinstance(value, Parameters):
            if id(value) not in known:
                known[id(value)] = value
                visit(list(vars(value).values()))
        elif isinstance(value, list | tuple):
            for inner in value:
                visit(inner)
        elif isinstance(value, dict):
            visit(list(value.values()))

    visit(part)
    return list(known.values())


def collect(part, attributes, prefix=""):
    """``attributes(part)`` of a part and all its inner parts, the names dotted."""
    found = {prefix + name: value for name, value in attributes(part).items()}
    for name, inner in part.parts().items():
        found |= collect(inner, attributes, f"{prefix}{name}.")
    return found


def assign(part, arrays, prefix=""):
    """Set the attributes of a part and all its inner parts from a dict of dotted names."""
    for name in part.parameter_names + part.state_names:
        setattr(part, name, arrays[prefix + name])
    for name, inner in part.parts().items():
        assign(inner, arrays, f"{prefix}{name}.")
