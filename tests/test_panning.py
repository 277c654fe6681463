"""Polarity, panning, offsets, rumble and level: what must not change a separation, and what must help it."""

import dataclasses

import numpy as np
import pytest
import soundfile
from conftest import INSTRUMENTS, RATE, noise, tiny_prior
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from glowsep.datasets import Track, open_dataset
from glowsep.datasets.shipped import shipped
from glowsep.datasets.solos import solo_magnitudes, solo_waveforms
from glowsep.errors import SeparationWarning
from glowsep.learning.panning import in_channels
from glowsep.metrics import sdr
from glowsep.signals import audio
from glowsep.signals.audible import audible, audible_powers
from glowsep.signals.mid import WINDOW_LENGTH, channel_magnitudes, mean_magnitude, mid
from glowsep.systems.floors_and_ceilings.ceilings import OraclePower
from glowsep.systems.glow.passages import LEVEL, SOFT, lifts
from glowsep.systems.glow.separate import separate
from glowsep.systems.nmf.model import PoissonNMF
from glowsep.systems.search.annealed import AnnealedSearch
from glowsep.systems.songs import separate_song
from glowsep.systems.trust import Trust

QUICK = AnnealedSearch(iterations=2)
NMF = PoissonNMF.load()


def tone(frequency, seconds=2.0, rate=RATE):
    return np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate).astype(np.float32)


def glow(mixture, rate=RATE):
    return separate(mixture, [tiny_prior(name) for name in INSTRUMENTS[:2]], rate, QUICK).estimates


def nmf(mixture, rate=RATE):
    return NMF.separate(mixture, rate)


both = pytest.mark.parametrize("method", [glow, nmf])


def music(channels, samples=6000, seed=0):
    """Different noise in each channel: nothing is in the middle."""
    return 0.3 * noise(channels, samples, seed=seed)


# Polarity and channels


@both
@settings(max_examples=10, deadline=None)
@given(polarity=st.lists(st.sampled_from([1, -1]), min_size=1, max_size=4), seed=st.integers(0, 99))
def test_polarity_changes_nothing_but_the_polarity(method, polarity, seed):
    mixture, turned = music(len(polarity), 3000, seed), np.float32(polarity)[:, None]
    assert_array_equal(method(turned * mixture), turned * method(mixture))


@both
@pytest.mark.parametrize("channels", [2, 3])
def test_swapped_channels_swap_the_estimates(method, channels):
    mixture = music(channels) * np.float32([1, 0.3, 0.6])[:channels, None]
    assert_allclose(method(mixture[::-1].copy()), method(mixture)[:, ::-1], atol=1e-4)


@both
@pytest.mark.parametrize("polarity", [1, -1])
def test_the_same_in_both_channels_is_mono(method, polarity):
    mono = music(1)
    stereo = np.concatenate([mono, polarity * mono])
    assert_allclose(method(stereo), method(mono) * np.float32([[1], [polarity]]), atol=1e-5)


@both
def test_a_silent_channel_stays_silent_and_changes_nothing(method):
    mono = music(1)
    estimates = method(np.concatenate([mono, 0 * mono]))
    assert_array_equal(estimates[:, 1], 0 * estimates[:, 1])
    assert_allclose(estimates[:, 0], method(mono)[:, 0], atol=2e-3)


@both
@pytest.mark.parametrize("loudness", [1e-3, 4.0])
def test_a_scaled_song_has_scaled_stems(method, loudness):
    mixture = music(2)
    assert_allclose(method(np.float32(loudness) * mixture), loudness * method(mixture), atol=2e-3 * loudness)


@both
@settings(max_examples=10, deadline=None)
@given(
    rate=st.sampled_from([8000, 22050, 44100]), samples=st.integers(1, 3000), channels=st.integers(1, 3),
    offset=st.sampled_from([0, 0.1, -3]),
)  # fmt: skip
def test_estimates_add_up_to_the_mixture(method, rate, samples, channels, offset):
    mixture = music(channels, samples, samples) + np.float32(offset)
    assert_allclose(method(mixture, rate).sum(axis=0), mixture, atol=1e-5)


def test_the_mean_magnitude_of_one_channel_is_its_own_to_the_last_bit():
    magnitude = channel_magnitudes(music(1), RATE)
    assert_array_equal(mean_magnitude(magnitude), magnitude[0])
    assert_array_equal(mean_magnitude(np.concatenate([magnitude] * 3)), magnitude[0])
    assert np.isfinite(mean_magnitude(np.float32([[[1e30]], [[1e-30]]]))).all()


@given(st.lists(st.floats(-1, 1).filter(lambda gain: abs(gain) > 0.01), min_size=1, max_size=5))
def test_nothing_cancels_in_the_mid(gains):
    sound = noise(1, 500)
    found = mid(np.float32(gains)[:, None] * sound, RATE, RATE)
    assert_allclose(np.abs(found), np.abs(gains).mean() * np.abs(sound[0]), rtol=1e-3, atol=1e-6)


def test_a_solo_with_an_inverted_channel_is_learnt_as_it_sounds():
    class Solos:
        folder, sources = "solos", ("bass",)

        def __init__(self, polarity):
            self.polarity = polarity

        def recordings(self, source):
            sound = tone(110)[None]
            yield "song", np.concatenate([sound, self.polarity * sound]), RATE

        def __len__(self):
            return 1

    wanted, inverted = Solos(1), Solos(-1)
    (heard,), (expected,) = (list(solo_waveforms(solos, "bass", RATE, quiet=True)) for solos in (inverted, wanted))
    assert_array_equal(heard, expected)
    assert_array_equal(*(solo_magnitudes(solos, quiet=True)["bass"] for solos in (inverted, wanted)))


# Panning


def test_panned_sources_that_share_a_bin_are_told_apart():
    rng = np.random.default_rng(0)
    true = rng.gamma(0.5, size=(2, 30, 40))
    gains = np.sqrt([[1.8, 0.2], [0.2, 1.8]])
    channels = np.einsum("ic,ift->cft", gains, true)
    guess = 0.6 * true + 0.4 * true[::-1]
    found = in_channels(guess, channels, 50)
    expected = gains[:, :, None, None] * true[:, None]
    before = np.abs(guess[:, None] - expected).sum()
    assert np.abs(found - expected).sum() < 0.5 * before
    assert_allclose(found.sum(axis=0), channels, atol=0.02 * channels.max())


@pytest.mark.parametrize("positions", [(0, 0.33, 0.67, 1), (0.8, 0.6, 0.4, 0.2)])
def test_a_panned_source_gains(positions):
    """A song of the validation split, its instruments apart by constant-power panning."""
    song = open_dataset(shipped("freedoom4"), "validation").load("freedoom1_e1m1").excerpt(0, 4)
    mono = np.stack(list(song.sources.values()))
    angles = np.array(positions) * np.pi / 2
    panned = (np.stack([np.cos(angles), np.sin(angles)], axis=1)[:, :, None] * mono).astype(np.float32)
    scores = [sdr(sources, nmf(sources.sum(axis=0), song.rate)).mean() for sources in (mono, panned)]
    assert scores[1] > scores[0] + 0.7


def test_the_oracle_knows_where_a_source_is():
    left, right = (0.2 * noise(1, RATE, seed=seed) for seed in (1, 2))
    silent = np.zeros_like(left)
    sources = {"bass": np.concatenate([left, silent]), "drums": np.concatenate([silent, right])}
    song = Track("song", RATE, sum(sources.values()), sources)
    assert_allclose(OraclePower()(song), np.stack(list(sources.values())), atol=1e-5)


# Below the lowest notes


@both
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("offset", [0.01, -0.1, 0.5])
def test_a_constant_offset_changes_nothing(method, channels, offset):
    mixture, offset = music(channels, RATE), np.float32(offset)
    difference = method(mixture + offset) - method(mixture)
    assert_allclose(difference, np.broadcast_to(difference.mean(axis=2, keepdims=True), difference.shape), atol=2e-3)


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 192_000])
@pytest.mark.parametrize(
    "frequency, low, high", [(5, 0, 1e-4), (12, 0, 1e-3), (16, 0, 0.02), (41, 0.99, 1.01), (1000, 0.999, 1.001)]
)
def test_what_is_below_20_Hz_is_left_out_and_the_lowest_bass_is_not(rate, frequency, low, high):
    middle = slice(rate // 2, -rate // 2)
    sound = tone(frequency, 2, rate)[None]
    heard = audible(sound, rate)[0, middle]
    assert low <= np.abs(heard).max() / np.abs(sound[0, middle]).max() <= high


@pytest.mark.parametrize("offset", [0.0, 0.4])
@pytest.mark.parametrize("cut", np.linspace(0, np.pi, 5))
def test_a_note_that_is_cut_keeps_its_ends(offset, cut):
    """Wherever in its period an excerpt begins and ends."""
    note = 0.3 * np.sin(2 * np.pi * 82.4 * np.arange(2 * RATE) / RATE + cut)[None]
    error = audible(offset + note, RATE) - note
    for end in (slice(None, RATE // 5), slice(-RATE // 5, None)):
        assert (error[:, end] ** 2).mean() < 10 ** (-20 / 10) * (note[:, end] ** 2).mean()


def test_digital_silence_stays_silence():
    waveform = np.concatenate([music(1), np.zeros((1, 4000), np.float32), music(1)], axis=1)
    assert_array_equal(audible(waveform, RATE)[:, 6200:9800], np.zeros((1, 3600)))
    assert not audible(np.full((2, 900), 0.3, np.float32), RATE).any()


@pytest.mark.parametrize("samples", [1, 2, 40])
@pytest.mark.parametrize("rate", [1, 30, 8000])
def test_short_and_slow_recordings_are_filtered_too(samples, rate):
    assert np.isfinite(audible(noise(2, samples), rate)).all()
    assert all(np.isfinite(power) for power, _ in audible_powers([noise(2, samples)], rate))


# Quiet passages


def test_quiet_passages_are_raised_and_rests_are_not():
    loud, quiet = np.full(50, LEVEL**2), np.full(50, 1e-3 * LEVEL**2)
    raised = lifts(np.concatenate([loud, quiet, loud]))
    assert_array_equal(raised[:50], 1)
    assert_allclose(raised[52:98], np.sqrt(SOFT / 1e-3))
    assert_allclose(lifts(np.concatenate([loud, quiet[:10], loud])), 1)
    assert_array_equal(lifts(0.3 * loud), 1)
    assert np.isfinite(lifts(0 * loud)).all()


def test_no_seam_between_a_song_as_a_whole_and_its_segments(tmp_path):
    """NMF's masks depend on their own frame alone: segments must not change them, where the level changes either."""
    mixture = np.concatenate([music(2, 11 * RATE), 0.01 * music(2, 11 * RATE)], axis=1)
    soundfile.write(tmp_path / "song.wav", mixture.T, RATE, "FLOAT")
    paths = NMF.separate_file(tmp_path / "song.wav", tmp_path / "out", progress=False)
    found = np.stack([audio.read(path)[0] for path in paths])
    whole = NMF.separate(mixture, RATE)
    # Where each source is in this noise is estimated anew in every segment, hence not the same to the last bit.
    # A window that hears both levels is left out.
    for part in (slice(0, 11 * RATE - WINDOW_LENGTH), slice(11 * RATE + WINDOW_LENGTH, None)):
        assert ((found - whole)[..., part] ** 2).mean() < 2e-2 * (mixture[..., part] ** 2).mean()
    assert_allclose(found.sum(axis=0), mixture, atol=1e-5)


# When not to trust the answer


@pytest.mark.parametrize(
    "mixture, estimates, doubt",
    [
        (np.zeros((1, RATE)), [1, 0], "is silent: so are its stems"),
        (np.full((1, RATE), 0.2), [0.7, 0.3], "hardly anything in it lies between 20 Hz and 11.0 kHz"),
        (
            np.float32(tone(12, 4, 44_100) * np.hanning(4 * 44_100))[None],
            [0.7, 0.3],
            "hardly anything in it lies between 20 Hz and 11.0 kHz",
        ),
        (tone(15_000, 1, 44_100)[None], [0.7, 0.3], "hardly anything in it lies between 20 Hz and 11.0 kHz"),
        (tone(440)[None], [0.5, 0.5], "no instrument was found in it: every stem is the song ÷ 2"),
    ],
)
def test_what_is_not_to_be_trusted_is_said_in_one_line(tmp_path, mixture, estimates, doubt):
    soundfile.write(tmp_path / "song.wav", mixture.T, 44_100, "FLOAT")
    shares = np.float32(estimates)[:, None, None]
    with pytest.warns(SeparationWarning, match=doubt) as warned:
        separate_song(tmp_path / "song.wav", tmp_path, ["bass", "drums"], lambda x, *_: shares * x, progress=False)
    (warning,) = warned
    assert str(warning.message).startswith(f"{tmp_path / 'song.wav'}: ") and "\n" not in str(warning.message)


@pytest.mark.parametrize("added", [0.5, tone(12, 1)])
def test_an_offset_or_a_rumble_far_above_the_music_is_no_reason_for_doubt(added):
    trust, mixture = Trust(RATE), 0.02 * tone(440, 1)[None] + np.float32(added)
    trust.listen(mixture, RATE, np.stack([0.8 * mixture, 0.2 * mixture]))
    assert trust.doubt() is None


def test_silence_is_doubted_in_python_too():
    ours = [tiny_prior(name) for name in INSTRUMENTS[:2]]
    with pytest.warns(SeparationWarning, match="the mixture: is silent"):
        separate(np.zeros((1, 800), np.float32), ours, RATE, QUICK)


def test_music_is_not_doubted(recwarn):
    glow_rate = dataclasses.asdict(tiny_prior("bass").config)["rate"]
    nmf(music(2, glow_rate))
    glow(music(2, glow_rate))
    assert not [warning for warning in recwarn if issubclass(warning.category, SeparationWarning)]
