"""The contract of a system, for every one in the registry; and songs, segment by segment."""

import json

import numpy as np
import pytest
import soundfile
from conftest import INSTRUMENTS, RATE, TINY, noise, tiny_gan, tiny_labelled_prior, tiny_prior
from numpy.testing import assert_array_equal

from glowsep.datasets import Track, open_dataset
from glowsep.datasets.solos import validation_split
from glowsep.errors import DatasetError, PriorError
from glowsep.learning.training_record import TrainingRecord
from glowsep.learning.weights import load_arrays, save_arrays
from glowsep.signals import audio
from glowsep.systems import songs
from glowsep.systems.demucs.model import Demucs, DemucsConfig
from glowsep.systems.demucs.separate import DemucsSeparator
from glowsep.systems.floors_and_ceilings.floors import EqualShare
from glowsep.systems.gan_prior.gan_prior import GANPrior
from glowsep.systems.gan_prior.search import ProjectedGradientDescent
from glowsep.systems.glow import instglow
from glowsep.systems.glow.instglow import InstGlow
from glowsep.systems.glow.musicglow import MusicGlow
from glowsep.systems.registry import FOR_COMPARISON, SYSTEMS, TRAINED
from glowsep.systems.search.annealed import AnnealedSearch
from glowsep.systems.search.latent import LatentSearch
from glowsep.systems.songs import cross_faded
from glowsep.systems.supervised.trained_network import TrainedNetwork
from glowsep.systems.wave_u_net.model import WaveUNet, WaveUNetConfig
from glowsep.systems.wave_u_net.separate import WaveUNetSeparator

QUICK = AnnealedSearch(iterations=1)
#: The systems that search; the noise of this search is drawn source by source.
SEARCHING = ("instglow", "musicglow")


def track(names=INSTRUMENTS, rate=RATE, channels=2):
    sources = {name: noise(channels, 3000, seed=sum(name.encode())) for name in names}
    return Track("song", rate, sum(sources.values()), sources)


@pytest.fixture
def systems(baselines):
    """Every system of the registry, the trained ones from tiny files."""
    trained = {"instglow": InstGlow([tiny_prior(name) for name in INSTRUMENTS], QUICK)}
    trained["musicglow"] = MusicGlow(tiny_labelled_prior(), QUICK)
    trained["gan_prior"] = GANPrior([tiny_gan(name) for name in INSTRUMENTS], ProjectedGradientDescent(1))
    for name in ("average_spectrum", "nmf"):
        trained[name] = SYSTEMS[name].load(baselines / f"{name}.npz")
    wave_u_net = WaveUNet(WaveUNetConfig(levels=2, filters=2))
    demucs = Demucs(DemucsConfig(depth=2, filters=2, lstm_layers=1, rate=RATE))
    trained["wave_u_net"] = WaveUNetSeparator(TrainedNetwork(wave_u_net, INSTRUMENTS))
    trained["demucs"] = DemucsSeparator(TrainedNetwork(demucs, INSTRUMENTS))
    return trained | {name: system() for name, system in SYSTEMS.items() if system.weights is None}


# The registry


def test_every_system_is_in_the_registry_under_its_own_name(systems):
    assert set(systems) == set(SYSTEMS)
    assert all(system.name == name for name, system in SYSTEMS.items())
    assert TRAINED == ("instglow", "musicglow", "gan_prior", "average_spectrum", "nmf", "wave_u_net", "demucs")
    assert set(FOR_COMPARISON) == set(SYSTEMS) - {"instglow", "musicglow", "gan_prior", "wave_u_net", "demucs"}


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_system_is_as_it_describes_itself(name, systems):
    system = systems[name]
    assert (system.trained_on == "nothing") == (system.weights is None) == (name not in TRAINED)
    assert system.sources == (() if system.weights is None else INSTRUMENTS)
    assert repr(system) == (
        f"{type(system).__name__}({', '.join(system.sources) or 'any sources'}; trained on {system.trained_on})"
    )
    assert all(isinstance(value, str) for value in system.settings().values())


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_track_is_separated_into_its_sources_in_its_order(name, systems):
    forwards, backwards = track(("bass", "piano")), track(("piano", "bass"))
    estimates = systems[name](forwards)
    assert estimates.shape == (2, 2, 3000) and estimates.dtype == np.float32
    if name not in (*SEARCHING, "gan_prior"):  # of two sources the first decides what an edge is
        np.testing.assert_allclose(systems[name](backwards)[::-1], estimates, atol=1e-5)
    if name not in ("mixture", "wave_u_net", "demucs"):  # of which the last two leave out what other sources are
        np.testing.assert_allclose(estimates.sum(axis=0), forwards.mixture, atol=1e-5)


@pytest.mark.parametrize("name", TRAINED)
def test_what_a_trained_system_separates_is_in_the_order_of_its_sources(name, systems):
    song, system = track(), systems[name]
    assert_array_equal(system.separate(song.mixture, song.rate), system(song))
    assert system.only(("piano", "drums")).sources == ("piano", "drums")


@pytest.mark.parametrize("name", TRAINED)
def test_a_source_that_a_system_does_not_know_is_refused_by_name(name, systems):
    with pytest.raises(ValueError, match=f"^{name} does not know 'kazoo'; its sources are bass, drums, guitar, piano$"):
        systems[name](track(("bass", "kazoo")))


@pytest.mark.parametrize("name", SYSTEMS)
def test_any_iterable_of_sources_is_read_once(name, systems):
    system = SYSTEMS[name](track().sources) if name.startswith("oracle") else systems[name]
    some = system.only(source for source in ("piano", "drums"))
    assert some.sources == ("piano", "drums")
    assert some.separate(track().mixture, RATE).shape == (2, 2, 3000)


@pytest.mark.parametrize("name", TRAINED)
def test_positions_of_any_iterable_are_found(name, systems):
    assert systems[name].positions(iter(("piano", "bass"))) == [3, 0]


@pytest.mark.parametrize("name", sorted(set(SYSTEMS) - set(TRAINED)))
def test_without_sources_nothing_is_separated(name, systems):
    with pytest.raises(ValueError, match=f"^{name} knows no sources but those of a track: use evaluate, or a trained"):
        systems[name].separate(track().mixture, RATE)
    if name.startswith("oracle"):
        with pytest.raises(ValueError, match=f"^{name} knows no sources but those of a track"):
            systems[name].only(["bass"])


@pytest.mark.parametrize("name", TRAINED)
def test_a_saved_system_comes_back(name, systems, tmp_path):
    system, song = systems[name], track()
    system.save(tmp_path / "saved")
    options = {"search": QUICK} if name in SEARCHING else {"iterations": 1} if name == "gan_prior" else {}
    loaded = SYSTEMS[name].load(tmp_path / "saved", **options)
    assert loaded.sources == system.sources
    assert_array_equal(loaded(song), system(song))


@pytest.mark.parametrize("name", TRAINED)
def test_the_shipped_system_knows_the_four_instruments(name):
    assert SYSTEMS[name].load().sources == INSTRUMENTS


@pytest.mark.parametrize("name", TRAINED)
def test_missing_shipped_weights_are_named(name, tmp_path, monkeypatch):
    monkeypatch.setattr("glowsep.datasets.shipped.DATA", tmp_path)
    with pytest.raises(PriorError, match=f"{SYSTEMS[name].weights}: not there; .*--priors"):
        SYSTEMS[name].load()


@pytest.mark.parametrize("name", TRAINED)
def test_a_fitted_system_knows_its_sources_and_what_its_training_took(name, dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(instglow, "PriorConfig", lambda: TINY)
    options = {} if name in ("nmf", "average_spectrum") else {"steps": 1, "batch": 1}
    options |= {"channels": 1} if name == "gan_prior" else {}
    fitted = SYSTEMS[name].fit(open_dataset(dataset, "train"), seed=3, **options)
    if name == "gan_prior":
        fitted.search = ProjectedGradientDescent(1)  # not a thousand
    assert fitted.sources == INSTRUMENTS and fitted(track()).shape == (4, 2, 3000)
    seconds = 3600 * fitted.training.hours
    assert 0.5 * 8 < seconds < 1.3 * 8  # two tracks of one second for each of four instruments
    assert 0 < fitted.training.core_minutes < 10
    fitted.save(tmp_path / "saved")
    loaded = SYSTEMS[name].load(tmp_path / "saved")
    assert (loaded.training, loaded.parameter_count) == (fitted.training, fitted.parameter_count)


def as_of_an_older_version(path, change):
    """Rewrite a file of weights with another header."""
    header, arrays = load_arrays(path, json.loads(str(np.load(path)["header"]))["kind"])
    change(header)
    save_arrays(path, header.pop("kind"), header, arrays)


@pytest.mark.parametrize("name", TRAINED)
def test_a_file_that_does_not_say_what_training_took_still_loads(name, systems, tmp_path):
    systems[name].save(tmp_path / "saved")
    file = tmp_path / "saved"
    file = file / "piano.npz" if file.is_dir() else file
    as_of_an_older_version(file, lambda header: header.pop("training"))
    training = SYSTEMS[name].load(tmp_path / "saved").training
    assert np.isnan([training.hours, training.core_minutes]).all()  # one part that is not known, and the sum is not


@pytest.mark.parametrize("name", TRAINED)
@pytest.mark.parametrize(
    "damaged", [None, {"hours": 1}, *({"hours": hours, "core_minutes": 1} for hours in (-1, "1", True))]
)
def test_a_damaged_record_of_the_training_is_refused_with_its_file(name, damaged, systems, tmp_path):
    systems[name].save(tmp_path / "saved")
    file = tmp_path / "saved"
    file = file / "piano.npz" if file.is_dir() else file
    as_of_an_older_version(file, lambda header: header.update(training=damaged))
    with pytest.raises(PriorError, match=f"{file}: does not describe a .*(training is|hours of training is)"):
        SYSTEMS[name].load(tmp_path / "saved")


def test_parameters_are_all_numbers_that_were_learnt(systems):
    assert systems["nmf"].parameter_count == 4 * 2049 * 2 and systems["average_spectrum"].parameter_count == 4 * 2049
    prior = tiny_prior("bass")
    flow, bins = sum(array.size for array in prior.flow.parameters().values()), prior.config.glow.channels
    assert prior.parameter_count == flow + 2 * bins + prior.dictionary.size
    assert systems["instglow"].parameter_count == 4 * prior.parameter_count
    labelled = tiny_labelled_prior()
    flow = sum(array.size for array in labelled.flow.parameters().values())
    assert systems["musicglow"].parameter_count == flow + 4 * (2 * bins + prior.dictionary.size)


@pytest.mark.parametrize("name", sorted(set(SYSTEMS) - set(TRAINED)))
def test_what_learns_nothing_took_no_training(name, systems):
    assert systems[name].training == TrainingRecord(0, 0) and systems[name].parameter_count == 0


@pytest.mark.parametrize("name", sorted(set(SYSTEMS) - set(TRAINED)))
def test_what_learns_nothing_is_neither_trained_nor_saved(name, systems, tmp_path):
    with pytest.raises(ValueError, match=f"{name} learns nothing"):
        SYSTEMS[name].fit(None)
    with pytest.raises(ValueError, match=f"{name} learns nothing"):
        systems[name].save(tmp_path / "saved")


# InstGlow


def test_the_search_and_the_seed_decide():
    priors, song = [tiny_prior(name) for name in INSTRUMENTS], track()
    same, again, seeded, latent = (
        system(song)
        for system in (
            InstGlow(priors, QUICK),
            InstGlow(priors, QUICK),
            InstGlow(priors, QUICK, seed=1),
            InstGlow(priors, LatentSearch(iterations=1)),
        )
    )
    assert_array_equal(same, again)
    assert (same != seeded).any() and (same != latent).any()


def test_its_settings_are_those_of_its_search():
    settings = InstGlow([tiny_prior("bass")], LatentSearch(iterations=3), mask_exponent=2).settings()
    assert settings["search"] == "LatentSearch" and settings["iterations"] == "3" and settings["start"] == "from_nmf"
    assert settings["mask exponent"] == "2"


def test_priors_are_loaded_from_files_and_folders(priors):
    assert InstGlow.load([priors / "piano.npz", priors / "bass.npz"]).sources == ("piano", "bass")
    assert InstGlow.load(priors).sources == INSTRUMENTS


def test_a_folder_of_priors_is_read_in_the_order_of_its_files(tmp_path):
    saved = InstGlow([tiny_prior("piano"), tiny_prior("bass")])
    saved.save(tmp_path / "saved")
    loaded = InstGlow.load(tmp_path / "saved")
    assert saved.sources == ("piano", "bass") and loaded.sources == ("bass", "piano")
    assert loaded.only(saved.sources).sources == saved.sources


def test_priors_are_not_saved_onto_a_file(tmp_path):
    (tmp_path / "taken").write_text("a letter")
    with pytest.raises(PriorError, match="taken: the folder cannot be made .there is a file of this name.; choose"):
        InstGlow([tiny_prior("bass")]).save(tmp_path / "taken")
    with pytest.raises(PriorError, match="inner: the folder cannot be made"):
        InstGlow([tiny_prior("bass")]).save(tmp_path / "taken" / "inner")


def test_every_source_of_a_fit_has_its_own_checkpoint(dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(instglow, "PriorConfig", lambda: TINY)
    options = {"steps": 1, "batch": 1, "checkpoint": tmp_path / "checkpoints"}
    fitted = InstGlow.fit(open_dataset(dataset, "train"), **options)
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == [
        f"{name}.checkpoint" for name in INSTRUMENTS
    ]
    resumed = InstGlow.fit(open_dataset(dataset, "train"), **options)
    for prior, again in zip(fitted.priors, resumed.priors, strict=True):
        for name, array in prior.flow.parameters().items():
            assert_array_equal(array, again.flow.parameters()[name])


def test_a_source_that_plays_nowhere_cannot_be_trained(tmp_path):
    class Rests:
        folder, sources = tmp_path, ("bass",)

        def recordings(self, source):
            return iter(())

        def __len__(self):
            return 0

    with pytest.raises(DatasetError, match=f"{tmp_path}: bass plays in none of its tracks"):
        InstGlow.fit_source(Rests(), "bass")


def test_the_validation_split_is_found_if_there_is_one(dataset):
    train = open_dataset(dataset, "train")
    assert validation_split(dataset, train).names == ("validation-first", "validation-second")
    assert validation_split(dataset / "train", train) is None


# Songs


@pytest.mark.parametrize("lengths", [[5], [7, 7], [7, 7, 4], [7, 7, 7, 3]])
def test_segments_of_one_signal_join_to_that_signal(lengths):
    hop, signal = 5, np.random.default_rng(0).standard_normal((2, 1, 30)).astype(np.float32)
    segments = (signal[:, :, 5 * i : 5 * i + length].copy() for i, length in enumerate(lengths))
    joined = np.concatenate(list(cross_faded(segments, overlap=2)), axis=2)
    total = hop * (len(lengths) - 1) + lengths[-1]
    np.testing.assert_allclose(joined, signal[:, :, :total], rtol=1e-6)


@pytest.mark.parametrize("name", TRAINED)
def test_a_file_of_one_segment_is_separated_as_its_samples_are(name, systems, song, tmp_path):
    paths = systems[name].separate_file(song, tmp_path / "out", progress=False)
    assert paths == [tmp_path / "out" / f"{source}.wav" for source in INSTRUMENTS]
    waveform, rate = audio.read(song)
    assert_array_equal(np.stack([audio.read(path)[0] for path in paths]), systems[name].separate(waveform, rate))


def test_a_long_file_is_read_in_segments(systems, tmp_path, monkeypatch):
    monkeypatch.setattr(songs, "SEGMENT", 0.2)
    monkeypatch.setattr(songs, "OVERLAP", 0.05)
    path, heard = tmp_path / "song.wav", []
    waveform = noise(2, RATE)
    soundfile.write(path, waveform.T, RATE, "FLOAT")

    class Listening(EqualShare):
        def separate(self, mixture, rate):
            heard.append(mixture.shape[1] / rate)
            return super().separate(mixture, rate)

    paths = Listening(("bass", "drums")).separate_file(path, tmp_path / "out", progress=False)
    assert max(heard) <= 0.2 + 1e-3 and len(heard) == 7
    for stem in paths:
        np.testing.assert_allclose(audio.read(stem)[0], waveform / 2, atol=1e-6)
