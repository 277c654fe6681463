"""The losses that networks other than the flow learn from, and the gradient penalty, a derivative of a derivative."""

import numpy as np
import pytest

from glowsep import check
from glowsep.check.stencils import central_difference, directions
from glowsep.layers import Chain, LeakyReLU, Linear, ReLU, Reshape, StridedConvolution, Tanh, TransposedConvolution
from glowsep.learning.gradient_penalty import gradient_penalty
from glowsep.learning.losses import mean_absolute, mean_square
from glowsep.learning.wasserstein import critic_loss, generator_loss


@pytest.mark.parametrize("loss", [mean_absolute, mean_square])
def test_errors_of_waveforms_have_right_gradients(loss):
    rng = np.random.default_rng(0)
    target, estimate = rng.standard_normal((2, 2, 3, 5))
    estimate += 0.1 * np.sign(estimate - target)  # away from the kink
    check.gradient(lambda e: loss(target, e)[0], lambda e: loss(target, e)[1], estimate)
    value, gradient = loss(target.astype(np.float32), estimate.astype(np.float32))
    assert value.dtype == gradient.dtype == np.float32
    np.testing.assert_array_equal(loss(target, target)[1], 0)


def test_losses_are_means():
    target, estimate = np.zeros(4), np.array([1.0, -2.0, 3.0, -4.0])
    assert mean_absolute(target, estimate)[0] == 2.5 and mean_square(target, estimate)[0] == 7.5


def test_critic_and_generator_want_the_opposite():
    rng = np.random.default_rng(1)
    real, generated = rng.standard_normal((3, 1)), rng.standard_normal((4, 1))
    check.gradient(lambda r: critic_loss(r, generated)[0], lambda r: critic_loss(r, generated)[1], real)
    check.gradient(lambda g: critic_loss(real, g)[0], lambda g: critic_loss(real, g)[2], generated)
    check.gradient(lambda g: generator_loss(g)[0], lambda g: generator_loss(g)[1], generated)
    np.testing.assert_allclose(generator_loss(generated)[1], -critic_loss(real, generated)[2])


def critics():
    def rng():
        return np.random.default_rng(2)

    def double(cls, *arguments, **keywords):
        return cls(*arguments, **keywords, rng=rng(), dtype=np.float64)

    return {
        "over spectrograms": (
            Chain(
                double(StridedConvolution, 1, 3, kernel=(5, 5), stride=2, padding="same"), LeakyReLU(),
                double(StridedConvolution, 3, 4, kernel=(3, 2), stride=2, padding="same"), LeakyReLU(),
                Reshape(-1), double(Linear, 16, 1),
            ),
            (3, 1, 8, 7),
        ),
        "over waveforms": (
            Chain(
                double(StridedConvolution, 2, 3, kernel=5, stride=3, padding=2), ReLU(),
                double(TransposedConvolution, 3, 2, kernel=4, stride=2, padding=1), LeakyReLU(0.1),
                Reshape(-1), double(Linear, 16, 4), LeakyReLU(), double(Linear, 4, 1),
            ),
            (2, 2, 11),
        ),
    }  # fmt: skip


def subject_of(name):
    """A critic that has moved, biases too, and where."""
    critic, shape = critics()[name]
    rng = np.random.default_rng(3)
    for parameter in critic.parameters().values():
        parameter += 0.3 * rng.standard_normal(parameter.shape)
    return critic, rng.standard_normal(shape)


@pytest.mark.parametrize("name", critics())
def test_the_penalty_s_gradient_equals_finite_differences(name):
    critic, x = subject_of(name)
    before = {name: parameter.copy() for name, parameter in critic.parameters().items()}
    penalty, gradients = gradient_penalty(critic, x)
    assert penalty > 0.1 and gradients.keys() == critic.parameters().keys()
    for key, parameter in critic.parameters().items():
        np.testing.assert_array_equal(parameter, before[key])
        assert critic.gradients()[key] is None  # the critic's own are left alone
        for label, direction in directions(parameter.shape, 12, np.random.default_rng(4)):
            # A step so small that no entry changes its sign; the penalty bends on a larger scale.
            slope = central_difference(lambda: gradient_penalty(critic, x)[0], parameter, direction, 1e-5)
            assert np.vdot(direction, gradients[key]) == pytest.approx(slope, rel=1e-6, abs=1e-6), f"{key} {label}"
        if key.endswith("b"):
            np.testing.assert_array_equal(gradients[key], 0)


@pytest.mark.parametrize("name", critics())
def test_the_slope_is_that_of_the_critic(name):
    """The penalty itself, from the critic's own way back."""
    critic, x = subject_of(name)
    tape = []
    score = critic.forward(x, tape)
    slopes = np.linalg.norm(critic.backward(np.ones_like(score), tape).reshape(len(x), -1), axis=1)
    assert gradient_penalty(critic, x, 7.0)[0] == pytest.approx(7 * np.mean((slopes - 1) ** 2))


@pytest.mark.parametrize("name", critics())
def test_a_linearised_critic_is_its_derivative(name):
    critic, x = subject_of(name)
    tape = []
    y, linear = critic.linearise(x, tape)
    np.testing.assert_allclose(y, critic.forward(x, []))
    v = np.random.default_rng(5).standard_normal(x.shape)
    slope = central_difference(lambda: critic.forward(x, []), x, v, 1e-6)
    np.testing.assert_allclose(linear.forward(v, []), slope, rtol=1e-6, atol=1e-6)
    own = []
    critic.forward(x, own)
    np.testing.assert_allclose(linear.frozen().backward(np.ones_like(y), tape), critic.backward(np.ones_like(y), own))
    assert tape == own == []


def test_a_critic_of_slope_zero_is_penalised_and_not_divided_by_zero():
    critic = Chain(Linear(3, 1, dtype=np.float64))
    critic.layers[0].W[:] = 0
    penalty, gradients = gradient_penalty(critic, np.ones((2, 3)))
    assert penalty == pytest.approx(10, rel=1e-5)
    assert all(np.all(np.isfinite(gradient)) for gradient in gradients.values())


def test_the_penalty_keeps_the_dtype():
    critic = Chain(StridedConvolution(1, 2, 3, 2), LeakyReLU(), Reshape(-1), Linear(4, 1))
    penalty, gradients = gradient_penalty(critic, np.random.default_rng(6).standard_normal((2, 1, 5), np.float32))
    assert {penalty.dtype, *(gradient.dtype for gradient in gradients.values())} == {np.dtype(np.float32)}


def test_a_critic_that_bends_or_says_too_much_is_refused():
    with pytest.raises(ValueError, match="Tanh is not piecewise linear"):
        gradient_penalty(Chain(Linear(3, 1), Tanh()), np.zeros((2, 3), np.float32))
    with pytest.raises(ValueError, match=r"the critic's output has shape \(2, 4\), expected \(2, 1\)"):
        gradient_penalty(Linear(3, 4), np.zeros((2, 3), np.float32))
