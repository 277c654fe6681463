"""Spectrograms against SciPy's, perfect reconstruction, and phases for magnitudes without them."""

import math

import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from glowsep.arrays.devices import cuda, to_host
from glowsep.signals.phase import consistent_phases, griffin_lim
from glowsep.signals.spectrogram import istft, number_of_frames, overlap_add, stft

tolerance = {np.float32: 1e-6, np.float64: 1e-14}
PAIRS = [
    (window_length, hop)
    for window_length in range(1, 41)
    for hop in range(1, window_length + 1)
    if scipy.signal.check_COLA("hann", window_length, window_length - hop)
]


def noise(*shape, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(dtype)


@settings(deadline=None, max_examples=300)
@given(
    pair=st.sampled_from([*PAIRS, (1024, 256), (1024, 512), (1024, 128), (600, 200), (441, 147)]),
    samples=st.integers(0, 3000),
    batch=st.sampled_from([(), (1,), (2,), (3, 2)]),
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=st.integers(0, 99),
)
def test_every_sample_is_reconstructed(pair, samples, batch, dtype, seed):
    waveform = noise(*batch, samples, seed=seed, dtype=dtype)
    spectrum = stft(waveform, *pair)
    assert spectrum.shape == (*batch, pair[0] // 2 + 1, number_of_frames(samples, pair[1]))
    assert spectrum.dtype == np.result_type(dtype, np.complex64)
    again = istft(spectrum, samples, *pair)
    assert again.shape == waveform.shape
    assert again.dtype == dtype
    np.testing.assert_allclose(again, waveform, rtol=0, atol=tolerance[dtype])


@pytest.mark.parametrize("samples", [1, 2, 255, 256, 257, 511, 1024, 10_000, 22_050])
@pytest.mark.parametrize("window_length, hop", [(1024, 256), (512, 256), (500, 100), (9, 3), (7, 2)])
def test_equals_scipys(samples, window_length, hop):
    waveform = noise(2, samples)
    window = scipy.signal.get_window("hann", window_length)
    transform = scipy.signal.ShortTimeFFT(window, hop, fs=1, fft_mode="onesided", phase_shift=None)
    followed_by_silence = np.pad(waveform, [(0, 0), (0, window_length)])  # SciPy refuses very short ones
    theirs = transform.stft(followed_by_silence, p0=0, p1=number_of_frames(samples, hop))
    np.testing.assert_allclose(stft(waveform, window_length, hop), theirs, rtol=0, atol=1e-11)


def test_a_bin_is_the_fourier_sum():
    waveform, window_length, hop = noise(50), 12, 4
    spectrum = stft(waveform, window_length, hop)
    for f, t in [(0, 0), (3, 5), (6, 12), (1, 13)]:
        total = 0
        for m in range(window_length):
            n = t * hop + m - window_length // 2
            if 0 <= n < 50:
                hann = 0.5 - 0.5 * math.cos(2 * math.pi * m / window_length)
                total += hann * waveform[n] * np.exp(-2j * math.pi * f * m / window_length)
        assert spectrum[f, t] == pytest.approx(total, abs=1e-12)


@pytest.mark.parametrize("window_length, hop", [(1024, 256), (1024, 512)])
def test_a_sinusoid_shows_its_amplitude_and_bin(window_length, hop):
    waveform = 0.5 * np.cos(2 * np.pi * 40 / window_length * np.arange(8192))
    magnitude = np.abs(stft(waveform, window_length, hop))[:, 3:-3]
    assert np.all(magnitude.argmax(axis=0) == 40)
    np.testing.assert_allclose(magnitude[40], 0.5 * window_length / 4, rtol=1e-9)


def test_a_constant_overlap_adds_up():
    window = scipy.signal.get_window("hann", 1024)
    total = overlap_add(np.broadcast_to(window, (20, 1024)), 256)
    np.testing.assert_allclose(total[768:-768], 2, rtol=1e-12)


@settings(deadline=None)
@given(frames=st.integers(1, 7), window_length=st.integers(1, 20), hop=st.integers(1, 20), seed=st.integers(0, 99))
def test_overlap_add_equals_adding_frame_by_frame(frames, window_length, hop, seed):
    pieces = noise(2, frames, window_length, seed=seed)
    total = np.zeros((2, (frames - 1) * hop + window_length))
    for t in range(frames):
        total[:, t * hop : t * hop + window_length] += pieces[:, t]
    found = overlap_add(pieces, hop)
    np.testing.assert_allclose(found[:, : total.shape[-1]], total, rtol=0, atol=1e-13)
    assert not found[:, total.shape[-1] :].any()


def test_the_inverse_is_the_least_squares_one():
    """No waveform's transform, frame by frame, lies nearer to an arbitrary spectrum (Griffin & Lim 1984)."""
    window_length, hop, samples = 16, 4, 40
    frames = number_of_frames(samples, hop)
    blocks = noise(frames, window_length)
    window = scipy.signal.get_window("hann", window_length)
    # The linear map from waveform to windowed frames, as a matrix; beyond the waveform's ends there is silence.
    rows, wanted = [], []
    for t in range(frames):
        for m in range(window_length):
            n = t * hop + m - window_length // 2
            if 0 <= n < samples:
                rows.append(window[m] * np.eye(samples)[n])
                wanted.append(blocks[t, m])
    nearest = np.linalg.lstsq(np.array(rows), np.array(wanted), rcond=None)[0]
    spectrum = np.fft.rfft(blocks).T
    np.testing.assert_allclose(istft(spectrum, samples, window_length, hop), nearest, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "window_length, hop",
    [(1024, 300), (1024, 1024), (1024, 1025), (1024, 2000), (1024, 0), (1024, -256), (0, 0), (-4, 1), (400, 160)],
)
def test_pairs_that_do_not_add_up_are_refused(window_length, hop):
    with pytest.raises(ValueError, match=f"window_length is {window_length} and hop is {hop}"):
        stft(noise(5000), window_length, hop)
    with pytest.raises(ValueError, match=f"window_length is {window_length} and hop is {hop}"):
        istft(np.zeros((513, 20), complex), 5000, window_length, hop)


def test_a_spectrum_of_another_length_is_refused():
    spectrum = stft(noise(5000))
    for length in (2000, 6000):
        with pytest.raises(ValueError, match=f"{length} samples"):
            istft(spectrum, length)
    with pytest.raises(ValueError, match="bins"):
        istft(spectrum[:-1], 5000)


def test_integers_are_refused():
    with pytest.raises(ValueError, match="int16"):
        stft(np.zeros(100, np.int16))


def test_a_view_with_strides_is_read_right():
    waveform = noise(4000, 2).T
    np.testing.assert_array_equal(stft(waveform[:, ::2]), stft(np.ascontiguousarray(waveform[:, ::2])))


def chirps(samples=11_025):
    """Two sounds that cross in frequency."""
    time = np.arange(samples) / 11_025
    up = np.sin(2 * np.pi * (200 * time + 900 * time**2))
    down = np.sin(2 * np.pi * (2500 * time - 900 * time**2)) * (time % 0.25 < 0.2)
    return np.stack([up, down])


def inconsistency(waveform, magnitude):
    return np.linalg.norm(np.abs(stft(waveform)) - magnitude) / np.linalg.norm(magnitude)


def test_griffin_lim_comes_close_to_the_magnitude():
    magnitude = np.abs(stft(chirps().sum(axis=0)[: 43 * 256]))
    start, plain, fast = (
        inconsistency(griffin_lim(magnitude, iterations, np.random.default_rng(0), momentum), magnitude)
        for iterations, momentum in [(0, 0), (30, 0), (30, 0.99)]
    )
    assert plain < start / 2
    assert fast < plain  # Perraudin et al. 2013, figure 2


def test_griffin_lim_keeps_shape_and_dtype_and_follows_its_generator():
    magnitude = np.abs(stft(noise(2, 2560, dtype=np.float32)))
    first, second, other = (griffin_lim(magnitude, 3, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first.shape == (2, 2560)
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first, second)
    assert np.abs(first - other).max() > 0.01


@pytest.mark.parametrize("channels", [(), (2,)])
def test_consistent_phases_add_up_to_the_mixture_and_improve(channels):
    references = chirps()
    references = np.stack([references * gain for gain in (1, 0.3)], axis=1) if channels else references
    references = references.astype(np.float32)
    mixture = references.sum(axis=0)
    magnitudes = np.abs(stft(references))
    errors = []
    for iterations in (0, 5, 20):
        estimates = consistent_phases(magnitudes, mixture, iterations)
        assert estimates.shape == references.shape
        assert estimates.dtype == np.float32
        np.testing.assert_allclose(estimates.sum(axis=0), mixture, rtol=0, atol=1e-5)
        errors.append(np.linalg.norm(estimates - references))
    assert errors[2] < errors[1] < errors[0]  # Gunawan & Sen 2010


def test_one_source_alone_is_the_mixture():
    mixture = noise(3000)
    np.testing.assert_allclose(consistent_phases(np.abs(stft(mixture))[None], mixture, 2)[0], mixture, atol=1e-12)


def test_silence_stays_silence():
    silence = np.zeros(3000, np.float32)
    assert not stft(silence).any()
    assert not griffin_lim(np.abs(stft(silence)), 2, np.random.default_rng(0)).any()
    assert not consistent_phases(np.abs(stft(np.zeros((2, 3000)))), silence, 2).any()


@pytest.mark.gpu
def test_the_gpu_gives_the_same():
    try:
        xp = cuda()
    except ValueError as missing:
        pytest.skip(str(missing))
    waveform = noise(2, 5000, dtype=np.float32)
    spectrum = stft(xp.asarray(waveform))
    assert type(spectrum).__module__.startswith("cupy")
    np.testing.assert_allclose(to_host(spectrum), stft(waveform), rtol=0, atol=1e-4)
    np.testing.assert_allclose(to_host(istft(spectrum, 5000)), waveform, rtol=0, atol=1e-6)
    magnitudes = np.abs(stft(np.stack([waveform * 0.3, waveform * 0.7])))
    estimates = consistent_phases(xp.asarray(magnitudes), xp.asarray(waveform), 2)
    np.testing.assert_allclose(to_host(estimates).sum(axis=0), waveform, rtol=0, atol=1e-5)
    sampled = griffin_lim(xp.asarray(magnitudes[0]), 2, np.random.default_rng(0))
    np.testing.assert_allclose(
        to_host(sampled), griffin_lim(magnitudes[0], 2, np.random.default_rng(0)), rtol=0, atol=1e-2
    )
