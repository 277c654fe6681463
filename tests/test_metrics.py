"""Scores against their definitions: closed forms, invariances, and BSS Eval against plain least squares."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes
from numpy.testing import assert_allclose
from scipy.linalg import convolution_matrix, lstsq
from scipy.signal import lfilter

from glowsep.metrics import bss_eval, bss_eval_museval, remove_mean, sdr, si_sdr
from glowsep.metrics.projections import TAPS

RATE = 2000


def noise(*shape, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


# SDR and SI-SDR


@pytest.mark.parametrize("decibels", [-20.0, 0.0, 6.0, 30.0])
def test_sdr_of_an_error_of_known_energy(decibels):
    reference = noise(2, 1000)
    error = noise(2, 1000, seed=1)
    error *= np.linalg.norm(reference) / np.linalg.norm(error) * 10 ** (-decibels / 20)
    assert sdr(reference, reference + error) == pytest.approx(decibels, abs=1e-6)


def test_sdr_stays_finite_in_silence_as_the_challenge_defines_it():
    silence, signal = np.zeros((1, 100)), np.full((1, 100), 0.1)  # energies 0 and 1
    assert sdr(silence, silence) == 0
    assert sdr(silence, signal) == pytest.approx(-70, abs=1e-5)
    assert sdr(signal, signal) == pytest.approx(70, abs=1e-5)
    assert sdr(signal, silence) == pytest.approx(0, abs=1e-5)


@settings(max_examples=30, deadline=None)
@given(shape=array_shapes(min_dims=1, max_dims=3, max_side=7), seed=st.integers(0, 1000))
def test_one_score_per_source_whatever_the_channels(shape, seed):
    reference, estimate = noise(*shape, seed=seed), noise(*shape, seed=seed + 1)
    for metric in (sdr, si_sdr):
        scores = metric(reference, estimate)
        assert np.shape(scores) == shape[:-2]
        if len(shape) == 3:
            assert_allclose(scores, [metric(*pair) for pair in zip(reference, estimate, strict=True)])


@settings(max_examples=30, deadline=None)
@given(gain=st.floats(1e-3, 1e3), sign=st.sampled_from([-1, 1]), seed=st.integers(0, 1000))
def test_si_sdr_does_not_hear_the_gain_and_sdr_does_not_hear_the_level(gain, sign, seed):
    reference, estimate = noise(2, 50, seed=seed), noise(2, 50, seed=seed + 1) + noise(2, 50, seed=seed)
    assert_allclose(si_sdr(reference, sign * gain * estimate), si_sdr(reference, estimate), atol=1e-8)
    assert_allclose(si_sdr(gain * reference, estimate), si_sdr(reference, estimate), atol=1e-8)
    assert_allclose(sdr(10 * reference, 10 * estimate), sdr(reference, estimate), atol=1e-5)


def test_si_sdr_is_the_angle_between_the_signals():
    reference, estimate = noise(1, 300), noise(1, 300) + noise(1, 300, seed=1)
    cosine = np.vdot(reference, estimate) / np.linalg.norm(reference) / np.linalg.norm(estimate)
    assert_allclose(si_sdr(reference, estimate), 20 * np.log10(abs(cosine) / np.sqrt(1 - cosine**2)))


def test_si_sdr_hears_an_offset_until_the_mean_is_removed():
    reference, estimate = noise(2, 500), noise(2, 500) + 0.1 * noise(2, 500, seed=1)
    offset = estimate + [[3.0], [-2.0]]
    assert si_sdr(reference, offset) < si_sdr(reference, estimate) - 10
    centred = remove_mean(reference)
    assert_allclose(si_sdr(centred, remove_mean(offset)), si_sdr(centred, remove_mean(estimate)))


def test_si_sdr_of_silence_is_not_a_number():
    assert np.isnan(si_sdr(np.zeros((1, 10)), noise(1, 10)))


@pytest.mark.parametrize("metric", [sdr, si_sdr])
def test_shapes_that_differ_are_refused(metric):
    with pytest.raises(ValueError, match=r"\(2, 10\).*\(2, 11\)"):
        metric(np.zeros((2, 11)), np.zeros((2, 10)))


def test_float32_audio_is_summed_in_float64():
    long = np.full((1, 3_000_000), 0.1, np.float32)
    assert_allclose(sdr(long, 0.9 * long), 20, atol=1e-4)


# BSS Eval


def projection(references, estimate):
    """The estimate's (channels, samples) projection onto all delayed copies of references (inputs, samples).

    By brute force: the delayed copies are the columns of a matrix.
    """
    copies = np.hstack([convolution_matrix(reference, TAPS) for reference in references])
    padded = np.pad(estimate, [(0, 0), (0, TAPS - 1)])
    return (copies @ lstsq(copies, padded.T, lapack_driver="gelsy")[0]).T


def decibels(signal, error):
    return 10 * np.log10(np.sum(signal**2) / np.sum(error**2))


def test_bss_eval_is_four_ratios_of_least_squares_projections():
    references = noise(2, 1, RATE)
    estimates = references + 0.3 * references[::-1] + 0.2 * noise(2, 1, RATE, seed=1)
    estimates[0] += 0.3 * np.roll(references[0], 5)
    scores = bss_eval(references, estimates, RATE)
    for j in range(2):
        reference, estimate = (np.pad(audio[j], [(0, 0), (0, TAPS - 1)]) for audio in (references, estimates))
        own = projection(references[j], estimates[j])
        full = projection(references.reshape(2, -1), estimates[j])
        assert_allclose(scores.sdr[j], decibels(reference, estimate - reference), rtol=1e-9)
        assert_allclose(scores.isr[j], decibels(reference, own - reference), rtol=1e-6)
        assert_allclose(scores.sir[j], decibels(own, full - own), rtol=1e-6)
        assert_allclose(scores.sar[j], decibels(full, estimate - full), rtol=1e-6)


def test_a_filtered_reference_is_distorted_but_has_no_artefacts_and_no_interference():
    references = noise(2, 2, 3 * RATE)
    references[..., -TAPS:] = 0  # so that the echo ends before the signal
    estimates = lfilter([1, 0.5, -0.3], [1], references)
    scores = bss_eval(references, estimates, 3 * RATE)
    assert (scores.sdr < 6).all() and (scores.isr < 6).all()
    assert (scores.sir > 150).all() and (scores.sar > 150).all()


def test_a_leak_is_interference_and_noise_is_an_artefact():
    references = noise(3, 1, 10 * RATE)
    leaking = bss_eval(references, references + 0.1 * np.roll(references, 1, axis=0), RATE)
    noisy = bss_eval(references, references + 0.1 * noise(*references.shape, seed=1), RATE)
    assert (leaking.sir < 22).all() and (leaking.sar > 40).all()
    assert (noisy.sar < 22).all() and (noisy.sir > 25).all()


def test_sdr_is_the_plain_signal_to_noise_ratio_of_each_second():
    references, estimates = noise(2, 2, 3 * RATE), noise(2, 2, 3 * RATE, seed=1)
    scores = bss_eval(references, estimates, RATE)
    frames = [slice(k * RATE, (k + 1) * RATE) for k in range(3)]
    errors = estimates - references
    expected = [[decibels(references[j][:, f], errors[j][:, f]) for f in frames] for j in range(2)]
    assert_allclose(scores.sdr, expected, rtol=1e-12)


@settings(max_examples=10, deadline=None)
@given(samples=st.integers(1, 4 * RATE), sources=st.integers(1, 2), channels=st.integers(1, 2))
def test_a_frame_each_second_the_tail_dropped_and_a_short_signal_whole(samples, sources, channels):
    shape = (sources, channels, samples)
    scores = bss_eval(noise(*shape), noise(*shape, seed=1), RATE)
    for ratio in (scores.sdr, scores.isr, scores.sir, scores.sar):
        assert ratio.shape == (sources, max(1, samples // RATE))
        assert not np.isinf(ratio).any()
    assert not np.isnan(scores.sdr).any()


def silent_second():
    references = noise(2, 1, 4 * RATE)
    references[0, :, RATE : 2 * RATE] = 0
    return references, references + 0.1 * noise(2, 1, 4 * RATE, seed=1)


def test_a_silent_second_costs_only_the_silent_source_its_score():
    scores = bss_eval(*silent_second(), RATE)
    for ratio in (scores.sdr, scores.isr, scores.sir, scores.sar):
        assert np.isnan(ratio).tolist() == [[False, True, False, False], [False] * 4]
    assert scores.skipped().tolist() == [1, 0]


def test_under_musevals_rule_a_silent_second_costs_every_source_its_score():
    references, estimates = silent_second()
    estimates[1, :, :RATE] = 0
    scores = bss_eval_museval(references, estimates, RATE)
    for ratio in (scores.sdr, scores.isr, scores.sir, scores.sar):
        assert np.isnan(ratio).tolist() == [[True, True, False, False]] * 2
    kept = np.s_[:, 2:]
    assert_allclose(scores.sar[kept], bss_eval(references, estimates, RATE).sar[kept])


def test_a_source_that_never_sounds_leaves_the_others_scores_alone():
    references, estimates = noise(3, 1, 2 * RATE), noise(3, 1, 2 * RATE) + noise(3, 1, 2 * RATE, seed=1)
    references[2] = 0
    with_silence = bss_eval(references, estimates, RATE)
    without = bss_eval(references[:2], estimates[:2], RATE)
    assert np.isnan(with_silence.sdr[2]).all()
    for name in ("sdr", "isr", "sir", "sar"):
        assert_allclose(getattr(with_silence, name)[:2], getattr(without, name), rtol=1e-9)


def test_a_mono_recording_as_stereo_scores_as_the_mono_recording():
    references, estimates = noise(2, 1, 2 * RATE), noise(2, 1, 2 * RATE) + noise(2, 1, 2 * RATE, seed=1)
    mono = bss_eval(references, estimates, RATE)
    stereo = bss_eval(references.repeat(2, axis=1), estimates.repeat(2, axis=1), RATE)
    for name in ("sdr", "isr", "sir", "sar"):
        assert_allclose(getattr(stereo, name), getattr(mono, name), atol=1e-6)


def test_the_median_leaves_out_undefined_frames():
    scores = bss_eval(*silent_second(), RATE)
    medians = scores.median()
    assert set(medians) == {"sdr", "isr", "sir", "sar"}
    assert_allclose(medians["sir"], np.nanmedian(scores.sir, axis=1))
    perfect = bss_eval(noise(1, 1, RATE), noise(1, 1, RATE), RATE)
    assert np.isnan(perfect.sdr).all() and np.isnan(perfect.median()["sdr"]).all()  # infinite, so not defined


@pytest.mark.parametrize(
    ("references", "estimates", "message"),
    [
        (np.zeros((2, 1, 9)), np.zeros((3, 1, 9)), r"\(3, 1, 9\).*\(2, 1, 9\)"),
        (np.zeros((2, 9)), np.zeros((2, 9)), r"\(2, 9\).*\(sources, channels, samples\)"),
        (np.zeros((2, 1, 0)), np.zeros((2, 1, 0)), r"\(2, 1, 0\)"),
    ],
)
def test_audio_of_a_wrong_shape_is_refused(references, estimates, message):
    with pytest.raises(ValueError, match=message):
        bss_eval(references, estimates, RATE)
