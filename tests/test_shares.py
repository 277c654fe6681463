"""A batch in shares gives what the undivided batch gives, and leaves weights and memory as that does."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from glowsep import check
from glowsep.arrays.threads import blas
from glowsep.layers.parameters import replica
from glowsep.learning.adam import Adam
from glowsep.systems.glow.fast import parallel as shares
from glowsep.systems.glow.fast.fuse import FusedGlow
from glowsep.systems.glow.fast.parallel import Kept, ParallelGlow
from glowsep.systems.glow.model import GlowConfig
from glowsep.systems.glow.noise import channels_outermost

pytestmark = pytest.mark.usefixtures("two_threads", "small_shares")

FEWEST = 4  # items of a share here


@pytest.fixture
def small_shares(monkeypatch):
    monkeypatch.setattr(shares, "FEWEST", FEWEST * 6 * 4)


CONFIG = GlowConfig(6, 2, steps=2, group_size=4, hidden=3, layers=2, condition_channels=2, bound=0.7)


def flow(flow_class, dtype=np.float64):
    """A flow that is initialised, and no longer the identity."""
    rng = np.random.default_rng(0)
    made = flow_class(CONFIG, rng, dtype)
    made.forward(rng.standard_normal((2, 6, 4)).astype(dtype), rng.standard_normal((2, 2)).astype(dtype))
    for parameter in made.parameters().values():
        parameter += (0.1 * rng.standard_normal(parameter.shape)).astype(dtype)
    return made


def batch(items, dtype=np.float64):
    """Data, latents, log-det gradients and conditions."""
    rng = np.random.default_rng(items)
    shapes = (items, 6, 4), (items, 12, 2), (items,), (items, 2)
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


@pytest.mark.parametrize("threads", [2, 3])
@pytest.mark.parametrize("items", [1, 2 * FEWEST - 1, 2 * FEWEST, 3 * FEWEST + 5])
def test_every_method_gives_what_it_gives_undivided(items, threads):
    x, latent, dlogdet, condition = batch(items)

    def results(flow):
        z, logdet, kept = flow.forward_keeping(x, condition)
        found = [z, logdet, *flow.forward(x, condition), flow.inverse(latent, condition)]
        for what in (kept, None):
            found += [*flow.backward(latent, dlogdet, z, condition, what), flow.dcondition, *flow.gradients().values()]
            found += [*flow.backward_input(latent, dlogdet, z, condition, what), flow.dcondition]
        rebuilt, kept = flow.inverse_keeping(latent, condition)
        for what in (kept, None):
            found += [*flow.backward_inverse(x, rebuilt, condition, what), flow.dcondition]
        return [*found, rebuilt, *flow.log_prob_gradient(x, condition)]

    undivided = results(flow(FusedGlow))
    for parallel in (flow(ParallelGlow), flow(ParallelGlow).frozen()):
        with blas().limit(limits=threads):
            found = results(parallel)
        for one, other in zip(found, undivided, strict=True):
            assert_allclose(one, other, rtol=1e-8, atol=1e-10)


def test_a_large_batch_is_divided_and_a_small_one_is_not():
    made = flow(ParallelGlow)
    for items, divided in ((2 * FEWEST, True), (2 * FEWEST - 1, False)):
        x, _, _, condition = batch(items)
        kept = made.forward_keeping(x, condition)[2]
        assert isinstance(kept, Kept) == divided
    with blas().limit(limits=1):
        x, _, _, condition = batch(2 * FEWEST)
        assert not isinstance(made.forward_keeping(x, condition)[2], Kept)


def test_what_was_kept_in_shares_serves_whatever_threads_there_are_then():
    made, (x, latent, dlogdet, condition) = flow(ParallelGlow), batch(2 * FEWEST)
    z, _, kept = made.forward_keeping(x, condition)
    expected = made.backward(latent, dlogdet, z, condition, kept)
    with blas().limit(limits=1):
        for one, other in zip(made.backward(latent, dlogdet, z, condition, kept), expected, strict=True):
            assert_allclose(one, other, rtol=1e-9)
        _, _, kept = made.forward_keeping(x, condition)
    for one, other in zip(made.backward(latent, dlogdet, z, condition, kept), expected, strict=True):
        assert_allclose(one, other, rtol=1e-9)


def test_inputs_are_left_as_they_are_and_channels_stay_outermost():
    made, (x, latent, dlogdet, condition) = flow(ParallelGlow), batch(2 * FEWEST)
    x, latent = channels_outermost(x), channels_outermost(latent)
    z, _, kept = made.forward_keeping(x, condition)
    inputs = x, latent, dlogdet, condition, z
    before = [array.copy() for array in inputs]
    outputs = [*made.backward(latent, dlogdet, z, condition, kept), *made.backward_inverse(x, x, condition)]
    for array, copy in zip(inputs, before, strict=True):
        np.testing.assert_array_equal(array, copy)
    for array in (*outputs, z, made.inverse(latent, condition)):
        assert array.swapaxes(0, 1).flags.c_contiguous


def test_the_first_batch_initialises_as_a_whole():
    x, _, _, condition = batch(2 * FEWEST)
    x[:FEWEST] += 5  # a share for itself would have another mean
    one, other = (made(CONFIG, np.random.default_rng(1), np.float64) for made in (ParallelGlow, FusedGlow))
    for found, expected in zip(one.forward(x, condition), other.forward(x, condition), strict=True):
        assert_allclose(found, expected, rtol=1e-12)


def test_what_the_optimiser_does_reaches_every_share_and_two_runs_end_alike():
    ends = []
    for _ in range(2):
        made, (x, _, _, condition) = flow(ParallelGlow, np.float32), batch(2 * FEWEST, np.float32)
        adam = Adam(made.parameters(), 0.01)
        for _ in range(3):
            z, logdet, kept = made.forward_keeping(x, condition)
            made.backward(z / len(x), -np.ones_like(logdet) / len(x), z, condition, kept)
            adam.step(made.gradients())
        ends.append([array.copy() for array in made.parameters().values()])
        assert_allclose(made.forward(x, condition)[0], flow_with(made).forward(x, condition)[0], rtol=1e-4, atol=1e-5)
    for one, other in zip(*ends, strict=True):
        np.testing.assert_array_equal(one, other)


def flow_with(other):
    """An undivided flow with another's weights."""
    made = FusedGlow(CONFIG)
    made.load(other.parameters() | other.state())
    return made


def test_it_keeps_the_contract_of_a_bijection():
    x, _, _, condition = batch(2 * FEWEST)
    report = check.layer(flow(ParallelGlow), x[:, :, :2], condition, at_most=2)
    assert report.gradient <= 1e-6 and report.logdet <= 1e-9


def test_a_replica_has_the_same_arrays_and_gradients_of_its_own():
    made, (x, latent, dlogdet, condition) = flow(FusedGlow), batch(2)
    other = replica(made)
    for name, array in other.parameters().items():
        assert array is made.parameters()[name]
    z, _ = other.forward(x, condition)
    other.backward(latent, dlogdet, z, condition)
    assert all(gradient is None for gradient in made.gradients().values())
    assert all(gradient is not None for gradient in other.gradients().values())
