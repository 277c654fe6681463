"""Simple systems to compare with: each is a callable from a track to estimates (sources, channels, samples)."""

from glowsep.baselines.average_spectrum import AverageSpectrum
from glowsep.baselines.mixture import equal_share, mixture
from glowsep.baselines.nmf import PoissonNMF
from glowsep.baselines.oracle import oracle_magnitude, oracle_power
from glowsep.baselines.solos import solo_magnitudes

__all__ = [
    "AverageSpectrum",
    "PoissonNMF",
    "equal_share",
    "mixture",
    "oracle_magnitude",
    "oracle_power",
    "solo_magnitudes",
]
