"""Pictures: what the numbers look like. Colours are Okabe and Ito's, which the colour-blind can tell apart."""

import os
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from glowsep.spectrogram import stft

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


def spectrograms(waveforms, rate, path, columns=1, highest=5000, range_db=70):
    """Spectrograms of several sounds, all on one scale of loudness, so that they can be compared.

    Parameters
    ----------
    waveforms : dict of str to numpy.ndarray, (samples,)
        By title, row by row; None leaves a place empty.
    rate : int
        Samples per second.
    path : path
        Ends in ``.png``, ``.svg`` or ``.pdf``; a file of that name is replaced.
    columns : int
        Sounds in a row.
    highest : float
        The highest frequency to show, in Hz.
    range_db : int
        From the quietest level that differs from silence to the loudest.
    """
    rows = -(-len(waveforms) // columns)
    figure = Figure(figsize=(1 + 2 * columns, 0.5 + 2.2 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    power_of = {title: abs(stft(waveform)) ** 2 for title, waveform in waveforms.items() if waveform is not None}
    loudest = max(power.max() for power in power_of.values()) or 1
    used = {place: title for place, title in enumerate(waveforms) if title in power_of}
    for place, axes in enumerate(panels.flat):
        if place not in used:
            axes.remove()
            continue
        waveform, power = waveforms[used[place]], power_of[used[place]]
        image = axes.imshow(
            10 * np.log10(power[: round(len(power) * 2 * highest / rate)] / loudest + 1e-12),
            origin="lower",
            aspect="auto",
            extent=(0, len(waveform) / rate, 0, highest / 1000),
            vmin=-range_db,
            vmax=0,
            cmap=colormaps["cividis"].resampled(range_db // 5),  # in steps of 5 dB: few colours make a small file
            interpolation_stage="data",
        )
        axes.set_title(used[place], fontsize="medium")
        if place + columns not in used:
            axes.tick_params(labelbottom=True)
            axes.set_xlabel("time in s")
        if place % columns == 0 or place - 1 not in used:
            axes.tick_params(labelleft=True)
            axes.set_ylabel("frequency in kHz")
    figure.colorbar(image, ax=[axes for axes in panels.flat if axes.figure], label="level in dB")
    save(figure, path, dpi=100)


def colour(place):
    """The colour of the method, source or curve at this place of a list."""
    return COLOURS[place % len(COLOURS)]


def save(figure, path, dpi=150):
    """Write a figure in the format that the path's suffix names; the file is whole or not there at all."""
    path = Path(path)
    partial = path.with_name(f".partial.{path.name}")
    try:
        figure.savefig(partial, dpi=dpi)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
