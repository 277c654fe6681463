"""Wave-U-Net as a system: it hears a mixture piece by piece, each with its context."""

import numpy as np

from glowsep.systems.supervised.pieces import RESAMPLING, piecewise
from glowsep.systems.supervised.separator import WaveformSeparator
from glowsep.systems.wave_u_net.model import WaveUNet
from glowsep.systems.wave_u_net.train import SMALL, TRAINING


class WaveUNetSeparator(WaveformSeparator):
    """Separates by a network that has learnt from mixtures and their sources.

    The estimates of all sources that it has learnt sum to what it can hear of the mixture, below half of its rate.

    Source: Stoller, Ewert & Dixon 2018.

    It takes the parameters of `WaveformSeparator`: the trained network, and which of its sources are asked for.

    Examples
    --------
    >>> from glowsep.systems.supervised.trained_network import TrainedNetwork
    >>> from glowsep.systems.wave_u_net.model import WaveUNetConfig
    >>> network = WaveUNet(WaveUNetConfig(sources=2, levels=2, filters=2))
    >>> system = WaveUNetSeparator(TrainedNetwork(network, ("bass", "drums")))
    >>> system, system.separate(np.ones((1, 800), np.float32), 22050).shape
    (WaveUNetSeparator(bass, drums; trained on mixtures), (2, 1, 800))
    """

    name = "wave_u_net"
    weights = "supervised/wave_u_net.npz"
    unit = TRAINING.loss
    kind = "Wave-U-Net"
    network, small, training_defaults = WaveUNet, SMALL, TRAINING

    def hear(self, songs: np.ndarray) -> np.ndarray:
        return piecewise(self.trained.network, songs)

    def context(self) -> float:
        config = self.trained.network.config
        inputs, outputs = config.lengths(1)
        return (inputs - outputs) / 2 / config.rate + RESAMPLING
