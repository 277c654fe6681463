"""Adam, clipping and schedules, against their definitions; tests/peers compares them with PyTorch's."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from glowsep.learning.adam import Adam
from glowsep.learning.clipping import clip_by_global_norm
from glowsep.learning.schedules import Constant, WarmupStableDecay


def gradients_like(parameters, rng):
    return {name: rng.standard_normal(array.shape).astype(array.dtype) for name, array in parameters.items()}


def two_parameters(rng, dtype=np.float64):
    return {"W": rng.standard_normal((3, 4)).astype(dtype), "b": rng.standard_normal(4).astype(dtype)}


# Adam.


def test_adam_follows_its_definition_number_by_number():
    """Kingma & Ba's algorithm 1 for a single number, in plain Python."""
    rng = np.random.default_rng(0)
    theta, m, v = 0.7, 0.0, 0.0
    parameters = {"theta": np.array([theta])}
    adam = Adam(parameters, learning_rate=0.1, beta1=0.8, beta2=0.95, epsilon=1e-3)
    for t in range(1, 30):
        g = rng.standard_normal()
        m = 0.8 * m + 0.2 * g
        v = 0.95 * v + 0.05 * g * g
        theta -= 0.1 * (m / (1 - 0.8**t)) / (math.sqrt(v / (1 - 0.95**t)) + 1e-3)
        adam.step({"theta": np.array([g])})
        assert parameters["theta"][0] == pytest.approx(theta, rel=1e-12)


@settings(deadline=None, derandomize=True)
@given(st.floats(1e-6, 1e6), st.sampled_from([-1, 1]))
def test_the_first_step_has_the_learning_rate_s_length_whatever_the_gradient(size, sign):
    x = np.array([5.0])
    Adam({"x": x}, learning_rate=0.25, epsilon=0).step({"x": np.array([sign * size])})
    assert x[0] == pytest.approx(5 - 0.25 * sign)


def test_steps_are_in_place_on_the_live_arrays_and_leave_the_gradients():
    rng = np.random.default_rng(1)
    parameters = two_parameters(rng, np.float32)
    live, before = parameters["W"], parameters["W"].copy()
    gradients = gradients_like(parameters, rng)
    untouched = gradients["W"].copy()
    Adam(parameters).step(gradients)
    assert parameters["W"] is live
    assert live.dtype == np.float32
    assert np.all(live != before)
    np.testing.assert_array_equal(gradients["W"], untouched)


def test_a_large_array_steps_as_its_numbers_do_alone():
    """Whatever the order in memory: Adam knows no neighbours."""
    rng = np.random.default_rng(4)
    large, gradient = rng.standard_normal((1, 300, 500)).swapaxes(0, 1), rng.standard_normal((300, 1, 500))
    few = [large[i, :, ::100].copy() for i in (0, 299)]
    adam = Adam({"large": large}, 0.1)
    alone = [Adam({"few": array}, 0.1) for array in few]
    for _ in range(3):
        adam.step({"large": gradient})
        for i, one in zip((0, 299), alone, strict=True):
            one.step({"few": gradient[i, :, ::100]})
    for i, array in zip((0, 299), few, strict=True):
        np.testing.assert_array_equal(large[i, :, ::100], array)


def test_adam_finds_the_minimum_that_scipy_finds():
    target = np.random.default_rng(2).standard_normal((3, 4))

    def loss(W):
        return np.sum(np.logaddexp(0, W) - target.clip(0.1, 0.9) * W)

    W = np.zeros((3, 4))
    adam = Adam({"W": W}, learning_rate=0.05)
    for _ in range(1500):
        adam.step({"W": 1 / (1 + np.exp(-W)) - target.clip(0.1, 0.9)})
    found = minimize(lambda flat: loss(flat.reshape(3, 4)), np.zeros(12), tol=1e-12).x.reshape(3, 4)
    np.testing.assert_allclose(W, found, atol=1e-3)


def test_a_learning_rate_given_to_the_step_holds_for_that_step_only():
    x = np.array([0.0])
    adam = Adam({"x": x}, learning_rate=1.0, epsilon=0)
    adam.step({"x": np.array([1.0])}, learning_rate=0.125)
    assert x[0] == pytest.approx(-0.125)
    adam.step({"x": np.array([1.0])})
    assert x[0] == pytest.approx(-1.125)


def test_a_rate_of_zero_moves_nothing():
    x = np.array([1.0, 2.0])
    Adam({"x": x}).step({"x": np.array([3.0, -1.0])}, learning_rate=0.0)
    np.testing.assert_array_equal(x, [1, 2])


def test_a_gradient_that_is_always_zero_moves_nothing():
    x = np.array([1.0])
    adam = Adam({"x": x}, learning_rate=1.0)
    for _ in range(3):
        adam.step({"x": np.zeros(1)})
    assert x[0] == 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_run_resumes_bit_for_bit(dtype):
    """Ten steps at once, or six, a state through a file, and four."""
    start = two_parameters(np.random.default_rng(3), dtype)
    steps = [gradients_like(start, np.random.default_rng(seed)) for seed in range(10)]

    through = {name: array.copy() for name, array in start.items()}
    adam = Adam(through, 0.01)
    for gradients in steps:
        adam.step(gradients)

    halted = {name: array.copy() for name, array in start.items()}
    first = Adam(halted, 0.01)
    for gradients in steps[:6]:
        first.step(gradients)
    state = first.state()
    first.step(steps[0])  # the state is a copy: what the optimiser does after does not reach it

    resumed = {name: array.copy() for name, array in start.items()}
    replay = Adam(resumed, 0.01)
    for gradients in steps[:6]:
        replay.step(gradients)
    second = Adam(resumed, 0.01)
    second.load_state(state)
    for gradients in steps[6:]:
        second.step(gradients)
    for name in start:
        np.testing.assert_array_equal(resumed[name], through[name])


def test_the_state_survives_a_weights_file(tmp_path):
    rng = np.random.default_rng(4)
    parameters = two_parameters(rng, np.float32)
    adam = Adam(parameters)
    adam.step(gradients_like(parameters, rng))
    np.savez(tmp_path / "state.npz", **adam.state())
    with np.load(tmp_path / "state.npz", allow_pickle=False) as saved:
        fresh = Adam(parameters)
        fresh.load_state(dict(saved))
    assert fresh.steps == 1
    for name, array in adam.state().items():
        np.testing.assert_array_equal(fresh.state()[name], array)
        assert fresh.state()[name].dtype == array.dtype


@pytest.mark.parametrize(
    "change, fragment",
    [
        (lambda state: state.pop("mean.W"), "'mean.W' is on one side only"),
        (lambda state: state.update(other=np.zeros(1)), "'other' is on one side only"),
        (lambda state: state.update({"square.b": np.zeros(5)}), r"expected float64 \(4,\)"),
        (lambda state: state.update({"square.b": np.zeros(4, np.float32)}), "is float32"),
    ],
)
def test_a_state_of_something_else_is_refused_and_nothing_is_loaded(change, fragment):
    rng = np.random.default_rng(5)
    parameters = two_parameters(rng)
    adam = Adam(parameters)
    adam.step(gradients_like(parameters, rng))
    state = adam.state()
    change(state)
    fresh = Adam(parameters)
    with pytest.raises(ValueError, match=fragment):
        fresh.load_state(state)
    assert fresh.steps == 0
    assert not any(np.any(array) for array in fresh.state().values())


@pytest.mark.parametrize(
    "gradients, fragment",
    [
        ({"W": np.zeros((3, 4))}, "'b' is on one side only"),
        ({"W": np.zeros((3, 4)), "b": np.zeros(4), "c": np.zeros(1)}, "'c' is on one side only"),
        ({"W": np.zeros((4, 3)), "b": np.zeros(4)}, r"'W' is \(4, 3\), but must be \(3, 4\)"),
        ({"W": np.zeros((3, 4)), "b": None}, "'b' is None"),
    ],
)
def test_gradients_that_do_not_fit_are_refused_and_nothing_moves(gradients, fragment):
    parameters = two_parameters(np.random.default_rng(6))
    before = {name: array.copy() for name, array in parameters.items()}
    adam = Adam(parameters)
    with pytest.raises(ValueError, match=fragment):
        adam.step(gradients)
    assert adam.steps == 0
    for name in parameters:
        np.testing.assert_array_equal(parameters[name], before[name])


@pytest.mark.parametrize(
    "options, fragment",
    [
        ({"learning_rate": -1}, "learning_rate is -1, but must be at least 0"),
        ({"epsilon": -1e-8}, "epsilon is -1e-08, but must be at least 0"),
        ({"beta1": 1}, r"beta1 is 1, but must lie in \[0, 1\)"),
        ({"beta2": -0.1}, r"beta2 is -0.1, but must lie in \[0, 1\)"),
    ],
)
def test_settings_that_cannot_be_are_refused(options, fragment):
    with pytest.raises(ValueError, match=fragment):
        Adam({}, **options)


# Clipping.


@settings(deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_clipping_limits_the_length_and_keeps_the_direction(seed, scale, maximum):
    rng = np.random.default_rng(seed)
    gradients = {"W": scale * rng.standard_normal((3, 4)), "b": scale * rng.standard_normal(4)}
    before = np.concatenate([array.ravel() for array in gradients.values()])
    norm = clip_by_global_norm(gradients, maximum)
    after = np.concatenate([array.ravel() for array in gradients.values()])
    assert norm == pytest.approx(np.linalg.norm(before))
    assert np.linalg.norm(after) <= maximum * (1 + 1e-12)
    expected = before if norm <= maximum - 1e-5 else before * (maximum / norm)
    np.testing.assert_allclose(after, expected, rtol=2e-3)  # the 1e-6 beside a norm of 1e-3


def test_clipping_is_in_place_and_keeps_the_dtype():
    gradient = np.full(4, 10, np.float32)
    assert clip_by_global_norm({"g": gradient}, 1.0) == pytest.approx(20)
    assert gradient.dtype == np.float32
    np.testing.assert_allclose(gradient, 0.5, rtol=1e-5)


def test_zero_gradients_stay_zero():
    gradient = np.zeros(3)
    assert clip_by_global_norm({"g": gradient}, 1.0) == 0
    np.testing.assert_array_equal(gradient, 0)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_norm_that_is_not_finite_is_told_and_spoils_nothing_else(bad):
    gradients = {"good": np.ones(2), "bad": np.array([bad])}
    assert not math.isfinite(clip_by_global_norm(gradients, 1.0))
    np.testing.assert_array_equal(gradients["good"], 1)


@pytest.mark.parametrize("maximum", [0, -1, np.nan])
def test_a_maximum_not_above_zero_is_refused(maximum):
    with pytest.raises(ValueError, match="maximum is"):
        clip_by_global_norm({"g": np.ones(1)}, maximum)


# Learning rates.


def test_constant():
    assert [Constant(0.1)(step) for step in (0, 7, 10**9)] == [0.1, 0.1, 0.1]


def test_warmup_stable_decay_at_its_landmarks():
    rate = WarmupStableDecay(peak=1.0, warmup_steps=4, total_steps=20, decay=0.5)
    assert [rate(step) for step in range(4)] == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert [rate(step) for step in range(4, 11)] == pytest.approx([1.0] * 7)  # step 10 begins the fall, at the peak
    assert [rate(step) for step in range(11, 20)] == pytest.approx([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1])
    assert rate(20) == rate(1000) == 0


def test_before_the_fall_no_step_depends_on_the_total():
    short, long = (WarmupStableDecay(1e-3, 5, total) for total in (100, 200))
    assert [short(step) for step in range(70)] == [long(step) for step in range(70)]
    assert short(71) < long(71)


@settings(deadline=None, derandomize=True)
@given(st.integers(0, 50), st.integers(1, 200), st.floats(0.01, 1))
def test_warmup_stable_decay_rises_stays_and_falls_in_lines(warmup, total, decay):
    try:
        rate = WarmupStableDecay(2.0, warmup, total, decay)
    except ValueError:
        assert warmup + max(1, round(decay * total)) > total
        return
    rates = np.array([rate(step) for step in range(total + 10)])
    falls = total - rate.decay_steps
    np.testing.assert_allclose(np.diff(rates[:warmup]), 2.0 / max(warmup, 1), rtol=1e-9)
    np.testing.assert_array_equal(rates[warmup : falls + 1], 2.0)
    np.testing.assert_allclose(np.diff(rates[falls : total + 1]), -2.0 / rate.decay_steps, rtol=1e-9)
    assert (rates[:total] > 0).all() and not rates[total:].any()  # no step is wasted, the first and the last neither


@pytest.mark.parametrize(
    "settings, fragment",
    [
        ({"peak": 1, "warmup_steps": 8, "total_steps": 10}, "warmup_steps is 8, .* before the last 3 of 10 steps"),
        ({"peak": 1, "warmup_steps": -1, "total_steps": 10}, "warmup_steps is -1"),
        ({"peak": 1, "warmup_steps": 0, "total_steps": 0}, "of 0 steps"),
        ({"peak": -1, "warmup_steps": 0, "total_steps": 10}, "peak is -1"),
        ({"peak": 1, "warmup_steps": 0, "total_steps": 10, "decay": 0}, "decay is 0"),
        ({"peak": 1, "warmup_steps": 0, "total_steps": 10, "decay": 1.1}, "decay is 1.1"),
    ],
)
def test_schedules_that_cannot_be_are_refused(settings, fragment):
    with pytest.raises(ValueError, match=fragment):
        WarmupStableDecay(**settings)
