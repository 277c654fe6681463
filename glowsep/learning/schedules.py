"""Learning rates that change with the step (chapter 10)."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Constant:
    """A learning rate that stays as it is: ``Constant(1e-4)(step)`` is 1e-4 at every step.

    Examples
    --------
    >>> Constant(1e-4)(100)
    0.0001
    """

    learning_rate: float

    def __call__(self, step: int) -> float:
        return self.learning_rate


@dataclass(frozen=True)
class WarmupCosine:
    r"""A learning rate that rises in a line, then falls along half a cosine to a floor and stays there.

    .. math::

        \eta(t) = \begin{cases}
            \textit{peak} \cdot (t + 1) / \textit{warmup} & t < \textit{warmup} \\
            \textit{floor} + (\textit{peak} - \textit{floor}) \, \tfrac12 \left(1 + \cos \pi
                \frac{t - \textit{warmup}}{\textit{total} - \textit{warmup}}\right)
                & \textit{warmup} \le t \le \textit{total}
        \end{cases}

    Rising, because Adam's first running squares rest on a handful of gradients; falling, because late in
    training the noise of a step weighs more than its length.

    Parameters
    ----------
    peak : float
        The highest rate.
    warmup_steps, total_steps : int
        Steps of the rise, and of rise and fall together.
    floor : float
        The rate at the end and ever after.

    Raises
    ------
    ValueError
        Unless ``0 <= warmup_steps < total_steps`` and ``0 <= floor <= peak``.

    Examples
    --------
    >>> schedule = WarmupCosine(peak=1e-3, warmup_steps=10, total_steps=100)
    >>> schedule(0), schedule(9), schedule(100)
    (0.0001, 0.001, 0.0)

    Source: Loshchilov & Hutter 2017, equation 5, without restarts; chapter 10.
    """

    peak: float
    warmup_steps: int
    total_steps: int
    floor: float = 0.0

    def __post_init__(self):
        if not 0 <= self.warmup_steps < self.total_steps:
            raise ValueError(
                f"warmup_steps is {self.warmup_steps} and total_steps {self.total_steps}, "
                "but the warm-up must be at least 0 and end before the total"
            )
        if not 0 <= self.floor <= self.peak:
            raise ValueError(f"floor is {self.floor} and peak {self.peak}, but 0 <= floor <= peak must hold")

    def __call__(self, step: int) -> float:
        if step < self.warmup_steps:
            return self.peak * (step + 1) / self.warmup_steps
        progress = min(1.0, (step - self.warmup_steps) / (self.total_steps - self.warmup_steps))
        return self.floor + (self.peak - self.floor) * 0.5 * (1 + math.cos(math.pi * progress))
