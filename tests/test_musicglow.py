"""MusicGlow: one labelled flow; whose sound it hears decides, and every instrument is heard alike."""

import dataclasses
import json

import numpy as np
import pytest
from conftest import INSTRUMENTS, RATE, TINY, TINY_GLOW, noise, tiny_labelled_prior
from numpy.testing import assert_allclose, assert_array_equal

from glowsep import check
from glowsep.cli import main
from glowsep.datasets import open_dataset
from glowsep.errors import PriorError
from glowsep.learning.weights import load_arrays
from glowsep.systems.glow import instglow, together, train
from glowsep.systems.glow.config import NOISE_FEATURES
from glowsep.systems.glow.excerpts import random_batch, random_noise_levels
from glowsep.systems.glow.instglow import InstGlow
from glowsep.systems.glow.labelled import LabelledPrior, with_labels
from glowsep.systems.glow.musicglow import MusicGlow
from glowsep.systems.glow.prior import Prior
from glowsep.systems.glow.train import TrainingConfig
from glowsep.systems.search import AnnealedSearch, ConstrainedLatentSearch, LatentSearch

LEVELS = np.float32([0.03, 0.1, 0.5])
SHORT = TrainingConfig(steps=4, batch=5, frames=8, warmup=1, validate_every=2)
SOLOS = [noise(3000 + 100 * seed, seed=seed) for seed in range(4)]


def shaken_labelled_prior(dtype=np.float64):
    """A prior whose every weight is at work, each instrument with statistics of its own."""
    prior, rng = tiny_labelled_prior(), np.random.default_rng(0)
    for array in prior.flow.parameters().values():
        array += (0.1 * rng.standard_normal(array.shape)).astype(array.dtype)
    prior.flow.load({
        name: array.astype(dtype) if array.dtype.kind == "f" else array
        for name, array in (prior.flow.parameters() | prior.flow.state()).items()
    })  # fmt: skip
    prior.mean = rng.uniform(1, 2, prior.mean.shape).astype(dtype)
    prior.variance = rng.uniform(0.5, 2, prior.variance.shape).astype(dtype)
    prior.dictionary = rng.uniform(0.5, 2, prior.dictionary.shape).astype(np.float32)
    return prior


def single_prior(name, labelled):
    """A plain prior with the label's part of the condition moved into the biases of the gates: p(u | k), told apart.

    The condition enters every gate as V c; of the label that is one column of V, the same for all frames and items.
    """
    position = labelled.name.index(name)
    prior = Prior(name, dataclasses.replace(labelled.config, glow=TINY_GLOW))
    weights = dict(labelled.flow.parameters() | labelled.flow.state())
    for key in [key for key in weights if ".conditions." in key and key.endswith(".W")]:
        bias = key.removesuffix("W") + "b"
        weights[bias] = weights[bias] + weights[key][:, NOISE_FEATURES + position].reshape(weights[bias].shape)
        weights[key] = weights[key][:, :NOISE_FEATURES]
    prior.flow.load(weights)
    for statistic in ("mean", "variance", "dictionary"):
        setattr(prior, statistic, getattr(labelled, statistic)[position])
    return prior


@pytest.fixture
def few_batches(monkeypatch):
    """Dictionaries of little music: what they hold is not what is tested here."""
    monkeypatch.setattr(train.measure_dictionary, "__defaults__", (4, 4, 2))


def weights_of(prior):
    return prior.flow.parameters() | prior.flow.state() | prior.statistics()


def assert_same_weights(first, second):
    assert first.keys() == second.keys()
    for name, array in first.items():
        assert_array_equal(array, second[name], err_msg=name)


# Labels


def test_the_condition_is_the_noise_level_s_and_beside_it_the_label():
    prior = tiny_labelled_prior()
    for position, name in enumerate(INSTRUMENTS):
        one = prior.of(position)
        condition = one.condition(LEVELS)
        assert one.name == name and condition.shape == (3, NOISE_FEATURES + 4) and condition.dtype == np.float32
        assert_array_equal(condition[:, :NOISE_FEATURES], Prior(name, TINY).condition(LEVELS))
        assert_array_equal(condition[:, NOISE_FEATURES:], [np.eye(4)[position]] * 3)
    batch = prior.of([3, 0, 3])
    assert batch.name == ["piano", "bass", "piano"]
    assert_array_equal(batch.condition(LEVELS)[:, NOISE_FEATURES:], np.eye(4)[[3, 0, 3]])


def test_the_prior_of_an_instrument_is_a_view_of_the_one_flow():
    prior = tiny_labelled_prior()
    views = [*prior.each(), prior.of([1, 2])]
    assert all(view.flow is prior.flow for view in views)
    assert prior.name == list(INSTRUMENTS)  # as before


def test_an_instrument_s_density_is_that_of_a_prior_of_its_own():
    """To the eye of a network a one-hot label is a bias: a check by other means of every method that a search calls."""
    labelled, rng = shaken_labelled_prior(), np.random.default_rng(1)
    levels, u = LEVELS.astype(np.float64), 2 * rng.standard_normal((3, 32, 4))
    latent, magnitude = rng.standard_normal((64, 3)), rng.uniform(1e-3, 1, (32, 6))
    for position, name in enumerate(INSTRUMENTS):
        one, other = labelled.of(position), single_prior(name, labelled)
        for method in ("noisy_log_prob", "score", "denoise", "energy_gradient"):
            for here, there in zip(getattr(one, method)(u, levels), getattr(other, method)(u, levels), strict=True):
                assert_allclose(here, there, rtol=1e-9, atol=1e-9)
        for view, prior in ((one, other), (one.at(0.2), other.at(0.2)), (one.frozen(), other)):
            assert_allclose(view.latent_of(magnitude), prior.latent_of(magnitude), rtol=1e-9, atol=1e-9)
            tapes = [], []
            assert_allclose(view.generate(latent, tapes[0]), prior.generate(latent, tapes[1]), rtol=1e-9)
            here, there = view.backward_generate(magnitude, tapes[0]), prior.backward_generate(magnitude, tapes[1])
            assert_allclose(here, there, rtol=1e-9, atol=1e-9)
    assert not np.allclose(*(labelled.of(position).noisy_log_prob(u, levels) for position in (0, 1)))


def test_the_items_of_a_batch_have_the_densities_of_their_instruments():
    labelled, rng = shaken_labelled_prior(), np.random.default_rng(2)
    levels, u = LEVELS.astype(np.float64), 2 * rng.standard_normal((3, 32, 4))
    log_prob = labelled.of([3, 0, 3]).noisy_log_prob(u, levels)
    for item, position in enumerate([3, 0, 3]):
        alone = labelled.of(position).noisy_log_prob(u[[item]], levels[[item]])
        assert_allclose(log_prob[item], alone[0], rtol=1e-12)


def test_the_gradients_with_respect_to_the_label_s_weights_are_right():
    labelled, rng = shaken_labelled_prior(), np.random.default_rng(3)
    flow, condition = labelled.flow, labelled.of([0, 1, 2]).condition(LEVELS)
    check.layer(flow, rng.standard_normal((3, 32, 2)), condition=condition.astype(np.float64), at_most=8)


@pytest.mark.parametrize(
    ("names", "labels", "said"),
    [
        (["bass", "bass"], 2, "each there once"),
        (["bass", 3], 2, "must be words"),
        (INSTRUMENTS, 3, "3 labels, but there are 4 instruments"),
    ],
)
def test_names_and_labels_that_do_not_fit_are_refused(names, labels, said):
    with pytest.raises(ValueError, match=said):
        LabelledPrior(names, with_labels(TINY, labels))


# Training


def test_every_instrument_is_heard_as_often_and_at_every_noise_level():
    rng, heard = np.random.default_rng(0), np.zeros((4, 8), int)
    for _ in range(4000):
        which = together.random_instruments(4, 8, rng)
        assert sorted(which) == [0, 0, 1, 1, 2, 2, 3, 3]
        heard[which, np.arange(8)] += 1  # an item's noise level rises with its place
    assert_allclose(heard, 1000, rtol=0.15)
    few = np.bincount(np.concatenate([together.random_instruments(4, 3, rng) for _ in range(4000)]))
    assert_allclose(few, 3000, rtol=0.1)


def test_a_batch_has_each_item_from_its_own_instrument_s_recordings():
    prior, plain = tiny_labelled_prior(), dataclasses.replace(SHORT, gain_db=0, equaliser_db=0)
    loudness = [0.01, 0.1, 1.0, 10.0]
    solos = [volume * noise(3000) for volume in loudness]
    u = together.excerpts_of(prior, solos, [2, 0, 3], plain, np.random.default_rng(0))
    assert u.shape == (3, 32, 8)
    magnitudes = prior.expand(u).mean(axis=(1, 2))
    assert_allclose(magnitudes / magnitudes[0], [1, 0.01, 10], rtol=0.2)


def test_the_statistics_are_each_instrument_s_own_as_its_prior_would_measure_them(few_batches):
    labelled = LabelledPrior(INSTRUMENTS, with_labels(TINY, 4))
    together.LabelledRun(labelled, SOLOS, None, SHORT).begin()
    for position, (name, solo) in enumerate(zip(INSTRUMENTS, SOLOS, strict=True)):
        single = Prior(name, TINY)
        together.measure(single, solo, SHORT)
        for statistic, array in single.statistics().items():
            assert_array_equal(getattr(labelled, statistic)[position], array)
    assert_array_equal(labelled.label, np.eye(4))


def test_a_step_goes_down_the_gradient_of_the_labelled_loss():
    """The loss as its definition says: minus the mean log-density of noisy excerpts, each given its instrument."""
    prior = shaken_labelled_prior(np.float32)
    run = together.LabelledRun(prior, SOLOS, None, SHORT)
    rng = np.random.default_rng([SHORT.seed, 0])
    which = together.random_instruments(4, SHORT.batch, rng)
    u = np.concatenate([
        random_batch(prior, SOLOS[instrument], dataclasses.replace(SHORT, batch=1), rng) for instrument in which
    ])  # fmt: skip
    levels = random_noise_levels(prior.config, len(u), rng)
    noisy = u + levels[:, None, None] * rng.standard_normal(u.shape, np.float32)

    def loss():
        return -np.mean([
            prior.of(int(instrument)).noisy_log_prob(noisy[[item]], levels[[item]])[0] / u[0].size
            for item, instrument in enumerate(which)
        ])  # fmt: skip

    before = loss()
    assert run.step(0) == pytest.approx(before, rel=1e-4)
    assert loss() < before


def test_the_validation_loss_is_the_mean_of_the_instruments():
    prior = shaken_labelled_prior(np.float32)
    run = together.LabelledRun(prior, SOLOS, SOLOS[::-1], SHORT)
    alone = [
        together.validation_loss(single_prior(name, prior), solo, SHORT)
        for name, solo in zip(INSTRUMENTS, SOLOS[::-1], strict=True)
    ]
    assert run.validation_loss() == pytest.approx(np.mean(alone), rel=1e-5)


def test_a_stopped_training_ends_at_the_same_weights_to_the_last_bit(tmp_path, monkeypatch):
    whole, stopped = shaken_labelled_prior(np.float32), shaken_labelled_prior(np.float32)
    resumed = LabelledPrior(INSTRUMENTS, with_labels(TINY, 4), np.random.default_rng(1))
    curve = whole.fit(SOLOS, SOLOS, SHORT, progress=False)
    step = together.training_step
    calls = []

    def three_steps(*arguments):
        if len(calls) == 3:
            raise KeyboardInterrupt
        calls.append(1)
        return step(*arguments)

    monkeypatch.setattr(together, "training_step", three_steps)
    with pytest.raises(KeyboardInterrupt):
        stopped.fit(SOLOS, SOLOS, SHORT, tmp_path / "checkpoint", progress=False)
    monkeypatch.setattr(together, "training_step", step)
    again = resumed.fit(SOLOS, SOLOS, SHORT, tmp_path / "checkpoint", progress=False)
    assert again.training == curve.training and again.validation == curve.validation
    assert [step for step, _ in curve.validation] == [2, 4]
    assert_same_weights(weights_of(whole), weights_of(resumed))

    others = LabelledPrior(("bass", "drums"), with_labels(TINY, 2))
    with pytest.raises(PriorError, match="of 'bass, drums, guitar, piano', not of 'bass, drums'"):
        others.fit(SOLOS[:2], None, SHORT, tmp_path / "checkpoint", progress=False)
    with pytest.raises(PriorError, match="of another training configuration"):
        whole.fit(SOLOS, None, dataclasses.replace(SHORT, batch=3), tmp_path / "checkpoint", progress=False)


def test_recordings_that_cannot_be_learnt_from_are_refused_by_the_instrument_s_name():
    prior = tiny_labelled_prior()
    silent = [*SOLOS[:3], np.zeros(3000, np.float32)]
    for solos, validation, said in (
        (SOLOS[:3], None, "there are 3 recordings, expected one of each of bass, drums, guitar, piano"),
        (silent, None, "^the recordings of piano are silent"),
        (SOLOS, silent, "^the validation recordings of piano are silent"),
        ([SOLOS[0][:10], *SOLOS[1:]], None, "^the recordings of bass have 10 samples"),
    ):
        with pytest.raises(ValueError, match=said):
            prior.fit(solos, validation, SHORT, progress=False)


# The system


@pytest.mark.parametrize("search", [AnnealedSearch(2), ConstrainedLatentSearch(2), LatentSearch(2)])
def test_every_search_finds_what_it_finds_with_priors_of_their_own(search):
    labelled = shaken_labelled_prior(np.float32)
    mixture = sum(noise(2, 2000, seed=seed) for seed in range(4))
    estimates = MusicGlow(labelled, search).separate(mixture, RATE)
    priors = [single_prior(name, labelled) for name in INSTRUMENTS]
    assert_allclose(estimates, InstGlow(priors, search).separate(mixture, RATE), atol=1e-4)
    assert_allclose(estimates.sum(axis=0), mixture, atol=1e-5)


def test_some_of_its_sources_are_saved_and_come_back(tmp_path):
    mixture = noise(1, 2000)
    some = MusicGlow(shaken_labelled_prior(np.float32), AnnealedSearch(1)).only(["piano", "drums"])
    some.save(tmp_path / "some.npz")
    loaded = MusicGlow.load(tmp_path / "some.npz", search=AnnealedSearch(1))
    assert loaded.sources == ("piano", "drums")
    assert_array_equal(loaded.separate(mixture, RATE), some.separate(mixture, RATE))
    assert_array_equal(loaded.only(["drums"]).prior.label, [[0, 1, 0, 0]])


def test_half_precision_takes_half_the_room_and_hardly_changes_the_density(tmp_path):
    config = with_labels(dataclasses.replace(TINY, glow=dataclasses.replace(TINY_GLOW, hidden=64)), 4)
    system = MusicGlow(tiny_labelled_prior(config))
    for name, precision in (("half", np.float16), ("single", np.float32)):
        system.save(tmp_path / name, precision)
    sizes = [(tmp_path / name).stat().st_size for name in ("half", "single")]
    assert sizes[0] < 0.7 * sizes[1]
    waveform = noise(2, 700)
    for here, there in zip(MusicGlow.load(tmp_path / "half").priors, system.priors, strict=True):
        assert_allclose(here.log_prob(waveform), there.log_prob(waveform), rtol=1e-2)


def test_weights_of_another_system_are_refused_by_either(tmp_path):
    tiny_labelled_prior().save(tmp_path / "musicglow.npz")
    Prior("bass", TINY).save(tmp_path / "bass.npz")
    with pytest.raises(PriorError, match="bass.npz: holds a 'prior', not a 'labelled prior'; name another file"):
        MusicGlow.load(tmp_path / "bass.npz")
    with pytest.raises(PriorError, match="musicglow.npz: holds a 'labelled prior', not a 'prior'"):
        InstGlow.load(tmp_path / "musicglow.npz")
    with pytest.raises(PriorError, match="is a folder; name a file"):
        MusicGlow.load(tmp_path)


def test_an_untrained_file_is_refused(tmp_path):
    LabelledPrior(INSTRUMENTS, with_labels(TINY, 4)).save(tmp_path / "new.npz")
    with pytest.raises(PriorError, match="new.npz: is untrained; train it first"):
        MusicGlow.load(tmp_path / "new.npz")


@pytest.mark.parametrize(
    "names", ["word", ["bass"] * 4, [*INSTRUMENTS, "kazoo"], list(INSTRUMENTS[:3]), [1, 2, 3, 4], None]
)
def test_a_file_whose_names_do_not_fit_is_refused(names, tmp_path):
    prior = tiny_labelled_prior()
    prior.name = names
    prior.save(tmp_path / "damaged.npz")
    with pytest.raises(PriorError, match="damaged.npz: does not describe a labelled prior"):
        MusicGlow.load(tmp_path / "damaged.npz")


def test_fit_trains_one_flow_on_all_sources(dataset, tmp_path, monkeypatch, few_batches):
    monkeypatch.setattr(instglow, "PriorConfig", lambda: TINY)
    solos, held_out = (open_dataset(dataset, split) for split in ("train", "validation"))
    options = {"steps": 2, "batch": 3, "frames": 8, "drive": 0.5, "hidden": 5}
    system = MusicGlow.fit(solos, held_out, checkpoint=tmp_path / "kept", **options)
    assert system.sources == INSTRUMENTS and system.prior.config.glow.hidden == 5
    assert len(system.curve.training) == 2 and len(system.curve.validation) == 1
    header, _ = load_arrays(tmp_path / "kept", "checkpoint")
    assert [header["training"][name] for name in ("steps", "batch", "frames", "drive")] == [2, 3, 8, 0.5]


def test_the_commands_train_separate_and_evaluate_by_its_name(
    dataset, song, baselines, tmp_path, monkeypatch, capsys, few_batches
):
    monkeypatch.setattr(instglow, "PriorConfig", lambda: TINY)

    def run(*arguments):
        assert main([str(argument) for argument in (*arguments, "--method", "musicglow")]) == 0
        return capsys.readouterr().out

    shape = ["--window", 128, "--hop", 32, "--flow-steps", 2, "--hidden", 6]
    options = ["--steps", 2, "--batch", 2, "--frames", 8, "--drive", 0.5, "--half", "--plot", tmp_path / "curve.png"]
    said = run("train", dataset, "-o", tmp_path / "mine", *shape, *options)
    weights = tmp_path / "mine" / "musicglow.npz"
    assert said.startswith(f"{weights}: ") and said.endswith(" nats/dim after 2 steps\n")
    assert [path.name for path in weights.parent.iterdir()] == ["musicglow.npz"]  # and no checkpoint
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
    header, arrays = load_arrays(weights, "labelled prior")
    assert header["name"] == list(INSTRUMENTS) and arrays["1.bias"].dtype == np.float16
    config = header["config"]
    assert (config["window_length"], config["hop"], config["glow"]["steps"], config["glow"]["hidden"]) == (
        128,
        32,
        2,
        6,
    )

    run("separate", song, "--model", weights, "-o", tmp_path / "stems", "--iterations", 1)
    assert sorted(path.name for path in (tmp_path / "stems").iterdir()) == [f"{name}.wav" for name in INSTRUMENTS]
    options = ["--limit", 1, "--iterations", 1, "--json", tmp_path / "scores.json"]
    run("evaluate", dataset, "--model", weights, "--baselines", baselines, *options)
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert scores["method"] == "musicglow" and set(scores["sources"]) == set(INSTRUMENTS)

    run("train", dataset, "-o", tmp_path / "two.npz", "--source", "piano", "--source", "bass", "--steps", 1)
    assert MusicGlow.load(tmp_path / "two.npz").sources == ("piano", "bass")
    command = ["evaluate", dataset, "--method", "musicglow", "--model", tmp_path / "two.npz", "--baselines", baselines]
    assert main([str(argument) for argument in command]) == 1
    assert (
        "musicglow does not know 'drums'; its sources are piano, bass; train one that does" in capsys.readouterr().err
    )
