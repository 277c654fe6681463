"""GAN-prior: networks of the published sizes, losses with right gradients, training that resumes, a search that stays
where the generators were trained."""

from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from conftest import INSTRUMENTS, RATE, noise, tiny_gan
from numpy.testing import assert_allclose, assert_array_equal

from glowsep.check.stencils import central_difference, directions
from glowsep.cli import main
from glowsep.errors import PriorError
from glowsep.layers import PhaseShuffle
from glowsep.learning.weights import load_arrays, save_arrays
from glowsep.systems.gan_prior.gan import GAN, one_after_another
from glowsep.systems.gan_prior.gan_prior import GANPrior
from glowsep.systems.gan_prior.losses import WEIGHTS, SeparationLoss, collapse, pyramid
from glowsep.systems.gan_prior.model import FORMS, GANConfig, critic, generator, shuffled
from glowsep.systems.gan_prior.search import ProjectedGradientDescent
from glowsep.systems.gan_prior.separate import separate
from glowsep.systems.gan_prior.spectra import LogMagnitudes, WaveformSpectra
from glowsep.systems.gan_prior.train import GANRun, TrainingConfig, fit

QUICK = ProjectedGradientDescent(2)
SHORT = TrainingConfig(steps=3, batch=2, critic_steps=2, validate_every=2)


def tone(samples, frequency=440.0, rate=16_000):
    return (0.1 * np.sin(2 * np.pi * frequency * np.arange(samples) / rate)).astype(np.float32)


# Networks


@pytest.mark.parametrize("form", FORMS)
def test_the_published_networks_have_their_sizes(form):
    """The dense layer, five transposed convolutions of 25 taps with half as many channels each; and the critic."""
    config = GANConfig.published(form)
    zeros = SimpleNamespace(standard_normal=lambda shape: np.broadcast_to(np.float16(0), shape))  # quickly drawn
    convolutions = 25 * (64 + 64 * 128 + 128 * 256 + 256 * 512 + 512 * 1024)
    biases = 64 + 128 + 256 + 512
    sizes = {
        generator: 16_384 * 101 + convolutions + biases + 1,
        critic: convolutions + biases + 1024 + 16_384 + 1,
    }
    for make, expected in sizes.items():
        parameters = make(config, zeros, np.float16).parameters()
        assert sum(array.size for array in parameters.values()) == expected
    assert sizes == {generator: 19_065_345, critic: 17_427_969}


@pytest.mark.parametrize("form", FORMS)
def test_the_small_networks_are_below_a_million_parameters(form):
    rng = np.random.default_rng(0)
    for make in (generator, critic):
        assert sum(array.size for array in make(GANConfig(form), rng).parameters().values()) < 1_000_000


@pytest.mark.parametrize("form, shape", [("spectrogram", (2, 1, 128, 128)), ("waveform", (2, 1, 16_384))])
def test_a_critic_scores_what_a_generator_makes(form, shape):
    config, rng = GANConfig(form, channels=1), np.random.default_rng(0)
    x = generator(config, rng).forward(rng.uniform(-1, 1, (2, 100)).astype(np.float32), [])
    assert x.shape == shape and x.dtype == np.float32 and abs(x).max() <= 1
    assert critic(config, rng).forward(x, []).shape == (2, 1)


def test_only_the_critic_of_waveforms_shuffles_phases():
    rng = np.random.default_rng(0)
    for form, number in (("spectrogram", 0), ("waveform", 4)):
        network = critic(GANConfig(form, channels=1), rng)
        assert sum(isinstance(layer, PhaseShuffle) for layer in network.layers) == number
        drawn = shuffled(network, 3, rng)
        assert drawn.parameters().keys() == network.parameters().keys()
        assert all(drawn.parameters()[name] is array for name, array in network.parameters().items())
    assert all(len(layer.shifts) == 3 for layer in drawn.layers if isinstance(layer, PhaseShuffle))


def test_every_item_is_shifted_by_its_own_amount_and_reflected():
    x = np.arange(10.0).reshape(2, 1, 5)
    layer, tape = PhaseShuffle(2, (2, -1)), []
    y = layer.forward(x, tape)
    assert_array_equal(y[:, 0], [[2, 1, 0, 1, 2], [6, 7, 8, 9, 8]])
    dy = np.random.default_rng(0).standard_normal(y.shape)
    assert np.vdot(layer.backward(dy, tape), x) == pytest.approx(np.vdot(dy, y))  # it is linear
    assert_array_equal(PhaseShuffle(2).forward(x, []), x)
    assert set(PhaseShuffle(1).drawn(200, np.random.default_rng(0)).shifts) == {-1, 0, 1}
    with pytest.raises(ValueError, match=r"x has shape \(3, 1, 5\), expected 2 items of at least 4 positions"):
        layer.forward(np.zeros((3, 1, 5)), [])


def test_an_unknown_form_is_refused():
    with pytest.raises(ValueError, match="form is 'picture', expected one of spectrogram, waveform"):
        GANConfig("picture")
    with pytest.raises(ValueError, match="window_length is 512, but must be 256: 128 bins are made"):
        GANConfig(window_length=512)
    for wrong in ({"hop": 0}, {"rate": -1}, {"channels": 1.5}, {"latent": 0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            GANConfig(**wrong)


# Spectra


def test_encoded_magnitudes_come_back_unless_they_were_clipped():
    rng = np.random.default_rng(0)
    layer = LogMagnitudes(rng.standard_normal(8), 0.5 + rng.random(8))
    magnitude = np.exp(layer.mean[:, None] + 2.9 * layer.deviation[:, None] * rng.uniform(-1, 1, (8, 5)))
    assert_allclose(layer.forward(layer.encode(magnitude), []), magnitude + 1e-3)
    assert layer.encode(1e6 * magnitude).max() == 1 and layer.encode(0 * magnitude).min() >= -1


def test_a_block_of_a_waveform_has_as_many_frames_as_a_spectrogram():
    y = WaveformSpectra(256, 128).forward(tone(16_384)[None, None], [])
    power = (y**2).sum(axis=1)[0]
    assert power.shape == (128, 128) and set(power[:, 1:].argmax(axis=0)) == {7}  # 440 Hz / 62.5 Hz


# Losses


@pytest.mark.parametrize("components", [1, 2])
@pytest.mark.parametrize("name", [*WEIGHTS, "all"])
def test_every_loss_has_the_right_gradient(name, components):
    rng = np.random.default_rng(0)
    sources = rng.standard_normal((3, 2, components, 8, 12))
    mixture = 4 * sources.sum(axis=0) + 0.1  # away from the kinks of absolute values
    weights = WEIGHTS if name == "all" else dict.fromkeys(WEIGHTS, 0.0) | {name: 1.0}
    loss = SeparationLoss(mixture, weights)
    terms, gradient = loss(sources)
    assert all(term.shape == (2,) for term in terms.values()) and terms.keys() == WEIGHTS.keys()
    for label, direction in directions(sources.shape, 12, rng):
        slope = central_difference(
            lambda: sum(weights[key] * term.sum() for key, term in loss(sources)[0].items()), sources, direction, 1e-5
        )
        assert np.vdot(direction, gradient) == pytest.approx(slope, rel=1e-4, abs=1e-5 * abs(gradient).max()), label


def test_losses_say_what_they_are_called():
    rng = np.random.default_rng(1)
    left, right = np.zeros((2, 1, 1, 16, 16))
    left[:, :, 2:5], right[:, :, 10:14] = 5, 7
    apart, _ = SeparationLoss(left + right)(np.stack([left, right]))
    assert apart["multi-resolution"] == 0 and apart["frequency"] == pytest.approx(16)
    assert apart["exclusion"] < 0.1  # no edge in common, but at the lowest resolution
    same, _ = SeparationLoss(left + right)(np.stack([left, left]))
    assert same["exclusion"] > 3 * apart["exclusion"] and same["multi-resolution"] > 1
    mixture = rng.random((1, 1, 16, 16))
    with_it, _ = SeparationLoss(mixture)(mixture[None])
    without, _ = SeparationLoss(mixture)(mixture[None, :, :, ::-1])
    assert with_it["inclusion"] < without["inclusion"] < 0 and with_it["exclusion"] == 0  # a source alone


def test_means_over_squares_and_their_way_back():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((1, 8, 12))
    levels = pyramid(x)
    assert [level.shape for level in levels] == [(1, 8, 12), (1, 4, 6), (1, 2, 3)]
    assert levels[2][0, 0, 0] == pytest.approx(x[0, :4, :4].mean())
    weights = [rng.standard_normal(level.shape) for level in levels]
    value = sum(np.vdot(w, level) for w, level in zip(weights, levels, strict=True))
    assert np.vdot(collapse(weights), x) == pytest.approx(value)


# Training


@pytest.mark.parametrize("form", FORMS)
def test_a_resumed_training_ends_at_the_same_weights(form, tmp_path):
    solo = noise(20_000)

    class Stop(Exception):
        pass

    class Stopping(GANRun):
        def step(self, number):
            if number == 2:
                raise Stop
            return super().step(number)

    whole, stopped = (GAN("bass", GANConfig(form, 1), np.random.default_rng(0)) for _ in range(2))
    curve = fit(whole, solo, solo, SHORT, progress=False)
    assert len(curve.training) == 3 and [step for step, _ in curve.validation] == [2, 3]
    assert all(np.isfinite([*curve.training, *(loss for _, loss in curve.validation)]))
    path = tmp_path / "checkpoint"
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Stop):
        patch.setattr("glowsep.systems.gan_prior.train.GANRun", Stopping)
        fit(stopped, solo, solo, SHORT, path, progress=False)
    resumed = GAN("bass", GANConfig(form, 1), np.random.default_rng(5))
    again = fit(resumed, solo, solo, SHORT, path, progress=False)
    assert again.training == curve.training and again.validation == curve.validation
    for name, array in whole.weights().items():
        assert_array_equal(resumed.weights()[name], array)
    with pytest.raises(PriorError, match="checkpoint of another training configuration"):
        fit(resumed, solo, None, TrainingConfig(steps=4), path, progress=False)


def test_a_critic_step_widens_the_distance_and_a_generator_step_narrows_it():
    gan, solo = tiny_gan("bass"), tone(40_000)
    run = GANRun(gan, solo, solo, TrainingConfig(batch=4))
    run.begin()
    distances = [run._critic_step(np.random.default_rng(0), 1e-3) for _ in range(4)]
    assert distances == sorted(distances) and distances[-1] > distances[0]
    before, critics = run.validation_loss(1), {n: a.copy() for n, a in run.critic.parameters().items()}
    for seed in range(3):
        run._generator_step(np.random.default_rng(seed), 1e-3)
    assert run.validation_loss(1) < before
    for name, array in run.critic.parameters().items():
        assert_array_equal(array, critics[name])


def test_a_generator_hears_each_bin_with_mean_0_and_a_third_of_its_deviation():
    gan, solo = GAN("bass", GANConfig(channels=1)), noise(100_000)
    GANRun(gan, solo, None, SHORT).begin()
    x = gan.encode(np.stack([solo[first : first + gan.excerpt_length] for first in range(0, 80_000, 5000)]))
    assert x.shape == (16, 1, 128, 128)
    assert_allclose(x.mean(axis=(0, 1, 3)), 0, atol=0.05)
    assert_allclose(x.std(axis=(0, 1, 3)), 1 / 3, atol=0.05)


def test_silent_and_short_recordings_are_refused():
    gan = GAN("bass", GANConfig(channels=1))
    with pytest.raises(ValueError, match="the recordings have 100 samples, expected at least 16513"):
        fit(gan, noise(100), progress=False)
    with pytest.raises(ValueError, match="the validation recordings are silent"):
        fit(gan, noise(20_000), np.zeros(20_000, np.float32), progress=False)


# Separation


def test_the_search_goes_downhill_and_stays_in_the_cube():
    gans = [tiny_gan("bass"), tiny_gan("piano")]
    networks = [gan.frozen() for gan in gans]
    rng = np.random.default_rng(0)
    mixture = sum(network.forward(gans[0].latents(1, rng, 0.5), []) for network in networks)
    z, history = ProjectedGradientDescent(30, learning_rate=0.2)(mixture, networks, 100)
    total = [sum(WEIGHTS[name] * float(term.sum()) for name, term in terms.items()) for terms in history]
    assert total[-1] < 0.8 * total[0]
    assert z.shape == (2, 1, 100) and abs(z).max() == np.float32(0.9)  # projected, not merely small


def test_a_search_without_iterations_is_refused():
    with pytest.raises(ValueError, match="iterations is 0, but must be at least 1"):
        ProjectedGradientDescent(0)


@pytest.mark.parametrize("form", FORMS)
def test_raw_estimates_are_what_the_generators_make_and_masks_add_up_to_the_mixture(form):
    gans, mixture = [tiny_gan("bass", form), tiny_gan("piano", form)], noise(2, 30_000)
    found = separate(mixture, gans, RATE, QUICK)
    assert found.estimates.shape == found.raw.shape == (2, 2, 30_000)
    assert found.estimates.dtype == found.raw.dtype == np.float32
    assert_allclose(found.estimates.sum(axis=0), mixture, atol=1e-5)
    assert np.isfinite(found.raw).all() and found.raw.any()
    assert abs(found.raw.sum(axis=0) - mixture).max() > 1e-3  # nothing forces their sum
    assert len(found.history) == 2 and found.history[0].keys() == WEIGHTS.keys()
    louder = separate(4 * mixture, gans, RATE, QUICK)  # the level of a song does not matter
    assert_allclose(louder.raw, 4 * found.raw, rtol=1e-3, atol=1e-4)


def test_a_generated_mixture_is_found_again():
    """One source, and the mixture is what it makes of a latent: the raw estimate comes close to it."""
    gan = tiny_gan("bass", "waveform")
    truth = gan.generator.forward(gan.latents(1, np.random.default_rng(0), 0.5), [])[0]
    found = separate(truth, [gan], 16_000, ProjectedGradientDescent(40))
    level = 0.06 / np.sqrt((truth**2).mean())
    first, last = (found.history[k]["multi-resolution"] for k in (0, -1))
    assert level > 0 and last < 0.8 * first
    assert_allclose(found.estimates[0], truth, atol=1e-4)


def test_blocks_are_searched_by_themselves():
    gans, long = [tiny_gan("bass"), tiny_gan("drums")], noise(1, 2 * 16_384)
    found = separate(long, gans, 16_000, QUICK)
    assert found.latents.shape == (2, 3, 100)  # the last block holds a single frame
    blocks = np.random.default_rng(0).random((2, 1, 128, 128), np.float32)
    networks = [gan.frozen() for gan in gans]
    together, alone = QUICK(blocks, networks, 100)[0], QUICK(blocks[1:], networks, 100)[0]
    assert_allclose(together[:, 1:], alone, atol=1e-5)


def test_silence_is_shared_and_makes_no_sound():
    found = separate(np.zeros((1, 700), np.float32), [tiny_gan("bass"), tiny_gan("drums")], 8000)
    assert found.estimates.shape == (2, 1, 700) and not found.estimates.any() and not found.raw.any()


# Files, samples and the command line


@pytest.fixture
def gans(tmp_path):
    folder = tmp_path / "gans"
    GANPrior([tiny_gan(name) for name in INSTRUMENTS]).save(folder)
    return folder


@pytest.mark.parametrize("form", FORMS)
def test_a_saved_gan_makes_the_same_sounds(form, tmp_path):
    gan = tiny_gan("bass", form)
    gan.save(tmp_path / "bass.npz")
    loaded = GAN.load(tmp_path / "bass.npz")
    assert loaded.name == "bass" and loaded.config == gan.config
    sounds = [g.sample(1.5, np.random.default_rng(0), iterations=1) for g in (gan, loaded)]
    assert_array_equal(*sounds)
    assert sounds[0].shape == (24_000,) and np.isfinite(sounds[0]).all() and sounds[0].any()
    gan.save(tmp_path / "half.npz", np.float16)
    assert {a.dtype for a in GAN.load(tmp_path / "half.npz").weights().values()} == {np.dtype(np.float32)}


def test_blocks_join_in_time():
    assert one_after_another(np.array([[[1, 2], [5, 6]], [[3, 4], [7, 8]]])).tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]


def test_the_commands_take_it_by_its_name(gans, song, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    command = ["separate", str(song), "--method", "gan-prior", "--model", str(gans), "--iterations", "1"]
    assert main([*command, "-o", "masks"]) == main([*command, "--raw", "-o", "raw"]) == 0
    mixture, rate = soundfile.read(song)
    masks, raw = (
        np.stack([soundfile.read(tmp_path / folder / f"{name}.wav")[0] for name in INSTRUMENTS])
        for folder in ("masks", "raw")
    )
    assert masks.shape == raw.shape == (4, *mixture.shape)
    assert_allclose(masks.sum(axis=0), mixture, atol=1e-5)
    assert abs(raw.sum(axis=0) - mixture).max() > 1e-3
    sample = ["sample", str(gans / "piano.npz"), "--method", "gan_prior", "--seconds", "0.5", "--plot", "piano.png"]
    assert main(sample) == 0
    waveform, rate = soundfile.read(tmp_path / "piano-sample.wav")
    assert len(waveform) == 8000 and rate == 16_000 and (tmp_path / "piano.png").stat().st_size > 1000


def test_train_writes_a_gan_for_a_source(dataset, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    options = ["--method", "gan_prior", "--steps", "1", "--batch", "1", "--channels", "1", "--form", "waveform"]
    assert main(["train", str(dataset), "--source", "bass", *options, "--half", "-o", "bass.npz"]) == 0
    header, arrays = load_arrays(tmp_path / "bass.npz", "GAN prior")
    assert header["training"]["hours"] > 0 and header["training"]["core_minutes"] > 0
    assert header["config"]["form"] == "waveform" and arrays["0.W"].dtype == np.float16
    assert "bass.npz: " in capsys.readouterr().out and not (tmp_path / "bass.checkpoint").exists()


def refused(capsys, *arguments):
    assert main([str(argument) for argument in arguments]) == 1
    said = capsys.readouterr().err
    assert said.startswith("glowsep: ") and len(said.splitlines()) == 1 and "Traceback" not in said
    return said


def test_files_that_do_not_fit_are_refused_in_one_line(gans, priors, song, tmp_path, capsys):
    def separated(*weights):
        given = [option for path in weights for option in ("--model", path)]
        command = ["separate", song, "--method", "gan_prior", *given, "-o", tmp_path / "out", "--iterations", 1]
        return refused(capsys, *command)

    bass = gans / "bass.npz"
    assert "bass.npz: holds a 'prior', not a 'GAN prior'" in separated(priors / "bass.npz")
    assert "holds a 'GAN prior', not a 'prior'" in refused(capsys, "separate", song, "--priors", gans)
    assert "two GANs are named 'bass'" in separated(bass, bass)
    assert "no such file" in separated(gans / "kazoo.npz")
    header, arrays = load_arrays(bass, "GAN prior")

    def changed(name, config=None, without=(), **more):
        path = tmp_path / f"{name}.npz"
        own = {key: value for key, value in header.items() if key not in ("kind", "format_version")}
        own["config"], own["name"] = header["config"] | (config or {}), name
        save_arrays(path, "GAN prior", own, {k: a for k, a in arrays.items() if k not in without} | more)
        return path

    assert "its rate is 22050, but that of" in separated(bass, changed("other", {"rate": 22_050}))
    assert "does not describe a GAN prior" in separated(changed("missing", without=["0.W"]))
    assert "does not describe a GAN prior" in separated(changed("shape", {"channels": 2}))
    assert "does not describe a GAN prior" in separated(changed("form", {"form": "picture"}))
    assert "holds NaN" in separated(changed("nan", mean=np.full(128, np.nan, np.float32)))
    (tmp_path / "cut.npz").write_bytes(bass.read_bytes()[:1000])
    assert "damaged" in separated(tmp_path / "cut.npz")
    assert "--raw is not for nmf; leave it out" in refused(capsys, "separate", song, "--method", "nmf", "--raw")
    assert not (tmp_path / "out").exists()


def test_a_source_that_it_does_not_know_is_refused_by_evaluate(gans, dataset, tmp_path, capsys, baselines):
    (gans / "piano.npz").unlink()
    command = ["evaluate", dataset, "--method", "gan_prior", "--model", gans, "--baselines", baselines]
    assert "gan_prior does not know 'piano'; its sources are bass, drums, guitar" in refused(capsys, *command)
