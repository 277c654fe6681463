"""Calls side by side: in order, each on its own thread, BLAS left as it was found."""

import sys
import threading

import numpy as np
import pytest
from conftest import INSTRUMENTS, noise, tiny_prior
from strict_array import stand_in

from glowsep.arrays.devices import to_device
from glowsep.arrays.threads import blas, side_by_side
from glowsep.systems.search.annealed import AnnealedSearch
from glowsep.systems.search.constrained import ConstrainedLatentSearch

pytestmark = pytest.mark.usefixtures("two_threads")

HERE = np.zeros(1, np.float32)


def blas_threads():
    return {library.num_threads for library in blas().lib_controllers}


def test_two_calls_are_at_work_at_once_with_one_thread_of_blas_each():
    before, meeting = blas_threads(), threading.Barrier(2, timeout=30)
    with side_by_side(2, HERE) as each:
        assert blas_threads() == {1}
        assert sorted(each(lambda number: meeting.wait() * 0 + number, [1, 2])) == [1, 2]  # one alone would wait
    assert blas_threads() == before


def test_results_come_in_the_order_of_the_arguments():
    with side_by_side(3, HERE) as each:
        assert list(each(lambda a, b: a - b, range(20), range(0, 40, 2))) == [-i for i in range(20)]


def test_an_error_in_a_call_reaches_the_caller_and_blas_is_given_back():
    before = blas_threads()
    with pytest.raises(ZeroDivisionError), side_by_side(2, HERE) as each:
        list(each(lambda number: 1 / number, [1, 0]))
    assert blas_threads() == before


def test_one_call_and_a_gpu_keep_to_this_thread(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", stand_in())
    for number, like in ((1, HERE), (4, to_device(HERE, "cuda"))):
        before = blas_threads()
        with side_by_side(number, like) as each:
            assert each is map
            assert blas_threads() == before


def test_one_thread_of_blas_is_one_call_at_a_time():
    """Whoever says OMP_NUM_THREADS=1, as a cluster's workers do, means it."""
    with blas().limit(limits=1), side_by_side(4, HERE) as each:
        assert each is map


@pytest.mark.parametrize("search", [AnnealedSearch(iterations=5), ConstrainedLatentSearch(iterations=5)])
def test_a_search_finds_the_same_side_by_side_and_one_after_the_other(search):
    priors = [tiny_prior(name) for name in INSTRUMENTS]
    x = priors[0].magnitudes(noise(1000))[:, :8]
    together = search(x, priors, np.random.default_rng(3))
    with blas().limit(limits=1):
        alone = search(x, priors, np.random.default_rng(3))
    np.testing.assert_array_equal(together.magnitudes, alone.magnitudes)
    assert together.history == alone.history
