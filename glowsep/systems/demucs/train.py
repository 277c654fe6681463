"""Training Demucs: how large it is here, on which mixtures, and for how long."""

from glowsep.systems.demucs.model import DemucsConfig
from glowsep.systems.supervised.examples import Augmentation
from glowsep.systems.supervised.training import TrainingConfig

#: What learns in an hour on a core; the published size is ``DemucsConfig()``. At this rate, songs take half as long as
#: at 22,050 Hz. What is lost, above 5.5 kHz, is less than a tenth of the drums and a hundredth of the others.
SMALL = DemucsConfig(depth=4, filters=16, lstm_layers=1, resample=False, rate=11_025)

#: The published augmentation (Défossez et al. 2019, section 5), but that sources are remixed from all songs and not
#: within a few excerpts; and recordings of one channel in random directions. The loss was L1. Where a network is not
#: sure, L1 rewards silence, and a short training ends there: drums and piano stayed silent. Learning rate and batch are
#: those of a small network: at its beginning a batch of 8 learns no more per step, in twice the time, and a rate of
#: 1e-3 learns half as fast.
TRAINING = TrainingConfig(
    steps=44_000,
    batch=4,
    loss="mean square error",
    learning_rate=2e-3,
    samples=32_768,
    augmentation=Augmentation(
        gain=(0.25, 1.25), shift=1.0, flip_sign=True, swap_channels=True, remix=0.75, pan=0.25
    ),
)  # fmt: skip
