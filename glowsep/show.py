"""Pictures and players: what the numbers look and sound like.

The colours are Okabe and Ito's, which colour-blind readers can tell apart. Functions for notebooks import Jupyter
themselves, so that all others do without it.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from PIL import Image

from glowsep.arrays.files import written_whole
from glowsep.arrays.integers import ceil_divide
from glowsep.arrays.seals import BLANK, seal
from glowsep.signals.audio import stems
from glowsep.signals.audio.playing import PEAK, data_url
from glowsep.signals.mid import downmix
from glowsep.signals.resampling import resample
from glowsep.signals.spectrogram import stft

if TYPE_CHECKING:  # Jupyter, too, is not needed to draw
    from IPython.display import HTML

    from glowsep.comparison import Compared
    from glowsep.evaluate import Evaluation
    from glowsep.learning.training import LearningCurve

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#999999")
LEARNERS = {"solos": COLOURS[0], "mixtures": COLOURS[5], "nothing": COLOURS[7]}  # by what they were trained on
PLAYER_RATES = tuple(rate for rate in stems.RATES["mp3"] if rate <= 16_000)  # Hz


def box_plot(evaluations: Sequence[Evaluation], path: str | PathLike, metric: str = "sdr") -> None:
    """Save what `draw_box_plot` draws to ``path``, which ends in ``.png``, ``.svg`` or ``.pdf``."""
    save(draw_box_plot(evaluations, metric), path)


def draw_box_plot(evaluations: Sequence[Evaluation], metric: str = "sdr") -> Figure:
    """A box per method and source: how the tracks' scores are spread around their median.

    Boxes hold the middle half of the tracks, whiskers reach the last track within one and a half box lengths, and
    tracks beyond are circles; the last group holds the songs' scores. The legend lists the methods from top to bottom
    in the order in which each group shows them from left to right.

    Parameters
    ----------
    evaluations : list of glowsep.evaluate.Evaluation
    metric : str
        "sdr" or "si_sdr".

    Returns
    -------
    matplotlib.figure.Figure
        `with_alt` shows it in a notebook.
    """
    sources = evaluations[0].sources
    groups = [*sources, "song mean"]
    figure = Figure(figsize=(2 + 1.7 * len(groups), 4.5), layout="constrained")
    axes = figure.add_subplot()
    width = 0.8 / len(evaluations)
    for index, evaluation in enumerate(evaluations):
        scores = [*(evaluation.of_source(source, metric) for source in sources), evaluation.of_songs(metric)]
        boxes = axes.boxplot(
            [score[np.isfinite(score)] for score in scores],
            positions=np.arange(len(groups)) - 0.4 + (index + 0.5) * width,
            widths=0.85 * width,
            patch_artist=True,
            medianprops={"color": "black"},
            flierprops={"markersize": 3},
            manage_ticks=False,
        )
        for box in boxes["boxes"]:
            box.set_facecolor(colour(index))
    axes.axhline(0, color="black", linewidth=0.5)
    axes.set_xticks(range(len(groups)), groups)
    axes.set_ylabel(f"{metric.upper().replace('_', '-')} in dB")
    axes.grid(axis="y", alpha=0.3)
    legend = [Patch(facecolor=colour(index), label=e.method) for index, e in enumerate(evaluations)]
    figure.legend(handles=legend, loc="outside right upper")
    return figure


def comparison_picture(compared: Sequence[Compared], path: str | PathLike, metric: str = "sdr") -> None:
    """Save what `draw_comparison` draws to ``path``, which ends in ``.png``, ``.svg`` or ``.pdf``."""
    save(draw_comparison(compared, metric), path)


def draw_comparison(compared: Sequence[Compared], metric: str = "sdr") -> Figure:
    """A row per system, a panel per source and one for the songs: a dot per track, and a line at their mean.

    Colours say what a system was trained on.

    Parameters
    ----------
    compared : list of glowsep.comparison.Compared
    metric : str
        "sdr" or "si_sdr".

    Returns
    -------
    matplotlib.figure.Figure
        `with_alt` shows it in a notebook.
    """
    sources = compared[0].evaluation.sources
    size = 3 + 1.9 * (len(sources) + 1), 1.6 + 0.34 * len(compared)
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(1, len(sources) + 1, sharex=True, sharey=True)
    for panel, name in zip(panels, [*sources, "song mean"], strict=True):
        for place, row in enumerate(compared):
            songs = name == "song mean"
            scores = row.evaluation.of_songs(metric) if songs else row.evaluation.of_source(name, metric)
            scores, tint = scores[np.isfinite(scores)], LEARNERS[row.trained_on]
            panel.plot(scores, np.full(len(scores), place), "o", color=tint, alpha=0.4, markersize=4, markeredgewidth=0)
            if len(scores):
                panel.plot([scores.mean()], [place], "|", color=tint, markersize=13, markeredgewidth=3)
        panel.axvline(0, color="black", linewidth=0.5)
        panel.set_title(name, fontsize=10)
        panel.grid(axis="x", alpha=0.3)
    panels[0].set_yticks(range(len(compared)), [row.evaluation.method for row in compared])
    panels[0].invert_yaxis()
    figure.supxlabel(f"{metric.upper().replace('_', '-')} in dB", fontsize=10)
    kinds = dict.fromkeys(row.trained_on for row in compared)
    legend = [Patch(facecolor=LEARNERS[kind], label=f"trained on {kind}") for kind in kinds]
    figure.legend(handles=legend, loc="outside upper right", ncols=len(kinds), frameon=False, fontsize=9)
    return figure


def learning_curve(curve: LearningCurve, path: str | PathLike, unit: str) -> None:
    """Save what `draw_learning_curve` draws to ``path``, which ends in ``.png``, ``.svg`` or ``.pdf``."""
    save(draw_learning_curve(curve, unit), path)


def draw_learning_curve(curve: LearningCurve, unit: str, window: int = 100) -> Figure:
    """How a training went: training losses, each the mean of the last ``window`` steps, and validation losses.

    The steps are counted below, and above them the minutes of one core that they took, if these were measured.

    Parameters
    ----------
    curve : glowsep.learning.training.LearningCurve
    unit : str
        Of the losses: a system's ``unit``.
    window : int
        In steps; if the training was shorter, all of it.
    """
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    window = min(window, len(curve.training))
    means = np.convolve(curve.training, np.full(window, 1 / window), mode="valid")
    axes.plot(np.arange(window, len(curve.training) + 1), means, color=colour(0), label="training")
    if curve.validation:
        steps, losses = zip(*curve.validation, strict=True)
        axes.plot(steps, losses, "o-", markersize=3, color=colour(1), label="validation")
    minutes = curve.core_seconds / 60 / len(curve.training)  # per step
    if minutes > 0:  # 0 or NaN: not measured
        above = axes.secondary_xaxis("top", functions=(lambda step: step * minutes, lambda minute: minute / minutes))
        above.set_xlabel("core-minutes")
    axes.set_xlabel("step")
    axes.set_ylabel(unit)
    axes.grid(alpha=0.3)
    axes.legend()
    return figure


def spectrograms(
    waveforms: dict[str, np.ndarray | None],
    rate: int,
    path: str | PathLike,
    columns: int = 1,
    highest: float = 5000,
    range_db: int = 70,
) -> None:
    """Save what `draw_spectrograms` draws to ``path``, which ends in ``.png``, ``.svg`` or ``.pdf``."""
    save(draw_spectrograms(waveforms, rate, columns, highest, range_db), path, dpi=100)


def draw_spectrograms(
    waveforms: dict[str, np.ndarray | None], rate: int, columns: int = 1, highest: float = 5000, range_db: int = 70
) -> Figure:
    """Spectrograms of several sounds, all on one scale of loudness, so that they can be compared.

    Parameters
    ----------
    waveforms : dict of str to numpy.ndarray, (samples,) or (channels, samples)
        By title, row by row; None leaves a gap. Of several channels the mean power is drawn.
    rate : int
        Samples per second.
    columns : int
        Sounds per row.
    highest : float
        The highest frequency to show, in Hz.
    range_db : int
        From the quietest level that is told from silence up to the loudest.

    Returns
    -------
    matplotlib.figure.Figure
        `with_alt` shows it in a notebook.
    """
    rows = ceil_divide(len(waveforms), columns)
    figure = Figure(figsize=(1 + 2 * columns, 0.5 + 2.2 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    channels_of = {title: np.atleast_2d(waveform) for title, waveform in waveforms.items() if waveform is not None}
    power_of = {title: (abs(stft(channels)) ** 2).mean(axis=0) for title, channels in channels_of.items()}
    highest_power = max(power.max() for power in power_of.values()) or 1
    used = {index: title for index, title in enumerate(waveforms) if title in power_of}
    for index, axes in enumerate(panels.flat):
        if index not in used:
            axes.remove()
            continue
        samples, power = channels_of[used[index]].shape[1], power_of[used[index]]
        image = axes.imshow(
            10 * np.log10(power[: round(len(power) * 2 * highest / rate)] / highest_power + 1e-12),
            origin="lower",
            aspect="auto",
            extent=(0, samples / rate, 0, highest / 1000),
            vmin=-range_db,
            vmax=0,
            cmap=colormaps["cividis"].resampled(range_db // 5),  # in steps of 5 dB: few colours make a small file
            interpolation_stage="data",
        )
        axes.set_title(used[index], fontsize="medium")
        if index + columns not in used:
            axes.tick_params(labelbottom=True)
            axes.set_xlabel("time in s")
        if index % columns == 0 or index - 1 not in used:
            axes.tick_params(labelleft=True)
            axes.set_ylabel("frequency in kHz")
    figure.colorbar(image, ax=[axes for axes in panels.flat if axes.figure], label="level in dB")
    return figure


def with_alt(figure: Figure, alt: str) -> None:
    """Show a figure in a notebook, with a description for readers who cannot see it.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    alt : str
        What the picture shows, in a sentence or two.
    """
    from IPython.display import display

    display(_html(_image(_png(figure), "png", alt)))


def with_sliders(draw: Callable[..., None], **sliders: Any) -> None:
    """Show in a notebook what ``draw`` shows, under sliders that redraw it when they are moved.

    The picture is an HTML widget. ``ipywidgets.interact`` would put it into an ``Output`` widget, and with one of these
    in a notebook nbclient, which runs it for nbgrader, sometimes waits forever for an answer from the kernel.

    Parameters
    ----------
    draw : callable
        Shows a picture with `with_alt`; takes the sliders' values by name.
    **sliders : ipywidgets widgets
        By the names of ``draw``'s arguments; a slider without a description gets its name as one.
    """
    from IPython.display import display
    from IPython.utils.capture import capture_output
    from ipywidgets import HTML, VBox

    picture = HTML()

    def redraw(change=None):
        with capture_output() as captured:
            draw(**{name: slider.value for name, slider in sliders.items()})
        picture.value = "".join(output.data["text/html"] for output in captured.outputs)

    for name, slider in sliders.items():
        slider.description = slider.description or name
        slider.observe(redraw, "value")
    redraw()
    display(VBox([*sliders.values(), picture]))


def animation(frames: Sequence[Figure | np.ndarray], alt: str, seconds_per_frame: float = 0.5) -> HTML:
    """Pictures shown one after the other, again and again.

    Parameters
    ----------
    frames : list of matplotlib.figure.Figure, or of numpy.ndarray, (height, width, 3), uint8
        All of one size.
    alt : str
        What the pictures show, and how it changes.
    seconds_per_frame : float
        The last frame is shown three times as long.

    Returns
    -------
    IPython.display.HTML
    """
    pictures = [Image.fromarray(_pixels(frame)) for frame in frames]
    times = [round(1000 * seconds_per_frame)] * (len(frames) - 1) + [round(3000 * seconds_per_frame)]
    file = io.BytesIO()
    pictures[0].save(file, "WEBP", save_all=True, append_images=pictures[1:], duration=times, loop=0, quality=60)
    return _html(_image(file.getvalue(), "webp", alt))


def players(waveforms: dict[str, np.ndarray], rate: int) -> HTML:
    """Sounds to play in a notebook, side by side, with one common gain: what is quieter sounds quieter.

    They are mono, at 16 kHz or less, and compressed (MP3, or Ogg Vorbis if soundfile cannot write MP3).

    Parameters
    ----------
    waveforms : dict of str to numpy.ndarray, (samples,) or (channels, samples)
        By label. The highest sample of all of them is played at nine tenths of full scale.
    rate : int
        Samples per second.

    Returns
    -------
    IPython.display.HTML

    Raises
    ------
    ValueError
        If a waveform holds NaN or infinite samples, or none at all.
    """
    mono_of = {label: mono(waveform) for label, waveform in waveforms.items()}
    for label, waveform in mono_of.items():
        if waveform.size == 0 or not np.isfinite(waveform).all():
            raise ValueError(f"the waveform {label!r} holds no samples, or some that are not finite: plot it first")
    played_at = rate if rate in PLAYER_RATES else max(PLAYER_RATES)
    mono_of = {label: resample(waveform, rate, played_at) for label, waveform in mono_of.items()}
    gain = PEAK / (max(np.abs(waveform).max() for waveform in mono_of.values()) or 1)
    figures = "".join(_player(label, gain * waveform, played_at) for label, waveform in mono_of.items())
    return _html(f'<div style="display: flex; flex-wrap: wrap; gap: 1em">{figures}</div>')


def mono(waveform: np.ndarray) -> np.ndarray:
    """`glowsep.signals.mid.downmix` of (channels, samples); a waveform (samples,) is mono already."""
    return waveform if waveform.ndim == 1 else downmix(waveform)


def _player(label, waveform, rate):
    label = html.escape(label)
    return (
        f'<figure style="margin: 0"><figcaption>{label}</figcaption>'
        f'<audio controls preload="metadata" aria-label="{label}" style="width: 16em; max-width: 100%" '
        f'src="{data_url(waveform[None], rate)}"></audio></figure>'
    )


def _image(content, form, alt):
    return (
        f'<img alt="{html.escape(alt)}" src="data:image/{form};base64,{_base64(content)}" '
        'style="max-width: 100%; height: auto">'
    )


def _pixels(frame):
    """The pixels of a figure (height, width, 3) at 90 dots per inch; an array holds them already."""
    if isinstance(frame, np.ndarray):
        return frame
    return np.asarray(Image.open(io.BytesIO(_png(frame))).convert("RGB"))


def _png(figure):
    from matplotlib import pyplot

    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=90)
    pyplot.close(figure)  # or Jupyter shows a figure of pyplot's once more, without words
    return file.getvalue()


def _html(markup):
    from IPython.display import HTML

    return HTML(markup)


def _base64(content):
    return base64.b64encode(content).decode("ascii")


def colour(index: int) -> str:
    """The colour of the method, source or curve with this index in a list."""
    return COLOURS[index % len(COLOURS)]


def save(figure: Figure, path: str | PathLike, dpi: int = 150) -> None:
    """Write a figure in the format that the path's suffix names, with a seal; the file is whole or not there at all."""
    with written_whole(path) as temporary:
        figure.savefig(temporary, dpi=dpi, metadata={"Software" if temporary.suffix == ".png" else "Creator": BLANK})
        seal(temporary)
