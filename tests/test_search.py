"""Searches: they explain the mixture, follow the priors as told, and give the same for the same seed."""

import dataclasses

import numpy as np
import pytest
from conftest import INSTRUMENTS, noise, tiny_prior
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from glowsep import check
from glowsep.learning.losses import gaussian, poisson
from glowsep.systems.search.annealed import AnnealedSearch
from glowsep.systems.search.constrained import ConstrainedLatentSearch
from glowsep.systems.search.latent import LatentSearch
from glowsep.systems.search.starts import (
    from_average_spectra,
    from_dictionaries,
    from_equal_shares,
    from_mixture,
    from_nmf,
    from_prior,
    from_song,
    from_zero,
)
from glowsep.systems.search.walk import summing_to


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
    "search",
    [AnnealedSearch(iterations=4), ConstrainedLatentSearch(iterations=1), LatentSearch(iterations=4)],  # four walks
    ids=["annealed", "constrained", "latent"],
)
#: Searches that walk through the sources and keep their sum.
WALKS = pytest.mark.parametrize("walk", [AnnealedSearch, ConstrainedLatentSearch])


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
    sigma = getattr(search, "sigma", None) or priors()[0].config.sigma_min
    for prior, latent, magnitude in zip(priors(), found.latents, found.magnitudes, strict=True):
        assert_allclose(prior.at(sigma).generate(latent), magnitude, rtol=1e-3, atol=1e-5)


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


@pytest.mark.parametrize("search", [AnnealedSearch, ConstrainedLatentSearch, LatentSearch])
@pytest.mark.parametrize("wrong", [{"iterations": 0}, {"iterations": -3}, {"weight": -0.1}, {"weight": float("nan")}])
def test_what_cannot_be_searched_is_refused(search, wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))}.*must be at least"):
        search(**wrong)


# The latent search


@pytest.mark.parametrize("likelihood", [poisson, gaussian])
def test_the_longer_the_search_the_better_it_explains(likelihood):
    found = run(LatentSearch.published(iterations=40, learning_rate=0.05, likelihood=likelihood))
    divergences = [terms["likelihood"] for terms in found.history]
    assert divergences[-1] < 0.5 * divergences[0]
    assert likelihood(mixture(), found.magnitudes.sum(axis=0))[0] < divergences[0]


def test_the_first_terms_are_those_of_the_start():
    for start, energy_of_start in ((from_zero, 0), (from_prior, 2 * 64 * 4 / 2)):
        found = run(LatentSearch.published(iterations=1, start=start))
        assert found.history[0]["prior"] == pytest.approx(energy_of_start, rel=0.2)
    explained = run(LatentSearch.published(iterations=1, start=from_mixture)).history[0]["likelihood"]
    assert explained < 1e-3 * run(LatentSearch.published(iterations=1)).history[0]["likelihood"]


def test_an_equal_share_of_the_mixture_stays_there():
    found = run(LatentSearch.published(iterations=20, start=from_mixture))
    assert_allclose(found.magnitudes, [mixture() / 2] * 2, rtol=0.05, atol=1e-4)


def test_weight_keeps_the_latents_likely():
    energies, divergences = zip(
        *(
            (energy(found), found.history[-1]["likelihood"])
            for found in (
                run(LatentSearch.published(iterations=40, learning_rate=0.05, weight=w)) for w in (0, 0.1, 10)
            )
        ),
        strict=True,
    )
    assert sorted(energies, reverse=True) == list(energies)
    assert sorted(divergences) == list(divergences)


@pytest.mark.parametrize("sigma", [0.03, 0.2])
def test_a_step_goes_down_the_gradient_of_both_terms(sigma):
    """Adam's first step is the sign of the gradient: here of the whole objective, by differences."""
    weight, start, step = 0.3, 0.1, 1e-3
    rng = np.random.default_rng(4)
    latents = [start * rng.standard_normal((64, 4), np.float32) for _ in range(2)]

    def objective(latents):
        total = sum(prior.at(sigma).generate(z) for prior, z in zip(priors(), latents, strict=True))
        return poisson(mixture(), total)[0] + weight * sum(0.5 * float((z * z).sum()) for z in latents)

    def given(*_):
        return [latent.copy() for latent in latents]

    found = run(LatentSearch(iterations=1, learning_rate=step, weight=weight, start=given, sigma=sigma))
    assert objective(found.latents) < objective(latents)
    backwards = [2 * old - new for old, new in zip(latents, found.latents, strict=True)]
    assert objective(backwards) > objective(latents)


def test_the_papers_recipe_is_the_papers():
    """From z = 0, maximum likelihood, Adam: 150 steps, none of which moves a latent by more than the learning rate."""
    search = LatentSearch.published()
    assert (search.iterations, search.weight, search.start) == (150, 0, from_zero)
    first = run(LatentSearch.published(iterations=1))
    assert first.history[0]["prior"] == 0
    assert max(np.abs(latent).max() for latent in first.latents) <= search.learning_rate * (1 + 1e-5)


def test_nmf_is_the_start_of_the_latent_search_and_of_the_walks():
    start = run(ConstrainedLatentSearch(iterations=1, weight=0, walks=1)).magnitudes
    latents = from_nmf(mixture(), priors(), np.random.default_rng(0))
    for prior, latent, magnitude in zip(priors(), latents, start, strict=True):
        assert_allclose(prior.generate(latent), magnitude, rtol=1e-3, atol=1e-5)


def test_a_level_that_no_prior_was_trained_at_is_refused():
    for sigma in (0.001, 0.9):
        with pytest.raises(ValueError, match="bass.*trained at levels from 0.03 to 0.5"):
            run(LatentSearch(sigma=sigma))


# What does not depend on the order of the sources


@pytest.mark.parametrize("search", [ConstrainedLatentSearch(iterations=4), LatentSearch(iterations=4)])
def test_the_order_of_the_sources_does_not_matter(search):
    """With the priors in another order it finds the same. (AnnealedSearch draws its noise source by source.)"""
    order, rng = [2, 0, 1], np.random.default_rng(0)
    found = search(mixture(), priors(3), rng)
    turned = search(mixture(), [priors(3)[place] for place in order], rng)
    assert_allclose(turned.magnitudes, found.magnitudes[order], rtol=1e-2, atol=1e-4)
    assert turned.history[-1] == pytest.approx(found.history[-1], rel=1e-3, abs=1e-3)


# The annealed search and the constrained latent search


@settings(max_examples=10, deadline=None)
@given(
    walk=st.sampled_from([AnnealedSearch, ConstrainedLatentSearch]),
    count=st.integers(1, 4),
    iterations=st.integers(1, 3),
    weight=st.sampled_from([0.0, 0.5, 1.0, 2.0]),
)
def test_the_sources_sum_to_the_mixture(walk, count, iterations, weight):
    found = run(walk(iterations=iterations, weight=weight), count)
    assert_allclose(found.magnitudes.sum(axis=0), mixture(), rtol=1e-3, atol=2e-5)


@WALKS
@pytest.mark.parametrize("iterations", [1, 4, 5])
def test_what_is_found_is_the_mean_of_the_second_half(walk, iterations):
    steps = []
    found = run(walk(iterations=iterations), callback=lambda _, magnitudes, __: steps.append(magnitudes.copy()))
    last = steps[-iterations:]
    assert_allclose(found.magnitudes, np.mean(last[iterations // 2 :], axis=0), rtol=1e-5)


@WALKS
def test_one_source_is_the_mixture(walk):
    assert_allclose(run(walk(iterations=2), 1).magnitudes[0], mixture(), rtol=1e-3, atol=2e-5)


def low_and_high(loudness):
    """Two Gaussian priors, loud in different halves of the bins."""
    low, high = priors()
    for prior, loud in ((low, slice(0, 16)), (high, slice(16, 32))):
        actnorm = prior.flow.parts()["1"]
        actnorm.log_scale[:], actnorm.bias[:] = 0, 0
        prior.mean[:], prior.variance[:] = 0.1, 0.01
        prior.mean[loud] = prior.compress(loudness)
    return [low, high]


@WALKS
def test_a_source_that_its_prior_knows_goes_to_that_prior(walk):
    """Two Gaussian priors, loud in different halves of the bins, take apart what lies in these halves."""
    x = np.full((32, 8), 0.04, np.float32)
    found = walk(iterations=20)(x, low_and_high(loudness=0.04), np.random.default_rng(0))
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


@WALKS
@pytest.mark.parametrize("momentum", [-0.1, 1.0, float("nan")])
def test_momentum_must_fade(walk, momentum):
    with pytest.raises(ValueError, match="momentum"):
        walk(momentum=momentum)


@WALKS
def test_noise_levels_must_fall(walk):
    for levels in ({"sigma_min": 0}, {"sigma_min": 0.5, "sigma_max": 0.1}, {"sigma_max": float("nan")}):
        with pytest.raises(ValueError, match="must fall"):
            walk(**levels)


# The constrained latent search


def prior_in_float64(name):
    """A prior that nothing is rounded in but its condition, with weights everywhere, so that its log-det matters."""
    prior, rng = tiny_prior(name), np.random.default_rng(3)
    weights = {n: a + 0.1 * rng.standard_normal(a.shape) for n, a in prior.flow.parameters().items()}
    prior.flow.load(weights | prior.flow.state())
    prior.mean, prior.variance = rng.uniform(0.1, 0.5, 32), rng.uniform(0.02, 0.2, 32)
    return prior


@pytest.mark.parametrize("sigma", [0.06, 0.2])
@pytest.mark.parametrize("frozen", [False, True])
def test_the_gradient_of_the_energy_is_that_of_differences(sigma, frozen):
    prior = prior_in_float64("bass")
    prior = prior.frozen() if frozen else prior
    u, levels = np.random.default_rng(5).uniform(0, 1, (2, 32, 4)), np.array([sigma, 0.5])

    def energy(u):
        return prior.energy_gradient(u, levels)[1].sum()

    check.gradient(energy, lambda u: prior.energy_gradient(u, levels)[0], u)
    standard, _ = prior.standardise(u, levels)
    z, _ = prior.flow.forward(standard, prior.condition(levels))
    assert_allclose(prior.energy_gradient(u, levels)[1], 0.5 * (z**2).sum(axis=(1, 2)))


def test_the_gradient_of_the_energy_leaves_the_priors_own_gradients_alone():
    prior = prior_in_float64("bass")
    before = {name: None if d is None else d.copy() for name, d in prior.flow.gradients().items()}
    prior.energy_gradient(np.ones((1, 32, 4)), np.array([0.1]))
    for name, gradient in prior.flow.gradients().items():
        assert_array_equal(gradient, before[name])


def test_of_a_linear_flow_a_step_is_wieners_filter():
    """With Gaussian data and no coupling, both walks' steps take the noise away as Wiener's filter does."""
    (prior,), rng = priors(1), np.random.default_rng(0)
    actnorm = prior.flow.parts()["1"]
    actnorm.log_scale[:], actnorm.bias[:] = 0, 0
    prior.mean, prior.variance = rng.uniform(0.1, 0.5, 32), rng.uniform(0.02, 0.2, 32)
    u, sigma = rng.uniform(0, 1, (1, 32, 8)), np.array([0.2])
    wiener = prior.mean[:, None] + (prior.variance / (prior.variance + sigma**2))[:, None] * (u - prior.mean[:, None])
    assert_allclose(u - sigma**2 * prior.energy_gradient(u, sigma)[0], wiener, atol=1e-5)
    assert_allclose(prior.denoise(u, sigma)[0], wiener, atol=1e-5)


def test_at_one_level_the_energy_falls_at_every_step_under_the_constraint():
    search = ConstrainedLatentSearch(
        iterations=20, sigma_max=0.1, sigma_min=0.1, momentum=0.0, weight=0.2, walks=1, start=from_equal_shares
    )
    x = np.full((32, 8), 0.04, np.float32)
    found = search(x, low_and_high(loudness=0.04), np.random.default_rng(0))
    energies = [terms["prior"] for terms in found.history]
    assert energies[-1] < 0.2 * energies[0]
    assert sorted(energies, reverse=True) == energies


def test_without_weight_nothing_moves():
    start = run(ConstrainedLatentSearch(iterations=1, weight=0)).magnitudes
    assert_allclose(run(ConstrainedLatentSearch(iterations=5, weight=0)).magnitudes, start, rtol=1e-3, atol=1e-5)


def test_a_second_walk_starts_from_dictionaries_of_what_the_first_has_found():
    steps, search = [], ConstrainedLatentSearch(iterations=3, walks=2, spectra=4)
    x, both = mixture(), low_and_high(loudness=0.04)
    search(x, both, np.random.default_rng(0), lambda _, found, __: steps.append(found.copy()))
    first = dataclasses.replace(search, walks=1)(x, both, np.random.default_rng(0)).magnitudes
    start = from_song(x, both, first, spectra=4)
    again = dataclasses.replace(search, walks=1, start=lambda *_: start)
    again(x, both, np.random.default_rng(0), lambda _, found, __: steps.append(found.copy()))
    assert_array_equal(steps[3:6], steps[6:])
    assert (steps[3] != steps[0]).any()


def test_dictionaries_that_have_heard_the_song_explain_it_better():
    """A sound that no prior's dictionary holds: 8 of its bins are loud at once, at random."""
    rng = np.random.default_rng(5)
    x = np.outer(rng.random(32) < 0.25, rng.random(24)).astype(np.float32) + 1e-3
    own = from_dictionaries(x, priors(2))
    divergence = [poisson(x, start.sum(axis=0))[0] for start in (own, from_song(x, priors(2), summing_to(x, own), 4))]
    assert divergence[1] < 0.1 * divergence[0]


@pytest.mark.parametrize("wrong", [{"walks": 0}, {"walks": 1.5}, {"spectra": 0}])
def test_no_walk_and_no_spectra_are_refused(wrong):
    ((name, value),) = wrong.items()
    with pytest.raises(ValueError, match=f"{name} is {value}, expected a whole number"):
        ConstrainedLatentSearch(**wrong)


def test_the_constrained_search_draws_nothing():
    first, other = (run(ConstrainedLatentSearch(iterations=3), seed=seed) for seed in (0, 1))
    assert_array_equal(first.magnitudes, other.magnitudes)
    assert first.history == other.history
