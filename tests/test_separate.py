"""Separation: estimates add up to the mixture at any rate, length and number of channels, in bounded memory."""

import dataclasses
import tracemalloc

import numpy as np
import pytest
import soundfile
from conftest import INSTRUMENTS, RATE, TINY, noise, tiny_prior
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from glowsep.signals import audio
from glowsep.signals.audible import audible
from glowsep.signals.masks import ratio_masks
from glowsep.signals.resampling import resample
from glowsep.signals.spectrogram import stft
from glowsep.systems import songs
from glowsep.systems.glow.passages import LEVEL, level_gain
from glowsep.systems.glow.prior import Prior
from glowsep.systems.glow.separate import separate, separate_file, unmasked
from glowsep.systems.search.annealed import AnnealedSearch
from glowsep.systems.search.found import Found
from glowsep.systems.search.latent import LatentSearch

QUICK = AnnealedSearch(iterations=1)
RATES = (8000, 22050, 44100, 48000, 192_000)


def priors(count=2):
    return [tiny_prior(name) for name in INSTRUMENTS[:count]]


def equal_shares(mixture, priors, rng, callback=None):
    """A search that finds nothing: every source is as loud as the others."""
    return Found(np.stack([mixture / len(priors)] * len(priors)), [mixture] * len(priors), [])


def low_and_high(mixture, priors, rng, callback=None):
    """A search that gives what lies below half of the priors' range to the first, the rest to the second."""
    low = np.arange(len(mixture))[:, None] < len(mixture) / 2
    return Found(np.stack([mixture * low, mixture * ~low]), [mixture] * 2, [])


# Estimates


@settings(max_examples=30, deadline=None)
@given(
    rate=st.sampled_from(RATES), samples=st.integers(1, 3000), channels=st.integers(1, 3), count=st.integers(1, 4),
    exponent=st.sampled_from([1.0, 2.0]),
)  # fmt: skip
def test_estimates_add_up_to_the_mixture(rate, samples, channels, count, exponent):
    mixture = noise(channels, samples, seed=samples)
    found = separate(mixture, priors(count), rate, QUICK, exponent)
    assert found.estimates.shape == (count, channels, samples) and found.estimates.dtype == np.float32
    assert_allclose(found.estimates.sum(axis=0), mixture, rtol=0, atol=1e-5)


@pytest.mark.parametrize("search", [QUICK, LatentSearch(iterations=2)])
def test_everything_is_float32_and_as_described(search):
    found = separate(noise(2, 4000), priors(), 44100, search)
    assert found.magnitudes.shape == (2, 32, 126) and found.magnitudes.dtype == np.float32
    assert [latent.shape for latent in found.latents] == [(64, 63)] * 2
    assert len(found.history) == search.iterations


def test_float64_stays_float64():
    mixture = noise(1, 900).astype(np.float64)
    found = separate(mixture, priors(), RATE, QUICK)
    assert found.estimates.dtype == np.float64
    assert_allclose(found.estimates.sum(axis=0), mixture, atol=1e-6)


def test_the_magnitudes_are_at_the_mixtures_own_level():
    mixture = noise(1, 3000)
    for loudness in (0.01, 1.0):
        found = separate(loudness * mixture, priors(1), RATE, QUICK)
        expected = priors(1)[0].magnitudes(audible(loudness * mixture[0], RATE))
        assert_allclose(found.magnitudes[0], expected, rtol=2e-2, atol=2e-2 * expected.max())


@settings(max_examples=10, deadline=None)
@given(st.floats(-4, 1))
def test_a_louder_mixture_is_separated_alike(exponent):
    """The search hears every mixture at one level."""
    mixture, loudness = noise(1, 2000), np.float32(10**exponent)
    quiet = separate(mixture, priors(), RATE, QUICK).estimates
    loud = separate(loudness * mixture, priors(), RATE, QUICK).estimates
    assert_allclose(loud, loudness * quiet, atol=2e-3 * loudness)


@pytest.mark.parametrize("loudness", [1e-30, 1e-12, 1e3, 1e15])
def test_absurd_levels_stay_finite(loudness):
    mixture = np.float32(loudness) * noise(2, 2000)
    estimates = separate(mixture, priors(), RATE, QUICK).estimates
    assert_allclose(estimates.sum(axis=0), mixture, rtol=1e-4, atol=1e-5 * loudness)


@pytest.mark.parametrize("rate", RATES)
def test_silence_is_separated_into_silence(rate):
    found = separate(np.zeros((2, 3000), np.float32), priors(3), rate)
    assert_array_equal(found.estimates, np.zeros((3, 2, 3000)))
    assert found.history == [] and not found.magnitudes.any()


def test_silence_within_a_mixture_stays_silence():
    mixture = np.concatenate([noise(1, 4000), np.zeros((1, 4000), np.float32)], axis=1)
    estimates = separate(mixture, priors(), RATE, QUICK).estimates
    assert np.abs(estimates[:, :, 4000 + 4 * TINY.window_length :]).max() < 1e-6


def test_channels_share_the_masks():
    mixture = noise(1, 3000)
    stereo = np.concatenate([mixture, 0.25 * mixture])
    estimates = separate(stereo, priors(), RATE, QUICK).estimates
    assert_allclose(estimates[:, 1], 0.25 * estimates[:, 0], atol=1e-6)


@pytest.mark.parametrize("rate", RATES)
def test_masks_lie_where_they_were_found_at_every_rate(rate):
    """A tone below, and later one above, half of the priors' range: each goes to its source, in its own time."""
    time = np.arange(rate // 2) / rate
    first = np.sin(2 * np.pi * 1500 * time) * (time < 0.25)
    second = np.sin(2 * np.pi * min(8000, 0.45 * rate) * time) * (time >= 0.25)
    if rate == 8000:  # has nothing as high as that
        second = 0 * second
    estimates = separate((0.3 * (first + second))[None].astype(np.float32), priors(), rate, low_and_high).estimates
    assert ((estimates[0, 0] - 0.3 * first) ** 2).sum() < 1e-2 * (0.09 * first**2).sum()
    assert ((estimates[1, 0] - 0.3 * second) ** 2).sum() < 1e-2 * (0.09 * first**2).sum()


def test_what_the_priors_cannot_hear_is_not_lost():
    time = np.arange(22050) / 44100
    mixture = (0.1 * np.sin(2 * np.pi * 15_000 * time) + 0.1 * np.sin(2 * np.pi * 500 * time))[None]
    estimates = separate(mixture.astype(np.float32), priors(), 44100, low_and_high).estimates
    assert_allclose(estimates.sum(axis=0), mixture, atol=1e-5)


def test_one_source_is_the_mixture():
    mixture = noise(2, 3000)
    assert_allclose(separate(mixture, priors(1), 44100, QUICK).estimates[0], mixture, atol=1e-5)


def test_the_seed_decides():
    mixture = noise(1, 2000)
    first, again, other = (
        separate(mixture, priors(), RATE, QUICK, rng=np.random.default_rng(seed)).estimates for seed in (0, 0, 1)
    )
    assert_array_equal(first, again)
    assert (first != other).any()
    assert_array_equal(first, separate(mixture, priors(), RATE, QUICK).estimates)


def test_the_callback_hears_every_iteration():
    seen = []
    search = AnnealedSearch(iterations=3)
    found = separate(noise(1, 900), priors(), RATE, search, callback=lambda *now: seen.append(now))
    assert [iteration for iteration, _, _ in seen] == [0, 1, 2]
    assert [terms for _, _, terms in seen] == found.history


@pytest.mark.parametrize("polarity", [1, -1])
def test_unmasked_magnitudes_are_heard_with_the_mixtures_phase(polarity):
    sound = noise(1, 6000)
    mixture = np.concatenate([sound, polarity * sound])
    found = separate(mixture, priors(), 44100, equal_shares)
    heard = unmasked(found.magnitudes, mixture, 44100, TINY)
    expected = resample(sound[0], 44100, RATE)
    assert heard.shape == (2, 3000)
    assert sum(((part - expected / 2) ** 2).sum() for part in heard) < 0.02 * (expected**2).sum()


# What cannot be separated


@pytest.mark.parametrize(
    "mixture, complaint",
    [
        (np.zeros(100, np.float32), r"shape \(100,\)"),
        (np.zeros((2, 0), np.float32), r"shape \(2, 0\)"),
        (np.zeros((0, 100), np.float32), r"shape \(0, 100\)"),
        (np.zeros((1, 100), np.int16), "int16"),
        (np.full((1, 100), np.nan, np.float32), "NaN"),
        (np.full((1, 100), np.inf, np.float32), "infinite"),
    ],
)
def test_what_is_no_mixture_is_refused(mixture, complaint):
    with pytest.raises(ValueError, match=complaint):
        separate(mixture, priors(), RATE, QUICK)


def test_priors_must_fit_together():
    for wrong, complaint in (
        ([], "no prior"),
        ([tiny_prior("bass")] * 2, "^two priors are named 'bass'; leave one of them out"),
        ([Prior("bass", TINY)], "the prior 'bass': is untrained; train it first"),
        (
            [tiny_prior("bass"), tiny_prior("drums", dataclasses.replace(TINY, rate=8000))],
            "rate is 8000.*'bass' is 22050",
        ),
        (
            [tiny_prior("bass"), tiny_prior("drums", dataclasses.replace(TINY, hop=32))],
            "'drums': its hop is 32.* is 16",
        ),
    ):
        with pytest.raises(ValueError, match=complaint):
            separate(noise(1, 900), wrong, RATE, QUICK)


# The level


@given(st.lists(st.floats(1e-9, 1), min_size=1, max_size=9))
def test_the_gain_brings_a_mixture_to_the_level(powers):
    powers = np.array(powers)
    playing = powers[powers > 1e-4 * powers.max()]
    gain = level_gain(powers)
    assert type(gain) is float
    assert_allclose(np.sqrt((gain**2 * playing).mean()), LEVEL)


def test_pauses_do_not_count_and_silence_is_not_raised():
    assert level_gain([0.01, 0.01, 1e-9, 0]) == level_gain([0.01])
    assert np.isfinite(level_gain([0, 0])) and np.isfinite(level_gain([1e-300]))


# Files


@pytest.fixture
def short_segments(monkeypatch):
    """A tenth of the usual segments: a song of a second has ten."""
    monkeypatch.setattr(songs, "SEGMENT", 0.2)
    monkeypatch.setattr(songs, "OVERLAP", 0.05)


def stems_of(folder, priors):
    return np.stack([audio.read(folder / f"{prior.name}.wav")[0] for prior in priors])


def write(path, waveform, rate=RATE):
    soundfile.write(path, waveform.T, rate, "FLOAT")
    return path


@settings(max_examples=12, deadline=None)
@given(samples=st.integers(1, 20_000), rate=st.sampled_from([8000, 22050, 48000]), channels=st.integers(1, 2))
def test_the_stems_of_a_file_add_up_to_it(tmp_path_factory, samples, rate, channels):
    folder, ours = tmp_path_factory.mktemp("song"), priors()
    mixture = noise(channels, samples)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(songs, "SEGMENT", 0.2)
        patch.setattr(songs, "OVERLAP", 0.05)
        paths = separate_file(write(folder / "song.wav", mixture, rate), folder / "out", ours, QUICK, progress=False)
    assert paths == [folder / "out" / f"{prior.name}.wav" for prior in ours]
    stems = stems_of(folder / "out", ours)
    assert stems.shape == (2, channels, samples)
    assert_allclose(stems.sum(axis=0), mixture, rtol=0, atol=1e-5)


def test_a_file_of_one_segment_is_separated_as_its_samples_are(song, tmp_path):
    separate_file(song, tmp_path / "out", priors(), QUICK, progress=False)
    mixture, rate = audio.read(song)
    assert_array_equal(stems_of(tmp_path / "out", priors()), separate(mixture, priors(), rate, QUICK).estimates)


def test_where_nothing_depends_on_the_segment_nobody_hears_it(short_segments, tmp_path):
    """Masks of a fixed filter are the same in every segment: so are the stems, to the segments' own edges."""
    mixture = noise(2, RATE)
    separate_file(write(tmp_path / "song.wav", mixture), tmp_path / "out", priors(), low_and_high, progress=False)
    whole = separate(mixture, priors(), RATE, low_and_high).estimates
    assert_allclose(
        stems_of(tmp_path / "out", priors()), whole, atol=4e-3
    )  # the filter of what can be heard settles at each edge


def test_neighbouring_segments_fade_into_each_other(short_segments, tmp_path):
    """A search that hands everything to another source in each segment: the shares pass over in a straight line."""
    turns = iter(range(99))

    def everything_in_turn(mixture, priors, rng, callback=None):
        magnitudes = np.zeros((2, *mixture.shape), np.float32)
        magnitudes[next(turns) % 2] = mixture
        return Found(magnitudes, [], [])

    rate, hop, overlap = 8000, 1200, 400
    mixture = np.tile(np.float32([1, -1]), (1, 2000))
    config = dataclasses.replace(TINY, rate=rate)
    ours = [tiny_prior(name, config) for name in INSTRUMENTS[:2]]
    path = write(tmp_path / "song.wav", mixture, rate)
    separate_file(path, tmp_path / "out", ours, everything_in_turn, progress=False)
    first = stems_of(tmp_path / "out", ours)[0, 0] * mixture[0]
    assert_allclose(first[:hop], 1, atol=1e-4)
    assert_allclose(first[hop : hop + overlap], 1 - np.arange(overlap) / overlap, atol=1e-4)
    assert_allclose(first[hop + overlap : 2 * hop], 0, atol=1e-4)
    assert_allclose(first[2 * hop : 2 * hop + overlap], np.arange(overlap) / overlap, atol=1e-4)


def test_no_passage_of_a_file_is_heard_further_than_6_dB_below_its_level(short_segments, tmp_path):
    heard = []

    def listening(mixture, priors, rng, callback=None):
        heard.append(float(mixture.mean()))
        return equal_shares(mixture, priors, rng)

    # What is 40 dB below the rest is a pause and does not count in the song's level: the last one is 3 dB higher.
    for loudness, expected in ((1, 1), (0.6, 0.6), (0.02, 0.354), (0.002, 0.501)):
        heard.clear()
        mixture = np.concatenate([noise(1, 3 * RATE), loudness * noise(1, 3 * RATE)], axis=1)
        separate_file(write(tmp_path / "song.wav", mixture), tmp_path / "out", priors(), listening, progress=False)
        assert np.mean(heard[-9:-1]) == pytest.approx(expected * np.mean(heard[1:9]), rel=0.05)


def test_a_silent_file_gives_silent_stems(short_segments, tmp_path):
    path = write(tmp_path / "song.wav", np.zeros((2, 9000), np.float32))
    separate_file(path, tmp_path / "out", priors(), progress=False)
    assert_array_equal(stems_of(tmp_path / "out", priors()), np.zeros((2, 2, 9000)))


def test_the_memory_does_not_grow_with_the_song(tmp_path):
    """So an hour, 720 times one segment, needs no more than a minute: some 10 s at a time, whatever the length."""
    config = dataclasses.replace(TINY, rate=8000)
    ours = [tiny_prior(name, config) for name in INSTRUMENTS[:2]]
    peaks = []
    for minutes in (1, 4):
        path = write(tmp_path / f"{minutes}.wav", noise(1, minutes * 60 * 8000), 8000)
        tracemalloc.start()
        separate_file(path, tmp_path / "out", ours, equal_shares, progress=False)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.05 * peaks[0]
    assert peaks[0] < 100e6


def test_masks_are_of_the_magnitudes_that_were_found():
    mixture = noise(1, 1600)
    found = separate(mixture, priors(), RATE, QUICK, mask_exponent=1.0)
    masked = ratio_masks(found.magnitudes, 1.0) * stft(mixture[0], 64, 16)[:-1]
    shares = stft(found.estimates[:, 0], 64, 16)[:, :-1]
    assert np.abs(shares - masked).mean() < 0.25 * np.abs(masked).mean()
