"""Searches: they explain the mixture, follow the priors as told, and give the same for the same seed."""

import numpy as np
import pytest
from conftest import INSTRUMENTS, noise, tiny_prior
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from glowsep.learning.losses import gaussian, poisson
from glowsep.systems.search.annealed import AnnealedSearch
from glowsep.systems.search.latent import LatentSearch
from glowsep.systems.search.starts import (
    from_average_spectra,
    from_dictionaries,
    from_equal_shares,
    from_mixture,
    from_prior,
    from_zero,
)


def priors(count=2):
    return [tiny_prior(name) for name in INSTRUMENTS[:count]]


def mixture(frames=8, seed=0):
    """Magnitudes (bins, frames) of a sound."""
    return tiny_prior("bass").magnitudes(noise(1000, seed=seed))[:, :frames]


def run(search, count=2, seed=0, **options):
    return search(mixture(), priors(count), np.random.default_rng(seed), **options)


def energy(found):
    return sum(0.5 * float((latent**2).sum()) for latent in found.latents)


SEARCHES = pytest.mark.parametrize(
    "search", [AnnealedSearch(iterations=4), LatentSearch(iterations=4)], ids=["annealed", "latent"]
)


# What all searches share


@SEARCHES
@pytest.mark.parametrize("count", [1, 2, 4])
def test_every_number_of_sources_is_searched(search, count):
    found = run(search, count)
    assert found.magnitudes.shape == (count, 32, 8)
    assert found.magnitudes.dtype == np.float32
    assert np.isfinite(found.magnitudes).all() and (found.magnitudes >= 0).all()
    assert [latent.shape for latent in found.latents] == [(64, 4)] * count
    assert all(latent.dtype == np.float32 for latent in found.latents)


@SEARCHES
def test_the_latents_are_those_of_the_magnitudes(search):
    found = run(search)
    for prior, latent, magnitude in zip(priors(), found.latents, found.magnitudes, strict=True):
        assert_allclose(prior.generate(latent), magnitude, rtol=1e-3, atol=1e-5)


@SEARCHES
def test_the_callback_sees_every_iteration(search):
    seen = []
    found = run(search, callback=lambda *seen_now: seen.append(seen_now))
    assert [iteration for iteration, _, _ in seen] == [0, 1, 2, 3]
    assert all(magnitudes.shape == (2, 32, 8) for _, magnitudes, _ in seen)
    assert [terms for _, _, terms in seen] == found.history
    for terms in found.history:
        assert terms.keys() == {"likelihood", "prior"}
        assert all(type(value) is float and np.isfinite(value) for value in terms.values())


@pytest.mark.parametrize("search", [AnnealedSearch(iterations=3), LatentSearch(iterations=3, start=from_prior)])
def test_the_seed_decides(search):
    first, again, other = (run(search, seed=seed) for seed in (0, 0, 1))
    assert_array_equal(first.magnitudes, again.magnitudes)
    assert first.history == again.history
    assert (first.magnitudes != other.magnitudes).any()


@pytest.mark.parametrize("search", [AnnealedSearch, LatentSearch])
@pytest.mark.parametrize("wrong", [{"iterations": 0}, {"iterations": -3}, {"weight": -0.1}, {"weight": float("nan")}])
def test_what_cannot_be_searched_is_refused(search, wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))}.*must be at least"):
        search(**wrong)


# The latent search


@pytest.mark.parametrize("likelihood", [poisson, gaussian])
def test_the_longer_the_search_the_better_it_explains(likelihood):
    found = run(LatentSearch(iterations=40, learning_rate=0.05, likelihood=likelihood))
    divergences = [terms["likelihood"] for terms in found.history]
    assert divergences[-1] < 0.5 * divergences[0]
    assert likelihood(mixture(), found.magnitudes.sum(axis=0))[0] < divergences[0]


def test_the_first_terms_are_those_of_the_start():
    for start, energy_of_start in ((from_zero, 0), (from_prior, 2 * 64 * 4 / 2)):
        found = run(LatentSearch(iterations=1, start=start))
        assert found.history[0]["prior"] == pytest.approx(energy_of_start, rel=0.2)
    explained = run(LatentSearch(iterations=1, start=from_mixture)).history[0]["likelihood"]
    assert explained < 1e-3 * run(LatentSearch(iterations=1)).history[0]["likelihood"]


def test_an_equal_share_of_the_mixture_stays_there():
    found = run(LatentSearch(iterations=20, start=from_mixture))
    assert_allclose(found.magnitudes, [mixture() / 2] * 2, rtol=0.05, atol=1e-4)


def test_weight_keeps_the_latents_likely():
    energies, divergences = zip(
        *(
            (energy(found), found.history[-1]["likelihood"])
            for found in (run(LatentSearch(iterations=40, learning_rate=0.05, weight=w)) for w in (0, 0.1, 10))
        ),
        strict=True,
    )
    assert sorted(energies, reverse=True) == list(energies)
    assert sorted(divergences) == list(divergences)


def test_a_step_goes_down_the_gradient_of_both_terms():
    """Adam's first step is the sign of the gradient: here of the whole objective, by differences."""
    weight, start, step = 0.3, 0.1, 1e-3
    rng = np.random.default_rng(4)
    latents = [start * rng.standard_normal((64, 4), np.float32) for _ in range(2)]

    def objective(latents):
        total = sum(prior.generate(z) for prior, z in zip(priors(), latents, strict=True))
        return poisson(mixture(), total)[0] + weight * sum(0.5 * float((z * z).sum()) for z in latents)

    given = iter(latents)
    search = LatentSearch(iterations=1, learning_rate=step, weight=weight, start=lambda *_: next(given).copy())
    found = run(search)
    assert objective(found.latents) < objective(latents)
    backwards = [2 * old - new for old, new in zip(latents, found.latents, strict=True)]
    assert objective(backwards) > objective(latents)


# The annealed search


@settings(max_examples=10, deadline=None)
@given(count=st.integers(1, 4), iterations=st.integers(1, 3), weight=st.sampled_from([0.0, 0.5, 1.0, 2.0]))
def test_the_sources_sum_to_the_mixture(count, iterations, weight):
    found = run(AnnealedSearch(iterations=iterations, weight=weight), count)
    assert_allclose(found.magnitudes.sum(axis=0), mixture(), rtol=1e-3, atol=2e-5)


@pytest.mark.parametrize("iterations", [1, 4, 5])
def test_what_is_found_is_the_mean_of_the_second_half(iterations):
    walk = []
    search = AnnealedSearch(iterations=iterations)
    found = run(search, callback=lambda _, magnitudes, __: walk.append(magnitudes.copy()))
    assert_allclose(found.magnitudes, np.mean(walk[iterations // 2 :], axis=0), rtol=1e-5)


def test_one_source_is_the_mixture():
    assert_allclose(run(AnnealedSearch(iterations=2), 1).magnitudes[0], mixture(), rtol=1e-3, atol=2e-5)


def test_a_source_that_its_prior_knows_goes_to_that_prior():
    """Two Gaussian priors, loud in different halves of the bins, take apart what lies in these halves."""
    low, high = priors()
    x = np.full((32, 8), 0.04, np.float32)
    for prior, loud in ((low, slice(0, 16)), (high, slice(16, 32))):
        actnorm = prior.flow.parts()["1"]
        actnorm.log_scale[:], actnorm.bias[:] = 0, 0
        prior.mean[:], prior.variance[:] = 0.1, 0.01
        prior.mean[loud] = prior.compress(0.04)
    found = AnnealedSearch(iterations=20)(x, [low, high], np.random.default_rng(0))
    share = found.magnitudes[0] / found.magnitudes.sum(axis=0)
    assert share[:16].mean() > 0.75 and share[16:].mean() < 0.25


@pytest.mark.parametrize("start", [from_dictionaries, from_average_spectra, from_equal_shares])
@pytest.mark.parametrize("count", [1, 3])
def test_every_start_is_a_share_for_each_source(start, count):
    magnitudes = start(mixture(), priors(count))
    assert magnitudes.shape == (count, 32, 8) and magnitudes.dtype == np.float32
    assert (magnitudes >= 0).all() and np.isfinite(magnitudes).all()
    found = run(AnnealedSearch(iterations=1, start=start), count)
    assert_allclose(found.magnitudes.sum(axis=0), mixture(), rtol=1e-3, atol=2e-5)


def test_dictionaries_find_how_loud_each_source_plays():
    """Sources made of their own spectra are found again, each with its loudness in every frame."""
    low, high = priors()
    rng = np.random.default_rng(0)
    for prior, half in ((low, slice(0, 16)), (high, slice(16, 32))):
        prior.dictionary = np.zeros((32, 3), np.float32)
        prior.dictionary[half] = rng.random((16, 3))
    sources = [prior.dictionary @ rng.random((3, 8), np.float32) for prior in (low, high)]
    assert_allclose(from_dictionaries(sources[0] + 0.01 * sources[1], [low, high], 3000)[0], sources[0], rtol=0.05)
    assert_allclose(from_dictionaries(sum(sources), [low, high], 3000), sources, rtol=0.05)


@pytest.mark.parametrize("momentum", [-0.1, 1.0, float("nan")])
def test_momentum_must_fade(momentum):
    with pytest.raises(ValueError, match="momentum"):
        AnnealedSearch(momentum=momentum)


def test_noise_levels_must_fall():
    for levels in ({"sigma_min": 0}, {"sigma_min": 0.5, "sigma_max": 0.1}):
        with pytest.raises(ValueError, match="must fall"):
            AnnealedSearch(**levels)
