"""Training Demucs: how large it is here, on which mixtures, and for how long."""

from glowsep.systems.demucs.model import DemucsConfig
from glowsep.systems.supervised.examples import Augmentation
from glowsep.systems.supervised.training import TrainingConfig

#: What learns in an hour on two cores; the published size is ``DemucsConfig()``.
SMALL = DemucsConfig(depth=4, filters=16, lstm_layers=1, resample=False, rate=22_050)

#: The published loss and augmentation (Défossez et al. 2019, section 5; remix within four excerpts), and recordings of
#: one channel in random directions. Learning rate and batch are those of a small network and a short training:
#: at its beginning a batch of 8 learns no more per step, in twice the time, and a rate of 1e-3 learns half as fast.
TRAINING = TrainingConfig(
    steps=10_000,
    batch=4,
    loss="mean absolute error",
    learning_rate=2e-3,
    samples=65_536,
    augmentation=Augmentation(
        gain=(0.25, 1.25), shift=1.0, flip_sign=True, swap_channels=True, remix=4, pan=0.5
    ),
)  # fmt: skip
