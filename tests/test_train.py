"""Training: the loss falls, augmentation spreads as it says, and a killed run ends at the same weights bit for bit."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import RATE, TINY, noise
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from glowsep.datasets.solos import without_silence
from glowsep.errors import PriorError
from glowsep.learning import training
from glowsep.learning.weights import load_arrays, save_arrays
from glowsep.systems.glow import train
from glowsep.systems.glow.excerpts import overdriven, random_batch, random_equalisers, random_noise_levels
from glowsep.systems.glow.prior import Prior
from glowsep.systems.glow.train import TrainingConfig, fit

SHORT = TrainingConfig(steps=6, batch=4, frames=16, warmup=2, validate_every=3)


def solo(seconds=0.5, seed=0):
    """Decaying tones, which a flow can learn something from."""
    rng, time = np.random.default_rng(seed), np.arange(int(seconds * RATE)) / RATE
    tone = sum(np.sin(2 * np.pi * 1378 * k * time) / k for k in (1, 2, 3))
    return (0.2 * tone * np.exp(-8 * (time % 0.125)) + 1e-3 * rng.standard_normal(time.size)).astype(np.float32)


def new_prior(name="bass", seed=0):
    return Prior(name, TINY, np.random.default_rng(seed))


def trained(config=SHORT, checkpoint=None, validation=None):
    prior = new_prior()
    curve = fit(prior, solo(), validation, config, checkpoint, progress=False)
    return prior, curve


def weights_of(prior):
    return prior.flow.parameters() | prior.flow.state() | prior.statistics()


def assert_same_weights(first, second):
    assert first.keys() == second.keys()
    for name, array in first.items():
        assert_array_equal(array, second[name], err_msg=name)


# What training does


def test_the_loss_falls():
    config = TrainingConfig(steps=60, batch=4, frames=16, warmup=5, learning_rate=3e-3, validate_every=20)
    _, curve = trained(config, validation=solo(seed=1))
    assert len(curve.training) == 60 and [step for step, _ in curve.validation] == [20, 40, 60]
    losses = [loss for _, loss in curve.validation]
    assert losses == sorted(losses, reverse=True)
    assert np.mean(curve.training[-10:]) < np.mean(curve.training[:10]) - 0.05
    assert curve.seconds > 0


def test_training_makes_the_instrument_likelier_than_another_sound():
    config = TrainingConfig(steps=60, batch=4, frames=16, warmup=5, learning_rate=3e-3)
    prior, _ = trained(config)
    unheard, other = solo(seed=5)[None], noise(1, RATE // 2)
    assert prior.log_prob(unheard) > prior.log_prob(other) + 0.5


def test_a_step_goes_down_the_losss_gradient():
    """The first step of Adam, on the loss as its definition says: minus the mean log-density of noisy excerpts."""
    prior, _ = trained()
    u = prior.compress(np.abs(np.random.default_rng(0).standard_normal((3, 32, 8), np.float32)) / 9)
    levels = random_noise_levels(TINY, 3, np.random.default_rng(1))
    rng = np.random.default_rng(1)
    random_noise_levels(TINY, 3, rng)
    noisy = u + levels[:, None, None] * rng.standard_normal(u.shape, np.float32)
    adam = train.Adam(prior.flow.parameters())
    expected = -prior.noisy_log_prob(noisy, levels).mean() / u[0].size
    loss = train.training_step(prior, adam, u, SHORT, 1e-4, np.random.default_rng(1))
    assert loss == pytest.approx(expected, rel=1e-5)
    assert -prior.noisy_log_prob(noisy, levels).mean() / u[0].size < expected


def test_the_statistics_are_those_of_the_augmented_recordings():
    config = dataclasses.replace(SHORT, gain_db=0, equaliser_db=0, batch=16, frames=200)  # their cut ends count little
    prior = new_prior()
    train.measure(prior, solo(), config)
    u = prior.compress(prior.magnitudes(solo()))[:, 2:-2]
    assert_allclose(prior.mean, u.mean(axis=1), rtol=0.05, atol=0.06)
    assert_allclose(np.sqrt(prior.variance), u.std(axis=1), rtol=0.15, atol=0.2)
    assert prior.dictionary.shape == (32, TINY.components)
    assert_allclose(prior.dictionary.sum(axis=0), 1, rtol=1e-3)
    assert prior.mean.dtype == prior.variance.dtype == prior.dictionary.dtype == np.float32


def test_the_seed_decides_the_weights():
    first, again, other = (trained(dataclasses.replace(SHORT, seed=seed))[0] for seed in (3, 3, 4))
    assert_same_weights(weights_of(first), weights_of(again))
    assert (first.mean != other.mean).any()


def test_validating_and_checkpointing_leave_no_trace_in_the_weights(tmp_path):
    plain = trained()[0]
    watched = trained(checkpoint=tmp_path / "checkpoint", validation=solo(seed=1))[0]
    assert_same_weights(weights_of(plain), weights_of(watched))


# Recordings that cannot be learnt from


def test_recordings_that_are_too_short_are_refused():
    excerpt = (16 + 2 * 2 - 1) * TINY.hop  # 16 frames between two edges of two frames, half a window
    shortest = 2 * excerpt + 1
    fit(new_prior(), solo()[:shortest], solo()[: excerpt + 1], SHORT, progress=False)
    with pytest.raises(ValueError, match=f"the recordings have {shortest - 1} samples, expected at least {shortest}"):
        fit(new_prior(), solo()[: shortest - 1], None, SHORT, progress=False)
    with pytest.raises(
        ValueError, match=f"validation recordings have {excerpt} samples, expected at least {excerpt + 1}"
    ):
        fit(new_prior(), solo(), solo()[:excerpt], SHORT, progress=False)


def test_silent_recordings_are_refused():
    for recordings in ((np.zeros(9000, np.float32), None), (solo(), np.zeros(9000, np.float32))):
        with pytest.raises(ValueError, match="recordings are silent"):
            fit(new_prior(), *recordings, SHORT, progress=False)


def test_pauses_are_cut_to_half_a_second():
    rng = np.random.default_rng(0)
    music = 0.1 * rng.standard_normal(2 * RATE).astype(np.float32)
    long, short = np.zeros(3 * RATE, np.float32), np.zeros(RATE // 4, np.float32)
    cut = without_silence(np.concatenate([music, long, music, short, music]), RATE)
    assert len(cut) == pytest.approx((2 + 0.5 + 2 + 0.25 + 2) * RATE, abs=0.03 * RATE)
    assert (cut == 0).mean() == pytest.approx(0.75 / 6.75, abs=0.01)
    assert_array_equal(cut[: 2 * RATE - 1000], music[: 2 * RATE - 1000])


@settings(deadline=None)
@given(st.integers(0, 3 * RATE))
def test_of_silence_half_a_second_stays(samples):
    assert len(without_silence(np.zeros(samples, np.float32), RATE)) <= min(samples, RATE // 2)


def test_what_is_quiet_but_above_the_threshold_stays():
    quiet = np.full(2 * RATE, 10 ** (-55 / 20), np.float32)
    waveform = np.concatenate([np.ones(RATE // 10, np.float32), quiet])
    assert len(without_silence(waveform, RATE)) > 2 * RATE
    assert len(without_silence(waveform, RATE, threshold_db=-50)) < 0.65 * RATE


# Augmentation


def test_gains_spread_as_configured():
    config = TrainingConfig(batch=20_000, gain_db=6.0, equaliser_db=0.0)
    decibels = random_equalisers(config, 512, np.random.default_rng(0))
    assert decibels.shape == (20_000, 512) and decibels.dtype == np.float32
    assert np.ptp(decibels, axis=1).max() == 0
    assert_allclose(decibels[:, 0].std(), 6, rtol=0.03)
    assert_allclose(decibels[:, 0].mean(), 0, atol=0.2)


def test_equalisers_spread_as_configured_over_octaves_and_are_smooth():
    config = TrainingConfig(batch=5_000, gain_db=0.0, equaliser_db=4.0)
    decibels = random_equalisers(config, 512, np.random.default_rng(0))
    octaves = np.geomspace(2, 511, 200).astype(int)
    assert_allclose(np.sqrt((decibels[:, octaves] ** 2).mean()), 4, rtol=0.1)
    neighbours = np.abs(np.diff(decibels[:, 32:], axis=1)).max()
    assert neighbours < 0.1 * np.abs(decibels).max()


def test_overdriven_excerpts_are_as_loud_as_before_and_sound_sums_of_their_frequencies():
    time = np.arange(RATE) / RATE
    chord = np.sin(2 * np.pi * 600 * time) + np.sin(2 * np.pi * 1000 * time)
    loudness = np.array([[1e-3], [0.1], [0.5]])
    driven = overdriven((loudness * chord).astype(np.float32), 1.0, np.random.default_rng(0))
    assert driven.dtype == np.float32 and driven.shape == (3, RATE)
    assert_allclose(np.sqrt((driven**2).mean(axis=1)), loudness[:, 0], rtol=2e-3)
    for excerpt in driven:
        power = np.abs(np.fft.rfft(excerpt)) ** 2  # a bin per Hz
        assert power[[600, 1000]].sum() > 0.5 * power.sum()
        assert power[[200, 1400]].min() > 1e-5 * power[600]  # 2 · 600 - 1000 and 2 · 1000 - 600
        assert power[[700, 850]].max() < 1e-6 * power[600]  # and nothing between


def test_about_the_share_that_is_asked_for_is_overdriven():
    excerpts = noise(2000, 64)
    changed = (overdriven(excerpts, 0.25, np.random.default_rng(0)) != excerpts).any(axis=1)
    assert changed.mean() == pytest.approx(0.25, abs=0.04)
    rng = np.random.default_rng(0)
    assert overdriven(excerpts, 0.0, rng) is excerpts
    assert rng.random() == np.random.default_rng(0).random()  # nothing was drawn: no drive, the training of before
    assert not overdriven(np.zeros((4, 64), np.float32), 1.0, rng).any()


def test_drives_are_spread_evenly_on_a_logarithmic_scale():
    """The larger the drive, the closer a quiet sample comes to a loud one."""
    step = np.concatenate([np.full(63, 0.5), np.full(1, 0.05)]).astype(np.float32)
    driven = overdriven(np.tile(step, (4000, 1)), 1.0, np.random.default_rng(0), lowest=0.5, highest=2.0)
    ratio = driven[:, 63] / driven[:, 0]  # tanh(g b / r) / tanh(g a / r): whatever the loudness
    g = np.geomspace(0.5, 2.0, 1001)
    r = np.sqrt((step**2).mean())
    expected = np.tanh(g * 0.05 / r) / np.tanh(g * 0.5 / r)
    assert_allclose(np.quantile(ratio, [0.1, 0.5, 0.9]), np.quantile(expected, [0.1, 0.5, 0.9]), rtol=0.02)


def test_a_batch_is_driven_before_its_spectrogram_and_what_is_measured_is_not():
    prior, plain = new_prior(), dataclasses.replace(SHORT, gain_db=0, equaliser_db=0)
    driven = dataclasses.replace(plain, drive=1.0)
    batches = [random_batch(prior, solo(), config, np.random.default_rng(0)) for config in (plain, driven)]
    assert (batches[0] != batches[1]).any()
    dictionaries = [train.measure_dictionary(prior, solo(), config, 4, batches=2) for config in (plain, driven)]
    assert_array_equal(*dictionaries)
    prior.flow.forward(batches[0], prior.condition(np.full(4, 0.1, np.float32)))
    losses = [train.validation_loss(prior, solo(), config) for config in (plain, driven)]
    assert losses[0] == losses[1]


@given(st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_noise_levels_lie_in_range_one_in_each_part(count, seed):
    levels = random_noise_levels(TINY, count, np.random.default_rng(seed))
    assert levels.shape == (count,) and levels.dtype == np.float32
    assert (levels >= 0.99999 * TINY.sigma_min).all() and (levels <= 1.00001 * TINY.sigma_max).all()
    position = count * np.log(levels / TINY.sigma_min) / np.log(TINY.sigma_max / TINY.sigma_min)
    within = position - np.arange(count)  # its part, which float32 may leave by a hair
    assert (within > -1e-3).all() and (within < 1 + 1e-3).all()


# Killed, and taken up again

#: A training that stands still where it is told to, says so, and waits to be killed.
VICTIM = """
import sys, time
import numpy as np
from glowsep.learning import weights
from glowsep.systems.glow import train
from test_train import SHORT, new_prior, solo

place, path = sys.argv[1:]

def stop():
    print("here", flush=True)
    time.sleep(600)

if place == "step":
    step = train.training_step
    def training_step(prior, adam, *rest):
        loss = step(prior, adam, *rest)
        return stop() if adam.steps == 5 else loss
    train.training_step = training_step
if place == "checkpoint":
    saves = []
    write = np.savez_compressed
    def half_a_file(file, **arrays):
        saves.append(file)
        if len(saves) == 2:
            file.write(b"half of a checkpo")
            file.flush()
            stop()
        write(file, **arrays)
    weights.np.savez_compressed = half_a_file
prior = new_prior()
train.fit(prior, solo(), None, SHORT, path, progress=False)
np.savez(path + ".weights", **prior.flow.parameters(), **prior.statistics())
"""


@pytest.fixture
def victim(tmp_path):
    tests = Path(__file__).parent
    (tmp_path / "victim.py").write_text(
        f"import sys\nsys.path[:0] = {[str(tests), str(tests.parent)]}\n{VICTIM}", encoding="utf-8"
    )

    def start(place):
        command = [sys.executable, str(tmp_path / "victim.py"), place, str(tmp_path / "checkpoint")]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    return start


@pytest.mark.parametrize("place", ["step", "checkpoint"])
def test_a_killed_run_ends_at_the_same_weights_to_the_last_bit(place, victim, tmp_path):
    with victim(place) as process:
        assert process.stdout.readline() == "here\n"
        process.kill()
    assert process.returncode and (tmp_path / "checkpoint").exists()
    with victim("nowhere") as process:
        pass
    assert process.returncode == 0
    resumed = np.load(tmp_path / "checkpoint.weights.npz")
    uninterrupted = trained()[0]
    for name, array in (uninterrupted.flow.parameters() | uninterrupted.statistics()).items():
        assert_array_equal(array, resumed[name], err_msg=name)


def test_a_run_that_is_stopped_between_two_validations_loses_no_more_than_a_minute(tmp_path, monkeypatch):
    """Here no time at all may be lost: a run of a few steps resumes at the last one, and not at its beginning."""
    monkeypatch.setattr(training, "SAVE_SECONDS", 0.0)
    checkpoint, taken, step = tmp_path / "checkpoint", [], train.training_step

    def stopped(*arguments):
        taken.append(1)
        if len(taken) == 3:
            raise KeyboardInterrupt
        return step(*arguments)

    monkeypatch.setattr(train, "training_step", stopped)
    with pytest.raises(KeyboardInterrupt):
        trained(checkpoint=checkpoint, validation=solo(seed=1))
    resumed, curve = trained(checkpoint=checkpoint, validation=solo(seed=1))
    assert len(taken) == 3 + SHORT.steps - 2
    whole, whole_curve = trained(validation=solo(seed=1))
    assert_same_weights(weights_of(whole), weights_of(resumed))
    assert (curve.training, curve.validation) == (whole_curve.training, whole_curve.validation)


def test_a_checkpoint_is_not_written_at_every_step(tmp_path, monkeypatch):
    saved = []
    monkeypatch.setattr(training, "save_checkpoint", lambda *_: saved.append(1))
    trained(checkpoint=tmp_path / "checkpoint")
    assert len(saved) == SHORT.steps // SHORT.validate_every


def test_a_resumed_run_does_not_start_anew(tmp_path, monkeypatch):
    checkpoint = tmp_path / "checkpoint"
    whole, curve = trained(checkpoint=checkpoint, validation=solo(seed=1))
    steps = []
    monkeypatch.setattr(train, "training_step", lambda *_: steps.append(1))
    again, curve_again = trained(checkpoint=checkpoint, validation=solo(seed=1))
    assert not steps
    assert_same_weights(weights_of(whole), weights_of(again))
    assert curve_again == curve


def test_processor_time_goes_on_from_the_checkpoint(tmp_path, monkeypatch):
    """A second of processor time per step: what a resumed run says is what one without a break says."""
    seconds = iter(range(1000))
    monkeypatch.setattr(training.time, "process_time", lambda: float(next(seconds)))
    checkpoint = tmp_path / "checkpoint"
    _, curve = trained(checkpoint=checkpoint)
    header, arrays = load_arrays(checkpoint, "checkpoint")
    header["curve"] |= {"training": curve.training[:-1], "core_seconds": 100.0}
    save_arrays(checkpoint, "checkpoint", header, arrays)
    prior, curve = trained(checkpoint=checkpoint)
    assert curve.core_seconds == 101 and prior.training.core_minutes == 101 / 60
    assert prior.training.hours == len(solo()) / prior.config.rate / 3600


def test_the_processor_time_of_a_run_that_an_older_version_began_is_unknown(tmp_path):
    checkpoint = tmp_path / "checkpoint"
    trained(checkpoint=checkpoint)
    header, arrays = load_arrays(checkpoint, "checkpoint")
    del header["curve"]["core_seconds"]
    save_arrays(checkpoint, "checkpoint", header, arrays)
    prior, _ = trained(checkpoint=checkpoint)
    assert np.isnan(prior.training.core_minutes) and prior.training.hours > 0


def test_a_prior_that_is_trained_again_remembers_both_trainings():
    prior, first = trained()
    second = fit(prior, solo(), None, SHORT, progress=False)
    assert prior.training.core_minutes == pytest.approx((first.core_seconds + second.core_seconds) / 60)
    assert prior.training.hours == pytest.approx(2 * len(solo()) / prior.config.rate / 3600)


@pytest.mark.parametrize("changed", ["steps", "batch", "learning_rate", "seed", "gain_db", "drive"])
def test_the_checkpoint_of_another_training_is_refused(changed, tmp_path):
    checkpoint = tmp_path / "checkpoint"
    trained(checkpoint=checkpoint)
    other = dataclasses.replace(SHORT, **{changed: 2 * getattr(SHORT, changed) + 1})
    with pytest.raises(PriorError, match="checkpoint: the checkpoint of another training configuration"):
        trained(other, checkpoint)


def test_a_checkpoint_of_an_older_version_is_resumed(tmp_path):
    """Before version 0.2 the noise levels had other names."""
    checkpoint = tmp_path / "checkpoint"
    trained(checkpoint=checkpoint)
    header, arrays = load_arrays(checkpoint, "checkpoint")
    header["prior"]["quietest"], header["prior"]["loudest"] = (
        header["prior"].pop(f"sigma_{end}") for end in ("min", "max")
    )
    save_arrays(checkpoint, "checkpoint", header, arrays)
    again, _ = trained(checkpoint=checkpoint)
    assert_same_weights(weights_of(again), weights_of(trained()[0]))


def test_the_checkpoint_of_another_prior_is_refused(tmp_path):
    checkpoint = tmp_path / "checkpoint"
    trained(checkpoint=checkpoint)
    for prior, complaint in (
        (new_prior("drums"), "of 'bass', not of 'drums'"),
        (Prior("bass", dataclasses.replace(TINY, scale=20.0)), "of another prior configuration"),
        (Prior("bass", dataclasses.replace(TINY, hop=32)), "of another prior configuration"),
    ):
        with pytest.raises(PriorError, match=complaint):
            fit(prior, solo(), None, SHORT, checkpoint, progress=False)


def test_a_prior_is_no_checkpoint(tmp_path):
    new_prior().save(tmp_path / "bass.npz")
    with pytest.raises(PriorError, match="bass.npz: holds a 'prior', not a 'checkpoint'"):
        trained(checkpoint=tmp_path / "bass.npz")
