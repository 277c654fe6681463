"""Everything with a gradient, one file each: bijections (chapters 6 to 9) and plain layers (chapter 5)."""

from glowsep.layers.activations import LeakyReLU, ReLU, Tanh
from glowsep.layers.actnorm import ActNorm
from glowsep.layers.bijection import Bijection
from glowsep.layers.chain import Chain
from glowsep.layers.conv1x1 import InvertibleConv1x1
from glowsep.layers.conv1x1_plu import InvertibleConv1x1PLU
from glowsep.layers.convolution import Convolution
from glowsep.layers.coupling import AffineCoupling
from glowsep.layers.gate import Gate
from glowsep.layers.gated_network import GatedNetwork
from glowsep.layers.glu import GLU
from glowsep.layers.linear import Linear, Reshape
from glowsep.layers.lstm import LSTM
from glowsep.layers.padding import Padding
from glowsep.layers.parameters import Parameters
from glowsep.layers.phase_shuffle import PhaseShuffle
from glowsep.layers.rates import Decimation, LinearInterpolation
from glowsep.layers.sinc_resampling import SincResampling
from glowsep.layers.skip import SkipConcatenation, SkipSum
from glowsep.layers.squeeze import Squeeze
from glowsep.layers.strided_convolution import StridedConvolution
from glowsep.layers.transposed_convolution import TransposedConvolution

__all__ = [
    "GLU",
    "LSTM",
    "ActNorm",
    "AffineCoupling",
    "Bijection",
    "Chain",
    "Convolution",
    "Decimation",
    "Gate",
    "GatedNetwork",
    "InvertibleConv1x1",
    "InvertibleConv1x1PLU",
    "LeakyReLU",
    "Linear",
    "LinearInterpolation",
    "Padding",
    "Parameters",
    "PhaseShuffle",
    "ReLU",
    "Reshape",
    "SincResampling",
    "SkipConcatenation",
    "SkipSum",
    "Squeeze",
    "StridedConvolution",
    "Tanh",
    "TransposedConvolution",
]
