"""A batch in shares gives what the undivided batch gives, and leaves weights and memory as that does."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from glowsep import check
from glowsep.arrays.threads import blas
from glowsep.layers.channels import channels_outermost
from glowsep.layers.parameters import replica
from glowsep.learning.adam import Adam
from glowsep.systems.glow.fast import parallel as shares
from glowsep.systems.glow.fast.freeze import freeze
from glowsep.systems.glow.fast.fuse import fuse
from glowsep.systems.glow.fast.parallel import parallel
from glowsep.systems.glow.model import Glow, GlowConfig

pytestmark = pytest.mark.usefixtures("two_threads", "small_shares")

FEWEST = 4  # items of a share here


@pytest.fixture
def small_shares(monkeypatch):
    monkeypatch.setattr(shares, "FEWEST", FEWEST * 6 * 4)


CONFIG = GlowConfig(6, 2, steps=2, group_size=4, hidden=3, layers=2, condition_channels=2, bound=0.7)


def undivided(flow):
    """What stands in the place of ``parallel`` in a flow without shares."""
    return flow


def flow(wrap, dtype=np.float64):
    """A fused flow, wrapped, that is initialised, and no longer the identity."""
    rng = np.random.default_rng(0)
    made = wrap(fuse(Glow(CONFIG, rng, dtype)))
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
        tape = []
        z, logdet = flow.forward(x, condition, tape)
        found = [z, logdet, *flow.forward(x, condition), flow.inverse(latent, condition)]
        for given in (tape, None):
            found += flow.backward(latent, dlogdet, z, condition, given)
            found += [] if flow.is_frozen else flow.gradients().values()
        rebuilt = flow.inverse(latent, condition, tape)
        for given in (tape, None):
            found += flow.backward_inverse(x, rebuilt, condition, given)
        assert tape == []
        return [*found, rebuilt, *flow.log_prob_gradient(x, condition)]

    for wrapped, plain in (
        (flow(parallel), flow(undivided)),
        (freeze(flow(parallel)), freeze(flow(undivided))),
        (parallel(freeze(flow(undivided))), freeze(flow(undivided))),
        (flow(parallel).frozen(), flow(undivided).frozen()),
    ):
        expected = results(plain)
        with blas().limit(limits=threads):
            found = results(wrapped)
        for one, other in zip(found, expected, strict=True):
            assert_allclose(one, other, rtol=1e-8, atol=1e-10)


def shares_recorded(flow, items):
    """How many shares a batch has gone forward in."""
    x, _, _, condition = batch(items)
    tape = []
    flow.forward(x, condition, tape)
    (tapes,) = tape
    return len(tapes)


def test_a_large_batch_is_divided_and_a_small_one_is_not():
    made = flow(parallel)
    assert shares_recorded(made, 2 * FEWEST) == 2
    assert shares_recorded(made, 2 * FEWEST - 1) == 1
    with blas().limit(limits=1):
        assert shares_recorded(made, 2 * FEWEST) == 1


def test_what_was_recorded_in_shares_serves_whatever_threads_there_are_then():
    made, (x, latent, dlogdet, condition) = flow(parallel), batch(2 * FEWEST)
    z, _ = made.forward(x, condition)
    expected = made.backward(latent, dlogdet, z, condition)
    for recording, playing in ((2, 1), (1, 2)):
        tape = []
        with blas().limit(limits=recording):
            z, _ = made.forward(x, condition, tape)
        with blas().limit(limits=playing):
            found = made.backward(latent, dlogdet, z, condition, tape)
        for one, other in zip(found, expected, strict=True):
            assert_allclose(one, other, rtol=1e-9, atol=1e-12)


def test_inputs_are_left_as_they_are_and_channels_stay_outermost():
    made, (x, latent, dlogdet, condition) = flow(parallel), batch(2 * FEWEST)
    x, latent = channels_outermost(x), channels_outermost(latent)
    tape = []
    z, _ = made.forward(x, condition, tape)
    inputs = x, latent, dlogdet, condition, z
    before = [array.copy() for array in inputs]
    outputs = [*made.backward(latent, dlogdet, z, condition, tape), *made.backward_inverse(x, x, condition)]
    for array, copy in zip(inputs, before, strict=True):
        np.testing.assert_array_equal(array, copy)
    for array in (*outputs, z, made.inverse(latent, condition)):
        assert array.swapaxes(0, 1).flags.c_contiguous


def test_the_first_batch_initialises_as_a_whole():
    x, _, _, condition = batch(2 * FEWEST)
    x[:FEWEST] += 5  # a share for itself would have another mean
    one, other = (wrap(fuse(Glow(CONFIG, np.random.default_rng(1), np.float64))) for wrap in (parallel, undivided))
    for found, expected in zip(one.forward(x, condition), other.forward(x, condition), strict=True):
        assert_allclose(found, expected, rtol=1e-12)


def test_what_the_optimiser_does_reaches_every_share_and_two_runs_end_alike():
    ends = []
    for _ in range(2):
        made, (x, _, _, condition) = flow(parallel, np.float32), batch(2 * FEWEST, np.float32)
        adam = Adam(made.parameters(), 0.01)
        for _ in range(3):
            tape = []
            z, logdet = made.forward(x, condition, tape)
            made.backward(z / len(x), -np.ones_like(logdet) / len(x), z, condition, tape)
            adam.step(made.gradients())
        ends.append([array.copy() for array in made.parameters().values()])
        assert_allclose(made.forward(x, condition)[0], flow_with(made).forward(x, condition)[0], rtol=1e-4, atol=1e-5)
    for one, other in zip(*ends, strict=True):
        np.testing.assert_array_equal(one, other)


def flow_with(other):
    """An undivided flow with another's weights."""
    made = fuse(Glow(CONFIG))
    made.load(other.parameters() | other.state())
    return made


def test_it_keeps_the_contract_of_a_bijection():
    x, _, _, condition = batch(2 * FEWEST)
    report = check.layer(flow(parallel), x[:, :, :2], condition, at_most=2)
    assert report.gradient <= 1e-6 and report.logdet <= 1e-9


def test_a_replica_has_the_same_arrays_and_gradients_of_its_own():
    made, (x, latent, dlogdet, condition) = flow(undivided), batch(2)
    other = replica(made)
    for name, array in other.parameters().items():
        assert array is made.parameters()[name]
    z, _ = other.forward(x, condition)
    other.backward(latent, dlogdet, z, condition)
    assert all(gradient is None for gradient in made.gradients().values())
    assert all(gradient is not None for gradient in other.gradients().values())
