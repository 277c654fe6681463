"""The bijections of the flow, one a file: chapters 6 to 9."""

from glowsep.layers.actnorm import ActNorm
from glowsep.layers.bijection import Bijection
from glowsep.layers.conv1x1 import InvertibleConv1x1
from glowsep.layers.conv1x1_plu import InvertibleConv1x1PLU
from glowsep.layers.coupling import AffineCoupling
from glowsep.layers.squeeze import Squeeze
from glowsep.systems.glow.fast.fused_step import FrozenStep, FusedStep

__all__ = [
    "ActNorm", "AffineCoupling", "Bijection", "FrozenStep", "FusedStep", "InvertibleConv1x1", "InvertibleConv1x1PLU",
    "Squeeze",
]  # fmt: skip
