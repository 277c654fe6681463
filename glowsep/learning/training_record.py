"""What a training took: how much audio, and how much work of a processor."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from math import fsum, isfinite, nan


@dataclass(frozen=True)
class TrainingRecord:
    """How much a system has heard, and how long a processor has worked for that. Saved with the weights.

    Attributes
    ----------
    hours : float
        Of recordings, those of all sources added up: an hour of four stems is four hours. Where a system leaves out
        the pauses, they are not counted; what is read twice counts twice.
    core_minutes : float
        Minutes of one core: the processor time of all threads, as `time.process_time` counts it. A resumed run goes on
        counting from its checkpoint. Of a training on a GPU, this is only what the processor had to do.

    NaN stands for what is not known. The record of what learns nothing is the default, two zeros.

    Examples
    --------
    >>> TrainingRecord.together([TrainingRecord(1.5, 20.0), TrainingRecord(2.0, 25.0)])
    TrainingRecord(hours=3.5, core_minutes=45.0)
    >>> TrainingRecord(2.0, nan).as_header()
    {'hours': 2.0, 'core_minutes': None}
    """

    hours: float = 0.0
    core_minutes: float = 0.0

    @classmethod
    def together(cls, records: Iterable[TrainingRecord]) -> TrainingRecord:
        """The record of a system of several parts, each trained by itself."""
        records = list(records)
        return cls(fsum(part.hours for part in records), fsum(part.core_minutes for part in records))

    def as_header(self) -> dict[str, float | None]:
        """What the header of a weights file holds under ``training``; JSON knows no NaN."""
        return {name: value if isfinite(value) else None for name, value in asdict(self).items()}

    @classmethod
    def from_header(cls, header: dict) -> TrainingRecord:
        """The record in a header; unknown if the file is from a time that kept none.

        Raises
        ------
        ValueError
            If there is one that ``as_header`` cannot have written.
        """
        saved = header.get("training", UNKNOWN.as_header())
        if not isinstance(saved, dict) or set(saved) != {"hours", "core_minutes"}:
            raise ValueError(f"training is {saved!r}, expected hours and core_minutes")
        for name, value in saved.items():
            if value is not None and not (type(value) in (int, float) and 0 <= value and isfinite(value)):
                raise ValueError(f"{name} of training is {value!r}, expected a number that is not negative, or null")
        return cls(**{name: nan if value is None else float(value) for name, value in saved.items()})


#: The record of a model whose file says nothing of its training.
UNKNOWN = TrainingRecord(nan, nan)
