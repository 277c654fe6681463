"""Spectrograms for a page: each as wide as there is room, with a logarithmic frequency axis up to Nyquist."""

import html
from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from numpy.lib.stride_tricks import sliding_window_view

from glowsep.report.pictures import picture
from glowsep.report.sounds import Sound

LOWEST = 40.0  # Hz: the bottom of the axis, a bass's lowest string
ROWS, COLUMNS = 240, 1200  # pixels of a picture, at most
RANGE = 70  # dB from the quietest level that is told from silence up to the loudest
FLOOR = 1e-12  # of the loudest power: what silence counts as
TICKS = (50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000)  # Hz


def spectrograms(sounds: Sequence[Sound], rate: int) -> str:
    """A picture of every sound, an estimate beside its reference, all on one scale of levels.

    Parameters
    ----------
    sounds : list of Sound
    rate : int
        Of the sounds, in Hz.

    Returns
    -------
    str
        HTML.
    """
    powers, durations = [], []
    for sound in sounds:
        channels = sound.read()
        powers.append(np.mean([log_spectrogram(channel, rate) for channel in channels], axis=0))
        durations.append(channels.shape[1] / rate)
    highest_power = max(power.max() for power in powers) or 1
    panels = []
    for sound, power, seconds in zip(sounds, powers, durations, strict=True):
        figure = draw(10 * np.log10(power / highest_power + FLOOR), seconds, rate)
        alt = f"Spectrogram of {sound.label}: level over time and frequency, up to {rate / 2:.0f} Hz."
        panels.append(f'<div class="{sound.role}"><h3>{html.escape(sound.label)}</h3>{picture(figure, alt)}</div>\n')
    paired = " paired" if any(sound.role == "reference" for sound in sounds) else ""
    return f'<div class="spectrograms{paired}">\n{"".join(panels)}</div>'


def log_spectrogram(waveform: np.ndarray, rate: int) -> np.ndarray:
    """The power of a waveform (samples,) over frequency and time: (rows, columns), both as many as a picture has.

    Rows are spaced logarithmically from ``LOWEST`` to Nyquist. A pixel is the loudest of what it stands for, so that
    no note and no stroke is lost, however long the song.
    """
    window = 2 ** round(np.log2(max(rate / 10, 64)))  # about a tenth of a second, as good for a bass as for drums
    frames = sliding_window_view(np.pad(waveform, window // 2), window)[:: window // 4]
    edges = np.geomspace(min(LOWEST, rate / 8), rate / 2, ROWS, endpoint=False)
    first_bins = (edges * window / rate).astype(int)
    first_frames = np.linspace(0, len(frames), min(COLUMNS, len(frames)), endpoint=False).astype(int)
    taper = np.hanning(window).astype(waveform.dtype)
    columns = [
        np.max(abs(np.fft.rfft(taper * frames[start:stop])) ** 2, axis=0)
        for start, stop in zip(first_frames, [*first_frames[1:], len(frames)], strict=True)
    ]
    return np.maximum.reduceat(np.array(columns), first_bins, axis=1).T


def draw(decibels: np.ndarray, seconds: float, rate: int) -> Figure:
    """A spectrogram in dB (rows, columns) with its axes."""
    figure = Figure(figsize=(5.5, 3.2), layout="constrained")
    axes = figure.add_subplot()
    lowest, nyquist = min(LOWEST, rate / 8), rate / 2
    image = axes.imshow(
        decibels,
        origin="lower",
        aspect="auto",
        extent=(0, seconds, np.log2(lowest), np.log2(nyquist)),
        vmin=-RANGE,
        vmax=0,
        cmap=colormaps["cividis"].resampled(RANGE // 5),  # in steps of 5 dB: few colours make a small file
        interpolation="nearest",
    )
    ticks = [tick for tick in TICKS if lowest <= tick <= nyquist / 1.25] + [nyquist]
    axes.set_yticks(np.log2(ticks), [named(tick) for tick in ticks])
    axes.set_xlabel("time in s")
    axes.set_ylabel("frequency in Hz")
    figure.colorbar(image, label="level in dB", pad=0.02, aspect=30)
    return figure


def named(frequency: float) -> str:
    """A frequency as an axis names it.

    Examples
    --------
    >>> named(500), named(2000), named(11025.0)
    ('500', '2k', '11k')
    """
    return f"{frequency:.0f}" if frequency < 1000 else f"{frequency / 1000:.3g}k"
