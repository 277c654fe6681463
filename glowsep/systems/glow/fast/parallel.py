"""A flow whose batch is cut into shares, each on a core of its own."""

from __future__ import annotations

from glowsep.arrays.library import array_module
from glowsep.arrays.threads import available_cores, side_by_side
from glowsep.layers.bijection import Bijection
from glowsep.layers.parameters import add_gradients, replica
from glowsep.systems.glow.model import Glow

#: The fewest numbers in a share of the batch: 16 excerpts of training. With less to do, two threads wait for each other
#: longer than they compute together.
FEWEST = 2**19


def parallel(flow: Bijection) -> ParallelGlow:
    """The same flow on several cores: a wrapper of ``flow``, fused or not, which keeps the parameters.

    Examples
    --------
    >>> from glowsep import Glow, GlowConfig
    >>> parallel(Glow(GlowConfig(channels=8, steps=2)))
    ParallelGlow(8 channels, squeeze 2, 2 steps, 449,696 parameters, on cpu)
    """
    return ParallelGlow(flow)


class ParallelGlow(Bijection):
    r"""A flow that takes a large batch in shares, one per core; see ``parallel``.

    A large matrix product uses all cores by itself; what lies between two products, NumPy computes on one. So every
    share has a thread, and a replica of the flow with the same weights. Items do not see each other, hence all values
    are those of the undivided batch, up to rounding, and the gradient with respect to a parameter is a sum over items,
    hence over shares :math:`S`:

    .. math:: \frac{\partial}{\partial W} \sum_b L_b = \sum_S \frac{\partial}{\partial W} \sum_{b \in S} L_b

    A batch stays undivided if it has fewer than 2 · ``FEWEST`` numbers, if it is the first, from which the ActNorms
    initialise, and if it is on a GPU. Every share has a tape of its own; the flow's tape holds the list of them.

    Source: data-parallel training, as in Goyal et al. 2017, section 3; chapter 14.

    Attributes
    ----------
    flow : Glow or FusedGlow

    Examples
    --------
    >>> from glowsep import GlowConfig
    >>> ParallelGlow(Glow(GlowConfig(channels=8, steps=2))).config.steps
    2
    """

    def __init__(self, flow: Bijection):
        self.flow, self.is_frozen = flow, flow.is_frozen

    log_prob, log_prob_gradient, sample, describe = Glow.log_prob, Glow.log_prob_gradient, Glow.sample, Glow.describe

    def parts(self):
        return self.flow.parts()

    @property
    def config(self):
        return self.flow.config

    @property
    def initialised(self):
        return self.flow.initialised

    def forward(self, x, condition=None, tape=None):
        return self._recording(type(self.flow).forward, x, condition, tape)

    def inverse(self, z, condition=None, tape=None):
        return self._recording(type(self.flow).inverse, z, condition, tape)

    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        if tape is None:
            return self._backward_by_layer(dz, dlogdet, z, condition)
        tapes = tape.pop()
        results, replicas = self._in_shares(type(self.flow).backward, tapes, dz, dlogdet, z, condition)
        if not self.is_frozen:
            add_gradients(*replicas)
        return concatenated(results)

    def backward_inverse(self, dx, x, condition=None, tape=None):
        tapes = [None] * self._number_of_shares(dx) if tape is None else tape.pop()
        return concatenated(self._in_shares(type(self.flow).backward_inverse, tapes, dx, x, condition)[0])

    def _recording(self, method, x, condition, tape):
        """``forward`` or ``inverse``, every share on its own tape."""
        number = self._number_of_shares(x)
        tapes = [None] * number if tape is None else [[] for _ in range(number)]
        results, _ = self._in_shares(method, tapes, x, condition)
        if tape is not None:
            tape.append(tapes)
        return concatenated(results)

    def _in_shares(self, method, tapes, *arguments):
        """Run ``method`` on every share: the results, and the replicas that found them, the flow first."""
        replicas = [self.flow, *(replica(self.flow) for _ in tapes[1:])]
        shares = zip(*(divided(argument, len(tapes)) for argument in arguments), tapes, strict=True)
        with side_by_side(len(tapes), arguments[0]) as each:
            return list(each(lambda flow, share: method(flow, *share), replicas, shares)), replicas

    def _backward_by_layer(self, dz, dlogdet, z, condition):
        """All shares through one layer, then through the next: a little slower, but without a tape there is no memory
        to spare, and so only one layer's gradients exist more than once.
        """
        number = self._number_of_shares(dz)
        dz, dlogdet, z, condition = (divided(argument, number) for argument in (dz, dlogdet, z, condition))
        with side_by_side(number, dz[0]) as each:
            for layer in reversed(self.flow.layers):
                replicas = [layer, *(replica(layer) for _ in range(1, number))]
                dz, z = zip(*each(type(layer).backward, replicas, dz, dlogdet, z, condition), strict=True)
                if not self.is_frozen:
                    add_gradients(*replicas)
        return concatenated(dz), concatenated(z)

    def _number_of_shares(self, batch):
        number = max(1, min(available_cores(batch), len(batch), batch.size // FEWEST))
        return number if self.initialised else 1


def divided(argument, number):
    """The shares of an array's items; of None, which every share is given."""
    if argument is None or number == 1:
        return [argument] * number
    return array_module(argument).array_split(argument, number)


def concatenated(shares):
    """The results of all shares as those of the whole batch."""
    first = shares[0]
    if len(shares) == 1:
        return first
    if isinstance(first, tuple):
        return tuple(map(concatenated, zip(*shares, strict=True)))
    xp = array_module(first)
    if first.ndim < 3:
        return xp.concatenate(shares)
    # The channels stay outermost in memory.
    return xp.concatenate([share.swapaxes(0, 1) for share in shares], axis=1).swapaxes(0, 1)
