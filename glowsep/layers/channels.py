"""Arrays (batch, channels, frames) whose channels are outermost in memory, so that a layer is one large product.

Shapes are always written (batch, channels, frames). In memory the channels come first, then the items of the batch: so
``x.swapaxes(0, 1)`` is a matrix (channels, batch · frames) without a copy. Any other order in memory gives the same
numbers, more slowly.
"""

import numpy as np

from glowsep.arrays.library import array_module


def channels_outermost(x: np.ndarray) -> np.ndarray:
    """The same array (batch, channels, frames) with the channels outermost in memory."""
    return array_module(x).ascontiguousarray(x.swapaxes(0, 1)).swapaxes(0, 1)


def empty_like(x: np.ndarray, channels: int | None = None) -> np.ndarray:
    """New memory for an array like x (batch, channels, frames), its channels outermost."""
    batch, same, frames = x.shape
    return array_module(x).empty((channels or same, batch, frames), x.dtype).swapaxes(0, 1)


def stacked(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Two arrays (batch, channels, frames), one after the other along the channels."""
    xp = array_module(first)
    return xp.concatenate([first.swapaxes(0, 1), second.swapaxes(0, 1)]).swapaxes(0, 1)


def halves(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Views of the first and the second half of the channels."""
    return x[:, : x.shape[1] // 2], x[:, x.shape[1] // 2 :]


def as_matrix(x: np.ndarray) -> np.ndarray:
    """x (batch, channels, frames) as (channels, batch · frames): a view if the channels are outermost in memory."""
    return x.swapaxes(0, 1).reshape(x.shape[1], -1)


def row_sums(matrix: np.ndarray) -> np.ndarray:
    """The sum of every row. As a product with ones it is several times as fast as ``sum``."""
    return matrix @ array_module(matrix).ones(matrix.shape[1], matrix.dtype)


def channel_sums(x: np.ndarray) -> np.ndarray:
    """The sum over items and frames for every channel, (channels,)."""
    return row_sums(as_matrix(x))


def item_sums(x: np.ndarray) -> np.ndarray:
    """The sum over channels and frames for every item, (batch,)."""
    batch, _, frames = x.shape
    return row_sums(as_matrix(x).T).reshape(batch, frames).sum(axis=1)


def frame_sums(x: np.ndarray) -> np.ndarray:
    """The sum over frames for every item and channel, (batch, channels, 1)."""
    batch, channels, frames = x.shape
    return row_sums(x.swapaxes(0, 1).reshape(-1, frames)).reshape(channels, batch, 1).swapaxes(0, 1)
