"""The bijections of the flow, one a file: chapters 6 to 9."""

from .actnorm import ActNorm
from .bijection import Bijection
from .conv1x1 import InvertibleConv1x1
from .conv1x1_plu import InvertibleConv1x1PLU
from .coupling import AffineCoupling
from .fused_step import FrozenStep, FusedStep
from .squeeze import Squeeze

__all__ = [
    "ActNorm", "AffineCoupling", "Bijection", "FrozenStep", "FusedStep", "InvertibleConv1x1", "InvertibleConv1x1PLU",
    "Squeeze",
]  # fmt: skip
