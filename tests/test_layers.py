"""Every bijection keeps the contract, and does what its chapter says of it."""

import importlib
import math
import pickle
import pkgutil

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import glowsep
from glowsep import check
from glowsep.layers import (
    GLU,
    LSTM,
    ActNorm,
    AffineCoupling,
    Bijection,
    Chain,
    Convolution,
    Decimation,
    Gate,
    GatedNetwork,
    InvertibleConv1x1,
    InvertibleConv1x1PLU,
    LeakyReLU,
    Linear,
    LinearInterpolation,
    Padding,
    Parameters,
    PhaseShuffle,
    ReLU,
    Reshape,
    SincResampling,
    SkipConcatenation,
    SkipSum,
    Squeeze,
    StridedConvolution,
    Tanh,
    TransposedConvolution,
)
from glowsep.layers.activations import Slopes
from glowsep.layers.lstm import LSTMLayer
from glowsep.layers.parameters import all_parts, replica
from glowsep.systems.demucs.model import Demucs, DemucsConfig, Standardised
from glowsep.systems.gan_prior.spectra import LogMagnitudes, WaveformSpectra
from glowsep.systems.glow.fast.freeze import freeze
from glowsep.systems.glow.fast.fuse import FusedGlow, fuse
from glowsep.systems.glow.fast.fused_step import FusedStep
from glowsep.systems.glow.fast.linear import FusedLinear
from glowsep.systems.glow.fast.parallel import ParallelGlow, parallel
from glowsep.systems.glow.model import Glow, GlowConfig
from glowsep.systems.wave_u_net.model import WaveUNet, WaveUNetConfig

ROUND_TRIP, LOGDET, GRADIENT = 1e-10, 1e-9, 1e-6


def shaken(part, rng, scale=0.2):
    """The part with every parameter moved: away from identities, zeros and rotations, where mistakes can hide."""
    for parameter in part.parameters().values():
        parameter += (scale * rng.standard_normal(parameter.shape)).astype(parameter.dtype)
    return part


def assert_keeps_contract(layer, shape, rng, condition_channels=0, at_most=64):
    """The checker passes on random data, within the tolerances; both signs of every shape's oddity are drawn."""
    x = rng.standard_normal(shape)
    condition = rng.standard_normal((shape[0], condition_channels)) if condition_channels else None
    layer.forward(x, condition)
    report = check.layer(shaken(layer, rng), x, condition, rng, at_most)
    assert report.round_trip <= ROUND_TRIP
    assert report.logdet <= LOGDET
    assert report.gradient <= GRADIENT
    assert report.parameter_gradients.keys() == layer.parameters().keys()


def layer_classes():
    """Every layer class of the package: what derives from the two contracts, in any of its modules."""
    for module in pkgutil.walk_packages(glowsep.__path__, "glowsep."):
        if module.name.startswith(("glowsep.layers.", "glowsep.systems.")):
            importlib.import_module(module.name)

    def below(cls):
        return {cls}.union(*map(below, cls.__subclasses__()))

    found = below(Parameters) - {Parameters, Bijection}
    return sorted((cls for cls in found if cls.__module__.startswith("glowsep.")), key=lambda cls: cls.__name__)


SMALL_GLOW = GlowConfig(channels=2, steps=2, group_size=2, hidden=3, layers=2, condition_channels=2)
#: For inputs of four frames.
SMALL_WAVE_U_NET = WaveUNetConfig(sources=2, channels=4, levels=1, filters=1, down_kernel=2, up_kernel=1)
SMALL_DEMUCS = DemucsConfig(
    sources=2, channels=4, depth=1, filters=1, kernel=2, stride=2, context=1, lstm_layers=1, resample=False
)
#: How to make a small one of each class, and the channels of its input and condition.
SMALL = {
    ActNorm: (lambda: ActNorm(4), 4, 0),
    AffineCoupling: (lambda: AffineCoupling(4, hidden=3, condition_channels=2), 4, 2),
    Chain: (lambda: Chain(StridedConvolution(4, 3, kernel=3), Tanh()), 4, 0),
    Convolution: (lambda: Convolution(4, 3, kernel=3, dilation=2), 4, 0),
    Decimation: (Decimation, 4, 0),
    Demucs: (lambda: Demucs(SMALL_DEMUCS, np.random.default_rng(1)), 4, 0),
    FusedGlow: (lambda: fuse(Glow(SMALL_GLOW)), 2, 2),
    FusedLinear: (lambda: FusedLinear(ActNorm(4), InvertibleConv1x1(4, 2)), 4, 0),
    FusedStep: (
        lambda: FusedStep(ActNorm(4), InvertibleConv1x1(4, 2), AffineCoupling(4, 3, condition_channels=2)),
        4,
        2,
    ),
    GLU: (GLU, 4, 0),
    Gate: (Gate, 4, 0),
    GatedNetwork: (lambda: GatedNetwork(4, 6, hidden=3, condition_channels=2), 4, 2),
    Glow: (lambda: Glow(SMALL_GLOW), 2, 2),
    InvertibleConv1x1: (lambda: InvertibleConv1x1(4, 2), 4, 0),
    InvertibleConv1x1PLU: (lambda: InvertibleConv1x1PLU(4, 2), 4, 0),
    LSTM: (lambda: LSTM(4, 2, layers=2), 4, 0),
    LSTMLayer: (lambda: LSTMLayer(4, 2), 4, 0),
    LeakyReLU: (LeakyReLU, 4, 0),
    Linear: (lambda: Linear(4, 3), 4, 0),
    LinearInterpolation: (LinearInterpolation, 4, 0),
    LogMagnitudes: (lambda: LogMagnitudes(np.float32([0, 1, -1, 2]), np.full(4, 0.5, np.float32)), 4, 0),
    Padding: (lambda: Padding(2, 1, "reflect"), 4, 0),
    ParallelGlow: (lambda: parallel(fuse(Glow(SMALL_GLOW))), 2, 2),
    PhaseShuffle: (lambda: PhaseShuffle(2, (-2,)), 4, 0),
    ReLU: (ReLU, 4, 0),
    Reshape: (lambda: Reshape(2, -1), 4, 0),
    SincResampling: (lambda: SincResampling(1, 2), 4, 0),
    SkipConcatenation: (lambda: SkipConcatenation(StridedConvolution(4, 3, kernel=2)), 4, 0),
    SkipSum: (lambda: SkipSum(StridedConvolution(4, 4, kernel=2)), 4, 0),
    Slopes: (lambda: Slopes(np.array([[1, 0.5, 1, 0.5]], np.float32).T), 4, 0),
    Squeeze: (lambda: Squeeze(2), 4, 0),
    Standardised: (lambda: Standardised(Tanh()), 4, 0),
    StridedConvolution: (lambda: StridedConvolution(4, 3, kernel=3, stride=2, padding="same"), 4, 0),
    Tanh: (Tanh, 4, 0),
    TransposedConvolution: (lambda: TransposedConvolution(4, 3, kernel=3, stride=2, padding=1), 4, 0),
    WaveUNet: (lambda: WaveUNet(SMALL_WAVE_U_NET, np.random.default_rng(1)), 4, 0),
    WaveformSpectra: (lambda: WaveformSpectra(4, 2), 4, 0),
}


def input_of(cls, channels, frames, rng):
    """An input that is away from the kink that some layers have at 0."""
    x = rng.standard_normal((frames, channels) if cls is Linear else (2, channels, frames))
    return x + 0.1 * np.sign(x)


@pytest.mark.parametrize("cls", layer_classes(), ids=lambda cls: cls.__name__)
def test_every_layer_keeps_the_contract(cls):
    """A class that is new is found here, and fails until it has a small example above."""
    assert cls in SMALL, f"{cls.__name__}: add a line to SMALL above (CONTRIBUTING.md, step 6)"
    make, channels, condition_channels = SMALL[cls]
    rng = np.random.default_rng(0)
    x = input_of(cls, channels, 4, rng)
    condition = rng.standard_normal((2, condition_channels)) if condition_channels else None
    layer = make()
    first = (x, condition) if isinstance(layer, Bijection) else (x, [], *([] if condition is None else [condition]))
    layer.forward(*first)
    assert {id(part) for part in layer.parts().values()} <= {id(part) for part in all_parts(layer)}
    report = check.layer(shaken(layer, rng), x, condition, rng, at_most=4)
    assert report.gradient <= GRADIENT
    assert report.parameter_gradients.keys() == layer.parameters().keys()
    view = layer.frozen()
    assert view.is_frozen and not layer.is_frozen
    assert all(gradient is None for gradient in gradients_after(view, x, condition).values()), "computed in vain"
    assert cls.__name__ in repr(layer) and "parameters" in repr(layer)


def gradients_after(layer, x, condition):
    """The gradients that one ``backward`` leaves."""
    x, condition = x.astype(np.float32), None if condition is None else condition.astype(np.float32)
    if isinstance(layer, Bijection):
        z, logdet = layer.forward(x, condition)
        layer.backward(z, logdet, z, condition)
    else:
        tape = []
        layer.backward(layer.forward(x, tape, *([] if condition is None else [condition])), tape)
    return layer.gradients()


def test_a_frozen_view_sees_what_an_optimiser_does():
    layer = ActNorm(3, np.float64)
    view = layer.frozen()
    layer.bias += 1
    np.testing.assert_array_equal(view.bias, layer.bias)
    assert view.frozen() is view


few = settings(max_examples=12, deadline=None, derandomize=True)
seeds = st.integers(0, 2**32 - 1)
batches = st.integers(1, 3)
frame_counts = st.integers(1, 6)
dtypes = st.sampled_from([np.float32, np.float64])


@few
@given(seeds, batches, st.integers(1, 6), frame_counts, dtypes)
def test_actnorm_keeps_the_contract(seed, batch, channels, frames, dtype):
    assert_keeps_contract(ActNorm(channels, dtype), (batch, channels, frames), np.random.default_rng(seed))


@pytest.mark.parametrize("layer_class", [InvertibleConv1x1, InvertibleConv1x1PLU])
@few
@given(seeds, batches, st.integers(1, 3), st.integers(1, 3), frame_counts, dtypes)
def test_convolutions_keep_the_contract(layer_class, seed, batch, groups, size, frames, dtype):
    rng = np.random.default_rng(seed)
    layer = layer_class(groups * size, groups, rng, dtype)
    assert_keeps_contract(layer, (batch, groups * size, frames), rng)


@few
@given(seeds, batches, st.integers(1, 4), st.integers(1, 3), st.integers(1, 3))
def test_squeeze_keeps_the_contract(seed, batch, channels, factor, frames):
    assert_keeps_contract(Squeeze(factor), (batch, channels, factor * frames), np.random.default_rng(seed))


@few
@given(
    seed=seeds,
    batch=batches,
    channels=st.integers(2, 5),
    frames=frame_counts,
    hidden=st.integers(1, 3),
    layers=st.integers(1, 3),
    kernel=st.sampled_from([1, 3, 5]),
    dilation=st.integers(1, 3),
    condition_channels=st.integers(0, 2),
    dtype=dtypes,
)
def test_coupling_keeps_the_contract(
    seed, batch, channels, frames, hidden, layers, kernel, dilation, condition_channels, dtype
):
    rng = np.random.default_rng(seed)
    layer = AffineCoupling(channels, hidden, layers, kernel, dilation, condition_channels, rng=rng, dtype=dtype)
    assert_keeps_contract(layer, (batch, channels, frames), rng, condition_channels, at_most=6)


@few
@given(
    seed=seeds,
    batch=batches,
    frames=st.integers(1, 5),
    inputs=st.integers(1, 3),
    outputs=st.integers(1, 3),
    kernel=st.sampled_from([1, 3, 5]),
    dilation=st.integers(1, 3),
    condition_channels=st.integers(0, 2),
)
def test_the_inner_network_has_right_gradients(
    seed, batch, frames, inputs, outputs, kernel, dilation, condition_channels
):
    rng = np.random.default_rng(seed)
    network = shaken(GatedNetwork(inputs, outputs, 3, 2, kernel, dilation, condition_channels, rng), rng)
    x = rng.standard_normal((batch, inputs, frames))
    condition = rng.standard_normal((batch, condition_channels)) if condition_channels else None
    assert check.layer(network, x, condition, rng, at_most=8).gradient <= GRADIENT


def fused_glow(config, rng=None, dtype=np.float32):
    return fuse(Glow(config, rng, dtype))


@pytest.mark.parametrize("make", [Glow, fused_glow])
@pytest.mark.parametrize("condition_channels", [0, 2])
@pytest.mark.parametrize(
    "batch, channels, squeeze, frames, group_size", [(2, 3, 2, 4, 3), (1, 4, 1, 3, 4), (2, 2, 3, 3, 2), (2, 5, 1, 2, 5)]
)
def test_glow_keeps_the_contract(make, batch, channels, squeeze, frames, group_size, condition_channels):
    rng = np.random.default_rng(frames)
    config = GlowConfig(
        channels, squeeze, steps=2, group_size=group_size, hidden=3, layers=2, condition_channels=condition_channels
    )
    assert_keeps_contract(make(config, rng), (batch, channels, frames), rng, condition_channels, at_most=4)


# The fused steps are the plain layers in fewer passes.


@few
@given(
    seed=seeds,
    batch=batches,
    channels=st.integers(1, 5),
    squeeze=st.integers(1, 3),
    frames=st.integers(1, 4),
    condition_channels=st.integers(0, 2),
    bound=st.floats(0.3, 3),
)
def test_fused_and_plain_are_the_same_flow(seed, batch, channels, squeeze, frames, condition_channels, bound):
    """Values, rebuilt inputs and gradients of every method, from the first call on, which initialises."""
    rng = np.random.default_rng(seed)
    width = channels * squeeze
    assume(width >= 2)
    config = GlowConfig(
        channels, squeeze, steps=2, group_size=width if width % 2 else 2, hidden=3, layers=2,
        condition_channels=condition_channels, bound=bound,
    )  # fmt: skip
    plain, fused = (flow(config, np.random.default_rng(seed), np.float64) for flow in (Glow, fused_glow))
    x, other = rng.standard_normal((2, batch, channels, frames * squeeze))
    z, dlogdet = rng.standard_normal((batch, width, frames)), rng.standard_normal(batch)
    condition = rng.standard_normal((batch, condition_channels)) if condition_channels else None
    assert_all_close(fused.forward(x, condition), plain.forward(x, condition))
    shaken(plain, rng)
    fused.load(plain.parameters() | plain.state())
    assert fused.parameters().keys() == plain.parameters().keys()

    def results(flow):
        tape = []
        z_x, logdet = flow.forward(x, condition, tape)
        values = [z_x, logdet, *flow.backward(z, dlogdet, z_x, condition, tape), *gradients(flow)]
        values += [*flow.backward(z, dlogdet, z_x, condition), *gradients(flow)]
        rebuilt = flow.inverse(z, condition, tape)
        values += [rebuilt, *flow.backward_inverse(other, rebuilt, condition, tape)]
        values += [*flow.backward_inverse(other, rebuilt, condition), *flow.log_prob_gradient(x, condition)]
        assert tape == []
        return values

    def gradients(flow):
        return [] if flow.is_frozen else flow.gradients().values()

    expected = results(plain)
    assert_all_close(results(fused), expected)
    assert_all_close(results(freeze(fused)), results(plain.frozen()))
    assert_all_close(results(freeze(plain)), results(plain.frozen()))


def test_what_is_frozen_needs_weights_first():
    """Its first batch would initialise the ActNorms, and so change the matrices that were found before."""
    glow, x = fuse(Glow(GlowConfig(channels=4, steps=1, hidden=3))), np.ones((1, 4, 4), np.float32)
    with pytest.raises(ValueError, match="cannot be frozen"):
        freeze(glow)
    glow.forward(x)
    assert_all_close(freeze(glow).forward(x), glow.forward(x))


def test_freezing_finds_the_matrices_once(monkeypatch):
    glow, x = fuse(Glow(GlowConfig(channels=4, steps=2, hidden=3))), np.ones((1, 4, 4), np.float32)
    glow.forward(x)
    calls = []
    monkeypatch.setattr(InvertibleConv1x1, "_inverse", counted(InvertibleConv1x1._inverse, calls))
    for flow, expected in ((glow, 6), (freeze(glow), 2)):
        calls.clear()
        for _ in range(3):
            flow.inverse(flow.forward(x)[0])
        assert len(calls) == expected


def counted(function, calls):
    return lambda *arguments: calls.append(1) or function(*arguments)


def assert_all_close(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-8)


# Float precision and depth.


def default_glow(rng):
    """Of the default size, and with no part left at its start: couplings at work, matrices no longer rotations."""
    glow = Glow(GlowConfig(), rng)
    x = rng.standard_normal((1, 514, 16)).astype(np.float32)
    glow.forward(x)
    return shaken(glow, rng, 0.03), x


def test_twelve_steps_of_the_default_size_round_trip_in_float32():
    glow, x = default_glow(np.random.default_rng(0))
    z, logdet = glow.forward(x)
    assert z.dtype == logdet.dtype == np.float32
    assert np.abs(z - Glow(GlowConfig(), np.random.default_rng(0)).forward(x)[0]).max() > 0.1  # it does something
    rebuilt = glow.inverse(z)
    assert rebuilt.dtype == np.float32
    assert np.abs(rebuilt - x).max() <= 1e-4 * np.abs(x).max()
    dx, rebuilt = glow.backward(z, -np.ones(1, np.float32), z)
    assert dx.dtype == np.float32
    assert np.abs(rebuilt - x).max() <= 1e-4 * np.abs(x).max()
    assert {gradient.dtype for gradient in glow.gradients().values()} == {np.dtype(np.float32)}


def test_logdets_add_up():
    """Over layers, to Glow's; over items, each as when it is alone."""
    rng = np.random.default_rng(1)
    glow = Glow(GlowConfig(channels=3, steps=3, group_size=2, hidden=4), rng, np.float64)
    x = rng.standard_normal((3, 3, 8))
    glow.forward(x)
    shaken(glow, rng)
    z, total = x, np.zeros(3)
    for layer in glow.layers:
        z, logdet = layer.forward(z)
        total += logdet
    np.testing.assert_allclose(glow.forward(x)[1], total, rtol=1e-12)
    np.testing.assert_allclose(np.concatenate([glow.forward(item[None])[1] for item in x]), total, rtol=1e-12)


def test_log_prob_is_the_change_of_variables():
    """A Glow of one ActNorm-like map: x ~ N(bias, scale²), whose density is known."""
    rng = np.random.default_rng(2)
    glow = Glow(GlowConfig(channels=2, squeeze=1, steps=1, group_size=2, hidden=2), rng, np.float64)
    x = 3 + 2 * rng.standard_normal((4, 2, 50))
    glow.forward(x)  # the rotation and the coupling, still at their start, keep the length of z
    mean, deviation = x.mean(axis=(0, 2))[:, None], x.std(axis=(0, 2))[:, None]
    normal = -0.5 * ((x - mean) / deviation) ** 2 - np.log(deviation) - 0.5 * math.log(2 * math.pi)
    np.testing.assert_allclose(glow.log_prob(x), normal.sum(axis=(1, 2)), rtol=1e-9)


@pytest.mark.parametrize("condition_channels", [0, 2])
def test_the_score_is_the_gradient_of_log_prob(condition_channels):
    rng = np.random.default_rng(3)
    config = GlowConfig(channels=2, steps=2, group_size=2, hidden=3, layers=1, condition_channels=condition_channels)
    glow = Glow(config, rng, np.float64)
    x = rng.standard_normal((2, 2, 4))
    condition = rng.standard_normal((2, condition_channels)) if condition_channels else None
    glow.forward(x, condition)
    shaken(glow, rng)
    check.gradient(lambda x: glow.log_prob(x, condition).sum(), lambda x: glow.log_prob_gradient(x, condition)[0], x)
    np.testing.assert_allclose(glow.log_prob_gradient(x, condition)[1], glow.log_prob(x, condition))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_log_prob_and_samples_keep_the_dtype(dtype):
    rng = np.random.default_rng(4)
    glow = Glow(GlowConfig(channels=2, steps=1, group_size=2, hidden=2), rng, dtype)
    x = rng.standard_normal((2, 2, 4)).astype(dtype)
    assert glow.log_prob(x).dtype == dtype
    assert glow.sample(2, 4, rng).dtype == dtype
    for array in glow.log_prob_gradient(x):
        assert array.dtype == dtype


def test_samples_are_as_likely_as_their_temperature_says():
    """At a Glow's start a sample is the latent itself, rotated: its mean square is the temperature squared."""
    glow = Glow(GlowConfig(channels=8, steps=2, hidden=4))
    sample = glow.sample(4, 500, np.random.default_rng(5), temperature=0.5)
    assert sample.shape == (4, 8, 500)
    assert np.mean(sample**2) == pytest.approx(0.25, rel=0.05)
    with pytest.raises(ValueError, match="frames is 3, expected a multiple of 2"):
        glow.sample(1, 3, np.random.default_rng(5))


def test_glow_refuses_a_group_size_that_does_not_fit():
    with pytest.raises(ValueError, match="group_size is 4, but must divide the 6 squeezed channels"):
        Glow(GlowConfig(channels=3, squeeze=2, group_size=4))


# ActNorm.


@few
@given(seeds, batches, st.integers(1, 5), st.integers(2, 30), st.floats(1e-3, 1e3), st.floats(-100, 100))
def test_actnorm_initialises_to_zero_mean_and_unit_deviation(seed, batch, channels, frames, scale, offset):
    rng = np.random.default_rng(seed)
    layer = ActNorm(channels, np.float64)
    z, _ = layer.forward(offset + scale * rng.standard_normal((batch, channels, frames)))
    np.testing.assert_allclose(z.mean(axis=(0, 2)), 0, atol=1e-7)
    np.testing.assert_allclose(z.std(axis=(0, 2)), 1, atol=1e-7)


def test_actnorm_initialises_once():
    rng = np.random.default_rng(6)
    layer = ActNorm(3)
    layer.forward(rng.standard_normal((2, 3, 8)).astype(np.float32))
    first = {name: array.copy() for name, array in layer.parameters().items()}
    layer.forward(5 + rng.standard_normal((2, 3, 8)).astype(np.float32))
    for name, array in layer.parameters().items():
        np.testing.assert_array_equal(array, first[name])


def test_actnorm_writes_into_the_arrays_an_optimiser_may_hold():
    layer = ActNorm(3)
    held = layer.parameters()
    layer.forward(np.random.default_rng(7).standard_normal((2, 3, 8)).astype(np.float32))
    assert held["log_scale"] is layer.log_scale
    assert np.all(held["log_scale"] != 0)


@pytest.mark.parametrize("constant", [0.0, 1e-12, 1.0, -300.1, 1e6])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_constant_channel_stays_finite(constant, dtype):
    """A silent bin, a padded channel: nothing to normalise, nothing that may explode."""
    x = np.random.default_rng(8).standard_normal((2, 3, 16)).astype(dtype)
    x[:, 1] = constant
    layer = ActNorm(3, dtype)
    z, logdet = layer.forward(x)
    assert np.all(np.isfinite(z))
    assert np.all(np.isfinite(logdet))
    assert np.abs(z[:, 1]).max() <= 1e-3 * max(1, abs(constant))
    assert np.abs(layer.log_scale[1]) < 20
    np.testing.assert_allclose(layer.inverse(z), x, rtol=1e-5, atol=1e-5)


def test_the_initialised_flag_is_saved_and_a_reload_does_not_initialise_anew():
    rng = np.random.default_rng(9)
    trained = Glow(GlowConfig(channels=3, steps=2, group_size=2, hidden=3), rng)
    x = rng.standard_normal((2, 3, 4)).astype(np.float32)
    trained.forward(x)
    shaken(trained, rng)
    saved = {name: np.array(array) for name, array in (trained.parameters() | trained.state()).items()}

    reloaded = Glow(trained.config, np.random.default_rng(10))
    reloaded.load(saved)
    other = 10 + 5 * x
    np.testing.assert_array_equal(reloaded.forward(other)[0], trained.forward(other)[0])
    assert sum(name.endswith("initialised") for name in saved) == 2


def test_loading_what_does_not_fit_is_refused():
    layer = ActNorm(3)
    fitting = layer.parameters() | layer.state()
    with pytest.raises(ValueError, match="'bias' is on one side only"):
        layer.load({name: array for name, array in fitting.items() if name != "bias"})
    with pytest.raises(ValueError, match=r"'bias' has shape \(2,\), expected \(3,\)"):
        layer.load(fitting | {"bias": np.zeros(2)})


# The 1x1 convolution.


@pytest.mark.parametrize("layer_class", [InvertibleConv1x1, InvertibleConv1x1PLU])
@pytest.mark.parametrize("channels, groups", [(1, 1), (6, 1), (6, 2), (6, 3), (6, 6), (1028, 257)])
def test_the_convolution_starts_as_a_rotation(layer_class, channels, groups):
    layer = layer_class(channels, groups, np.random.default_rng(11), np.float64)
    identity = np.eye(channels // groups)
    np.testing.assert_allclose(layer.W @ layer.W.swapaxes(1, 2), np.broadcast_to(identity, layer.W.shape), atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(layer.W), 1, atol=1e-12)
    x = np.random.default_rng(12).standard_normal((2, channels, 3))
    z, logdet = layer.forward(x)
    np.testing.assert_allclose(logdet, 0, atol=1e-10)
    np.testing.assert_allclose(np.sum(z**2, axis=1), np.sum(x**2, axis=1))


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_each_group_mixes_its_own_channels_by_its_matrix(groups):
    """Channel by channel, from the definition."""
    rng = np.random.default_rng(13)
    layer = shaken(InvertibleConv1x1(8, groups, rng, np.float64), rng)
    x = rng.standard_normal((2, 8, 3))
    expected = np.zeros_like(x)
    for group in range(groups):
        members = range(group, 8, groups)
        for row, output in enumerate(members):
            for column, source in enumerate(members):
                expected[:, output] += layer.W[group, row, column] * x[:, source]
    np.testing.assert_allclose(layer.forward(x)[0], expected, atol=1e-12)


def test_every_group_spans_both_halves_of_a_coupling():
    """Otherwise a channel kept by one coupling would be kept by all."""
    layer = InvertibleConv1x1(1028, 257, np.random.default_rng(14), np.float64)
    for group in (0, 100, 256):
        x = np.zeros((1, 1028, 1))
        x[0, group] = 1
        reached = np.flatnonzero(layer.forward(x)[0][0, :, 0])
        assert reached.min() < 514 <= reached.max()


def test_a_negative_determinant_has_a_logdet():
    layer = InvertibleConv1x1(2, dtype=np.float64)
    layer.W[0] = [[0, 2], [3, 0]]
    np.testing.assert_allclose(layer.forward(np.ones((1, 2, 5)))[1], 5 * np.log(6))


def test_a_large_matrix_does_not_overflow_the_determinant():
    layer = InvertibleConv1x1(200)
    layer.W *= 100
    logdet = layer.forward(np.ones((1, 200, 2), np.float32))[1]
    np.testing.assert_allclose(logdet, 2 * 200 * np.log(100), rtol=1e-5)


@pytest.mark.parametrize("groups", [0, 3, 9])
def test_groups_must_divide_the_channels(groups):
    with pytest.raises(ValueError, match=f"groups is {groups}, but must divide the 8 channels"):
        InvertibleConv1x1(8, groups)


def test_both_forms_of_the_convolution_are_the_same_map():
    rng = np.random.default_rng(15)
    decomposed = shaken(InvertibleConv1x1PLU(6, 2, rng, np.float64), rng)
    full = InvertibleConv1x1(6, 2, dtype=np.float64)
    full.W[:] = decomposed.W
    x, dz, dlogdet = rng.standard_normal((2, 6, 5)), rng.standard_normal((2, 6, 5)), rng.standard_normal(2)
    for one, other in zip(decomposed.forward(x), full.forward(x), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)
    for one, other in zip(decomposed.backward(dz, dlogdet, x), full.backward(dz, dlogdet, x), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)


# The coupling.


def test_the_coupling_starts_as_the_identity():
    x = np.random.default_rng(16).standard_normal((2, 5, 7)).astype(np.float32)
    z, logdet = AffineCoupling(5).forward(x)
    np.testing.assert_array_equal(z, x)
    np.testing.assert_array_equal(logdet, 0)


@pytest.mark.parametrize("bound", [0.5, 1.0, 2.0])
def test_the_log_scale_is_bounded_whatever_comes_in(bound):
    rng = np.random.default_rng(17)
    layer = shaken(AffineCoupling(6, hidden=4, bound=bound, rng=rng, dtype=np.float64), rng, scale=30)
    x = 1e4 * rng.standard_normal((3, 6, 5))
    z, logdet = layer.forward(x)
    scaled = 3 * 5
    assert np.all(np.abs(logdet) <= bound * scaled)
    assert np.abs(logdet).max() > 0.2 * bound
    np.testing.assert_allclose(layer.inverse(z), x, rtol=1e-9, atol=1e-6)


def test_the_coupling_keeps_its_first_half():
    rng = np.random.default_rng(18)
    layer = shaken(AffineCoupling(5, hidden=4, rng=rng, dtype=np.float64), rng)
    x = rng.standard_normal((2, 5, 7))
    z, _ = layer.forward(x)
    np.testing.assert_array_equal(z[:, :3], x[:, :3])
    assert np.all(z[:, 3:] != x[:, 3:])


def test_the_coupling_refuses_what_it_cannot_do():
    with pytest.raises(ValueError, match="channels is 1, but a coupling needs at least 2"):
        AffineCoupling(1)
    with pytest.raises(ValueError, match="kernel is 4, expected an odd number"):
        AffineCoupling(4, kernel=4)
    x = np.zeros((2, 4, 3), np.float32)
    with pytest.raises(ValueError, match="no condition was given"):
        AffineCoupling(4, condition_channels=2).forward(x)
    with pytest.raises(ValueError, match="a condition was given"):
        AffineCoupling(4).forward(x, np.zeros((2, 2), np.float32))


# Squeeze.


def test_squeeze_stacks_neighbouring_frames():
    z, logdet = Squeeze(2).forward(np.array([[[1.0, 2, 3, 4], [5, 6, 7, 8]]]))
    np.testing.assert_array_equal(z, [[[1, 3], [5, 7], [2, 4], [6, 8]]])
    np.testing.assert_array_equal(logdet, [0])


@few
@given(st.integers(2, 5), st.integers(1, 20))
def test_squeeze_refuses_frames_that_do_not_divide(factor, frames):
    x = np.zeros((1, 2, frames))
    if frames % factor:
        with pytest.raises(ValueError, match=f"has {frames} frames, expected a multiple of {factor}"):
            Squeeze(factor).forward(x)
    else:
        assert Squeeze(factor).forward(x)[0].shape == (1, 2 * factor, frames // factor)


def test_squeeze_refuses_a_factor_below_one():
    with pytest.raises(ValueError, match="factor is 0, but must be at least 1"):
        Squeeze(0)
    with pytest.raises(ValueError, match="has 3 channels, expected a multiple of 2"):
        Squeeze(2).inverse(np.zeros((1, 3, 2)))


# All of them.


def test_calls_are_reentrant():
    """Two searches on one prior, their calls interleaved, walk as they would one after the other."""
    rng = np.random.default_rng(19)
    glow = Glow(GlowConfig(channels=3, steps=2, group_size=2, hidden=3), rng, np.float64)
    glow.forward(rng.standard_normal((2, 3, 4)))
    shaken(glow, rng)
    starts = rng.standard_normal((2, 1, 6, 2))

    def walk(z):
        for _ in range(5):
            x = glow.inverse(z)
            yield
            dz, z = glow.backward_inverse(2 * x, x)
            z = z - 0.01 * dz
        yield z

    apart = [list(walk(start))[-1] for start in starts]
    together = list(zip(*(walk(start) for start in starts), strict=True))[-1]
    np.testing.assert_array_equal(together, apart)


def test_the_latent_search_walks_downhill_through_the_inverse():
    """A gradient that is right must lower the loss by its own length squared, to first order."""
    rng = np.random.default_rng(20)
    glow = Glow(GlowConfig(channels=4, steps=3, group_size=4, hidden=6), rng, np.float64)
    glow.forward(rng.standard_normal((2, 4, 8)))
    shaken(glow, rng)
    z, target = rng.standard_normal((1, 8, 4)), rng.standard_normal((1, 4, 8))

    def loss(z):
        return 0.5 * np.sum((glow.inverse(z) - target) ** 2)

    x = glow.inverse(z)
    dz, _ = glow.backward_inverse(x - target, x)
    step = 1e-6
    assert loss(z) - loss(z - step * dz) == pytest.approx(step * np.sum(dz**2), rel=1e-3)


@pytest.mark.parametrize("cls", SMALL, ids=lambda cls: cls.__name__)
def test_no_call_leaves_an_array_behind_that_grows_with_the_input(cls):
    """Memory does not grow with depth because nothing of the input is kept: a pickle of the layer stays small."""
    make, channels, condition_channels = SMALL[cls]
    layer, rng = make(), np.random.default_rng(21)
    x = input_of(cls, channels, 4000, rng).astype(np.float32)
    conditions = [rng.standard_normal((2, condition_channels)).astype(np.float32)] if condition_channels else []
    if isinstance(layer, Bijection):
        z, logdet = layer.forward(x, *conditions)
        layer.inverse(z, *conditions)
        layer.backward(z, logdet, z, *conditions)
        layer.backward_inverse(x, x, *conditions)
    else:
        tape = []
        layer.backward(layer.forward(x, tape, *conditions), tape)
    assert len(pickle.dumps(layer)) < x.nbytes / 2


class InACollection(Parameters):
    """Parts in a tuple and in a dict, as nothing in the package has them."""

    def __init__(self):
        self.first, self.second = (ActNorm(2), ActNorm(2)), {"last": ActNorm(2)}

    def parts(self):
        return {"0": self.first[0], "1": self.first[1]} | self.second


def test_parts_in_any_collection_are_frozen_and_replicated_too():
    part = InACollection()
    assert len(all_parts(part)) == 4
    assert all(inner.is_frozen for inner in part.frozen().parts().values())
    assert not any(inner.is_frozen for inner in part.parts().values())
    for inner, other in zip(part.parts().values(), replica(part).parts().values(), strict=True):
        assert other is not inner and other.bias is inner.bias


def test_a_part_that_is_frozen_by_itself_stays_frozen_in_a_fused_flow():
    glow = Glow(SMALL_GLOW, dtype=np.float64)
    rng = np.random.default_rng(0)
    x, condition = rng.standard_normal((4, 2, 4)), rng.standard_normal((4, 2))
    glow.forward(x, condition)
    glow.layers[2] = glow.layers[2].frozen()
    flow = fuse(glow)
    z, logdet = flow.forward(x, condition)
    dx, _ = flow.backward(z, logdet, z, condition)
    gradients = flow.gradients()
    assert gradients["2.W"] is None and gradients["1.bias"] is not None and gradients["5.W"] is not None
    np.testing.assert_allclose(dx, glow.backward(z, logdet, z, condition)[0])


def test_freezing_a_view_again_leaves_that_view_as_it_is():
    glow, x = fuse(Glow(GlowConfig(channels=4, steps=1, hidden=3))), np.ones((1, 4, 4), np.float32)
    glow.forward(x)
    view = glow.frozen()
    freeze(view)
    glow.plain.layers[1].bias += 1
    assert_all_close(view.forward(x), glow.forward(x))


@pytest.mark.parametrize("layer_class", [InvertibleConv1x1, InvertibleConv1x1PLU, AffineCoupling])
def test_the_same_generator_gives_the_same_weights(layer_class):
    one, same, other = (layer_class(6, rng=np.random.default_rng(seed)).parameters() for seed in (1, 1, 2))
    for name in one:
        np.testing.assert_array_equal(one[name], same[name])
    assert any(np.any(one[name] != other[name]) for name in one)
