"""Pictures: what the numbers look like. Colours are Okabe and Ito's, which the colour-blind can tell apart."""

import os
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#999999")


def box_plot(evaluations, path, metric="sdr"):
    """A box per method and source: how the tracks' scores are spread around their median.

    Boxes hold the middle half of the tracks, whiskers reach the last track within one and a half box lengths, and
    tracks beyond are circles; the last group holds the songs' scores. In the legend, from top to bottom, stand the
    methods that each group has from left to right.

    Parameters
    ----------
    evaluations : list of glowsep.evaluate.Evaluation
    path : path
        Ends in ``.png``, ``.svg`` or ``.pdf``; a file of that name is replaced.
    metric : str
        "sdr" or "si_sdr".
    """
    sources = evaluations[0].sources
    groups = [*sources, "song mean"]
    figure = Figure(figsize=(2 + 1.7 * len(groups), 4.5), layout="constrained")
    axes = figure.add_subplot()
    width = 0.8 / len(evaluations)
    for place, evaluation in enumerate(evaluations):
        scores = [*(evaluation.of_source(source, metric) for source in sources), evaluation.of_songs(metric)]
        boxes = axes.boxplot(
            [score[np.isfinite(score)] for score in scores],
            positions=np.arange(len(groups)) - 0.4 + (place + 0.5) * width,
            widths=0.85 * width,
            patch_artist=True,
            medianprops={"color": "black"},
            flierprops={"markersize": 3},
            manage_ticks=False,
        )
        for box in boxes["boxes"]:
            box.set_facecolor(colour(place))
    axes.axhline(0, color="black", linewidth=0.5)
    axes.set_xticks(range(len(groups)), groups)
    axes.set_ylabel(f"{metric.upper().replace('_', '-')} in dB")
    axes.grid(axis="y", alpha=0.3)
    legend = [Patch(facecolor=colour(place), label=e.method) for place, e in enumerate(evaluations)]
    figure.legend(handles=legend, loc="outside right upper")
    save(figure, path)


def learning_curve(curve, path, window=100):
    """How a training went: training losses, each the mean of the last ``window`` steps', and validation losses.

    Parameters
    ----------
    curve : glowsep.train.LearningCurve
    path : path
        Ends in ``.png``, ``.svg`` or ``.pdf``; a file of that name is replaced.
    window : int
        In steps; of a shorter training, all of it.
    """
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    window = min(window, len(curve.training))
    means = np.convolve(curve.training, np.full(window, 1 / window), mode="valid")
    axes.plot(np.arange(window, len(curve.training) + 1), means, color=colour(0), label="training")
    if curve.validation:
        steps, losses = zip(*curve.validation, strict=True)
        axes.plot(steps, losses, "o-", markersize=3, color=colour(1), label="validation")
    axes.set_xlabel("step")
    axes.set_ylabel("nats per dimension")
    axes.grid(alpha=0.3)
    axes.legend()
    save(figure, path)


def colour(place):
    """The colour of the method, source or curve at this place of a list."""
    return COLOURS[place % len(COLOURS)]


def save(figure, path):
    """Write a figure in the format that the path's suffix names; the file is whole or not there at all."""
    path = Path(path)
    partial = path.with_name(f".partial.{path.name}")
    try:
        figure.savefig(partial, dpi=150)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
