"""What every bijection of the flow promises: the same four methods, parameters with their gradients beside them."""

import numpy as np


class Bijection:
    r"""An invertible map :math:`z = f(x)` whose log-determinant is known (chapter 4).

    Subclasses write four methods, none with a flag and none keeping anything between calls:

    ==========================================  ==============================================================
    ``forward(x) -> z, logdet``                 data to latent; :math:`\log|\det \partial z/\partial x|`, (batch,)
    ``inverse(z) -> x``                         latent to data
    ``backward(dz, dlogdet, z) -> dx, x``       gradients through ``forward``; sets the parameters' gradients
    ``backward_inverse(dx, x) -> dz, z``        gradient through ``inverse``; parameters frozen
    ==========================================  ==============================================================

    A fifth, ``backward_input(dz, dlogdet, z) -> dx, x``, is ``backward`` with the parameters frozen: what a search
    along the gradient of ``log_prob`` walks on. All arrays are (batch, channels, frames), log-dets are sums over the
    item's dimensions in nats, and every method takes ``condition`` (batch, condition_channels), which only
    conditional layers look at; they leave its gradient in ``dcondition``.

    ``forward_keeping(x) -> z, logdet, kept`` is ``forward`` for a caller who has the memory to keep what it
    computed, and hands it to ``backward`` as ``kept``. Without it, ``backward`` computes it again from the output.

    ``parameter_names`` lists the attributes that are learnt (the gradient of ``W`` is the attribute ``dW``);
    ``state_names`` those that are not learnt but belong in the weights file all the same.
    """

    parameter_names = ()
    state_names = ()
    dcondition = None

    def parts(self):
        """Inner parts that have parameters of their own, as a dict of name to part."""
        return {}

    def forward_keeping(self, x, condition=None):
        """``forward``, and what ``backward`` would otherwise have to compute again: nothing, in most layers."""
        return *self.forward(x, condition), None

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
