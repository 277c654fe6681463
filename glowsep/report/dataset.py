"""The report on a method's scores on a data set."""

import html
from collections.abc import Sequence

import numpy as np

from glowsep.datasets import Track
from glowsep.evaluate import Evaluation
from glowsep.report.page import decibels, page, section, settings_table, table
from glowsep.report.pictures import picture
from glowsep.report.players import ABOUT_PLAYER, player
from glowsep.report.song import ABOUT_PICTURES, shortened
from glowsep.report.sounds import LONGEST, arranged
from glowsep.report.spectrograms import spectrograms
from glowsep.show import draw_box_plot
from glowsep.signals.audio.reading import Info

ABOUT_TABLE = (
    "<p>SDR, the signal-to-distortion ratio, in decibels; higher is better. For each source, it is the mean over the "
    "tracks in which that source plays.</p>"
)
ABOUT_BOXES = (
    "<p>How the tracks' scores are spread: a box holds the middle half, the line in it is the median, whiskers reach "
    "the last track within one and a half box lengths, and circles are tracks beyond.</p>"
)


def dataset_report(
    title: str,
    evaluations: Sequence[Evaluation],
    examples: dict[str, tuple[Track, np.ndarray]],
    settings: dict[str, str],
) -> str:
    """A page on a data set's scores, with the best and the worst track to listen to.

    Parameters
    ----------
    title : str
        The data set's name.
    evaluations : list of glowsep.evaluate.Evaluation
        The method in question first.
    examples : dict of str to (glowsep.datasets.Track, numpy.ndarray (sources, channels, samples))
        By heading, tracks to listen to and the method's estimates of their sources; see `best_and_worst`.
    settings : dict of str to str

    Returns
    -------
    str
        HTML.
    """
    method = evaluations[0]
    sources = method.sources
    rows = [[e.method, *(e.source_mean(source) for source in sources), e.mean()] for e in evaluations]
    tracks = [
        [track.name, *(track.sources.get(source, {}).get("sdr", np.nan) for source in sources), track.mean("sdr")]
        for track in sorted(method.tracks, key=lambda track: track.mean("sdr"), reverse=True)
    ]
    alt = f"Box plot of the tracks' SDR in dB, for each of {', '.join(sources)} and the songs' mean, and every method."
    content = [
        f"<h1>{html.escape(title)}</h1>",
        f"<p>{html.escape(method.method)} on {len(method.tracks)} tracks.</p>",
        section("Scores", ABOUT_TABLE, table("Mean SDR in dB", ["method", *sources, "mean"], rows)),
        section("Spread", ABOUT_BOXES, picture(draw_box_plot(evaluations), alt)),
        section("Tracks", table(f"SDR of {method.method} in dB, best first", ["track", *sources, "mean"], tracks)),
        *(example(heading, track, estimates, method) for heading, (track, estimates) in examples.items()),
        section("Settings", settings_table(settings)),
    ]
    return page(f"{title}: {method.method}", "\n".join(content))


def best_and_worst(evaluation: Evaluation) -> dict[str, int]:
    """The indices of the tracks to listen to, by heading: the best and the worst song mean, if any track has one."""
    means = evaluation.of_songs()
    if not np.isfinite(means).any():
        return {}
    best, worst = int(np.nanargmax(means)), int(np.nanargmin(means))
    return {"Best track": best, "Worst track": worst} if best != worst else {"The only track": best}


def example(heading: str, track: Track, estimates: np.ndarray, evaluation: Evaluation) -> str:
    """A track to listen to and to look at."""
    (scores,) = [scored for scored in evaluation.tracks if scored.name == track.name]
    channels, samples = track.mixture.shape

    def beginning(waveform):
        return lambda: waveform[:, : LONGEST * track.rate]

    sounds = arranged(
        beginning(track.mixture),
        {name: beginning(estimate) for name, estimate in zip(track.sources, estimates, strict=True)},
        {name: beginning(source) for name, source in track.sources.items()},
        {name: score["sdr"] for name, score in scores.sources.items()},
    )
    return section(
        f"{heading}: {track.name}",
        f"<p>Mean SDR {decibels(scores.mean('sdr'))} dB.</p>",
        ABOUT_PLAYER,
        *shortened(Info(samples, channels, track.rate)),
        player(track.name, sounds, track.rate),
        ABOUT_PICTURES,
        spectrograms(sounds, track.rate),
    )
