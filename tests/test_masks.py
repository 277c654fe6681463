"""Masks: the shares of a bin's magnitude, at every exponent and at zero."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from glowsep.signals.masks import apply_masks, interpolate, mask_waveform, ratio_masks
from glowsep.signals.spectrogram import istft, stft

dtypes = st.sampled_from([np.float32, np.float64])
shapes = st.tuples(st.integers(1, 5), st.integers(1, 6), st.integers(1, 6))


@st.composite
def magnitudes(draw):
    dtype = draw(dtypes)
    bits = np.finfo(dtype).bits
    # From zero over the smallest numbers to nearly the largest one: squares of most of these leave the range.
    return draw(arrays(dtype, draw(shapes), elements=st.floats(0, float(np.finfo(dtype).max) / 8, width=bits)))


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(magnitudes(), st.sampled_from([0.1, 0.5, 1.0, 2.0, 3.7, 50.0, 1e4]))
def test_masks_are_shares_of_one(magnitudes, exponent):
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        masks = ratio_masks(magnitudes, exponent)
    assert masks.shape == magnitudes.shape
    assert masks.dtype == magnitudes.dtype
    assert np.all((masks >= 0) & (masks <= 1))
    np.testing.assert_allclose(masks.sum(axis=0), 1, rtol=1e-6)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(arrays(np.float64, shapes, elements=st.floats(1e-3, 1e3)), st.floats(0.1, 10))
def test_masks_follow_the_formula(magnitudes, exponent):
    powers = [[[m**exponent for m in row] for row in source] for source in magnitudes]
    np.testing.assert_allclose(ratio_masks(magnitudes, exponent), powers / np.sum(powers, axis=0), rtol=1e-10)


def test_a_bin_where_all_are_silent_is_shared_equally():
    magnitudes = np.zeros((4, 3, 2), dtype=np.float32)
    magnitudes[1, 0, 0] = 5
    masks = ratio_masks(magnitudes)
    np.testing.assert_array_equal(masks[:, 0, 0], [0, 1, 0, 0])
    np.testing.assert_array_equal(masks[:, 1:, :], np.float32(0.25))


def test_a_large_exponent_gives_the_bin_to_the_loudest():
    magnitudes = np.array([1e30, 2e30, 0.5e30], dtype=np.float32)[:, None, None]
    np.testing.assert_allclose(ratio_masks(magnitudes, 200)[:, 0, 0], [0, 1, 0], atol=1e-30)


@pytest.mark.parametrize("exponent", [0, -1, float("nan")])
def test_an_exponent_must_be_positive(exponent):
    with pytest.raises(ValueError, match="exponent"):
        ratio_masks(np.ones((2, 3, 4)), exponent)


@pytest.mark.parametrize("batch", [(), (2,), (2, 3)])
def test_masked_spectra_add_up_to_the_mixture(batch):
    rng = np.random.default_rng(1)
    masks = ratio_masks(rng.random((4, 5, 6), dtype=np.float32), 2)
    mixture = (rng.standard_normal((*batch, 5, 6)) + 1j * rng.standard_normal((*batch, 5, 6))).astype(np.complex64)
    estimates = apply_masks(masks, mixture)
    assert estimates.shape == (4, *batch, 5, 6)
    assert estimates.dtype == np.complex64
    np.testing.assert_allclose(estimates.sum(axis=0), mixture, rtol=1e-5)
    np.testing.assert_allclose(estimates[2, ..., 3, 4], masks[2, 3, 4] * mixture[..., 3, 4], rtol=1e-6)


# Masks found at one rate, used at another


@settings(deadline=None, max_examples=30)
@given(
    rate=st.sampled_from([50, 8000, 22050, 44100, 48000, 192_000]), samples=st.integers(1, 5000),
    channels=st.integers(1, 3), count=st.integers(1, 4), seed=st.integers(0, 99),
)  # fmt: skip
def test_masked_waveforms_add_up_to_the_mixture_at_any_rate(rate, samples, channels, count, seed):
    rng = np.random.default_rng(seed)
    mixture = rng.uniform(-1, 1, (channels, samples)).astype(np.float32)
    masks = ratio_masks(rng.random((count, 32, rng.integers(1, 40)), dtype=np.float32))
    estimates = mask_waveform(mixture, rate, masks, 22050, 64, 16)
    assert estimates.shape == (count, channels, samples) and estimates.dtype == np.float32
    np.testing.assert_allclose(estimates.sum(axis=0), mixture, rtol=0, atol=1e-5)


def test_at_their_own_rate_masks_are_used_as_they_are():
    rng = np.random.default_rng(0)
    mixture = rng.standard_normal((2, 30_000)).astype(np.float32)
    masks = ratio_masks(rng.random((3, 513, 119), dtype=np.float32))
    expected = istft(masks[:, None] * stft(mixture), 30_000)
    np.testing.assert_array_equal(mask_waveform(mixture, 22050, masks), expected)


def test_above_the_masks_highest_frequency_the_highest_holds():
    time = np.arange(20_000) / 44_100
    tone = np.sin(2 * np.pi * 17_000 * time)[None]
    masks = np.zeros((2, 513, 44))
    masks[0, :500], masks[1, 500:] = 1, 1
    low, high = mask_waveform(tone, 44_100, masks)
    np.testing.assert_allclose(high[:, 2000:-2000], tone[:, 2000:-2000], atol=1e-3)
    assert np.abs(low[:, 2000:-2000]).max() < 1e-3


@given(
    arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(1, 5)), elements=st.floats(-9, 9)),
    st.lists(st.floats(-3, 9), min_size=1, max_size=7),
    st.integers(0, 1),
)
def test_interpolation_is_numpys_along_every_row(array, positions, axis):
    expected = np.apply_along_axis(lambda row: np.interp(positions, np.arange(len(row)), row), axis, array)
    np.testing.assert_allclose(interpolate(array, np.array(positions), axis), expected, atol=1e-12)
