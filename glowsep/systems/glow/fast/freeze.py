"""A flow for a search, in which no weight changes."""

from glowsep.layers.bijection import Bijection
from glowsep.layers.parameters import all_parts, replica
from glowsep.systems.glow.fast.linear import FusedLinear


def freeze(flow: Bijection) -> Bijection:
    """A frozen view of a flow, fused or not: what depends on its weights alone is found once, not in every iteration.

    The matrices of the fused steps are small, but many: with less than a second of music, inverting them in every
    iteration can take a third of the time of a score, with ten seconds a twentieth. Chapter 14 measures it. The weights
    must not change from now on.

    Raises
    ------
    ValueError
        If the ActNorms still wait for a first batch: it would change them.

    Examples
    --------
    >>> import numpy as np
    >>> from glowsep import Glow, GlowConfig
    >>> flow = Glow(GlowConfig(channels=4, steps=1))
    >>> _ = flow.forward(np.ones((1, 4, 2), np.float32))
    >>> freeze(flow).is_frozen
    True
    """
    if not flow.initialised:
        raise ValueError("this flow cannot be frozen: no batch has gone forward through it yet")
    view = replica(flow.frozen())  # a view that somebody else may hold goes on following its weights
    for part in all_parts(view):
        if isinstance(part, FusedLinear):
            part.fixed = part.linear_map()
    return view
