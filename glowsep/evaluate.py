"""Systems over a whole data set: every track is loaded once, and every system is scored on it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
from tqdm import tqdm

from glowsep.arrays.files import write_text
from glowsep.arrays.printing import one_line
from glowsep.arrays.seals import BLANK
from glowsep.datasets.track import Dataset, Track
from glowsep.metrics import sdr, si_sdr
from glowsep.systems.registry import FOR_COMPARISON, SYSTEMS
from glowsep.systems.system import System
from glowsep.systems.trust import called

METRICS = {"sdr": sdr, "si_sdr": si_sdr}


@dataclass(frozen=True)
class TrackScores:
    """One track's scores.

    Attributes
    ----------
    name : str
    sources : dict of str to dict of str to float
        By source, then by metric, in decibels; NaN if the reference is silent.

    Examples
    --------
    >>> TrackScores("song", {"bass": {"sdr": 4.0}, "drums": {"sdr": 6.0}}).mean("sdr")
    5.0
    """

    name: str
    sources: dict[str, dict[str, float]]

    def mean(self, metric: str) -> float:
        """The song's score: the mean over its sounding sources."""
        return _average(scores[metric] for scores in self.sources.values())


@dataclass(frozen=True)
class Evaluation:
    """One method's scores on a data set.

    The data set's figure is the mean over its songs, a song's the mean over its sources; a source's figure is
    the mean over the songs in which it sounds. If all sources sound in all songs, the data set's figure is
    the mean over the sources' figures too.

    Attributes
    ----------
    method : str
    tracks : list of TrackScores

    Examples
    --------
    >>> first = TrackScores("first", {"bass": {"sdr": 4.0}, "drums": {"sdr": 6.0}})
    >>> second = TrackScores("second", {"bass": {"sdr": 8.0}, "drums": {"sdr": float("nan")}})
    >>> evaluation = Evaluation("mine", [first, second])
    >>> evaluation.mean("sdr"), evaluation.source_mean("bass"), evaluation.silent("drums")
    (6.5, 6.0, 1)
    """

    method: str
    tracks: list[TrackScores]

    @property
    def sources(self) -> list[str]:
        """The names of all sources of all tracks, in the order in which they come."""
        return list(dict.fromkeys(source for track in self.tracks for source in track.sources))

    def of_source(self, source: str, metric: str = "sdr") -> np.ndarray:
        """A source's score in every track it belongs to: array (tracks,), NaN where it is silent."""
        return np.array([track.sources[source][metric] for track in self.tracks if source in track.sources])

    def source_mean(self, source: str, metric: str = "sdr") -> float:
        """The mean over the tracks in which the source sounds."""
        return _average(self.of_source(source, metric))

    def silent(self, source: str) -> int:
        """The number of tracks in which the source is silent, and so has no score."""
        return int(np.isnan(self.of_source(source)).sum())

    def of_songs(self, metric: str = "sdr") -> np.ndarray:
        """Every song's score: array (tracks,)."""
        return np.array([track.mean(metric) for track in self.tracks])

    def mean(self, metric: str = "sdr") -> float:
        """The data set's figure: the mean over its songs."""
        return _average(self.of_songs(metric))

    def spread(self, metric: str = "sdr") -> float:
        r"""The standard deviation of the songs' scores, :math:`\sqrt{\sum_k (x_k - \bar x)^2 / (n - 1)}`.

        NaN for a single song, or where one has no finite score.
        """
        return _deviation(self.of_songs(metric))

    def source_spread(self, source: str, metric: str = "sdr") -> float:
        """The standard deviation of a source's scores in the tracks in which it sounds; see `spread`."""
        return _deviation(self.of_source(source, metric))

    def silences(self) -> dict[str, list[str]]:
        """The names of the tracks in which a source is silent, by source; only of sources that are somewhere."""
        silent = {
            source: [t.name for t in self.tracks if source in t.sources and np.isnan(t.sources[source]["sdr"])]
            for source in self.sources
        }
        return {source: names for source, names in silent.items() if names}

    def median(self, metric: str = "sdr") -> float:
        """The median over the songs, which one odd song does not move."""
        return _average(self.of_songs(metric), np.median)

    def as_json(self) -> dict:
        """All scores as what JSON can hold; null if there is no score."""
        return {
            "method": self.method,
            "mean": {metric: _number(self.mean(metric)) for metric in METRICS},
            "median": {metric: _number(self.median(metric)) for metric in METRICS},
            "spread": {metric: _number(self.spread(metric)) for metric in METRICS},
            "sources": {
                source: {metric: _number(self.source_mean(source, metric)) for metric in METRICS}
                for source in self.sources
            },
            "source_spreads": {
                source: {metric: _number(self.source_spread(source, metric)) for metric in METRICS}
                for source in self.sources
            },
            "silent": {source: self.silent(source) for source in self.sources},
            "tracks": [
                {
                    "name": track.name,
                    "sources": {
                        source: {metric: _number(score) for metric, score in scores.items()}
                        for source, scores in track.sources.items()
                    },
                }
                for track in self.tracks
            ],
        }


def comparison_systems(folder: str | PathLike | None = None) -> dict[str, System]:
    """What every evaluation is compared with: floors, trained baselines and ceilings, as a dict of name to system.

    Parameters
    ----------
    folder : path, optional
        Holds ``average_spectrum.npz`` and ``nmf.npz``; by default those that come with glowsep.

    Raises
    ------
    PriorError
        If one of the two files is missing or damaged.

    Examples
    --------
    >>> list(comparison_systems())
    ['mixture', 'equal_share', 'average_spectrum', 'nmf', 'oracle_magnitude', 'oracle_power']
    """
    systems = {name: SYSTEMS[name] for name in FOR_COMPARISON}
    return {
        name: system.load()
        if folder is None or system.weights is None
        else system.load(Path(folder) / Path(system.weights).name)
        for name, system in systems.items()
    }


def evaluate(
    dataset: Dataset | Sequence[Track], methods: dict[str, Callable[[Track], np.ndarray]], quiet: bool = False
) -> list[Evaluation]:
    """Score every method on every track.

    Parameters
    ----------
    dataset : glowsep.datasets.Dataset
        Or any sequence of `glowsep.datasets.Track`; each is loaded once.
    methods : dict of str to callable
        From a track to estimates (sources, channels, samples), in the order of ``track.sources``: a
        `glowsep.systems.system.System`, or any function.
    quiet : bool
        No progress bar.

    Returns
    -------
    list of Evaluation
        In the order of ``methods``.

    Raises
    ------
    ValueError
        If a method's estimates have another shape than the sources, or are not finite.

    Examples
    --------
    >>> from glowsep.systems.floors_and_ceilings.floors import EqualShare
    >>> sources = {"bass": np.array([[0.2, 0.2, 0.2, 0.2]]), "drums": np.array([[0.2, -0.2, 0.2, -0.2]])}
    >>> (evaluation,) = evaluate([Track("song", 22050, sum(sources.values()), sources)], {"half": EqualShare()}, True)
    >>> round(evaluation.mean("sdr"), 2)
    3.01
    """
    evaluations = [Evaluation(name, []) for name in methods]
    with tqdm(total=len(dataset), unit="track", disable=quiet) as bar:
        for track in dataset:
            bar.set_description(one_line(track.name))
            for evaluation, method in zip(evaluations, methods.values(), strict=True):
                bar.set_postfix_str(evaluation.method)
                with called(track.name):
                    estimates = method(track)
                evaluation.tracks.append(score(track, estimates, evaluation.method))
            bar.update()
    return evaluations


def merged(parts: Sequence[Sequence[Evaluation]]) -> list[Evaluation]:
    """The evaluations of all tracks, from several lists, each with one evaluation per method on some of the tracks.

    Examples
    --------
    >>> first, second = TrackScores("first", {}), TrackScores("second", {})
    >>> (evaluation,) = merged([[Evaluation("mine", [first])], [Evaluation("mine", [second])]])
    >>> [track.name for track in evaluation.tracks]
    ['first', 'second']
    """
    return [
        Evaluation(of_method[0].method, [track for part in of_method for track in part.tracks])
        for of_method in zip(*parts, strict=True)
    ]


def score(track: Track, estimates: np.ndarray, method: str = "the method") -> TrackScores:
    """A track's scores for estimates (sources, channels, samples).

    Raises
    ------
    ValueError
        If the estimates have another shape than the sources, or are not finite; names the ``method``.
    """
    references = np.stack(list(track.sources.values()))
    if np.shape(estimates) != references.shape:
        raise ValueError(f"{method} gave estimates {np.shape(estimates)} for {track.name}, expected {references.shape}")
    if not np.isfinite(estimates).all():
        raise ValueError(f"{method} gave estimates of {track.name} that are not finite")
    silent = ~references.any(axis=(1, 2))
    scores = {name: np.where(silent, np.nan, metric(references, estimates)) for name, metric in METRICS.items()}
    return TrackScores(
        track.name,
        {
            source: {metric: float(values[i]) for metric, values in scores.items()}
            for i, source in enumerate(track.sources)
        },
    )


def table(evaluations: Sequence[Evaluation], metric: str = "sdr") -> str:
    """A text table: a row per method, a column per source, and the mean; in decibels.

    Examples
    --------
    >>> track = TrackScores("song", {"bass": {"sdr": 4.0}, "drums": {"sdr": 6.0}})
    >>> print(table([Evaluation("mine", [track])]))
    method  bass  drums  mean
    -------------------------
    mine    4.00   6.00  5.00
    """
    sources = evaluations[0].sources
    rows = [["method", *sources, "mean"]]
    for evaluation in evaluations:
        means = [*(evaluation.source_mean(source, metric) for source in sources), evaluation.mean(metric)]
        rows.append([evaluation.method, *(f"{mean:.2f}" if np.isfinite(mean) else "-" for mean in means)])
    return aligned(rows)


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells as a table in text: the first is the head, the first column is to the left, all others right."""
    rows = [[one_line(cell) for cell in cells] for cells in rows]
    first, *widths = (max(len(cell) for cell in column) for column in zip(*rows, strict=True))
    lines = [
        "  ".join([name.ljust(first), *(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))])
        for name, *cells in rows
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def save_json(evaluations: Sequence[Evaluation], path: str | PathLike) -> None:
    """Write the first evaluation, with the rest in its list ``others``; the file is whole or not there at all.

    By its ``seal``, glowsep recognises the file as its own.

    Parameters
    ----------
    evaluations : list of Evaluation
        What `evaluate` gave, the method in question first.
    path : path
    """
    first, *others = (evaluation.as_json() for evaluation in evaluations)
    write_text(path, json.dumps({"seal": BLANK} | first | {"others": others}, indent=1, allow_nan=False) + "\n")


def _average(scores, average=np.mean):
    """The mean, or the median, of the scores that are there; NaN, without a warning, for none."""
    there = [score for score in scores if not np.isnan(score)]
    return float(average(there)) if there else np.nan


def _deviation(scores):
    """The standard deviation of the scores that are there; NaN, without a warning, for fewer than two."""
    there = scores[~np.isnan(scores)]
    return float(there.std(ddof=1)) if len(there) > 1 and np.isfinite(there).all() else np.nan


def _number(score):
    """What JSON can hold: it knows neither NaN nor infinity."""
    return float(score) if np.isfinite(score) else None
