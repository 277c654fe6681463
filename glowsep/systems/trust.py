"""When an answer is not to be trusted, and a warning that says so in one line."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

from glowsep.errors import SeparationWarning
from glowsep.signals.audible import audible
from glowsep.signals.resampling import resample

#: Root mean square below which a recording counts as silence: a thirtieth of a 16-bit step.
SILENT = 1e-6

#: The share of the power that must lie above 20 Hz. An offset far above the music does no harm: it is taken out.
AUDIBLE = 1e-4

#: The share of the audible power that must be in the range that a system hears.
IN_RANGE = 0.01

#: The share of the power by which the estimates must differ from equal shares.
TOLD_APART = 1e-3


class Trust:
    """Listens while a song is separated, segment after segment; at the end it warns if there is a reason.

    Parameters
    ----------
    rate : int
        What the system hears ends at half of it, in Hz.

    Examples
    --------
    >>> trust = Trust(22050)
    >>> trust.listen(np.zeros((1, 800)), 22050, np.zeros((2, 1, 800)))
    >>> trust.doubt()
    'is silent: so are its stems'
    """

    def __init__(self, rate: int):
        self.rate = rate
        self.samples, self.sources, self.powers = 0, 0, dict.fromkeys(("whole", "audible", "heard", "told apart"), 0.0)

    def listen(self, mixture: np.ndarray, rate: int, estimates: np.ndarray) -> None:
        """Hear a segment (channels, samples) and what was made of it, (sources, channels, samples)."""
        self.samples += mixture.size
        self.sources = len(estimates)
        self.powers["whole"] += _power(mixture)
        above = audible(mixture, rate)
        self.powers["audible"] += _power(above)
        heard = resample(above, rate, min(rate, self.rate))
        self.powers["heard"] += _power(heard) * mixture.shape[-1] / heard.shape[-1]
        equal = mixture / len(estimates)
        self.powers["told apart"] += sum(_power(estimate - equal) for estimate in estimates)

    def doubt(self) -> str | None:
        """Why the estimates are not to be trusted, in words; None if there is no reason."""
        whole, above, heard, told_apart = self.powers.values()
        if whole <= SILENT**2 * self.samples:
            return "is silent: so are its stems"
        if above < AUDIBLE * whole or heard < IN_RANGE * above:
            return (
                f"hardly anything in it lies between 20 Hz and {self.rate / 2000:.1f} kHz, where instruments are told "
                "apart; do not trust the stems"
            )
        if self.sources > 1 and told_apart < TOLD_APART * heard:
            return f"no instrument was found in it: every stem is the song ÷ {self.sources}"
        return None

    def warn(self, song: object = None) -> None:
        """Issue a `glowsep.errors.SeparationWarning` about ``song`` if there is a doubt.

        By default the song is what `called` says; outside of its block, "the mixture".
        """
        doubt = self.doubt()
        if doubt is not None:
            warnings.warn(SeparationWarning(f"{song or _NAME.get()}: {doubt}"), stacklevel=3)


@contextmanager
def called(name: str) -> Iterator[None]:
    """While this is open, warnings about a mixture call it ``name``: a system is told its samples, not its name.

    Examples
    --------
    >>> trust = Trust(22050)
    >>> trust.listen(np.zeros((1, 800)), 22050, np.zeros((2, 1, 800)))
    >>> with warnings.catch_warnings(record=True) as warned, called("track 7"):
    ...     trust.warn()
    >>> print(warned[0].message)
    track 7: is silent: so are its stems
    """
    token = _NAME.set(name)
    try:
        yield
    finally:
        _NAME.reset(token)


_NAME = ContextVar("name", default="the mixture")


def _power(waveform):
    return float((waveform.astype(np.float64) ** 2).sum())
