"""Parameters with their gradients beside them: all that the optimiser, the checker and the weights file need."""

import copy

import numpy as np


class Parameters:
    """A part of a network: its own parameters, and inner parts that have theirs.

    ``parameter_names`` lists the attributes that are learnt (the gradient of ``W`` is the attribute ``dW``);
    ``state_names`` those that are not learnt but belong in the weights file all the same.
    """

    parameter_names = ()
    state_names = ()

    def parts(self):
        """Inner parts that have parameters of their own, as a dict of name to part."""
        return {}

    def parameters(self):
        """All parameters, inner parts included: a dict of dotted name to the live array."""
        return collect(self, lambda part: {name: getattr(part, name) for name in part.parameter_names})

    def gradients(self):
        """The gradients of the last ``backward``, under the same dotted names as ``parameters``."""
        return collect(self, lambda part: {name: getattr(part, "d" + name) for name in part.parameter_names})

    def state(self):
        """What a weights file needs beyond ``parameters``, under dotted names like theirs."""
        return collect(self, lambda part: {name: getattr(part, name) for name in part.state_names})

    def load(self, arrays):
        """Take over parameters and state from ``arrays``: a dict as ``parameters() | state()`` gives it.

        Raises
        ------
        ValueError
            Where a name is missing or too many, or a shape differs.
        """
        own = self.parameters() | self.state()
        for name in own.keys() ^ arrays.keys():
            raise ValueError(f"these weights do not fit this network: {name!r} is on one side only")
        for name, array in arrays.items():
            if np.shape(own[name]) != array.shape:
                raise ValueError(f"{name!r} has the shape {array.shape}, but must have {np.shape(own[name])}")
        assign(self, arrays)


def replica(part, known=None):
    """A copy of a part and its inner parts that has the very same arrays. Gradients that are set later are its own."""
    known = {} if known is None else known  # of inner parts that several others hold, one copy
    if id(part) not in known:
        known[id(part)] = other = copy.copy(part)
        for name, value in vars(part).items():
            if isinstance(value, Parameters):
                setattr(other, name, replica(value, known))
            elif isinstance(value, list):
                inner_parts = [replica(v, known) if isinstance(v, Parameters) else v for v in value]
                setattr(other, name, inner_parts)
    return known[id(part)]


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
