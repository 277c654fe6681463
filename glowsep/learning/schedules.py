"""Learning rates that change with the step (chapter 10)."""

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
class WarmupStableDecay:
    r"""A learning rate that rises in a line, stays at its peak, and falls in a line to zero over the last steps.

    .. math::

        \eta(t) = \textit{peak} \cdot \min\left(1,\; \frac{t + 1}{\textit{warmup}},\;
            \frac{\textit{total} - t}{\textit{decay}}\right), \qquad 0 \le t < \textit{total}

    Rising, because Adam's first running squares rest on a handful of gradients; falling, because late in
    training the noise of a step weighs more than its length. Before the fall, no step depends on how many there
    will be: a run of another length shares them.

    Parameters
    ----------
    peak : float
        The highest rate.
    warmup_steps, total_steps : int
        Steps of the rise, and all steps; after them the rate is 0.
    decay : float
        The share of all steps that the fall takes.

    Raises
    ------
    ValueError
        If a number is out of its range, or the rise is not over when the fall begins.

    Examples
    --------
    >>> schedule = WarmupStableDecay(peak=1e-3, warmup_steps=10, total_steps=100)
    >>> schedule(0), schedule(9), schedule(70), schedule(85), schedule(100)
    (0.0001, 0.001, 0.001, 0.0005, 0.0)

    Source: Hägele et al. 2024, section 3; chapter 10.
    """

    peak: float
    warmup_steps: int
    total_steps: int
    decay: float = 0.3

    def __post_init__(self):
        if not self.peak >= 0:
            raise ValueError(f"peak is {self.peak}, but must be at least 0")
        if not 0 < self.decay <= 1:
            raise ValueError(f"decay is {self.decay}, but must be above 0 and at most 1")
        if not 0 <= self.warmup_steps <= self.total_steps - self.decay_steps:
            raise ValueError(
                f"warmup_steps is {self.warmup_steps}, but must be at least 0 and end before the last "
                f"{self.decay_steps} of {self.total_steps} steps, in which the rate falls"
            )

    @property
    def decay_steps(self) -> int:
        """Steps of the fall: at least one."""
        return max(1, round(self.decay * self.total_steps))

    def __call__(self, step: int) -> float:
        rise = (step + 1) / self.warmup_steps if self.warmup_steps else 1.0
        fall = max(0.0, (self.total_steps - step) / self.decay_steps)
        return self.peak * min(1.0, rise, fall)
