"""The report on one separated song."""

import html
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from glowsep.datasets import Track
from glowsep.evaluate import score
from glowsep.report.page import page, section, settings_table, table
from glowsep.report.pictures import loss_curves
from glowsep.report.players import ABOUT_PLAYER, player
from glowsep.report.sounds import LONGEST, arranged
from glowsep.report.spectrograms import spectrograms
from glowsep.signals import audio
from glowsep.signals.audio.reading import Info

ABOUT_SCORES = (
    "<p>How close each estimate comes to its reference, in decibels; higher is better. SDR is the signal-to-distortion "
    "ratio: the source's energy over that of the error, so 0 dB means that the error is as strong as the source. "
    "SI-SDR is the same, whatever the estimate's volume. The last column scores the mixture itself as the estimate: "
    "the gain over it is what the separation is worth.</p>"
)
ABOUT_PICTURES = (
    "<p>Bright is loud. All pictures have one scale, relative to the loudest point of all of them; the frequency axis "
    "is logarithmic, an octave always as high, and ends at half of the sampling rate.</p>"
)
ABOUT_CURVES = (
    "<p>The two terms of the search, summed over the song's segments. The first says how badly the sources together "
    "explain the mixture, the second how unlikely each of them is under its prior. If the noise level falls from "
    "iteration to iteration (the constrained and the annealed search), the second is about another density at every "
    "step: only its course counts, not its height. In these two searches the first is taken before the sources are "
    "scaled to the mixture; after that it is zero.</p>"
)


OF_DATA_SETS = ("mix", "mixture")  # what Slakh2100 and MUSDB18 call every song


def song_report(
    song: Path,
    stems: Sequence[Path],
    references: dict[str, np.ndarray],
    histories: Sequence[Sequence[dict[str, float]]],
    settings: dict[str, str],
) -> str:
    """A page on a song and what was separated from it: to hear, to see, and with scores if its sources are known.

    Parameters
    ----------
    song : pathlib.Path
    stems : list of pathlib.Path
        What `glowsep.separate_file` wrote.
    references : dict of str to numpy.ndarray, (channels, samples)
        The true sources that are known, by name; see `read_references`.
    histories : list of list of dict
        The search's loss terms: per segment, per iteration.
    settings : dict of str to str

    Returns
    -------
    str
        HTML.
    """
    info = audio.info(song)
    scores = score_estimates(song, stems, references) if references else {}
    sounds = arranged(
        beginning(song, info.rate),
        {path.stem: beginning(path, info.rate) for path in stems},
        {name: lambda source=source: source[:, : LONGEST * info.rate] for name, source in references.items()},
        {name: columns["SDR"] for name, columns in scores.items()},
    )
    names = [path.stem for path in stems]
    title = song_name(song)
    content = [
        f"<h1>{html.escape(title)}</h1>",
        f"<p>{duration(info)}, separated into {html.escape(', '.join(names))}.</p>",
        section("Listen", ABOUT_PLAYER, *shortened(info), player(title, sounds, info.rate)),
        section("Scores", ABOUT_SCORES, score_table(scores)) if scores else "",
        section("Spectrograms", ABOUT_PICTURES, spectrograms(sounds, info.rate)),
        section("Search", ABOUT_CURVES, loss_curves(histories)) if histories else "",
        section("Settings", settings_table(settings)),
    ]
    return page(title, "\n".join(content))


def song_name(song: Path) -> str:
    """A song's name: its file's without the ending, or its folder's if the file is called what a data set calls it.

    Examples
    --------
    >>> from pathlib import Path
    >>> song_name(Path("music/My song.mp3")), song_name(Path("freedoom2_doom/mix.flac"))
    ('My song', 'freedoom2_doom')
    """
    folder = song.resolve().parent.name
    return folder if song.stem.lower() in OF_DATA_SETS and folder else song.stem


def beginning(path: Path, rate: int) -> Callable[[], np.ndarray]:
    """A function that reads as much of a file as a page holds."""
    return lambda: audio.read(path, 0, LONGEST * rate)[0]


def score_estimates(
    song: Path, stems: Sequence[Path], references: dict[str, np.ndarray]
) -> dict[str, dict[str, float]]:
    """The scores of every estimate whose reference is known: a dict of name to dict of column to decibels."""
    mixture, rate = audio.read(song)
    track = Track(song.name, rate, mixture, references)
    estimate_of = {path.stem: audio.read(path)[0] for path in stems if path.stem in references}
    found = score(track, np.stack([estimate_of[name] for name in references])).sources
    floor = score(track, np.stack([mixture] * len(references))).sources
    return {
        name: {
            "SDR": found[name]["sdr"],
            "SI-SDR": found[name]["si_sdr"],
            "SDR of the mixture": floor[name]["sdr"],
        }
        for name in references
    }


def score_table(scores: dict[str, dict[str, float]]) -> str:
    """A row for each source, and one for their mean."""
    columns = list(next(iter(scores.values())))
    rows = [[name, *cells.values()] for name, cells in scores.items()]
    sounding = [cells for cells in scores.values() if np.isfinite(cells["SDR"])]
    means = [np.mean([cells[column] for cells in sounding]) if sounding else np.nan for column in columns]
    return table("Scores in dB", ["source", *columns], [*rows, ["mean", *means]])


def duration(info: Info) -> str:
    """How long a recording lasts, its channels and its rate, in words."""
    channels = {1: "mono", 2: "stereo"}.get(info.channels, f"{info.channels} channels")
    return f"{info.samples / info.rate:.1f} s, {channels}, {info.rate} Hz"


def shortened(info: Info) -> list[str]:
    """A list with a paragraph that says so if the page holds only the song's beginning; otherwise an empty list."""
    if info.samples <= LONGEST * info.rate:
        return []
    minutes = LONGEST // 60
    return [f"<p>The players and spectrograms hold the first {minutes} minutes; the files and scores are whole.</p>"]
