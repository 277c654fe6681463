"""Priors: densities against densities known exactly, gradients against differences, files as they went."""

import dataclasses

import numpy as np
import pytest
from conftest import RATE, TINY, TINY_GLOW, noise, tiny_prior
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import multivariate_normal, norm

from glowsep.errors import PriorError
from glowsep.signals.mid import HOP, WINDOW_LENGTH
from glowsep.systems.glow.noise import add_noise, dithered
from glowsep.systems.glow.prior import NOISE_FEATURES, Prior, PriorConfig

LEVELS = np.float32([0.03, 0.1, 0.5])


def shaken_prior(seed=0, dtype=np.float64, config=TINY):
    """A prior whose every weight is at work, in float64 for checks by differences."""
    prior, rng = tiny_prior("bass", config), np.random.default_rng(seed)
    for array in prior.flow.parameters().values():
        array += (0.1 * rng.standard_normal(array.shape)).astype(array.dtype)
    prior.flow.load({
        name: array.astype(dtype) if array.dtype.kind == "f" else array
        for name, array in (prior.flow.parameters() | prior.flow.state()).items()
    })  # fmt: skip
    prior.mean = rng.uniform(1, 2, len(prior.mean)).astype(dtype)
    prior.variance = rng.uniform(0.5, 2, len(prior.mean)).astype(dtype)
    return prior


def gaussian_prior(seed=0):
    """A prior whose flow is the identity: every bin of u is Gaussian, with a mean and a variance that are known."""
    config = dataclasses.replace(TINY, glow=dataclasses.replace(TINY_GLOW, steps=0))
    prior, rng = Prior("known", config), np.random.default_rng(seed)
    prior.mean, prior.variance = rng.uniform(1, 3, 32), rng.uniform(0.1, 2, 32)
    return prior


def slope_along(function, x, direction, step=1e-5):
    """The central difference of a function along a direction."""
    return (function(x + step * direction) - function(x - step * direction)) / (2 * step)


# Domains


@given(st.lists(st.floats(1e-6, 10), min_size=1, max_size=20), st.floats(0.2, 1), st.floats(1, 50))
def test_expand_undoes_compress(magnitudes, exponent, scale):
    prior = tiny_prior("bass", dataclasses.replace(TINY, exponent=exponent, scale=scale))
    magnitudes = np.array(magnitudes)
    assert_allclose(prior.compress(magnitudes), scale * np.exp(exponent * np.log(magnitudes)), rtol=1e-12)
    assert_allclose(prior.expand(prior.compress(magnitudes)), magnitudes, rtol=1e-10)


def test_what_lies_below_zero_is_silence():
    prior, u = tiny_prior("bass"), np.array([-3.0, -1e-9, 0.0, 2.0])
    assert_array_equal(prior.expand(u) > 0, [False, False, False, True])
    assert_array_equal(prior.expand_slope(u) > 0, [False, False, False, True])


@pytest.mark.parametrize("exponent", [0.3, 0.5, 1.0])
def test_the_slope_is_that_of_expand(exponent):
    prior = tiny_prior("bass", dataclasses.replace(TINY, exponent=exponent))
    u = np.linspace(0.1, 9, 30)
    assert_allclose(prior.expand_slope(u), slope_along(prior.expand, u, 1.0), rtol=1e-7)


def test_a_full_scale_sine_has_magnitude_one():
    prior = tiny_prior("bass")
    sine = np.sin(2 * np.pi * 8 / 64 * np.arange(2000))
    magnitude = prior.magnitudes(sine)
    assert magnitude.shape == (32, 126)
    assert_allclose(magnitude[8, 10:-10], 1, rtol=1e-6)


@given(st.integers(1, 3), st.integers(1, 5), st.integers(0, 99))
def test_standardise_gives_the_mean_zero_and_the_variance_one_and_restore_undoes_it(batch, frames, seed):
    prior, rng = gaussian_prior(seed), np.random.default_rng(seed)
    levels = rng.uniform(0.03, 0.5, batch)
    u = rng.standard_normal((batch, 32, frames))
    standard, deviation = prior.standardise(u, levels)
    assert_allclose(prior.restore(standard, levels), u, atol=1e-12)
    for item in range(batch):
        spread = np.sqrt(prior.variance + levels[item] ** 2)
        assert_allclose(deviation[item, :, 0], spread)
        assert_allclose(standard[item], (u[item] - prior.mean[:, None]) / spread[:, None])


def test_the_condition_is_cosines_of_the_level_in_octaves():
    prior = tiny_prior("bass")
    middle = np.sqrt(TINY.sigma_min * TINY.sigma_max)
    condition = prior.condition(np.float32([TINY.sigma_min, middle, TINY.sigma_max]))
    assert condition.shape == (3, NOISE_FEATURES) and condition.dtype == np.float32
    order = np.arange(NOISE_FEATURES)
    assert_allclose(condition, [np.ones(8), np.cos(np.pi * order / 2), (-1.0) ** order], atol=1e-5)


def test_noise_has_its_level():
    u = np.zeros((3, 50, 400), np.float32)
    noisy = add_noise(u, LEVELS, np.random.default_rng(0))
    assert noisy.dtype == np.float32
    assert_allclose(noisy.std(axis=(1, 2)), LEVELS, rtol=0.02)
    assert_allclose(noisy.mean(axis=(1, 2)), 0, atol=0.02)


def test_dither_is_less_than_a_step_of_16_bits():
    dither = dithered(np.zeros((2, 5000), np.float32), np.random.default_rng(0))
    assert dither.dtype == np.float32 and 0 <= dither.min() and dither.max() < 1 / 32768
    assert_allclose(dither.std(), 1 / 32768 / np.sqrt(12), rtol=0.05)


# Densities


def test_the_density_of_an_identity_flow_is_the_gaussian_it_stands_for():
    prior, rng = gaussian_prior(), np.random.default_rng(1)
    u = 2 + rng.standard_normal((3, 32, 4))
    levels = LEVELS.astype(np.float64)
    for item, level in enumerate(levels):
        known = multivariate_normal(prior.mean, np.diag(prior.variance + level**2))
        assert_allclose(prior.noisy_log_prob(u, levels)[item], known.logpdf(u[item].T).sum(), rtol=1e-10)


def test_denoising_a_gaussian_is_the_wiener_filter():
    prior, rng = gaussian_prior(), np.random.default_rng(2)
    levels = LEVELS.astype(np.float64)
    u = 2 + rng.standard_normal((3, 32, 4))
    share = prior.variance / (prior.variance + levels[:, None] ** 2)
    mean = prior.mean[:, None]
    denoised, log_prob = prior.denoise(u, levels)
    assert_allclose(denoised, mean + share[:, :, None] * (u - mean), rtol=1e-10)
    assert_allclose(log_prob, prior.noisy_log_prob(u, levels))


def test_no_estimate_of_clean_gaussian_data_errs_less_than_the_denoised():
    prior, rng = gaussian_prior(), np.random.default_rng(3)
    clean = prior.mean[:, None] + np.sqrt(prior.variance)[:, None] * rng.standard_normal((1, 32, 2000))
    noisy = clean + 0.5 * rng.standard_normal(clean.shape)

    def error(share_of_noise):
        return ((noisy + share_of_noise * (prior.denoise(noisy, np.array([0.5]))[0] - noisy) - clean) ** 2).mean()

    assert error(1) < min(error(0.9), error(1.1), error(0))
    assert_allclose(error(1), (prior.variance * 0.25 / (prior.variance + 0.25)).mean(), rtol=0.05)


def test_the_score_is_the_gradient_of_the_log_density():
    prior, rng = shaken_prior(), np.random.default_rng(0)
    levels = LEVELS.astype(np.float64)
    u, direction = 2 * rng.standard_normal((2, 3, 32, 4))
    score, log_prob = prior.score(u, levels)
    assert_allclose(log_prob, prior.noisy_log_prob(u, levels))
    slope = slope_along(lambda u: prior.noisy_log_prob(u, levels), u, direction)
    assert_allclose((score * direction).sum(axis=(1, 2)), slope, rtol=1e-6)


def test_densities_are_those_of_magnitudes_whatever_the_domain():
    """The same distribution of magnitudes, described in two domains: halving the scale halves u, its noise and all."""
    waveform = noise(2, 1000)
    log_probs = []
    for factor in (1, 4):
        config = dataclasses.replace(
            TINY, scale=10.0 * factor, sigma_min=0.03 * factor, sigma_max=0.5 * factor, glow=TINY_GLOW
        )
        prior = Prior("bass", config, np.random.default_rng(0))
        reference = shaken_prior(dtype=np.float32)
        prior.flow.load(reference.flow.parameters() | reference.flow.state())
        prior.mean, prior.variance = factor * reference.mean, factor**2 * reference.variance
        log_probs.append(prior.log_prob(waveform, np.random.default_rng(1)))
    assert_allclose(*log_probs, rtol=1e-4)


@pytest.mark.parametrize("exponent", [0.5, 1.0])
def test_the_density_of_magnitudes_counts_the_change_of_variables(exponent):
    """Against a density whose integral over the magnitudes is one, as a sum on a fine grid shows."""
    prior = gaussian_prior()
    prior.config = dataclasses.replace(TINY, exponent=exponent, sigma_min=1e-6, glow=prior.config.glow)
    prior.mean, prior.variance = np.full(32, 5.0), np.full(32, 0.25)

    def log_density(magnitude):
        slope = prior.config.scale * exponent * magnitude ** (exponent - 1)
        return norm(5, 0.5).logpdf(prior.config.scale * magnitude**exponent) + np.log(slope)

    grid = np.linspace(1e-4, 3, 200_001)
    assert_allclose(np.trapezoid(np.exp(log_density(grid)), grid), 1, rtol=1e-4)
    waveform = noise(1, 640).astype(np.float64)
    with_silence = np.pad(waveform, ((0, 0), (0, 16)))  # 42 frames for 41: the flow squeezes two into one
    magnitude = prior.magnitudes(dithered(with_silence, np.random.default_rng(0)))
    assert_allclose(prior.log_prob(waveform), log_density(magnitude).mean(axis=(1, 2)), rtol=1e-4)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 200))
def test_digital_silence_has_a_density(samples):
    log_prob = tiny_prior("bass").log_prob(np.zeros((2, samples), np.float32))
    assert log_prob.shape == (2,) and np.isfinite(log_prob).all()


def test_the_seed_decides_the_dither():
    prior, waveform = tiny_prior("bass"), noise(1, 500)
    assert_array_equal(prior.log_prob(waveform), prior.log_prob(waveform, np.random.default_rng(0)))
    assert prior.log_prob(waveform) != prior.log_prob(waveform, np.random.default_rng(1))


# Latents


def test_the_latent_of_a_magnitude_generates_it():
    prior = shaken_prior()
    magnitude = np.random.default_rng(0).uniform(1e-3, 1, (32, 6))
    latent = prior.latent_of(magnitude)
    assert latent.shape == prior.latent_shape(6) == (64, 3)
    assert_allclose(prior.generate(latent), magnitude, rtol=1e-6)


def test_the_gradient_through_generate_is_right():
    prior, rng = shaken_prior(), np.random.default_rng(1)
    latent, direction = rng.standard_normal((2, 64, 3))
    weights = rng.standard_normal((32, 6))  # of a loss that is a weighted sum of the magnitudes
    tape = []
    magnitude = prior.generate(latent, tape)
    assert (magnitude > 0).mean() > 0.5
    gradient = prior.backward_generate(weights, tape)
    slope = slope_along(lambda latent: (weights * prior.generate(latent)).sum(), latent, direction)
    assert gradient.shape == latent.shape
    assert_allclose((gradient * direction).sum(), slope, rtol=1e-6)


def test_a_prior_at_another_level_has_the_latents_of_that_level():
    prior, magnitude = shaken_prior(), np.random.default_rng(0).uniform(1e-3, 1, (32, 6))
    blurred = prior.at(0.2)
    latent = blurred.latent_of(magnitude)
    assert_allclose(blurred.generate(latent), magnitude, rtol=1e-6)
    sigma = np.array([0.2])
    standard, _ = prior.standardise(prior.compress(magnitude)[None], sigma)
    assert_allclose(latent, prior.flow.forward(standard, prior.condition(sigma))[0][0])
    assert (latent != prior.latent_of(magnitude)).any()  # the prior itself has stayed at its own level
    for sigma in (0.01, 0.6, float("nan")):
        with pytest.raises(ValueError, match="trained at levels from 0.03 to 0.5"):
            prior.at(sigma)


def test_latents_of_float32_give_float32():
    prior = tiny_prior("bass")
    latent = np.random.default_rng(0).standard_normal(prior.latent_shape(4), np.float32)
    tape = []
    magnitude = prior.generate(latent, tape)
    assert magnitude.dtype == prior.backward_generate(magnitude, tape).dtype == np.float32
    assert prior.latent_of(magnitude).dtype == np.float32
    assert prior.denoise(magnitude[None], np.float32([0.1]))[0].dtype == np.float32


# Samples


@settings(max_examples=10, deadline=None)
@given(st.floats(1e-4, 0.2))
def test_a_sample_is_as_long_as_asked_for(seconds):
    waveform = tiny_prior("bass").sample(seconds, np.random.default_rng(0), iterations=1)
    assert waveform.shape == (np.ceil(seconds * RATE),) and waveform.dtype == np.float32
    assert np.isfinite(waveform).all()


def test_the_seed_decides_the_sample():
    prior = tiny_prior("bass")
    first, again, other = (prior.sample(0.05, np.random.default_rng(seed), iterations=2) for seed in (0, 0, 1))
    assert_array_equal(first, again)
    assert (first != other).any()


def test_a_cooler_sample_is_nearer_to_the_mean():
    prior = gaussian_prior()
    prior.config = dataclasses.replace(prior.config, glow=dataclasses.replace(TINY_GLOW, steps=1))
    prior.flow = tiny_prior("bass").flow
    spreads = [
        prior.compress(prior.sample_magnitudes(4, 30, np.random.default_rng(0), temperature)).std(axis=(0, 2)).mean()
        for temperature in (0.1, 0.5, 1.0)
    ]
    assert spreads == sorted(spreads)


@pytest.mark.parametrize("wrong", [{"seconds": 0}, {"seconds": -1}, {"seconds": 1, "temperature": 0}])
def test_a_sample_of_nothing_is_refused(wrong):
    with pytest.raises(ValueError, match="must be above 0"):
        tiny_prior("bass").sample(rng=np.random.default_rng(0), **wrong)


# Files


def test_a_saved_prior_comes_back_as_it_went(tmp_path):
    prior = shaken_prior(dtype=np.float32)
    prior.save(tmp_path / "bass.npz")
    loaded = Prior.load(tmp_path / "bass.npz")
    assert (loaded.name, loaded.config) == (prior.name, prior.config)
    waveform = noise(2, 700)
    assert_array_equal(loaded.log_prob(waveform), prior.log_prob(waveform))
    assert [path.name for path in tmp_path.iterdir()] == ["bass.npz"]


def test_a_loaded_prior_does_not_initialise_anew(tmp_path):
    prior = tiny_prior("bass")
    prior.save(tmp_path / "bass.npz")
    loaded = Prior.load(tmp_path / "bass.npz")
    before = {name: array.copy() for name, array in loaded.flow.parameters().items()}
    loaded.log_prob(7 * noise(2, 700, seed=9))
    for name, array in loaded.flow.parameters().items():
        assert_array_equal(array, before[name])


def test_half_precision_takes_half_the_room_and_hardly_changes_the_density(tmp_path):
    config = dataclasses.replace(TINY, glow=dataclasses.replace(TINY_GLOW, hidden=64))
    prior = shaken_prior(dtype=np.float32, config=config)
    prior.save(tmp_path / "single.npz")
    prior.save(tmp_path / "half.npz", np.float16)
    sizes = [(tmp_path / f"{name}.npz").stat().st_size for name in ("half", "single")]
    assert sizes[0] < 0.65 * sizes[1]
    loaded = Prior.load(tmp_path / "half.npz")
    assert {array.dtype for array in loaded.flow.parameters().values()} == {np.dtype(np.float32)}
    waveform = noise(2, 700)
    assert_allclose(loaded.log_prob(waveform), prior.log_prob(waveform), rtol=1e-2)


def test_a_prior_of_another_shape_than_its_configuration_is_refused(tmp_path):
    prior = tiny_prior("bass")
    prior.config = dataclasses.replace(TINY, glow=dataclasses.replace(TINY_GLOW, hidden=5))
    prior.save(tmp_path / "bass.npz")
    with pytest.raises(PriorError, match="bass.npz: does not describe a prior"):
        Prior.load(tmp_path / "bass.npz")
    prior = tiny_prior("bass")
    prior.mean = prior.mean[:-1]
    prior.save(tmp_path / "bass.npz")
    with pytest.raises(PriorError, match="bass.npz: does not describe a prior .*31.*32"):
        Prior.load(tmp_path / "bass.npz")


def test_the_default_prior_hears_22050_hz_through_the_window_of_what_it_is_compared_with():
    config = PriorConfig()
    assert (config.rate, config.window_length, config.hop) == (22050, 4096, 1024) == (RATE, WINDOW_LENGTH, HOP)
    assert config.glow.channels == config.window_length // 2 and config.glow.squeeze == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"hop": 1000}, "hop is 1000, but must be the window's length, 4096, divided by 2, 3, 4"),
        ({"hop": 4096}, "hop is 4096"),
        ({"hop": 0}, "hop is 0"),
        ({"window_length": 4097}, "window_length is 4097, but must be an even number"),
        ({"window_length": 0}, "window_length is 0"),
    ],
)
def test_a_window_and_a_hop_that_do_not_fit_are_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        PriorConfig(**wrong)
