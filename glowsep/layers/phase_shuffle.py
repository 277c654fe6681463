"""Phase shuffle: what a critic hears is shifted by a few positions, so that it cannot learn where periods begin."""

from __future__ import annotations

import numpy as np

from glowsep.arrays.library import array_module
from glowsep.layers.parameters import Parameters


class PhaseShuffle(Parameters):
    r"""Shift every item by a number of positions of its own; what comes in at the edge is a mirror image.

    .. math:: y_{b,c,t} = x_{b,c,\,r(t - s_b)}, \qquad -n \le s_b \le n

    where r reflects a position beyond an edge back into the item. A transposed convolution with a stride leaves traces
    of its period, always at the same phase. A critic that sees the phase would judge by these traces and by nothing
    else. New shifts are drawn for every pass, by `drawn`; the layer as it is made shifts nothing.

    Source: Donahue et al. 2019 ("WaveGAN"), section 3.3.

    Parameters
    ----------
    most : int
        n above.
    shifts : sequence of int
        s above, one per item or one for all; by default nothing is shifted.

    Examples
    --------
    >>> PhaseShuffle(2, [1, -2]).forward(np.array([[[0.0, 1.0, 2.0, 3.0]], [[0.0, 1.0, 2.0, 3.0]]]), [])
    array([[[1., 0., 1., 2.]],
    <BLANKLINE>
           [[2., 3., 2., 1.]]])
    """

    def __init__(self, most: int = 2, shifts: tuple[int, ...] = ()):
        if most < 0 or any(abs(shift) > most for shift in shifts):
            raise ValueError(f"most and shifts are {most} and {shifts}, expected shifts of at most {most} positions")
        self.most, self.shifts = most, tuple(shifts)

    def drawn(self, batch: int, rng: np.random.Generator) -> PhaseShuffle:
        """The same layer with random shifts for a batch."""
        return PhaseShuffle(self.most, tuple(rng.integers(-self.most, self.most + 1, batch).tolist()))

    def forward(self, x: np.ndarray, tape: list) -> np.ndarray:
        """y (batch, channels, positions), of the shape of x."""
        if not self.shifts:
            return x
        if len(self.shifts) not in (1, len(x)) or self.most > x.shape[2] - 2:
            raise ValueError(
                f"x has shape {x.shape}, expected {len(self.shifts)} items of at least {self.most + 2} positions"
            )
        y = array_module(x).empty_like(x)
        for item, shifted, shift in zip(x, y, self._shifts(len(x)), strict=True):
            for here, there in runs(shift, x.shape[2]):
                shifted[:, here] = item[:, there]
        return y

    def backward(self, dy: np.ndarray, tape: list) -> np.ndarray:
        """The gradient with respect to x: a position that was used twice adds up both."""
        if not self.shifts:
            return dy
        dx = array_module(dy).zeros_like(dy)
        for ditem, dshifted, shift in zip(dx, dy, self._shifts(len(dy)), strict=True):
            for here, there in runs(shift, dy.shape[2]):
                ditem[:, there] += dshifted[:, here]
        return dx

    def linearise(self, x, tape):
        """y, and the layer itself, which is linear."""
        return self.forward(x, tape), self

    def describe(self):
        return f"at most {self.most}, "

    def _shifts(self, batch):
        return self.shifts * batch if len(self.shifts) == 1 else self.shifts


def runs(shift, length):
    """Slices of y, and of x where they come from: what is shifted, and its mirror image at the edge."""
    if shift >= 0:
        mirrored = slice(shift, 0, -1)
        return (slice(shift, None), slice(0, length - shift)), (slice(0, shift), mirrored)
    mirrored = slice(length - 2, length - 2 + shift, -1)
    return (slice(0, length + shift), slice(-shift, None)), (slice(length + shift, None), mirrored)
