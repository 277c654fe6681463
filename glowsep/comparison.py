"""All systems in one table: what each scores, what it has heard, and what it takes to train and to use it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from math import isfinite, nan
from os import PathLike

import numpy as np

from glowsep.arrays.memory import peak_memory
from glowsep.arrays.seals import BLANK
from glowsep.datasets.track import Track
from glowsep.evaluate import Evaluation, aligned, save_json
from glowsep.learning.training_record import TrainingRecord
from glowsep.systems.system import System


@dataclass(frozen=True)
class Cost:
    """What separations take.

    Attributes
    ----------
    seconds : float
        Per second of audio, on this machine as busy as it was.
    core_seconds : float
        The processor time of all threads, per second of audio: what other programs do meanwhile hardly counts.
    peak_memory : int or None
        The most that the process held, in bytes: Python, libraries, weights, a track with its sources, separation and
        scores together; None where the system does not say. It is the system's own if the process does nothing else.
    """

    seconds: float
    core_seconds: float
    peak_memory: int | None


class Metered:
    """A method of separation that keeps count of what it takes: `glowsep.evaluate.evaluate` calls it with each track.

    Parameters
    ----------
    method : callable
        From a track to estimates (sources, channels, samples).

    Examples
    --------
    >>> from glowsep.systems.floors_and_ceilings.floors import EqualShare
    >>> metered = Metered(EqualShare())
    >>> metered(Track("song", 8000, np.ones((1, 8000)), {"bass": np.ones((1, 8000))})).shape
    (1, 1, 8000)
    >>> metered.cost().seconds < 1
    True
    """

    def __init__(self, method: Callable[[Track], np.ndarray]):
        self.method = method
        self.audio, self.seconds, self.core_seconds = 0.0, 0.0, 0.0

    def __call__(self, track: Track) -> np.ndarray:
        began, worked = time.perf_counter(), time.process_time()
        estimates = self.method(track)
        self.seconds += time.perf_counter() - began
        self.core_seconds += time.process_time() - worked
        self.audio += track.mixture.shape[1] / track.rate
        return estimates

    def cost(self) -> Cost:
        """Of all tracks so far; NaN per second if there was none."""
        audio = self.audio or nan
        return Cost(self.seconds / audio, self.core_seconds / audio, peak_memory())


@dataclass(frozen=True)
class Compared:
    """A system's row in the table.

    Attributes
    ----------
    evaluation : glowsep.evaluate.Evaluation
    trained_on : str
    training : glowsep.learning.training_record.TrainingRecord
    parameter_count : int
        See `glowsep.systems.system.System`.
    cost : Cost or None
        None if it was not measured.
    """

    evaluation: Evaluation
    trained_on: str
    training: TrainingRecord
    parameter_count: int
    cost: Cost | None = None

    @classmethod
    def of(cls, system: System, evaluation: Evaluation, cost: Cost | None = None) -> Compared:
        """The row of a system that has this evaluation."""
        return cls(evaluation, system.trained_on, system.training, system.parameter_count, cost)

    def as_json(self) -> dict:
        """What JSON can hold: the evaluation's own, and the rest beside it; null for what is not known."""
        return self.evaluation.as_json() | {
            "trained_on": self.trained_on,
            "training": self.training.as_header(),
            "parameter_count": self.parameter_count,
            "cost": None if self.cost is None else asdict(self.cost),
        }

    def cells(self) -> list[str]:
        """The row in words: - where there is nothing to say, ? where it is not known."""
        evaluation, trained = self.evaluation, self.trained_on != "nothing"
        scores = [(evaluation.source_mean(source), evaluation.source_spread(source)) for source in evaluation.sources]
        return [
            evaluation.method,
            *(f"{mean:.2f}{_plus_minus(spread)}" if isfinite(mean) else "-" for mean, spread in scores),
            f"{evaluation.mean():.2f}{_plus_minus(evaluation.spread())}" if isfinite(evaluation.mean()) else "-",
            self.trained_on,
            *(_known(value, ".1f") if trained else "-" for value in (self.training.hours, self.training.core_minutes)),
            in_thousands(self.parameter_count) if trained else "-",
            "-" if self.cost is None else _known(self.cost.core_seconds, ".2f"),
            "-" if self.cost is None or self.cost.peak_memory is None else f"{self.cost.peak_memory / 2**20:.0f}",
        ]


def heads(compared: Sequence[Compared]) -> list[str]:
    """What the columns of `Compared.cells` are called."""
    scores = [*compared[0].evaluation.sources, "mean"]
    return ["system", *scores, "trained on", "hours", "core-minutes", "parameters", "s/s", "MiB"]


def comparison(compared: Sequence[Compared]) -> str:
    """A text table: a row per system; SDR in dB, mean and standard deviation over the songs.

    Examples
    --------
    >>> from glowsep.evaluate import TrackScores
    >>> tracks = [TrackScores(name, {"bass": {"sdr": sdr}}) for name, sdr in (("one", 4.0), ("two", 6.0))]
    >>> record = TrainingRecord(2.5, 30.0)
    >>> print(comparison([Compared(Evaluation("mine", tracks), "solos", record, 1200, Cost(0.1, 0.2, 2**28))]))
    system         bass         mean  trained on  hours  core-minutes  parameters   s/s  MiB
    ----------------------------------------------------------------------------------------
    mine    5.00 ± 1.41  5.00 ± 1.41       solos    2.5          30.0       1.2 k  0.20  256
    """
    return aligned([heads(compared), *(row.cells() for row in compared)])


def markdown(compared: Sequence[Compared]) -> str:
    """The same table in Markdown, below it what the columns say, and the comment by which the file is recognised."""
    head, tracks = heads(compared), len(compared[0].evaluation.tracks)
    rule = ["---" if name in ("system", "trained on") else "--:" for name in head]
    rows = [head, rule, *([_typeset(cell) for cell in row.cells()] for row in compared)]
    lines = [f"| {' | '.join(cells)} |" for cells in rows]
    return "\n".join(lines) + "\n\n" + EXPLANATION.format(tracks=tracks) + f"\n\n<!-- {BLANK} -->\n"


EXPLANATION = (
    "Global SDR in dB, mean ± standard deviation over {tracks} songs. Hours of audio that training has read, all "
    "sources added up, and minutes of one core that it took. s/s: seconds of one core per second of audio that is "
    "separated. MiB: the most main memory that a process held that did nothing but load, separate and score one "
    "system, with Python and its libraries. A dash stands where nothing is trained or measured, a question mark for "
    "what was not recorded."
)


def save_comparison(compared: Sequence[Compared], path: str | PathLike) -> None:
    """Write all rows as JSON, in the form of `glowsep.evaluate.save_json`: the first, with all others ``beside``."""
    save_json(compared, path)


def in_thousands(count: int) -> str:
    """A large number with three digits and a letter.

    Examples
    --------
    >>> [in_thousands(count) for count in (860, 8196, 999_999, 17_327_104)]
    ['860', '8.2 k', '1 M', '17.3 M']
    """
    for size, letter in ((10**6, " M"), (10**3, " k")):
        if float(f"{count:.3g}") >= size:
            return f"{float(f'{count:.3g}') / size:g}{letter}"
    return f"{count}"


def _plus_minus(spread):
    return f" ± {spread:.2f}" if isfinite(spread) else ""


def _typeset(cell):
    """A true minus sign, and a dash that is one."""
    return "–" if cell == "-" else f"−{cell[1:]}" if cell.startswith("-") else cell


def _known(value, form):
    return format(value, form) if isfinite(value) else "?"
