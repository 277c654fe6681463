"""Loudness as broadcasters measure it, which Slakh2100's metadata gives for every stem."""

import math

import numpy as np
import scipy

BLOCK_SECONDS, OVERLAP = 0.4, 0.75
ABSOLUTE_GATE, RELATIVE_GATE = -70.0, -10.0  # LUFS; LU below the loudness of what passes the first gate
OFFSET = -0.691  # cancels the filters' gain at 1 kHz


def integrated_loudness(waveform: np.ndarray, rate: int) -> float:
    r"""The integrated loudness of a mono waveform in LUFS, or minus infinity if all of it is silent.

    .. math:: L = -0.691 + 10 \log_{10} \operatorname{mean}_{b \in \text{gated}} \overline{y_b^2},

    where y is the waveform after a high shelf (the head) and a high pass (the ear), cut into overlapping blocks (0.4
    s). Blocks below -70 LUFS do not count, nor do those more than 10 LU below the mean of the others: a stem is as loud
    as it is while it plays.

    Source: ITU-R BS.1770-4, annex 1; De Man 2014 (the filters for rates other than 48 kHz).

    Parameters
    ----------
    waveform : numpy.ndarray, (samples,)
    rate : int
        Samples per second.

    Returns
    -------
    float

    Examples
    --------
    >>> sine = np.sin(2 * np.pi * 997 * np.arange(48_000) / 48_000)
    >>> round(integrated_loudness(sine, 48_000), 1)
    -3.0
    """
    weighted = scipy.signal.lfilter(*high_shelf(rate), scipy.signal.lfilter(*high_pass(rate), waveform))
    block = round(BLOCK_SECONDS * rate)
    hop = round(BLOCK_SECONDS * (1 - OVERLAP) * rate)
    energy = np.concatenate([[0.0], np.cumsum(np.square(weighted))])
    starts = np.arange(0, max(len(weighted) - block, 0) + 1, hop)
    powers = (energy[np.minimum(starts + block, len(weighted))] - energy[starts]) / block
    with np.errstate(divide="ignore"):
        heard = powers[_lufs(powers) > ABSOLUTE_GATE]
        if not heard.size:
            return -math.inf
        return float(_lufs(heard[_lufs(heard) > _lufs(heard.mean()) + RELATIVE_GATE].mean()))


def high_shelf(rate):
    """The filter (b, a) that lifts the treble by 4 dB, as a head does."""
    k, q, gain = (
        math.tan(math.pi * 1681.974450955533 / rate),
        0.7071752369554196,
        10 ** (3.999843853973347 / 20),
    )
    middle = gain**0.4996667741545416
    b = np.array([gain + middle * k / q + k * k, 2 * (k * k - gain), gain - middle * k / q + k * k])
    a = np.array([1 + k / q + k * k, 2 * (k * k - 1), 1 - k / q + k * k])
    return b / a[0], a / a[0]


def high_pass(rate):
    """The filter (b, a) that leaves out the lowest bass, as an ear does."""
    k, q = math.tan(math.pi * 38.13547087602444 / rate), 0.5003270373238773
    a = np.array([1 + k / q + k * k, 2 * (k * k - 1), 1 - k / q + k * k])
    return np.array([1.0, -2.0, 1.0]), a / a[0]


def _lufs(power):
    return OFFSET + 10 * np.log10(power)
