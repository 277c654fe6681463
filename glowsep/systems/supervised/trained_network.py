"""A network that knows all sources at once, with their names; and its file of weights."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from os import PathLike

import numpy as np

from glowsep.arrays.devices import to_device
from glowsep.errors import PriorError
from glowsep.layers.parameters import Parameters
from glowsep.learning.training import LearningCurve
from glowsep.learning.training_record import UNKNOWN, TrainingRecord
from glowsep.learning.weights import load_arrays, save_arrays


@dataclass(frozen=True)
class TrainedNetwork:
    """What training on mixtures gives.

    Attributes
    ----------
    network : Parameters
        A plain layer from mixtures to estimates, with a dataclass ``config``.
    sources : tuple of str
        In the order of its estimates.
    training : glowsep.learning.training_record.TrainingRecord
        What its training took; saved with the weights.
    curve : glowsep.learning.training.LearningCurve or None
        Of that training, if this object comes from it and not from a file.
    """

    network: Parameters
    sources: tuple[str, ...]
    training: TrainingRecord = UNKNOWN
    curve: LearningCurve | None = None

    @property
    def parameter_count(self) -> int:
        return sum(array.size for array in self.network.parameters().values())

    def chosen(self, estimates: np.ndarray, sources: Iterable[str]) -> np.ndarray:
        """Those of the estimates (sources, …) that are of these sources, in their order."""
        return estimates[[self.sources.index(source) for source in sources]]

    def save(self, path: str | PathLike, kind: str, precision: type[np.floating] = np.float32) -> None:
        """Write it to one ``.npz`` file, whole or not at all.

        Parameters
        ----------
        path : path
        kind : str
            Which network it is, such as "Wave-U-Net": `load` insists on it.
        precision : numpy dtype
            ``np.float16`` halves the file.

        Raises
        ------
        PriorError
            If the folder is missing, not writable or full.
        """
        header = {"config": asdict(self.network.config), "sources": self.sources}
        header |= {"training": self.training.as_header()}
        weights = {name: array.astype(precision) for name, array in self.network.parameters().items()}
        save_arrays(path, kind, header, weights)

    @classmethod
    def load(
        cls, path: str | PathLike, kind: str, network: type[Parameters], config: type, device: str = "cpu"
    ) -> TrainedNetwork:
        """Read what `save` wrote: in single precision, on the device.

        Raises
        ------
        PriorError
            If the file is missing, damaged, of another network, or does not describe one.
        """
        header, arrays = load_arrays(path, kind)
        try:
            found, sources = network(config(**header["config"])), tuple(header["sources"])
            if len(sources) != found.config.sources or not all(isinstance(name, str) for name in sources):
                raise ValueError(f"its sources are {sources}, expected {found.config.sources} names")
            found.load({name: array.astype(np.float32) for name, array in arrays.items()})
            training = TrainingRecord.from_header(header)
        except (ArithmeticError, AttributeError, KeyError, MemoryError, TypeError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise PriorError(f"{path}: does not describe a {kind} ({reason}); fetch or train it again") from None
        return cls(moved(found, device), sources, training)


def moved(network: Parameters, device: str) -> Parameters:
    """The network itself, with its parameters on "cpu" or "cuda"."""
    network.load({name: to_device(array, device) for name, array in network.parameters().items()})
    return network
