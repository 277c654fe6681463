"""Training Wave-U-Net: how large it is here, on which mixtures, and for how long."""

from glowsep.systems.supervised.examples import Augmentation
from glowsep.systems.supervised.training import TrainingConfig
from glowsep.systems.wave_u_net.model import WaveUNetConfig

#: What learns in an hour on a core; the published size is ``WaveUNetConfig()``, at twice the rate. What is lost, above
#: 5.5 kHz, is less than a tenth of the drums and a hundredth of the others.
SMALL = WaveUNetConfig(levels=9, filters=10, rate=11_025)

#: The published loss and gains (Stoller et al. 2018, section 4.2); sources of different songs in three mixtures of
#: four, without which the network learns 52 songs by heart within half an hour; and recordings of one channel in random
#: directions. Learning rate and batch are those of a small network and a short training: the published rate of 1e-4,
#: with batches of 16, takes days. At 2e-3 and at 1e-3 a single step has driven every tanh to its limit, where it has no
#: gradient, after 400 and after 1,800 steps. So the rate is half of that, and a gradient twice as large as most is cut.
TRAINING = TrainingConfig(
    steps=4_200,
    batch=4,
    loss="mean square error",
    learning_rate=5e-4,
    clip=2e-3,
    augmentation=Augmentation(gain=(0.7, 1.0), remix=0.75, pan=0.25),
)
