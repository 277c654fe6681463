"""Simple systems: floors and ceilings where they belong, models that learn, and files that come back as they went."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import kl_div

from glowsep.datasets import Track
from glowsep.datasets import solos as solos_module
from glowsep.datasets.solos import solo_magnitudes
from glowsep.errors import DatasetError, PriorError
from glowsep.learning import nmf
from glowsep.learning.weights import load_arrays, save_arrays
from glowsep.metrics import sdr
from glowsep.signals.masks import mask_waveform, ratio_masks, share_out
from glowsep.signals.mid import HOP, RATE, WINDOW_LENGTH, channel_magnitudes, mid_magnitude
from glowsep.systems.floors_and_ceilings.average_spectrum import AverageSpectrum
from glowsep.systems.floors_and_ceilings.ceilings import OracleMagnitude, OraclePower, mask_by_truth
from glowsep.systems.floors_and_ceilings.floors import EqualShare, Mixture
from glowsep.systems.nmf.model import PoissonNMF
from glowsep.systems.nmf.separate import joint_masks_of_channels

mixture, equal_share, oracle_magnitude, oracle_power = Mixture(), EqualShare(), OracleMagnitude(), OraclePower()
KIND = {AverageSpectrum: "spectrum table", PoissonNMF: "dictionary set"}
NOTES = {"low": (110, 165, 220), "high": (880, 1320, 1760)}


def melody(name, rng, seconds=2, rate=RATE, channels=1):
    """Half-second notes with overtones: what a dictionary can learn."""
    time = np.arange(int(seconds * rate)) / rate
    melody = np.zeros((channels, time.size), np.float32)
    for start in np.arange(0, seconds, 0.5):
        note, since = rng.choice(NOTES[name]), time - start
        tone = sum(np.sin(2 * np.pi * note * k * since) / k for k in range(1, 5))
        melody += rng.uniform(0.1, 0.3, (channels, 1)) * tone * np.exp(-4 * since) * ((since >= 0) & (since < 0.5))
    return melody


def track(seed=0, names=("low", "high"), **shape):
    rng = np.random.default_rng(seed)
    sources = {name: melody(name, rng, **shape) for name in names}
    return Track("song", shape.get("rate", RATE), sum(sources.values()), sources)


class Recordings:
    """As much of a data set as the learnt baselines need: no mixture in it."""

    sources = ("low", "high")

    def recordings(self, source):
        for seed in (1, 2):
            yield f"song {seed}", melody(source, np.random.default_rng(seed), rate=44_100), 44_100


@pytest.fixture(scope="module")
def solos():
    return solo_magnitudes(Recordings(), every=2, rng=np.random.default_rng(0), quiet=True)


@pytest.fixture(scope="module")
def average_spectrum(solos):
    return AverageSpectrum.from_solos(solos)


@pytest.fixture(scope="module")
def poisson_nmf(solos):
    return PoissonNMF.from_solos(solos, np.random.default_rng(0), components=4, learning_iterations=40)


def score(method, song):
    return sdr(np.stack(list(song.sources.values())), method(song)).mean()


# Floors and ceilings


def test_the_mixture_is_every_estimate_and_its_shares_are_equal():
    song = track(channels=2)
    assert_array_equal(mixture(song), [song.mixture] * 2)
    assert_allclose(equal_share(song).sum(axis=0), song.mixture, atol=1e-6)


def test_knowing_more_is_never_worse(average_spectrum, poisson_nmf):
    song = track()
    scores = [score(method, song) for method in (mixture, equal_share, average_spectrum, poisson_nmf, oracle_power)]
    assert scores == sorted(scores)
    assert score(poisson_nmf, song) > score(equal_share, song) + 6
    assert score(oracle_magnitude, song) > score(equal_share, song) + 6


def test_sources_that_share_no_bin_are_separated_by_the_oracle():
    time = np.arange(2 * RATE) / RATE
    sources = {name: np.sin(2 * np.pi * f * time)[np.newaxis] for name, f in (("low", 300), ("high", 6000))}
    song = Track("song", RATE, sum(sources.values()), sources)
    assert score(oracle_power, song) > 35


@settings(max_examples=10, deadline=None)
@given(
    rate=st.sampled_from([8000, 16_000, 22_050, 44_100, 48_000]),
    samples=st.integers(1, 9000),
    channels=st.integers(1, 3),
    names=st.permutations(["low", "high"]).map(tuple),
)
def test_estimates_have_the_tracks_shape_at_any_rate_and_length(
    average_spectrum, poisson_nmf, rate, samples, channels, names
):
    song = track(names=names, seconds=samples / rate, rate=rate, channels=channels)
    shape = (2, *song.mixture.shape)
    for method in (mixture, equal_share, oracle_magnitude, oracle_power, average_spectrum, poisson_nmf):
        estimates = method(song)
        assert estimates.shape == shape and estimates.dtype == np.float32
        assert np.isfinite(estimates).all()


def test_masked_estimates_add_up_to_the_mixture(average_spectrum, poisson_nmf):
    song = track(channels=2)
    for method in (oracle_magnitude, oracle_power, average_spectrum, poisson_nmf):
        assert_allclose(method(song).sum(axis=0), song.mixture, atol=1e-5)


def test_all_channels_share_the_masks_of_their_mean():
    song = track(channels=2)
    loud = ratio_masks(np.random.default_rng(0).random((2, *mid_magnitude(song.mixture, RATE).shape)))
    estimates = mask_waveform(song.mixture, RATE, loud, RATE, WINDOW_LENGTH, HOP)
    for channel in range(2):
        alone = mask_waveform(song.mixture[[channel]], RATE, loud, RATE, WINDOW_LENGTH, HOP)
        assert_allclose(estimates[:, [channel]], alone, atol=1e-6)


def test_silence_is_separated_into_silence(average_spectrum, poisson_nmf):
    silence = np.zeros((1, RATE), np.float32)
    song = Track("rest", RATE, silence, {"low": silence, "high": silence})
    for method in (oracle_magnitude, oracle_power, average_spectrum, poisson_nmf):
        assert_array_equal(method(song), np.zeros((2, 1, RATE)))


def test_the_order_of_the_estimates_is_that_of_the_tracks_sources(average_spectrum, poisson_nmf):
    for method in (average_spectrum, poisson_nmf):
        forwards, backwards = method(track()), method(Track("song", RATE, track().mixture, {"high": 0, "low": 0}))
        assert_allclose(forwards, backwards[::-1], atol=1e-5)


def test_a_source_that_was_never_learnt_is_refused(average_spectrum, poisson_nmf):
    song = Track("song", RATE, track().mixture, {"low": None, "vocals": None})
    for method in (average_spectrum, poisson_nmf):
        with pytest.raises(ValueError, match=f"^{method.name} does not know 'vocals'; its sources are low, high$"):
            method(song)


# What is learnt


def test_solo_frames_are_those_in_which_the_instrument_sounds(solos):
    assert set(solos) == {"low", "high"}
    for frames in solos.values():
        assert frames.shape[0] == WINDOW_LENGTH // 2 + 1 and frames.dtype == np.float32
        assert (frames.max(axis=0) > 0).all()
    loudest = {name: frames.mean(axis=1).argmax() * RATE / WINDOW_LENGTH for name, frames in solos.items()}
    assert loudest["low"] < 300 and loudest["high"] > 800


def test_silence_is_told_by_the_level_whatever_the_window():
    """A sine at -80 dB is heard, one at -96 dB is not, though a longer window gives both larger numbers."""

    class Sines(Recordings):
        def recordings(self, source):
            sine = np.sin(2 * np.pi * 2756.25 * np.arange(RATE) / RATE)[None]
            yield "song", {"low": 1e-4, "high": 1.6e-5}[source] * sine, RATE

    for window in (256, 1024, 4096):
        options = {"quiet": True, "window_length": window, "hop": window // 4}
        with pytest.raises(DatasetError, match="high plays in none"):
            solo_magnitudes(Sines(), 1, **options)
        Sines.sources = ("low",)
        assert solo_magnitudes(Sines(), 1, **options)["low"].shape[1] > RATE / (window / 4) - 8
        Sines.sources = ("low", "high")


def test_of_many_frames_evenly_spaced_ones_are_kept(monkeypatch):
    whole = solo_magnitudes(Recordings(), every=2, quiet=True)["low"]
    monkeypatch.setattr(solos_module, "MOST", whole.shape[1] // 3)
    few = solo_magnitudes(Recordings(), every=2, quiet=True)["low"]
    assert_array_equal(few, whole[:, :: -(-whole.shape[1] // (whole.shape[1] // 3))])
    assert few.shape[1] <= whole.shape[1] // 3


def at_window(model, mixture, window, hop):
    """What a model's masks, found with this window, make of a mixture."""
    if isinstance(model, AverageSpectrum):
        masks = model.masks(mid_magnitude(mixture, RATE, window, hop))
        return mask_waveform(mixture, RATE, masks, RATE, window, hop)
    magnitudes = channel_magnitudes(mixture, RATE, window, hop)
    masks = joint_masks_of_channels(magnitudes, model.dictionaries, model.iterations, model.exponent)
    return share_out(mixture, RATE, masks, RATE, window, hop)


@pytest.mark.parametrize("window, hop", [(2048, 512), (2048, 1024)])
@pytest.mark.parametrize("model", [AverageSpectrum, PoissonNMF])
def test_a_model_of_another_window_is_used_at_that_window(model, window, hop, tmp_path):
    fitted = model.fit(Recordings(), window_length=window, hop=hop)
    fitted.save(tmp_path / "model.npz")
    loaded, song = model.load(tmp_path / "model.npz"), track(channels=2)
    assert (loaded.window_length, loaded.hop) == (window, hop)
    assert_array_equal(loaded(song), at_window(loaded, song.mixture, window, hop))
    assert score(loaded, song) > score(equal_share, song) + 3
    assert model.fit(Recordings(), window_length=window).hop == window // 4


@pytest.mark.parametrize("window, hop", [(2048, 500), (1000, 1000), (1023, 341)])
@pytest.mark.parametrize("model", [AverageSpectrum, PoissonNMF])
def test_a_hop_that_does_not_divide_the_window_is_refused(model, window, hop):
    with pytest.raises(ValueError, match="hop is|window_length is 1023"):
        model.fit(Recordings(), window_length=window, hop=hop)


@pytest.mark.parametrize("model", [AverageSpectrum, PoissonNMF])
def test_a_file_that_does_not_say_its_hop_is_of_the_window_1024(model, tmp_path):
    """Files of version 0.1.0."""
    model.fit(Recordings(), window_length=1024).save(tmp_path / "model.npz")
    header, arrays = load_arrays(tmp_path / "model.npz", KIND[model])
    del header["hop"]
    save_arrays(tmp_path / "model.npz", KIND[model], header, arrays)
    loaded = model.load(tmp_path / "model.npz")
    assert (loaded.window_length, loaded.hop) == (1024, 256)


def test_oracles_of_a_longer_window_tell_closer_notes_apart():
    """Two steady tones 12 Hz apart share every bin of a short window, and hardly one of a long window."""
    time = np.arange(4 * RATE) / RATE
    truth = {name: np.sin(2 * np.pi * f * time)[np.newaxis] for name, f in (("low", 300), ("high", 312))}
    mixture, references = sum(truth.values()), np.stack(list(truth.values()))
    scores = [sdr(references, mask_by_truth(truth, mixture, RATE, 2, w, w // 4)).mean() for w in (1024, 4096, 16384)]
    assert scores == sorted(scores) and scores[-1] > scores[0] + 10
    assert_array_equal(mask_by_truth(truth, mixture, RATE, 2), mask_by_truth(truth, mixture, RATE, 2, 4096, 1024))


def test_an_instrument_that_never_plays_cannot_be_learnt():
    class Rests(Recordings):
        def recordings(self, source):
            for name, waveform, rate in super().recordings(source):
                yield name, 0 * waveform if source == "high" else waveform, rate

    with pytest.raises(DatasetError, match="high plays in none"):
        solo_magnitudes(Rests(), every=1, rng=np.random.default_rng(0), quiet=True)


def test_the_average_spectrum_is_the_mean_of_the_frames(solos, average_spectrum):
    assert_allclose(average_spectrum.spectra[0], solos["low"].mean(axis=1), rtol=1e-5)
    masks = average_spectrum.masks(np.ones((2049, 3)))
    assert_allclose(masks.sum(axis=0), 1, rtol=1e-5)
    assert masks[0, 20, 0] > 0.9 and masks[1, 327, 0] > 0.9  # 108 and 1760 Hz


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), bins=st.integers(1, 12), frames=st.integers(1, 12), rank=st.integers(1, 5))
def test_no_update_raises_the_divergence(seed, bins, frames, rank):
    rng = np.random.default_rng(seed)
    V, W, H = (rng.gamma(0.5, size=shape) for shape in ((bins, frames), (bins, rank), (rank, frames)))
    divergence = [kl_div(V, W @ H).sum()]
    for _ in range(5):
        H = nmf.update_activations(V, W, H)
        divergence.append(kl_div(V, W @ H).sum())
        W = nmf.update_dictionary(V, W, H)
        divergence.append(kl_div(V, W @ H).sum())
    assert (np.diff(divergence) <= 1e-6 * divergence[0]).all()


def test_a_product_of_two_factors_is_found_again():
    rng = np.random.default_rng(0)
    W, H = rng.gamma(0.3, size=(20, 3)), rng.gamma(0.3, size=(3, 200))
    learnt = nmf.learn_dictionary(W @ H, 3, 2000, rng)
    assert_allclose(learnt.sum(axis=0), 1)
    model = learnt @ nmf.activations(W @ H, learnt, 2000)
    assert kl_div(W @ H, model).sum() < 1e-3 * (W @ H).sum()


def test_the_seed_decides_the_dictionaries(solos):
    fits = [
        PoissonNMF.from_solos(solos, np.random.default_rng(seed), components=2, learning_iterations=2)
        for seed in (0, 0, 1)
    ]
    assert_array_equal(fits[0].dictionaries, fits[1].dictionaries)
    assert (fits[0].dictionaries != fits[2].dictionaries).any()


# Files


def test_a_saved_model_separates_as_before(tmp_path, average_spectrum, poisson_nmf):
    for method in (average_spectrum, poisson_nmf):
        method.save(tmp_path / "model.npz")
        loaded = type(method).load(tmp_path / "model.npz")
        assert_array_equal(loaded(track()), method(track()))
        assert [path.name for path in tmp_path.iterdir()] == ["model.npz"]


@pytest.mark.parametrize("model", [AverageSpectrum, PoissonNMF])
def test_a_file_that_holds_no_such_model_is_refused(tmp_path, model):
    path = tmp_path / "model.npz"
    with pytest.raises(PriorError, match="model.npz: no such file"):
        model.load(path)
    path.write_bytes(b"no zip")
    with pytest.raises(PriorError, match="model.npz"):
        model.load(path)
    save_arrays(path, "prior", {}, {"weights": np.zeros(3)})
    with pytest.raises(PriorError, match="model.npz: holds a 'prior'"):
        model.load(path)
