"""Wave-U-Net and Demucs: counts, gradients, random mixtures, training that resumes, and songs piece by piece."""

import dataclasses
import json

import numpy as np
import pytest
import soundfile
from conftest import INSTRUMENTS, RATE, dataset_refused, noise
from numpy.testing import assert_allclose, assert_array_equal

from glowsep import check
from glowsep.arrays.devices import to_device, to_host
from glowsep.arrays.library import array_module
from glowsep.cli import main
from glowsep.datasets import Joined, StemFolder, open_dataset
from glowsep.datasets.stems import Stems
from glowsep.errors import PriorError
from glowsep.layers import Chain
from glowsep.layers.parameters import replica
from glowsep.learning.losses import mean_absolute, mean_square
from glowsep.learning.training import train
from glowsep.learning.weights import load_arrays, save_arrays
from glowsep.signals import audio
from glowsep.signals.resampling import resample
from glowsep.systems import songs
from glowsep.systems.demucs import separate as demucs
from glowsep.systems.demucs import train as demucs_train
from glowsep.systems.demucs.model import Demucs, DemucsConfig, Standardised, rescale
from glowsep.systems.demucs.separate import DemucsSeparator
from glowsep.systems.supervised import examples, pieces
from glowsep.systems.supervised.examples import Augmentation, random_sources
from glowsep.systems.supervised.pieces import piecewise
from glowsep.systems.supervised.trained_network import TrainedNetwork
from glowsep.systems.supervised.training import MixtureRun, TrainingConfig, loss_and_gradients
from glowsep.systems.wave_u_net import train as wave_u_net_train
from glowsep.systems.wave_u_net.model import WaveUNet, WaveUNetConfig
from glowsep.systems.wave_u_net.separate import WaveUNetSeparator

TINY = {
    WaveUNet: WaveUNetConfig(levels=2, filters=3, down_kernel=5, up_kernel=3, rate=RATE),
    Demucs: DemucsConfig(depth=2, filters=3, lstm_layers=1, resample=False, rate=RATE),
}
SEPARATORS = {WaveUNet: WaveUNetSeparator, Demucs: DemucsSeparator}
KINDS = pytest.mark.parametrize("kind", [WaveUNet, Demucs])


@pytest.fixture(autouse=True)
def shifts_are_short(monkeypatch):
    monkeypatch.setattr(demucs, "LONGEST_SHIFT", 0.005)


def tiny_network(kind, dtype=np.float32, **changes):
    """With biases, so that silence is not silent."""
    rng = np.random.default_rng(0)
    network = kind(dataclasses.replace(TINY[kind], **changes), rng, dtype)
    for name, parameter in network.parameters().items():
        if name.endswith("b"):
            parameter += 0.1 * rng.standard_normal(parameter.shape)
    return network


def tiny_system(kind, **changes):
    return SEPARATORS[kind](TrainedNetwork(tiny_network(kind, **changes), INSTRUMENTS))


@pytest.fixture
def short_training(monkeypatch):
    for separator in (WaveUNetSeparator, DemucsSeparator):
        short = dataclasses.replace(separator.training_defaults, samples=100, validation_batches=1)
        monkeypatch.setattr(separator, "training_defaults", short)


# The networks


class Untouched(np.ndarray):
    """An array whose memory is reserved, but never written: a network of a gigabyte takes none."""

    def __rmul__(self, _):
        return self

    def astype(self, dtype):
        return self


class NoNumbers:
    """A generator that draws nothing."""

    def standard_normal(self, shape):
        return np.zeros(shape, np.float32).view(Untouched)

    def uniform(self, low, high, shape):
        return np.zeros(shape, np.float32).view(Untouched)


@pytest.mark.parametrize(
    "network, count",
    [
        (lambda rng: WaveUNet(WaveUNetConfig(), rng), 10_263_498),
        (lambda rng: Demucs(DemucsConfig(rescale=0), rng), 265_679_496),
        (lambda rng: Demucs(DemucsConfig(filters=16, depth=4, lstm_layers=1, rescale=0), rng), 645_800),
        (lambda rng: Demucs(dataclasses.replace(demucs_train.SMALL, rescale=0), rng), 645_800),
    ],
)
def test_networks_have_the_published_counts_of_parameters(network, count):
    assert sum(array.size for array in network(NoNumbers()).parameters().values()) == count


def test_the_small_networks_have_a_million_parameters_at_most():
    for network in (WaveUNet(wave_u_net_train.SMALL, NoNumbers()), Demucs(demucs_train.SMALL)):
        assert sum(array.size for array in network.parameters().values()) <= 1e6


def test_lengths_are_the_published_ones():
    assert WaveUNetConfig().lengths(16_384) == WaveUNetConfig().lengths(16_389) == (147_443, 16_389)
    assert WaveUNetConfig().lengths(16_390)[1] == 16_389 + 4096
    assert DemucsConfig().valid_length(441_000) == 447_146


@pytest.mark.parametrize(
    "kind, changes", [(WaveUNet, {}), (Demucs, {}), (Demucs, {"resample": True}), (Demucs, {"channels": 1})]
)
@pytest.mark.parametrize("samples", [1, 2, 37, 64])
def test_what_comes_out_has_the_length_that_was_promised(kind, changes, samples):
    network = tiny_network(kind, **changes)
    inputs, outputs = network.config.lengths(samples)
    assert outputs >= samples
    y = network.forward(np.zeros((1, network.config.channels, inputs), np.float32), [])
    assert y.shape == (1, 4 * network.config.channels, outputs)


@pytest.mark.parametrize("kind, changes", [(WaveUNet, {}), (Demucs, {}), (Demucs, {"resample": True, "channels": 1})])
def test_every_gradient_of_a_network_is_a_finite_difference(kind, changes):
    """Steps so small that no leaky ReLU turns over."""
    rng, network = np.random.default_rng(1), tiny_network(kind, np.float64, **changes)
    x = rng.standard_normal((2, network.config.channels, network.config.lengths(5)[0]))
    tape = []
    y = network.forward(x, tape)
    dy = rng.standard_normal(y.shape)
    gradients = {"x": network.backward(dy, tape)} | network.gradients()
    assert not tape
    for name, array in ({"x": x} | network.parameters()).items():
        direction, before, values = rng.standard_normal(array.shape), array.copy(), []
        for step in (1e-7, -1e-7):
            array[...] = before + step * direction
            values.append(np.vdot(dy, network.forward(x, [])))
        array[...] = before
        slope = (values[0] - values[1]) / 2e-7
        assert np.vdot(gradients[name], direction) == pytest.approx(slope, rel=1e-4, abs=1e-5), name


def test_the_estimates_of_wave_u_net_sum_to_the_middle_of_the_mixture():
    network, x = tiny_network(WaveUNet), noise(2, 2, TINY[WaveUNet].lengths(50)[0])
    y = network.forward(x, [])
    first = (x.shape[2] - y.shape[2]) // 2
    sums = y.reshape(2, 4, 2, -1).sum(axis=1)
    assert_allclose(sums, x[:, :, first : first + y.shape[2]], atol=1e-6)


def test_a_standardised_layer_hears_every_item_at_one_loudness():
    rng = np.random.default_rng(2)
    x = rng.standard_normal((3, 2, 7))

    class Heard(Chain):
        def forward(self, u, tape):
            mono = u.mean(axis=1)
            assert_allclose(mono.mean(axis=1), 0, atol=1e-6)
            assert_allclose(mono.std(axis=1, ddof=1), 1, rtol=1e-4)
            return u

    loud = x * np.array([1, 10, 100])[:, None, None] + 3
    assert_allclose(Standardised(Heard()).forward(loud, []), loud, rtol=1e-4)
    assert check.layer(Standardised(Chain()), x).gradient <= 1e-6
    silence = np.full((1, 2, 5), 0.25)
    layer, tape = Standardised(Chain()), []
    assert_array_equal(layer.forward(silence, tape), silence)
    assert np.isfinite(layer.backward(np.ones_like(silence), tape)).all()


def test_the_first_weights_of_demucs_linear_layer_are_not_rescaled():
    plain, scaled = (
        Demucs(config).parameters() for config in (dataclasses.replace(TINY[Demucs], rescale=0), TINY[Demucs])
    )
    width = TINY[Demucs].filters * 2 ** (TINY[Demucs].depth - 1)
    after_lstm = [name for name, W in plain.items() if W.shape == (width, 2 * width) and name.endswith(".W")]
    same = [name for name in after_lstm if np.array_equal(plain[name], scaled[name])]
    assert len(same) == 1


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"batch": 0}])
def test_no_steps_and_no_batch_are_not_the_default(wrong):
    config = DemucsSeparator.training_config(**wrong)
    assert [getattr(config, name) for name in wrong] == [0]


def test_first_weights_are_brought_half_way_to_one_scale():
    config = dataclasses.replace(TINY[Demucs], rescale=0)
    plain, rescaled = Demucs(config), Demucs(config)
    rescale(rescaled.network, 0.1)
    assert_array_equal(rescaled.parameters()[next(iter(plain.parameters()))], Demucs(TINY[Demucs]).parameters()[
        next(iter(plain.parameters()))])  # fmt: skip
    for name, W in plain.parameters().items():
        if name.endswith(".W"):
            deviation = W.std(ddof=1)
            assert rescaled.parameters()[name].std(ddof=1) == pytest.approx(np.sqrt(0.1 * deviation), rel=1e-5)
        elif ".W_" in name:
            assert_array_equal(rescaled.parameters()[name], W)


# Random mixtures


def stem_folder(folder, tracks, channels=1, rate=RATE):
    """A data set: tracks, a dict of name to the waveforms (samples,) or (channels, samples) of its sources."""
    for name, sources in tracks.items():
        (folder / name).mkdir(parents=True)
        for source, waveform in sources.items():
            soundfile.write(folder / name / f"{source}.wav", waveform.T, rate, "FLOAT")
    return StemFolder(folder)


@pytest.fixture
def counted(tmp_path):
    """Stems whose samples say which they are: track 1000 · a + sample for the bass, minus that for the drums."""
    ramps = {f"track{a}": (a + np.arange(100) / 1000) / 8 for a in range(3)}
    tracks = {name: {"bass": ramp, "drums": -ramp} for name, ramp in ramps.items()}
    return Stems(stem_folder(tmp_path / "counted", tracks), RATE, quiet=True)


def test_stems_are_what_was_recorded_and_silence_beyond(tmp_path):
    loud = 2 * noise(2, 400)
    tracks = {"a": {"bass": loud, "drums": 0 * loud}, "b": {"bass": 0 * loud, "drums": noise(2, 400, seed=1)}}
    stems = Stems(stem_folder(tmp_path / "a", tracks), RATE, quiet=True)
    assert (stems.channels, stems.lengths.tolist(), stems.hours) == (2, [400, 400], 800 / RATE / 3600)
    found = stems.excerpt(0, -10, 500)
    assert found.dtype == np.float32 and found.shape == (2, 2, 500)
    assert_allclose(found[0, :, 10:410], loud, atol=max(1, abs(loud).max()) / 2**16 + 1e-7)
    assert not found[0, :, :10].any() and not found[0, :, 410:].any() and not found[1].any()
    assert not stems.excerpt(0, 700, 5).any()
    assert set(stems.tracks[0]) == {"bass"}  # what does not play takes no room


def test_stems_come_at_one_rate_and_of_many_channels_as_one(tmp_path):
    five = np.repeat(noise(1, 801), 5, axis=0)
    stems = Stems(stem_folder(tmp_path, {"a": {"bass": five}}, rate=44_100), RATE, quiet=True)
    assert stems.channels == 1 and stems.lengths.tolist() == [401]
    assert_allclose(stems.excerpt(0, 0, 401)[0], resample(five[:1], 44_100, RATE), atol=2e-5)


def test_sixteen_bits_are_kept_exactly(tmp_path):
    integers = np.random.default_rng(3).integers(-(2**15), 2**15, 300) / 2**15
    stems = Stems(stem_folder(tmp_path, {"a": {"bass": integers}}), RATE, quiet=True)
    assert_array_equal(stems.excerpt(0, 0, 300)[0, 0], integers.astype(np.float32))


def test_a_data_set_counts_as_often_as_its_share_says(tmp_path):
    one = stem_folder(tmp_path / "one", {"a": {"bass": noise(100)}})
    two = stem_folder(tmp_path / "two", {"b": {"bass": noise(200)}})
    stems = Stems(Joined([one, two], repeats=[3, 1]), RATE, quiet=True)
    assert stems.lengths.tolist() == [100, 100, 100, 200] and stems.tracks[0] is stems.tracks[2]


def test_stems_without_a_source_or_without_room_are_refused(tmp_path, monkeypatch):
    dataset = stem_folder(tmp_path / "a", {"a": {"bass": noise(100), "drums": np.zeros(100)}})
    dataset_refused(lambda: Stems(dataset, RATE, quiet=True), tmp_path / "a", "drums plays in none of its tracks")

    class Full:
        def tell(self):
            return 0

        def write(self, _):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", Full)
    dataset_refused(lambda: Stems(dataset, RATE, quiet=True), tmp_path / "a", "No space left on device", "TMPDIR")


def test_every_moment_of_every_track_is_as_likely(counted):
    rng = np.random.default_rng(4)
    counted.lengths = np.array([100, 10, 100])  # the second is shorter than an excerpt, and has one place
    places = [examples.random_place(counted, 91, rng) for _ in range(2100)]
    count_of = {place: places.count(place) for place in set(places)}
    assert set(count_of) == {(0, start) for start in range(10)} | {(1, 0)} | {(2, start) for start in range(10)}
    assert min(count_of.values()) > 60 and max(count_of.values()) < 150


def test_without_augmentation_sources_are_of_one_moment(counted):
    drawn = random_sources(counted, 16, 1, 20, Augmentation(), np.random.default_rng(5))
    assert drawn.shape == (16, 2, 1, 20)
    assert_allclose(drawn.sum(axis=1), 0, atol=1e-6)  # the drums are minus the bass
    assert_allclose(np.diff(drawn[:, 0, 0]), 1 / 8000, atol=1e-4)


def test_gains_and_signs_are_drawn_for_every_source(counted):
    plain, gains, signs = (
        random_sources(counted, 64, 1, 20, augmentation, np.random.default_rng(6))
        for augmentation in (Augmentation(), Augmentation(gain=(0.25, 1.25)), Augmentation(flip_sign=True))
    )
    factors = (gains / plain)[:, :, 0, -1]
    assert 0.25 <= factors.min() < 0.35 and 1.15 < factors.max() <= 1.25
    assert abs(np.corrcoef(factors.T)[0, 1]) < 0.4
    assert set((signs / plain)[:, 0, 0, -1].round(3)) == set((signs / plain)[:, 1, 0, -1].round(3)) == {-1, 1}


def test_shifted_sources_come_from_different_moments(counted):
    shifted = random_sources(counted, 64, 1, 20, Augmentation(shift=10 / RATE), np.random.default_rng(7))
    apart = (shifted[:, 0, 0, -1] + shifted[:, 1, 0, -1]) * 8000
    assert abs(apart).max() <= 10.1 and apart.min() < -5 and apart.max() > 5


def test_remixed_sources_come_from_different_songs(counted):
    def tracks(remix):
        drawn = random_sources(counted, 400, 1, 20, Augmentation(remix=remix), np.random.default_rng(8))
        return (8 * abs(drawn[:, :, 0, -1])).astype(int)

    plain, half, remixed = tracks(0), tracks(0.5), tracks(1)
    assert (plain[:, 0] == plain[:, 1]).all()
    assert 0.25 < (half[:, 0] != half[:, 1]).mean() < 0.42  # a third of two tracks drawn from three are the same
    assert 0.58 < (remixed[:, 0] != remixed[:, 1]).mean() < 0.75
    assert {*remixed[:, 0]} == {*remixed[:, 1]} == {0, 1, 2}


def test_a_source_is_remixed_from_the_songs_in_which_it_plays(tmp_path):
    tracks = {f"track{a}": {"bass": np.full(100, (a + 1) / 8), "drums": np.full(100, 0.5 * (a == 2))} for a in range(3)}
    stems = Stems(stem_folder(tmp_path, tracks), RATE, quiet=True)
    assert {name: plays.tolist() for name, plays in stems.plays.items()} == {
        "bass": [True, True, True],
        "drums": [False, False, True],
    }
    plain, remixed = (
        random_sources(stems, 90, 1, 20, Augmentation(remix=remix), np.random.default_rng(11)) for remix in (0, 1)
    )
    assert 0.2 < plain[:, 1].any(axis=(1, 2)).mean() < 0.5
    assert (remixed[:, 1] == 0.5).all() and set(remixed[:, 0, 0, 0]) == {0.125, 0.25, 0.375}


def test_recordings_of_one_channel_come_from_directions(counted):
    def stereo(share):
        return random_sources(counted, 64, 2, 20, Augmentation(pan=share), np.random.default_rng(9))

    middle, panned, half = stereo(0), stereo(1), stereo(0.5)
    assert_allclose(middle[:, :, 0], middle[:, :, 1])
    assert_allclose((panned**2).sum(axis=2), (middle**2).sum(axis=2), rtol=1e-4)  # as loud as in the middle
    balance = (half[:, :, 0, -1] / half[:, :, 1, -1]).round(3)
    alike = (balance == 1).all(axis=1)
    assert 16 < alike.sum() < 48 and (balance[~alike] != 1).all()
    assert (balance[~alike, 0] != balance[~alike, 1]).all()


def test_channels_are_swapped_for_every_source_by_itself(tmp_path):
    left, right = np.full(200, 0.25), np.full(200, 0.5)
    dataset = stem_folder(tmp_path, {"a": {name: np.stack([left, right]) for name in ("bass", "drums")}})
    stems = Stems(dataset, RATE, quiet=True)
    drawn = random_sources(stems, 64, 2, 50, Augmentation(swap_channels=True), np.random.default_rng(10))
    swapped = drawn[:, :, 0, 0] == 0.5
    assert 0.3 < swapped.mean() < 0.7 and (swapped[:, 0] != swapped[:, 1]).any()
    assert_allclose(drawn.sum(axis=2), 0.75)


# Training


def tiny_run(dataset, kind=WaveUNet, validation=True, **changes):
    stems = [Stems(open_dataset(dataset, split), RATE, quiet=True) for split in ("train", "validation")]
    training = {WaveUNet: WaveUNetSeparator, Demucs: DemucsSeparator}[kind].training_config(steps=6, batch=4)
    training = dataclasses.replace(training, samples=50, validate_every=2, validation_batches=1, **changes)
    return MixtureRun("tiny", tiny_network(kind), stems[0], stems[1] if validation else None, training)


class Killed(Exception):
    pass


@KINDS
def test_a_run_that_is_killed_and_resumed_ends_at_the_same_weights(kind, dataset, tmp_path, monkeypatch):
    whole, killed, resumed = (tiny_run(dataset, kind) for _ in range(3))
    curve = train(whole, 6, 2, progress=False)

    def step(number, own=killed.step):
        if number == 5:
            raise Killed
        return own(number)

    monkeypatch.setattr(killed, "step", step)
    with pytest.raises(Killed):
        train(killed, 6, 2, tmp_path / "checkpoint", progress=False)
    again = train(resumed, 6, 2, tmp_path / "checkpoint", progress=False)
    assert again.training == curve.training and again.validation == curve.validation
    for run in (whole, resumed):
        run.keep_best()
    for name, array in whole.network.parameters().items():
        assert_array_equal(resumed.network.parameters()[name], array)


@pytest.mark.parametrize("change", [{"batch": 3}, {"augmentation": Augmentation()}, {"seed": 1}])
def test_the_checkpoint_of_another_training_is_refused(change, dataset, tmp_path):
    train(tiny_run(dataset), 2, 2, tmp_path / "checkpoint", progress=False)
    with pytest.raises(PriorError, match="checkpoint: the checkpoint of another training configuration"):
        train(tiny_run(dataset, **change), 2, 2, tmp_path / "checkpoint", progress=False)


def test_a_gradient_that_is_too_long_is_cut(dataset, monkeypatch):
    found = {}
    for clip in (None, 1e-6):
        run = tiny_run(dataset, clip=clip)
        monkeypatch.setattr(run.adam, "step", lambda gradients, rate: found.update(last=dict(gradients)))
        run.step(0)
        found[clip] = found.pop("last")
    norms = {clip: np.sqrt(sum((g**2).sum() for g in gradients.values())) for clip, gradients in found.items()}
    assert norms[None] > 1e-4 and norms[1e-6] < 1e-6
    for name, gradient in found[None].items():  # one factor for all
        assert_allclose(found[1e-6][name] * norms[None] / norms[1e-6], gradient, rtol=1e-3, atol=1e-9)


def test_the_weights_with_the_lowest_validation_loss_are_kept(dataset, monkeypatch):
    run, losses, weights = tiny_run(dataset), iter([3.0, 1.0, 2.0]), []

    def mean_loss(*_):
        weights.append({name: array.copy() for name, array in run.network.parameters().items()})
        return next(losses)

    monkeypatch.setattr("glowsep.systems.supervised.training.mean_loss", mean_loss)
    train(run, 6, 2, progress=False)
    run.keep_best()
    for name, array in run.network.parameters().items():
        assert_array_equal(array, weights[1][name])
        assert name.endswith("b") or (array != weights[2][name]).any()


def test_without_validation_the_last_weights_are_kept(dataset):
    run = tiny_run(dataset, validation=False)
    assert train(run, 2, 2, progress=False).validation == []
    last = {name: array.copy() for name, array in run.network.parameters().items()}
    run.keep_best()
    for name, array in run.network.parameters().items():
        assert_array_equal(array, last[name])


def test_shares_of_a_batch_give_the_gradients_of_the_whole(two_threads, monkeypatch):
    sources = noise(5, 4, 2, TINY[WaveUNet].lengths(40)[0])
    network, alone = tiny_network(WaveUNet), tiny_network(WaveUNet)
    value, gradients = loss_and_gradients(network, sources, mean_square)
    gradients = {name: array.copy() for name, array in gradients.items()}
    monkeypatch.setattr("glowsep.systems.supervised.training.available_cores", lambda like: 1)
    expected, others = loss_and_gradients(alone, sources, mean_square)
    assert value == pytest.approx(expected, rel=1e-5)
    for name, array in gradients.items():
        assert_allclose(array, others[name], rtol=1e-3, atol=1e-6)
    estimates = replica(network).forward(sources.sum(axis=1), [])
    first = (sources.shape[3] - estimates.shape[2]) // 2
    middle = sources.reshape(5, 8, -1)[:, :, first : first + estimates.shape[2]]
    assert expected == pytest.approx(float(((estimates - middle) ** 2).mean()), rel=1e-5)


@KINDS
def test_networks_can_do_without_the_gradient_with_respect_to_the_mixture(kind):
    network = tiny_network(kind)
    x = noise(2, 2, TINY[kind].lengths(40)[0])
    found = []
    for way_back in (network.backward, network.set_gradients):
        tape = []
        way_back(network.forward(x, tape), tape)
        assert tape == []
        found.append(network.gradients())
    for name, gradient in found[0].items():
        assert_array_equal(found[1][name], gradient)


@pytest.mark.parametrize("loss", [mean_absolute, mean_square])
def test_the_gradient_of_a_loss_has_the_order_of_the_estimates_in_memory(loss):
    """The layers that made the estimates take several times as long with another."""
    estimates = noise(3, 2, 5).swapaxes(0, 1)
    _, gradient = loss(noise(2, 3, 9)[:, :, 2:7], estimates)
    assert gradient.strides == estimates.strides


@KINDS
def test_training_learns_what_can_be_learnt(kind, tmp_path):
    """A high and a low tone: after some steps the loss is a fraction of that of silent estimates."""
    time = np.arange(RATE) / RATE
    tones = {"bass": 0.3 * np.sin(2 * np.pi * 300 * time), "drums": 0.3 * np.sin(2 * np.pi * 6000 * time)}
    stems = Stems(stem_folder(tmp_path, {"a": tones}), RATE, quiet=True)
    network = kind(dataclasses.replace(TINY[kind], sources=2, filters=8), np.random.default_rng(0))
    loss = {WaveUNet: "mean square error", Demucs: "mean absolute error"}[kind]
    config = TrainingConfig(steps=60, batch=4, samples=200, loss=loss, learning_rate=1e-2, warmup=10)
    losses = train(MixtureRun("tones", network, stems, None, config), 60, 60, progress=False).training
    silent = {WaveUNet: 0.3**2 / 2, Demucs: 0.3 * 2 / np.pi}[kind]
    assert np.mean(losses[-10:]) < 0.3 * silent


# Separation


@KINDS
@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("rate, samples", [(RATE, 3000), (44_100, 5001), (16_000, 1), (48_000, 777)])
def test_any_rate_and_any_number_of_channels_come_back(kind, channels, rate, samples):
    mixture = noise(channels, samples)
    estimates = tiny_system(kind).separate(mixture, rate)
    assert estimates.shape == (4, channels, samples) and estimates.dtype == np.float32
    assert np.isfinite(estimates).all()
    assert tiny_system(kind).separate(mixture.astype(np.float64), rate).dtype == np.float64


@KINDS
def test_channels_are_heard_together_if_they_are_as_many_as_the_network_s(kind):
    left, right = noise(2, 1000)
    system = tiny_system(kind)
    stereo = system.separate(np.stack([left, right]), RATE)
    assert abs(stereo[:, 0] - system.separate(np.stack([left, 0 * right]), RATE)[:, 0]).max() > 1e-3
    mono = system.separate(left[None], RATE)
    assert_allclose(mono[:, 0], system.separate(np.stack([left, left]), RATE).mean(axis=1), atol=1e-5)
    five = system.separate(np.stack([left, right, left, right, left]), RATE)
    assert_allclose(five[:, [0, 2]], np.repeat(mono, 2, axis=1), atol=1e-5)


def test_wave_u_net_in_pieces_is_wave_u_net_as_a_whole():
    network, song = tiny_network(WaveUNet), noise(1, 2, 5003)
    whole = piecewise(network, song, seconds=1)
    assert whole.shape == (1, 8, 5003)
    for seconds in (0.01, 0.05, 0.1):
        assert_allclose(piecewise(network, song, seconds=seconds), whole, atol=1e-6)
    # The whole, from the network's own definition: silence around the song.
    before = (TINY[WaveUNet].lengths(1)[0] - TINY[WaveUNet].lengths(1)[1]) // 2
    x = pieces.excerpt(song, -before, TINY[WaveUNet].lengths(5003)[0])
    assert_allclose(network.forward(x, [])[:, :, :5003], whole, atol=1e-6)


def test_pieces_off_the_grid_would_be_heard():
    """What makes the test above fail if pieces begin anywhere: the network keeps every fourth sample."""
    network, song = tiny_network(WaveUNet), noise(1, 2, 400)
    moved = piecewise(network, np.pad(song, ((0, 0), (0, 0), (1, 0))))[:, :, 1:]
    assert abs(moved - piecewise(network, song)).max() > 1e-3


def test_demucs_in_pieces_has_no_seams():
    """Pieces fade into each other: no jump between neighbours is larger at a seam than elsewhere."""
    network = tiny_network(Demucs)
    song = 0.3 * np.sin(2 * np.pi * 100 * np.arange(6000) / RATE)[None, None].repeat(2, axis=1).astype(np.float32)
    estimates = piecewise(network, song, overlap=0.25, seconds=0.05)
    jumps = abs(np.diff(estimates[0, :, 200:-200], 2)).max(axis=0)
    assert jumps.max() < 3 * np.median(np.sort(jumps)[-200:])
    assert estimates.shape == (1, 8, 6000)


def test_overlap_is_the_share_of_a_piece_that_it_has_in_common_with_the_next(monkeypatch):
    faded, seen = pieces.cross_faded, []

    def watched(blocks, common):
        blocks = list(blocks)
        seen.append(common / blocks[0].shape[2])
        return faded(iter(blocks), common)

    monkeypatch.setattr(pieces, "cross_faded", watched)
    piecewise(tiny_network(Demucs), noise(1, 2, 6000), overlap=0.25, seconds=0.1)
    assert seen == [pytest.approx(0.25, abs=0.01)]


def test_demucs_averages_over_random_shifts():
    network, song = tiny_network(Demucs), noise(2, 900)
    trained = TrainedNetwork(network, INSTRUMENTS)
    once, twice, again, other = (
        DemucsSeparator(trained, shifts=shifts, seed=seed).separate(song, RATE)
        for shifts, seed in ((0, 0), (2, 0), (2, 0), (2, 1))
    )
    assert_array_equal(twice, again)
    assert (twice != other).any() and (once != twice).any()
    longest = round(demucs.LONGEST_SHIFT * RATE)
    found = []
    for shift in np.random.default_rng(0).integers(0, longest + 1, 2):
        padded = np.pad(song[None], ((0, 0), (0, 0), (shift, 0)))
        found.append(piecewise(network, padded, demucs.OVERLAP)[0, :, shift:])
    assert_allclose(twice, np.mean(found, axis=0).reshape(4, 2, -1), atol=1e-6)


@pytest.mark.parametrize("rate", [RATE, 44_100])
def test_a_song_in_segments_is_the_song_as_a_whole(rate, tmp_path, monkeypatch):
    monkeypatch.setattr(songs, "SEGMENT", 0.4)
    monkeypatch.setattr(songs, "OVERLAP", 0.1)
    mixture, system = noise(2, 2 * rate), tiny_system(WaveUNet)
    soundfile.write(tmp_path / "song.wav", mixture.T, rate, "FLOAT")
    paths = system.separate_file(tmp_path / "song.wav", tmp_path / "out", progress=False)
    estimates = np.stack([audio.read(path)[0] for path in paths])
    assert_allclose(estimates, system.separate(mixture, rate), atol=2e-5)


@KINDS
def test_silence_gives_finite_estimates(kind):
    assert np.isfinite(tiny_system(kind).separate(np.zeros((2, 500), np.float32), RATE)).all()


@KINDS
def test_only_the_sources_that_are_asked_for(kind):
    system, song = tiny_system(kind), noise(2, 500)
    some = system.only(["Piano", "bass"])
    assert some.sources == ("piano", "bass") and some.parameter_count == system.parameter_count
    assert_array_equal(some.separate(song, RATE), system.separate(song, RATE)[[3, 0]])
    assert some.only(["bass"]).sources == ("bass",)


# Files


@KINDS
def test_half_precision_halves_the_file(kind, tmp_path):
    system, song = tiny_system(kind, filters=12), noise(2, 500)
    for name, precision in (("whole", np.float32), ("half", np.float16)):
        system.save(tmp_path / name, precision)
    whole, half = (SEPARATORS[kind].load(tmp_path / name) for name in ("whole", "half"))
    assert (tmp_path / "half").stat().st_size < 0.7 * (tmp_path / "whole").stat().st_size
    assert_array_equal(whole.separate(song, RATE), system.separate(song, RATE))
    assert_allclose(half.separate(song, RATE), system.separate(song, RATE), atol=0.02)
    assert all(array.dtype == np.float32 for array in half.trained.network.parameters().values())


def changed(path, change):
    header, arrays = load_arrays(path, json.loads(str(np.load(path)["header"]))["kind"])
    change(header, arrays)
    save_arrays(path, header.pop("kind"), header, arrays)


@KINDS
@pytest.mark.parametrize(
    "change",
    [
        lambda header, arrays: header.pop("config"),
        lambda header, arrays: header.update(config=3),
        lambda header, arrays: header["config"].update(colour="blue"),
        lambda header, arrays: header["config"].update(filters=4),
        lambda header, arrays: header["config"].update(filters="three"),
        lambda header, arrays: header["config"].update(rate=0),
        lambda header, arrays: header["config"].update(rate="22050"),
        lambda header, arrays: header["config"].update(channels=0),
        lambda header, arrays: header.update(sources=["bass"]),
        lambda header, arrays: header.update(sources=[1, 2, 3, 4]),
        lambda header, arrays: arrays.pop(next(iter(arrays))),
    ],
)
def test_files_that_describe_no_network_are_refused_in_one_line(kind, change, tmp_path):
    path = tmp_path / "file.npz"
    tiny_system(kind).save(path)
    changed(path, change)
    with pytest.raises(PriorError, match=f"^{path}: does not describe a .*; fetch or train it again$") as refusal:
        SEPARATORS[kind].load(path)
    assert len(str(refusal.value).splitlines()) == 1


def test_files_of_another_system_are_refused(tmp_path):
    tiny_system(WaveUNet).save(tmp_path / "a.npz")
    with pytest.raises(PriorError, match="a.npz: holds a 'Wave-U-Net', not a 'Demucs'"):
        DemucsSeparator.load(tmp_path / "a.npz")


# The commands


@KINDS
def test_the_commands_find_the_system_in_the_registry(kind, dataset, song, baselines, tmp_path, short_training, capsys):
    name, model, out = SEPARATORS[kind].name, str(tmp_path / "model.npz"), tmp_path / "out"
    command = ["train", str(dataset), "--method", name, "-o", model, "--steps", "1", "--batch", "1"]
    assert main([*command, "--checkpoint", str(tmp_path / "checkpoint")]) == 0
    assert (tmp_path / "checkpoint").exists()
    assert main(["separate", str(song), "--method", name, "--model", model, "-o", str(out), "--quiet"]) == 0
    assert sorted(path.stem for path in out.iterdir()) == list(INSTRUMENTS)
    scores, floors = tmp_path / "scores.json", ["--baselines", str(baselines)]
    arguments = ["--method", name, "--model", model, *floors, "--limit", "1", "--json", str(scores), "--quiet"]
    assert main(["evaluate", str(dataset), *arguments]) == 0
    assert json.loads(scores.read_text(encoding="utf-8"))["method"] == name
    capsys.readouterr()
    assert main(["train", str(dataset), "--method", name, "--frames", "3"]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    for other in (tmp_path / "missing.npz", song):
        assert main(["separate", str(song), "--method", name, "--model", str(other), "-o", str(out)]) == 1
        assert str(other) in (said := capsys.readouterr().err) and said.count("\n") == 1


# Another device


@pytest.fixture
def device(monkeypatch):
    import sys

    from strict_array import stand_in

    monkeypatch.setitem(sys.modules, "cupy", stand_in())


@KINDS
def test_a_step_and_a_separation_run_on_the_device(kind, device, dataset, tmp_path, short_training):
    options = {"steps": 1, "batch": 2, "size": TINY[kind]}
    data = open_dataset(dataset, "train"), open_dataset(dataset, "validation")
    for name in ("cpu", "cuda"):
        system = SEPARATORS[kind].fit(*data, device=name, checkpoint=tmp_path / f"{name}.checkpoint", **options)
        system.save(tmp_path / name)
    song = noise(2, 300)
    here, there = (SEPARATORS[kind].load(tmp_path / name, device=name) for name in ("cpu", "cuda"))
    assert array_module(next(iter(there.trained.network.parameters().values()))) is not np
    for name, array in here.trained.network.parameters().items():
        assert_allclose(to_host(there.trained.network.parameters()[name]), array, atol=1e-5)
    assert_allclose(there.separate(song, RATE), here.separate(song, RATE), atol=1e-4)
    assert array_module(there.separate(to_device(song, "cuda"), RATE)) is not np
    sources = noise(2, 4, 2, TINY[kind].lengths(30)[0])
    for loss in (mean_square, mean_absolute):
        values = [
            loss_and_gradients(system.trained.network, to_device(sources, name), loss)
            for system, name in ((here, "cpu"), (there, "cuda"))
        ]
        assert values[0][0] == pytest.approx(values[1][0], rel=1e-4)
        for name, gradient in values[0][1].items():
            assert_allclose(to_host(values[1][1][name]), gradient, rtol=1e-2, atol=1e-5)
