"""glowsep: music source separation with generative flows, every gradient by hand.

The names that chapters and users need most; the rest is in the modules, one idea each.
"""

from glowsep import check, metrics
from glowsep.errors import AudioError, DatasetError, GlowsepError, PriorError
from glowsep.layers import ActNorm, AffineCoupling, InvertibleConv1x1, InvertibleConv1x1PLU, Squeeze
from glowsep.signals.spectrogram import istft, stft
from glowsep.systems import registry
from glowsep.systems.glow.instglow import InstGlow
from glowsep.systems.glow.model import Glow, GlowConfig
from glowsep.systems.glow.prior import Prior, PriorConfig
from glowsep.systems.glow.separate import Separation, separate, separate_file
from glowsep.systems.search.annealed import AnnealedSearch
from glowsep.systems.search.constrained import ConstrainedLatentSearch
from glowsep.systems.search.latent import LatentSearch

__all__ = [
    "ActNorm", "AffineCoupling", "AnnealedSearch", "AudioError", "ConstrainedLatentSearch", "DatasetError", "Glow",
    "GlowConfig", "GlowsepError", "InstGlow", "InvertibleConv1x1", "InvertibleConv1x1PLU", "LatentSearch", "Prior",
    "PriorConfig", "PriorError", "Separation", "Squeeze", "check", "istft", "metrics", "registry", "separate",
    "separate_file", "stft",
]  # fmt: skip
