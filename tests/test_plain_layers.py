"""What the plain layers compute, from their definitions; that they keep the contract is in test_layers.py."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glowsep import check
from glowsep.layers import (
    GLU,
    LSTM,
    Chain,
    Convolution,
    Decimation,
    LeakyReLU,
    Linear,
    LinearInterpolation,
    Padding,
    ReLU,
    Reshape,
    SincResampling,
    SkipConcatenation,
    SkipSum,
    StridedConvolution,
    Tanh,
    TransposedConvolution,
    windows,
)

few = settings(max_examples=25, deadline=None, derandomize=True)
seeds = st.integers(0, 2**32 - 1)


def shaken(part, rng):
    for parameter in part.parameters().values():
        parameter += (0.2 * rng.standard_normal(parameter.shape)).astype(parameter.dtype)
    return part


# Convolutions with a stride.


def by_definition(layer, x):
    """Every output position, tap and axis in turn."""
    kernel, stride, dilation = layer.windows.kernel, layer.windows.stride, layer.windows.dilation
    x = np.pad(x, ((0, 0), (0, 0), *layer.amounts(x.shape[2:])))
    W = layer.W.reshape(len(layer.W), *kernel, -1)
    y = np.zeros((len(x), len(W), *layer.windows.counts(x.shape[2:]))) + layer.b.reshape(1, -1, *(1,) * len(kernel))
    for t in np.ndindex(*y.shape[2:]):
        for k in np.ndindex(*kernel):
            place = tuple(s * a + d * b for s, a, d, b in zip(stride, t, dilation, k, strict=True))
            y[(slice(None), slice(None), *t)] += x[(slice(None), slice(None), *place)] @ W[(slice(None), *k)].T
    return y


@st.composite
def convolutions(draw, cls=StridedConvolution):
    """A layer along one or two axes, and an input that has room for its windows."""
    rng = np.random.default_rng(draw(seeds))
    axes = draw(st.integers(1, 2))

    def numbers(most):
        return tuple(draw(st.integers(1, most)) for _ in range(axes))

    kernel, stride, dilation = numbers(5), numbers(4), numbers(3)
    pairs = tuple((draw(st.integers(0, 3)), draw(st.integers(0, 3))) for _ in range(axes))
    padding = draw(st.sampled_from([0, "same", pairs]))
    layer = cls(draw(st.integers(1, 3)), draw(st.integers(1, 3)), kernel, stride, dilation, padding, rng, np.float64)
    layer.b += rng.standard_normal(layer.b.shape)
    channels = layer.W.shape[1] // layer.windows.taps if cls is StridedConvolution else len(layer.W)
    lengths = tuple(draw(st.integers(0, 3)) + extent for extent in layer.windows.extents)
    return layer, rng.standard_normal((draw(st.integers(1, 3)), channels, *lengths)), rng


@few
@given(convolutions())
def test_a_strided_convolution_is_its_definition(drawn):
    layer, x, _ = drawn
    tape = []
    y = layer.forward(x, tape)
    np.testing.assert_allclose(y, by_definition(layer, x), atol=1e-12)
    if layer.padding == "same":
        assert y.shape[2:] == tuple(-(-n // s) for n, s in zip(x.shape[2:], layer.windows.stride, strict=True))


@few
@given(convolutions())
def test_the_way_back_of_a_strided_convolution_is_its_adjoint(drawn):
    """⟨y, W x⟩ = ⟨Wᵀ y, x⟩, and dW by the same identity; in blocks of any size."""
    layer, x, rng = drawn
    layer.b[:] = 0
    tape = []
    y = layer.forward(x, tape)
    dy = rng.standard_normal(y.shape)
    dx = layer.backward(dy, tape)
    assert np.vdot(dx, x) == pytest.approx(np.vdot(dy, y), abs=1e-9)
    assert np.vdot(layer.dW, layer.W) == pytest.approx(np.vdot(dy, y), abs=1e-9)
    np.testing.assert_allclose(layer.db, dy.sum(axis=(0, *range(2, dy.ndim))), atol=1e-12)


@few
@given(convolutions(TransposedConvolution))
def test_a_transposed_convolution_is_the_way_back_of_a_convolution(drawn):
    layer, x, rng = drawn
    own = layer.windows
    if layer.padding == "same":
        lengths = tuple(n * s for n, s in zip(x.shape[2:], own.stride, strict=True))
        amounts = layer.amounts()
    else:
        amounts = layer.padding
        lengths = tuple(n - a - b for n, (a, b) in zip(own.lengths(x.shape[2:]), amounts, strict=True))
    if min(lengths) < 1:
        with pytest.raises(ValueError, match="leaves none"):
            layer.forward(x, [])
        return
    tape = []
    y = layer.forward(x, tape) - layer.b.reshape(1, -1, *(1,) * len(lengths))
    assert y.shape[2:] == lengths
    if all(b >= 0 for _, b in amounts):
        convolution = StridedConvolution(
            y.shape[1], x.shape[1], own.kernel, own.stride, own.dilation, amounts, dtype=np.float64
        )
        convolution.W[:], other = layer.W, []
        convolution.frozen().forward(y, other)
        np.testing.assert_allclose(convolution.frozen().backward(x, other), y, atol=1e-12)
    dy = rng.standard_normal(y.shape)
    assert np.vdot(layer.backward(dy, tape), x) == pytest.approx(np.vdot(dy, y), abs=1e-9)
    assert np.vdot(layer.dW, layer.W) == pytest.approx(np.vdot(dy, y), abs=1e-9)


@pytest.mark.parametrize("make", [StridedConvolution, TransposedConvolution])
@pytest.mark.parametrize("kernel, stride", [((3, 2), 2), (4, 2), ((2, 3, 2), (1, 2, 2))])
def test_convolutions_keep_the_contract_along_any_number_of_axes(make, kernel, stride):
    rng = np.random.default_rng(0)
    layer = shaken(make(2, 3, kernel, stride, padding="same", rng=rng), rng)
    x = rng.standard_normal((2, 2, *[4, 3, 4][: len(layer.windows.kernel)]))
    assert check.layer(layer, x, rng=rng, at_most=8).gradient <= 1e-6


@pytest.mark.parametrize("make", [StridedConvolution, TransposedConvolution])
@pytest.mark.parametrize("kernel, lengths", [(5, (40,)), ((5, 3), (9, 11))])
def test_blocks_of_every_size_give_the_same(make, kernel, lengths, monkeypatch):
    rng = np.random.default_rng(1)
    layer = make(3, 4, kernel, 2, padding=1, rng=rng, dtype=np.float64)
    x = rng.standard_normal((3, 3, *lengths))

    def results():
        tape = []
        y = layer.forward(x, tape)
        return y, layer.backward(np.cos(y), tape), layer.dW, layer.db

    expected = results()
    monkeypatch.setattr(windows, "FEWEST", 1)
    monkeypatch.setattr(windows, "SMALL", 0)
    for size in (1, 300, 1000, 5000):
        monkeypatch.setattr(windows, "BLOCK_ON_CPU", size)
        for one, other in zip(results(), expected, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-12)


@pytest.mark.parametrize("channels", [1, 100])
def test_phases_together_and_alone_give_the_same(channels, monkeypatch):
    """One product for all phases, or one each: the cheaper is chosen, and here the dearer too."""
    rng = np.random.default_rng(2)
    layer = TransposedConvolution(3, channels, (5, 5), 2, padding="same", rng=rng, dtype=np.float64)
    x = rng.standard_normal((2, 3, 4, 5))
    expected = layer.forward(x, [])
    for reading in (-1e9, 1e9):  # what it costs to read the columns once: less than nothing, or more than anything
        monkeypatch.setattr(windows, "READING", reading)
        np.testing.assert_allclose(layer.forward(x, []), expected, atol=1e-12)


def test_memory_grows_with_the_sound_and_not_with_the_kernel():
    """The columns of all windows at once would be 15 times the input."""
    import tracemalloc

    layer = StridedConvolution(8, 8, kernel=15)
    x = np.zeros((1, 8, 200_000), np.float32)
    tape = []
    tracemalloc.start()
    y = layer.forward(x, tape)
    layer.backward(y, tape)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5 * x.nbytes


def test_the_strided_convolution_with_stride_1_is_the_convolution_of_chapter_5():
    rng = np.random.default_rng(3)
    short = shaken(Convolution(3, 4, kernel=5, dilation=2, dtype=np.float64), rng)
    long = StridedConvolution(3, 4, kernel=5, dilation=2, padding="same", dtype=np.float64)
    long.load(short.parameters())
    x, tapes, results = rng.standard_normal((2, 3, 9)), ([], []), []
    for layer, tape in zip((short, long), tapes, strict=True):
        y = layer.forward(x, tape)
        results.append((y, layer.backward(np.sin(y), tape), layer.dW, layer.db))
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"kernel": 0}, "kernel is 0, expected at least 1"),
        ({"kernel": (3, 3), "stride": (1, 1, 1)}, r"stride is \(1, 1, 1\), expected at least 1 along each of 2 axes"),
        ({"kernel": 3, "padding": "valid"}, "padding is 'valid', expected \"same\""),
        ({"kernel": 3, "padding": -1}, "padding is -1"),
        ({"kernel": 3, "padding": ((1, 1), (1, 1))}, "for each of 1 axes"),
    ],
)
@pytest.mark.parametrize("make", [StridedConvolution, TransposedConvolution])
def test_convolutions_refuse_numbers_that_do_not_fit(make, arguments, message):
    with pytest.raises(ValueError, match=message):
        make(2, 2, **arguments)


def test_convolutions_refuse_inputs_that_do_not_fit():
    with pytest.raises(ValueError, match="too short with 2 zeros for a window of 9"):
        StridedConvolution(2, 2, kernel=5, dilation=2, padding=1).forward(np.zeros((1, 2, 6)), [])
    for make in (StridedConvolution, TransposedConvolution):
        with pytest.raises(ValueError, match="expected 2 axes after the channels"):
            make(2, 2, kernel=(3, 3)).forward(np.zeros((1, 2, 6)), [])


# Activations, and layers of vectors.


def test_activations_are_their_definitions():
    x = np.array([[-2.0, -0.5, 0.0, 3.0]])
    np.testing.assert_array_equal(ReLU().forward(x, []), [[0, 0, 0, 3]])
    np.testing.assert_allclose(LeakyReLU(0.1).forward(x, []), [[-0.2, -0.05, 0, 3]])
    np.testing.assert_allclose(Tanh().forward(x, []), np.tanh(x))
    for slope in (0, 1, -0.2):
        with pytest.raises(ValueError, match=f"slope is {slope}, expected a number between 0 and 1"):
            LeakyReLU(slope)


def test_the_gated_linear_unit_is_its_definition():
    rng = np.random.default_rng(4)
    a, b = rng.standard_normal((2, 2, 3, 5))
    np.testing.assert_allclose(GLU().forward(np.concatenate([a, b], axis=1), []), a / (1 + np.exp(-b)))
    far = np.array([[[1.0], [1.0], [-1e4], [1e4]]])
    np.testing.assert_array_equal(GLU().forward(far, []), [[[0], [1]]])
    with pytest.raises(ValueError, match="expected an even number of channels"):
        GLU().forward(np.zeros((1, 3, 2)), [])


def test_linear_and_reshape_refuse_what_does_not_fit():
    with pytest.raises(ValueError, match=r"expected \(batch, 3\): one vector per item"):
        Linear(3, 2).forward(np.zeros((1, 3, 2)), [])
    for shape in ((4, 3), (5, -1)):
        with pytest.raises(ValueError, match="no item of it fits the shape"):
            Reshape(*shape).forward(np.zeros((2, 8)), [])


# LSTM.


def test_an_lstm_is_its_recurrence_in_both_directions():
    rng = np.random.default_rng(5)
    layer = LSTM(3, 4, rng=rng, dtype=np.float64).layers[0]
    x = rng.standard_normal((2, 3, 6))

    def direction(d, frames):
        hidden, cell, outputs = np.zeros((2, 4)), np.zeros((2, 4)), {}
        for t in frames:
            a = x[:, :, t] @ layer.W_x[d].T + layer.b_x[d] + hidden @ layer.W_h[d].T + layer.b_h[d]
            i, f, g, o = np.split(a, 4, axis=1)
            cell = cell / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
            outputs[t] = hidden = np.tanh(cell) / (1 + np.exp(-o))
        return np.stack([outputs[t] for t in range(6)], axis=2)

    expected = np.concatenate([direction(0, range(6)), direction(1, reversed(range(6)))], axis=1)
    np.testing.assert_allclose(layer.forward(x, []), expected, atol=1e-12)


def test_an_lstm_counts_its_parameters_as_published_networks_do():
    """Two biases per gate: Demucs' two layers of 2048 cells, in both directions, have 2 · (…) of them."""
    inputs, hidden = 5, 7
    count = sum(parameter.size for parameter in LSTM(inputs, hidden, layers=2).parameters().values())
    assert count == sum(2 * 4 * hidden * (n + hidden + 2) for n in (inputs, 2 * hidden))


def test_one_frame_is_enough_for_an_lstm():
    rng = np.random.default_rng(6)
    assert check.layer(LSTM(2, 3, rng=rng), rng.standard_normal((2, 2, 1)), rng=rng).gradient <= 1e-6


# Other numbers of frames.


def test_interpolation_is_numpy_s():
    x = np.random.default_rng(7).standard_normal((2, 3, 6))
    for factor in (1, 2, 3):
        y = LinearInterpolation(factor).forward(x, [])
        places = np.arange(y.shape[2]) / factor
        np.testing.assert_allclose(y[1, 2], np.interp(places, np.arange(6), x[1, 2]))
        np.testing.assert_array_equal(Decimation(factor).forward(y, []), x)
    for make in (LinearInterpolation, Decimation):
        with pytest.raises(ValueError, match="factor is 0, but must be at least 1"):
            make(0)


@pytest.mark.parametrize("mode, numpy_s", [("zeros", "constant"), ("edge", "edge"), ("reflect", "reflect")])
@pytest.mark.parametrize("before, after", [(0, 0), (2, 0), (0, 3), (4, 4), (1, 2)])
def test_padding_is_numpy_s(mode, numpy_s, before, after):
    x = np.random.default_rng(8).standard_normal((2, 3, 5))
    layer = Padding(before, after, mode)
    np.testing.assert_array_equal(layer.forward(x, []), np.pad(x, ((0, 0), (0, 0), (before, after)), numpy_s))
    assert check.layer(layer, x).gradient <= 1e-6


def test_padding_refuses_what_it_cannot_do():
    for arguments in ((-1, 0), (0, 0, "wrap")):
        with pytest.raises(ValueError, match="expected numbers of at least 0 and one of zeros, edge, reflect"):
            Padding(*arguments)
    with pytest.raises(ValueError, match="x has 3 frames, too few to mirror 3 beyond an edge"):
        Padding(3, 0, "reflect").forward(np.zeros((1, 1, 3)), [])


def test_skips_crop_the_middle():
    """An inner layer that keeps frames 2 … 5 of 8; of an odd excess, the larger part is cut off behind."""
    x = np.arange(16.0).reshape(1, 2, 8)
    for kernel, kept in ((5, slice(2, 6)), (4, slice(1, 6))):
        inner = StridedConvolution(2, 2, kernel, dtype=np.float64)
        y = inner.forward(x, [])
        np.testing.assert_array_equal(SkipConcatenation(inner).forward(x, []), np.concatenate([x[:, :, kept], y], 1))
        np.testing.assert_array_equal(SkipSum(inner).forward(x, []), x[:, :, kept] + y)
    with pytest.raises(ValueError, match="x has 8 frames, but what goes around 10 of them"):
        SkipSum(Padding(1, 1)).forward(x, [])


def test_skips_within_skips_keep_the_contract():
    """A U-Net of two levels."""
    rng = np.random.default_rng(9)

    def convolution(inputs, outputs):
        return StridedConvolution(inputs, outputs, kernel=2, rng=rng)

    deep = SkipConcatenation(Chain(Decimation(), convolution(3, 4), LinearInterpolation()))
    net = SkipConcatenation(Chain(Decimation(), convolution(2, 3), deep, convolution(7, 3), LinearInterpolation()))
    x = rng.standard_normal((2, 2, 17))
    assert net.forward(x, []).shape == (2, 5, 7)
    assert check.layer(shaken(net, rng), x, rng=rng, at_most=6).gradient <= 1e-6


# Resampling.


@pytest.mark.parametrize("new, old", [(2, 1), (1, 2), (3, 2)])
@pytest.mark.parametrize("samples", [1, 7, 64, 300])
def test_resampling_is_its_definition(new, old, samples):
    """Sample by sample, with weights from the formula."""
    x = np.random.default_rng(10).standard_normal(samples)
    lower, outputs = 0.945 * min(new, old), samples * new // old
    expected = np.zeros(outputs)
    for j in range(outputs):
        n = np.arange(-200, samples + 200)
        t = lower * (n / old - j / new)
        weights = np.where(np.abs(t) < 24, np.sinc(t) * np.cos(np.pi * t / 48) ** 2, 0)
        expected[j] = weights @ x[np.clip(n, 0, samples - 1)] / weights.sum()
    y = SincResampling(new, old).forward(x[None, None], [])
    np.testing.assert_allclose(y[0, 0], expected, atol=1e-12)


@pytest.mark.parametrize("new, old", [(2, 1), (1, 2)])
@pytest.mark.parametrize("samples", [2, 3, 140])
def test_resampling_keeps_the_contract(new, old, samples):
    x = np.random.default_rng(11).standard_normal((1, 2, samples))
    assert check.layer(SincResampling(new, old), x).gradient <= 1e-6


def test_resampling_keeps_a_tone_and_removes_one_above_the_lower_nyquist_frequency():
    t = np.arange(4000)
    low, high = np.sin(2 * np.pi * 0.05 * t), np.sin(2 * np.pi * 0.4 * t)
    down = SincResampling(1, 2).forward(np.stack([low, high])[None], [])
    middle = slice(200, -200)
    assert np.abs(down[0, 0, middle] - low[::2][middle]).max() < 1e-3
    assert np.abs(down[0, 1, middle]).max() < 1e-3
    up = SincResampling(2, 1).forward(low[None, None], [])
    assert np.abs(up[0, 0, 400:-400:2] - low[middle]).max() < 1e-3
    with pytest.raises(ValueError, match="rates are 0 and 1, but must be at least 1"):
        SincResampling(0, 1)


@pytest.mark.parametrize("frozen", [False, True])
def test_a_chain_can_do_without_the_gradient_with_respect_to_its_input(frozen):
    """The same gradients of all parameters, and the tape is empty; a first layer that has no such method goes back."""
    rng = np.random.default_rng(0)
    inner = StridedConvolution(2, 2, 3, rng=rng)
    firsts = {StridedConvolution(2, 3, 3, 2): 3, LeakyReLU(): 2, SkipSum(inner): 2, SkipConcatenation(inner): 4}
    for first, channels in firsts.items():
        chain = Chain(first, StridedConvolution(channels, 2, 2), Tanh())
        chain = chain.frozen() if frozen else chain
        x = rng.standard_normal((2, 2, 11), np.float32)
        found = []
        for way_back in (chain.backward, chain.set_gradients):
            tape = []
            dy = chain.forward(x, tape)
            way_back(dy, tape)
            assert tape == []
            found.append(chain.gradients())
        for name, gradient in found[0].items():
            if frozen:
                assert gradient is found[1][name] is None
            else:
                np.testing.assert_array_equal(found[1][name], gradient)
