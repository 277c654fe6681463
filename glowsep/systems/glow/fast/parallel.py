"""A flow whose batch is cut into shares, each on a core of its own."""

from glowsep.arrays.library import array_module
from glowsep.arrays.threads import available_cores, side_by_side
from glowsep.layers.parameters import replica
from glowsep.systems.glow.fast.fuse import FusedGlow

#: The fewest numbers of a share of the batch: 16 excerpts of training. With less to do, two threads wait for each other
#: longer than they compute together.
FEWEST = 2**19


class Kept(list):
    """What ``forward_keeping`` or ``inverse_keeping`` has kept of every share."""


class ParallelGlow(FusedGlow):
    r"""The same flow again: a large batch goes through it in shares, one a core.

    A large matrix product uses all cores by itself; what lies between two products, NumPy computes on one. So every
    share has a thread, and a replica of the flow with the same weights. Items do not see each other, hence all values
    are, up to rounding, those of the undivided batch, and a gradient by a parameter is a sum over items, hence over
    shares :math:`S`:

    .. math:: \frac{\partial}{\partial W} \sum_b L_b = \sum_S \frac{\partial}{\partial W} \sum_{b \in S} L_b

    A batch stays undivided where it has fewer than 2 · ``FEWEST`` numbers, where it is the first, by which the ActNorms
    initialise, and where it lies on a GPU.

    Source: data-parallel training, as in Goyal et al. 2017, section 3; chapter 14.
    """

    dcondition = None  # the gradient by the condition, (batch, condition_channels), of the last backward call

    def forward(self, x, condition=None):
        return self._in_shares(FusedGlow.forward, x, condition)[0]

    def forward_keeping(self, x, condition=None):
        return self._in_shares(FusedGlow.forward_keeping, x, condition)[0]

    def inverse(self, z, condition=None):
        return self._in_shares(FusedGlow.inverse, z, condition)[0]

    def inverse_keeping(self, z, condition=None):
        return self._in_shares(FusedGlow.inverse_keeping, z, condition)[0]

    def backward(self, dz, dlogdet, z, condition=None, kept=None):
        if isinstance(kept, Kept):
            return self._backward_at_once(dz, dlogdet, z, condition, kept)
        return self._backward_by_layer(dz, dlogdet, z, condition, kept)

    def _backward_at_once(self, *arguments):
        """Every share on its own from end to end; all gradients are there once a share, until they are added up."""
        results, replicas = self._in_shares(FusedGlow.backward, *arguments)
        with side_by_side(len(replicas), arguments[0]) as each:
            list(each(add_gradients, *(flow.plain for flow in replicas)))
        return self._with_dcondition(results, replicas)

    def _backward_by_layer(self, dz, dlogdet, z, condition, kept):
        """All shares through one layer, then through the next, a little slower: but whoever has kept nothing has no
        memory to spare, and so only one layer's gradients are there more than once.
        """
        number = self._number_of_shares(dz, kept)
        dz, dlogdet, z, condition = (divided(argument, number) for argument in (dz, dlogdet, z, condition))
        kept = [None] * len(self.layers) if kept is None else kept
        dconditions = []
        with side_by_side(number, dz[0]) as each:
            for layer, layer_kept in zip(reversed(self.layers), reversed(kept), strict=True):
                replicas = [layer, *(replica(layer) for _ in range(1, number))]
                shares = replicas, dz, dlogdet, z, condition, [layer_kept] * number
                dz, z = zip(*each(type(layer).backward, *shares), strict=True)
                add_gradients(*replicas)
                dconditions.append(joined([one.dcondition for one in replicas]))
        dconditions = [dcondition for dcondition in dconditions if dcondition is not None]
        self.dcondition = sum(dconditions) if dconditions else None
        return joined(dz), joined(z)

    def backward_input(self, dz, dlogdet, z, condition=None, kept=None):
        return self._with_dcondition(*self._in_shares(FusedGlow.backward_input, dz, dlogdet, z, condition, kept))

    def backward_inverse(self, dx, x, condition=None, kept=None):
        return self._with_dcondition(*self._in_shares(FusedGlow.backward_inverse, dx, x, condition, kept))

    def _in_shares(self, method, *arguments):
        """A method's results, joined, and the replicas that found them, of which this flow is the first."""
        number = self._number_of_shares(*arguments)
        replicas = [self, *(replica(self) for _ in range(1, number))]
        shares = zip(*(divided(argument, number) for argument in arguments), strict=True)
        with side_by_side(number, arguments[0]) as each:
            results = list(each(lambda flow, share: method(flow, *share), replicas, shares))
        return joined(results), replicas

    def _number_of_shares(self, first, *others):
        """How many shares a call with these arguments, of which the first is the batch, is to have."""
        for argument in others:
            if isinstance(argument, Kept):
                return len(argument)  # as many as the pass before had
            if isinstance(argument, list):
                return 1
        number = max(1, min(available_cores(first), len(first), first.size // FEWEST))
        return number if self.initialised else 1

    def _with_dcondition(self, results, replicas):
        # Glow's own property, which this class's attribute hides: the sum over the layers.
        self.dcondition = joined([FusedGlow.dcondition.fget(flow) for flow in replicas])
        return results


def divided(argument, number):
    """An argument's shares: of an array's items, of what has been kept; and of None, which all are given."""
    if argument is None:
        return [None] * number
    if isinstance(argument, Kept):
        return argument
    return [argument] if number == 1 else array_module(argument).array_split(argument, number)


def joined(shares):
    """The results of all shares as those of the whole batch."""
    first = shares[0]
    if len(shares) == 1 or first is None:
        return first
    if isinstance(first, tuple):
        return tuple(map(joined, zip(*shares, strict=True)))
    if isinstance(first, list):
        return Kept(shares)
    xp = array_module(first)
    if first.ndim < 3:
        return xp.concatenate(shares)
    # The channels stay outermost in memory.
    return xp.concatenate([share.swapaxes(0, 1) for share in shares], axis=1).swapaxes(0, 1)


def add_gradients(total, *others):
    """Add the gradients of other replicas of a part to its own, in place."""
    own = total.gradients()
    for part in others:
        for name, gradient in part.gradients().items():
            own[name] += gradient
