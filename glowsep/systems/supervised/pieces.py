"""Waveforms of any length and rate through a network, piece by piece."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from glowsep.arrays.devices import on_device_of, to_host
from glowsep.arrays.integers import ceil_divide
from glowsep.arrays.library import array_module
from glowsep.layers.parameters import Parameters
from glowsep.signals.resampling import resample
from glowsep.systems.songs import cross_faded

#: Seconds of a song that a network is given at once, and more around them if it needs context: bounds the memory.
PIECE = 10.0

#: Seconds around a piece that a change of the sample rate looks at.
RESAMPLING = 0.05


def separate_waveform(
    network: Parameters, mixture: np.ndarray, rate: int, estimate: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """What a network makes of a mixture at any rate, with any number of channels.

    What it cannot hear, above half of its own rate, is in none of the estimates. A mixture of as many channels as the
    network has is separated as it is; of any other number, every channel is separated by itself.

    Parameters
    ----------
    network : Parameters
        With a ``config`` that knows ``rate``, ``channels`` and ``sources``.
    mixture : (channels, samples)
        On any device.
    rate : int
        Hz.
    estimate : callable
        From songs (songs, channels, samples) at the network's rate, in main memory, to estimates of as many samples
        (songs, sources · channels, samples), in main memory: `piecewise`, for instance.

    Returns
    -------
    (sources, channels, samples), of the mixture's rate and dtype, on its device
    """
    config = network.config
    waveform = resample(to_host(mixture), rate, config.rate).astype(np.float32, copy=False)
    together = len(waveform) == config.channels
    songs = waveform[None] if together else np.repeat(waveform[:, None], config.channels, axis=1)
    found = estimate(songs).reshape(len(songs), config.sources, config.channels, -1)
    found = found[0] if together else found.mean(axis=2).swapaxes(0, 1)
    found = resample(found, config.rate, rate)[:, :, : mixture.shape[1]]
    return on_device_of(found.astype(mixture.dtype, copy=False), mixture)


def piecewise(network: Parameters, songs: np.ndarray, overlap: float = 0.0, seconds: float = PIECE) -> np.ndarray:
    """Estimates of whole songs from pieces of them, each with the context that the network needs; silence before and
    after a song.

    Pieces begin at multiples of the network's ``grid``. So a network whose estimates depend on their neighbourhood
    alone gives the same for a song whole and in pieces; for others, pieces overlap and fade into each other.

    Parameters
    ----------
    network : Parameters
        With a ``config`` that knows ``rate``, ``grid`` and ``lengths``.
    songs : (songs, channels, samples)
        At the network's rate, in main memory.
    overlap : float
        The share of a piece that it has in common with the next one.
    seconds : float
        Of a piece.

    Returns
    -------
    (songs, sources · channels, samples), in main memory
    """
    config, samples = network.config, songs.shape[2]
    length = min(round(seconds * config.rate), samples)
    hop = config.grid * max(1, ceil_divide(round((1 - overlap) * length), config.grid))
    common = round(overlap / (1 - overlap) * hop)
    inputs, outputs = config.lengths(hop + common)
    before = (inputs - outputs) // 2
    network, like = network.frozen(), next(iter(network.parameters().values()))

    def pieces():
        for start in range(0, max(samples - common, 1), hop):
            piece = on_device_of(excerpt(songs, start - before, inputs), like)
            yield to_host(network.forward(piece, [])[:, :, : hop + common])

    return np.concatenate(list(cross_faded(pieces(), common)), axis=2)[:, :, :samples]


def excerpt(songs: np.ndarray, start: int, samples: int) -> np.ndarray:
    """Of songs (songs, channels, samples), so many samples from ``start`` on; silence beyond their ends.

    Examples
    --------
    >>> excerpt(np.array([[[1.0, 2.0]]]), -1, 4)
    array([[[0., 1., 2., 0.]]])
    """
    result = array_module(songs).zeros((*songs.shape[:2], samples), songs.dtype)
    first, last = max(start, 0), min(start + samples, songs.shape[2])
    if first < last:
        result[:, :, first - start : last - start] = songs[:, :, first:last]
    return result
