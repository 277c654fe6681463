"""The systems by name: the only list of them. A new system is one line here, and a folder beside this file."""

from glowsep.systems.demucs.separate import DemucsSeparator
from glowsep.systems.floors_and_ceilings.average_spectrum import AverageSpectrum
from glowsep.systems.floors_and_ceilings.ceilings import OracleMagnitude, OraclePower
from glowsep.systems.floors_and_ceilings.floors import EqualShare, Mixture
from glowsep.systems.gan_prior.gan_prior import GANPrior
from glowsep.systems.glow.instglow import InstGlow
from glowsep.systems.glow.musicglow import MusicGlow
from glowsep.systems.nmf.model import PoissonNMF
from glowsep.systems.system import System
from glowsep.systems.wave_u_net.separate import WaveUNetSeparator

#: Every system, by the name that ``--method`` takes; in the order of the tables.
SYSTEMS: dict[str, type[System]] = {
    "instglow": InstGlow,
    "musicglow": MusicGlow,
    "gan_prior": GANPrior,
    "mixture": Mixture,
    "equal_share": EqualShare,
    "average_spectrum": AverageSpectrum,
    "nmf": PoissonNMF,
    "wave_u_net": WaveUNetSeparator,
    "demucs": DemucsSeparator,
    "oracle_magnitude": OracleMagnitude,
    "oracle_power": OraclePower,
}

#: Those that are trained.
TRAINED = tuple(name for name, system in SYSTEMS.items() if system.weights is not None)

#: Those that are scored beside whatever is evaluated.
FOR_COMPARISON = tuple(name for name, system in SYSTEMS.items() if system.for_comparison)
