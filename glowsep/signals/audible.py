"""What can be heard of a recording: offsets and rumble below the lowest notes are left out of all that is measured."""

from collections.abc import Iterable, Iterator

import numpy as np
import scipy  # its parts load when they are first used: importing glowsep takes 64 MiB and a second less without them

#: Hz: half of the amplitude is left here, a hundredth at 16.5 Hz, and 97 % at 27.5 Hz, a piano's lowest note.
LOWEST = 22.0

#: Of the Butterworth filter: steep enough for that, and applied forwards and backwards it keeps the phase.
ORDER = 8

#: Seconds that a stretch of zeros lasts at least to count as digital silence.
SILENCE_SECONDS = 0.01

#: What is weaker than this, relative to the loudest sample, is the filter's rounding.
ROUNDING = 2**-21


def audible(waveform: np.ndarray, rate: int) -> np.ndarray:
    r"""A waveform without what lies below the lowest notes: a constant offset, and rumble below 20 Hz.

    .. math:: |H(f)| = \frac{1}{1 + (f_0 / f)^{16}}, \qquad f_0 = 22\,\mathrm{Hz}

    Digital silence stays digital silence. Source: ``scipy.signal.butter`` and ``sosfiltfilt``; Gustafsson 1996.

    Parameters
    ----------
    waveform : numpy.ndarray, (..., samples), float32 or float64
    rate : int
        Hz.

    Returns
    -------
    numpy.ndarray of the waveform's shape and dtype

    Examples
    --------
    >>> audible(np.full((2, 4000), 0.5), 22050).round(9).any()
    np.False_
    """
    samples = waveform.shape[-1]
    if 2 * LOWEST >= rate:  # the filter needs its frequency below half of the rate, and all below it is rumble
        return np.zeros_like(waveform)
    margin = min(samples - 1, rate // 2)  # long enough for the filter to settle before the first sample
    # Mirrored at its ends, not turned about them: of a note that is cut, that would make a jump to another offset.
    heard = scipy.signal.sosfiltfilt(_filter(rate), waveform.astype(np.float64), axis=-1, padtype="even", padlen=margin)
    peak = np.abs(waveform).max(axis=-1, keepdims=True)
    heard *= np.abs(heard).max(axis=-1, keepdims=True) > ROUNDING * peak  # of an offset alone, nothing is left
    loudest_nearby = scipy.ndimage.maximum_filter1d(np.abs(waveform), max(1, round(SILENCE_SECONDS * rate)), axis=-1)
    return np.where(loudest_nearby > 0, heard, 0).astype(waveform.dtype)


def audible_powers(seconds: Iterable[np.ndarray], rate: int) -> Iterator[tuple[float, np.ndarray]]:
    """Mean squares of what can be heard of a recording, over all channels alike: of every second, and of its tenths.

    The filter is that of `audible`, applied forwards only: so its state passes from second to second, and a recording
    of any length is measured in bounded memory. In float64: squares of float32 leave its range early.

    Parameters
    ----------
    seconds : iterable of numpy.ndarray, (channels, samples)
        One after the other; each of ``rate`` samples, but for the last, which may be shorter.
    rate : int
        Hz.

    Yields
    ------
    power : float
        Of the second.
    tenths : numpy.ndarray, (10,)
        Of its tenths; fewer if it is shorter.

    Examples
    --------
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)[None]
    >>> ((power, tenths),) = audible_powers([0.3 + tone], 8000)
    >>> round(power, 2), tenths.shape
    (0.5, (10,))
    """
    state = None
    for second in seconds:
        if 2 * LOWEST >= rate:
            heard = np.zeros(second.shape)
        else:
            if state is None:  # as if the first sample had been there forever: an offset is no click
                state = scipy.signal.sosfilt_zi(_filter(rate))[:, None, :] * second[:, :1].astype(np.float64)
            heard, state = scipy.signal.sosfilt(_filter(rate), second.astype(np.float64), axis=-1, zi=state)
        squares = (heard**2).mean(axis=0)
        starts = np.arange(10) * rate // 10
        starts = starts[starts < len(squares)]
        lengths = np.diff([*starts, len(squares)])
        # At rates of a few hertz some tenths hold no sample of their own: they are left out.
        yield float(squares.mean()), np.add.reduceat(squares, starts[lengths > 0]) / lengths[lengths > 0]


def _filter(rate):
    return scipy.signal.butter(ORDER, LOWEST, "highpass", fs=rate, output="sos")
