"""Likelihoods: against SciPy's, with gradients against differences."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import kl_div

from glowsep.learning.losses import SILENCE, gaussian, poisson

magnitudes = arrays(np.float64, (3, 4), elements=st.just(0.0) | st.floats(1e-6, 10))


@pytest.mark.parametrize("likelihood", [poisson, gaussian])
@given(magnitudes, magnitudes)
def test_the_divergence_is_positive_and_zero_where_all_is_explained(likelihood, mixture, total):
    assert likelihood(mixture, total)[0] >= -1e-12
    divergence, gradient = likelihood(mixture, mixture)
    assert divergence == 0
    assert_array_equal(gradient, 0)


@pytest.mark.parametrize("likelihood", [poisson, gaussian])
@given(magnitudes, st.integers(0, 99))
def test_the_gradient_is_that_of_the_divergence(likelihood, mixture, seed):
    total, direction = np.random.default_rng(seed).uniform(0.1, 2, (2, 3, 4))
    divergence, gradient = likelihood(mixture, total)
    step = 1e-6
    slope = (likelihood(mixture, total + step * direction)[0] - likelihood(mixture, total - step * direction)[0]) / (
        2 * step
    )
    assert_allclose((gradient * direction).sum(), slope, rtol=1e-5, atol=1e-7)


@given(magnitudes, magnitudes)
def test_both_are_what_their_formulas_say(mixture, total):
    assert_allclose(poisson(mixture, total)[0], kl_div(mixture + SILENCE, total + SILENCE).sum(), atol=1e-9)
    assert_allclose(gaussian(mixture, total)[0], 0.5 * np.linalg.norm(mixture - total) ** 2, atol=1e-12)


def test_silence_is_finite_in_float32():
    silence, sound = np.zeros((2, 3), np.float32), np.full((2, 3), 0.3, np.float32)
    for mixture, total in ((silence, sound), (sound, silence), (silence, silence)):
        for value in poisson(mixture, total):
            assert value.dtype == np.float32 and np.isfinite(value).all()


def test_poisson_forgives_a_loud_bin_more_than_a_quiet_one():
    loud, quiet = np.array([[1.0]]), np.array([[0.1]])
    assert poisson(loud, loud + 0.05)[0] < poisson(quiet, quiet + 0.05)[0]
    assert_allclose(gaussian(loud, loud + 0.05)[0], gaussian(quiet, quiet + 0.05)[0])
