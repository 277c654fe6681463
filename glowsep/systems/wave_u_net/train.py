"""Training Wave-U-Net: how large it is here, on which mixtures, and for how long."""

from glowsep.systems.supervised.examples import Augmentation
from glowsep.systems.supervised.training import TrainingConfig
from glowsep.systems.wave_u_net.model import WaveUNetConfig

#: What learns in an hour on two cores; the published size is ``WaveUNetConfig()``.
SMALL = WaveUNetConfig(levels=9, filters=10)

#: The published loss and gains (Stoller et al. 2018, section 4.2), and recordings of one channel in random directions.
#: Learning rate, batch and length are those of a small network and a short training: the published rate of 1e-4, with
#: batches of 16 and half as many samples, takes days.
TRAINING = TrainingConfig(loss="mean square error", augmentation=Augmentation(gain=(0.7, 1.0), pan=0.5))
