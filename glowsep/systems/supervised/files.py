"""Files of weights of a network that knows all sources: its configuration, their names, and the arrays."""

from __future__ import annotations

from dataclasses import asdict
from os import PathLike

import numpy as np

from glowsep.errors import PriorError
from glowsep.layers.parameters import Parameters
from glowsep.learning.weights import load_arrays, save_arrays


def save_network(
    path: str | PathLike,
    kind: str,
    network: Parameters,
    sources: tuple[str, ...],
    dtype: type[np.floating] = np.float32,
) -> None:
    """Write a network and the names of its sources to one ``.npz`` file, whole or not at all.

    Parameters
    ----------
    path : path
    kind : str
        Which network it is, such as "Wave-U-Net": `load_network` insists on it.
    network : Parameters
        With a dataclass ``config``.
    sources : tuple of str
        In the order of its estimates.
    dtype : numpy dtype
        ``np.float16`` halves the file; estimates change by less than a 16-bit step's worth of noise.

    Raises
    ------
    PriorError
        If the folder is missing, not writable or full.
    """
    header = {"config": asdict(network.config), "sources": sources}
    save_arrays(path, kind, header, {name: array.astype(dtype) for name, array in network.parameters().items()})


def load_network(
    path: str | PathLike, kind: str, network: type[Parameters], config: type
) -> tuple[Parameters, tuple[str, ...]]:
    """The network that `save_network` wrote, in single precision, and the names of its sources.

    Raises
    ------
    PriorError
        If the file is missing, damaged, of another network, or does not describe one.
    """
    header, arrays = load_arrays(path, kind)
    try:
        found, sources = network(config(**header["config"])), tuple(header["sources"])
        if len(sources) != found.config.sources or not all(isinstance(name, str) for name in sources):
            raise ValueError(f"its sources are {sources}, but it has {found.config.sources}")
        found.load({name: array.astype(np.float32) for name, array in arrays.items()})
    except (KeyError, TypeError, ValueError, ArithmeticError, MemoryError) as error:
        reason = " ".join(str(error).split())
        raise PriorError(f"{path}: does not describe a {kind} ({reason}); fetch or train it again") from None
    return found, sources
