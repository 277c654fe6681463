"""The level at which a song is searched: one gain for all of it, and more for passages that are far quieter."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from glowsep.signals.audible import audible_powers

#: Root mean square of Freedoom-4's validation mixtures (their mean): four instruments as loud as the priors know them.
LEVEL = 0.06

#: Root mean square below which a mixture counts as silence: a thirtieth of a 16-bit step.
QUIETEST = 1e-6

#: How far below `LEVEL`, as a ratio of powers, a passage stays where it is (6 dB): music has loud and soft bars.
SOFT = 10**-0.6

#: Tenths of a second that a passage lasts at least: shorter rests between loud notes are raised no more than these.
SHORTEST = 20


def level_gain(powers: Iterable[float]) -> float:
    """The factor that brings a mixture to ``LEVEL``, from the mean squares of its blocks of a second.

    Blocks 40 dB below the strongest are pauses and do not count. What is below ``QUIETEST`` is not raised further.

    Examples
    --------
    >>> level_gain([0.0036, 0.0036, 0.0])
    1.0
    """
    powers = np.asarray(powers)
    playing = powers[powers > 1e-4 * powers.max()]
    # A Python float: a NumPy float64 would promote all that it multiplies.
    return LEVEL / max(QUIETEST, float(np.sqrt(playing.mean()))) if len(playing) else 1.0


@dataclass(frozen=True)
class Level:
    """What a search multiplies a song's magnitudes by.

    Attributes
    ----------
    gain : float
        Of the whole song, see `level_gain`.
    lifts : numpy.ndarray, (tenths,)
        What each tenth of a second is raised by beyond that, see `lifts`; at least 1.

    Examples
    --------
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(80_000) / 8000)[None]
    >>> tone[:, 40_000:] *= 0.02
    >>> level = Level.of([tone[:, start : start + 8000] for start in range(0, 80_000, 8000)], 8000)
    >>> round(level.gain, 2), level.lift(np.array([2.5, 7.5])).round().tolist()
    (0.12, [1.0, 18.0])
    """

    gain: float
    lifts: np.ndarray

    @classmethod
    def of(cls, seconds: Iterable[np.ndarray], rate: int) -> Level:
        """The level of a song whose seconds (channels, samples) come one after the other."""
        measured = list(audible_powers(seconds, rate))
        gain = level_gain([power for power, _ in measured])
        return cls(gain, lifts(gain**2 * np.concatenate([tenths for _, tenths in measured])))

    def lift(self, times: np.ndarray) -> np.ndarray:
        """The lift at ``times`` in seconds: straight lines, in dB, between the middles of the tenths."""
        middles = 0.1 * (np.arange(len(self.lifts)) + 0.5)
        return np.exp(np.interp(times, middles, np.log(self.lifts)))


def lifts(powers: np.ndarray) -> np.ndarray:
    r"""What raises the quiet passages of a song that is at ``LEVEL`` to 6 dB below it: a factor for each tenth.

    .. math:: \max\Big(1, \frac{\sqrt{\mathrm{SOFT}}\,\mathrm{LEVEL}}{\sqrt{P_t}}\Big), \qquad
              P_t = \max\Big(\min_{W \ni t} \frac{1}{|W|} \sum_{u \in W} p_u, \; \mathrm{SOFT}\, p_t\Big)

    over the windows W of two seconds: a rest between loud notes is no passage, and a loud note next to a quiet passage
    keeps its level.

    Parameters
    ----------
    powers : numpy.ndarray, (tenths,)
        p, mean squares of the song's tenths of a second, at ``LEVEL``.
    """
    length = min(SHORTEST, len(powers))
    means = np.convolve(powers, np.full(length, 1 / length), "valid")
    padded = np.pad(means, length - 1, constant_values=np.inf)
    passages = np.lib.stride_tricks.sliding_window_view(padded, length).min(axis=-1)
    passages = np.maximum(passages, SOFT * powers)  # no tenth is raised above LEVEL itself
    # The STFT's frames reach into the next tenth: where that is loud, this one counts as loud too.
    passages = np.max([np.pad(passages, 1, mode="edge")[k : k + len(passages)] for k in range(3)], axis=0)
    return np.maximum(1, np.sqrt(SOFT) * LEVEL / np.maximum(QUIETEST, np.sqrt(passages)))
