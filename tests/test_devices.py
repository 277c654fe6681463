"""The same lines on another device: everything is moved explicitly, and comes out as on the CPU.

Without a GPU a stand-in for CuPy takes its place that is as strict about moving; with one, CuPy itself runs too.
"""

import sys

import numpy as np
import pytest
import soundfile
from conftest import INSTRUMENTS, RATE, TINY, TINY_LABELLED, noise, tiny_gan, tiny_labelled_prior, tiny_prior
from numpy.testing import assert_allclose
from strict_array import stand_in

from glowsep.arrays.devices import cuda, on_device_of, to_device, to_host
from glowsep.arrays.library import array_module, fused
from glowsep.arrays.memory import keep_freed_memory
from glowsep.cli import main
from glowsep.layers import (
    GLU,
    LSTM,
    ActNorm,
    AffineCoupling,
    Chain,
    Decimation,
    InvertibleConv1x1,
    InvertibleConv1x1PLU,
    LeakyReLU,
    Linear,
    LinearInterpolation,
    Padding,
    PhaseShuffle,
    ReLU,
    Reshape,
    SincResampling,
    SkipConcatenation,
    SkipSum,
    Squeeze,
    StridedConvolution,
    Tanh,
    TransposedConvolution,
)
from glowsep.learning.gradient_penalty import gradient_penalty
from glowsep.learning.losses import gaussian, mean_absolute, mean_square
from glowsep.learning.wasserstein import critic_loss, generator_loss
from glowsep.signals import spectrogram
from glowsep.signals.masks import mask_waveform, ratio_masks
from glowsep.signals.phase import griffin_lim
from glowsep.systems.gan_prior.model import FORMS
from glowsep.systems.gan_prior.search import ProjectedGradientDescent
from glowsep.systems.gan_prior.separate import separate as separate_by_gans
from glowsep.systems.gan_prior.spectra import LogMagnitudes, WaveformSpectra
from glowsep.systems.gan_prior.train import GANRun
from glowsep.systems.gan_prior.train import TrainingConfig as GANTraining
from glowsep.systems.glow.fast.freeze import freeze
from glowsep.systems.glow.fast.fuse import fuse
from glowsep.systems.glow.fast.parallel import parallel
from glowsep.systems.glow.labelled import LabelledPrior
from glowsep.systems.glow.model import Glow, GlowConfig
from glowsep.systems.glow.musicglow import MusicGlow
from glowsep.systems.glow.prior import Prior
from glowsep.systems.glow.separate import separate, separate_file
from glowsep.systems.glow.together import LabelledRun
from glowsep.systems.glow.train import TrainingConfig, fit
from glowsep.systems.registry import SYSTEMS
from glowsep.systems.search.annealed import AnnealedSearch
from glowsep.systems.search.constrained import ConstrainedLatentSearch
from glowsep.systems.search.latent import LatentSearch
from glowsep.systems.search.starts import from_mixture, from_prior, from_zero

TRAINING = TrainingConfig(steps=4, batch=2, frames=8, warmup=1, validate_every=2)


@pytest.fixture(params=["strict stand-in", pytest.param("CuPy", marks=pytest.mark.gpu)])
def xp(request, monkeypatch):
    """CuPy's module, or what stands in for it."""
    if request.param == "strict stand-in":
        monkeypatch.setitem(sys.modules, "cupy", stand_in())
        return sys.modules["cupy"]
    try:
        return cuda()
    except ValueError as missing:
        pytest.skip(str(missing))


def moved(part):
    part.load({name: to_device(array, "cuda") for name, array in (part.parameters() | part.state()).items()})
    return part


def prior_on_device(name):
    return tiny_prior(name).to("cuda")


def assert_same(on_device, on_host, xp, tolerance=1e-4):
    """Equal, and each where it should be."""
    assert array_module(on_device) is xp and array_module(on_host) is np
    assert on_device.dtype == on_host.dtype
    assert_allclose(to_host(on_device), on_host, rtol=tolerance, atol=tolerance)


# The stand-in itself


def test_the_stand_in_is_strict(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", stand_in())
    here, there = np.ones(3, np.float32), to_device(np.ones(3, np.float32), "cuda")
    for mix in (
        lambda: here + there,
        lambda: there + here,
        lambda: there.__iadd__(here),
        lambda: there.__setitem__(0, here[:1]),
        lambda: np.asarray(there),
        lambda: np.stack([here, there]),
        lambda: sys.modules["cupy"].exp(here),
        lambda: np.exp(there, out=here),
        lambda: soundfile.write("never.wav", there, RATE),
    ):
        with pytest.raises(TypeError):
            mix()
    assert isinstance(there.sum(), type(there)) and isinstance(2 * there, type(there))


def test_a_fused_function_is_one_kernel_of_element_wise_operations(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", stand_in())
    x = to_device(np.arange(6, dtype=np.float32).reshape(2, 3), "cuda")
    for not_element_wise in (
        lambda a: a.sum(),
        lambda a: a[0],
        lambda a: a.reshape(-1),
        lambda a: np.concatenate([a, a]),
        lambda a: float(a),
        lambda a: len(a),
        lambda a: 1 if a else 2,
    ):
        with pytest.raises(NotImplementedError):
            fused(not_element_wise)(x)
    with pytest.raises(TypeError):
        fused(lambda a, b: a + b)(x, np.ones(3, np.float32))


def test_a_fused_function_changes_its_arguments_and_returns_what_it_says(xp):
    @fused
    def shifted(a, shift):
        """Adds ``shift`` to a, and returns the cosine."""
        a += shift
        return array_module(a).cos(a)

    here = np.arange(6, dtype=np.float32).reshape(2, 3)
    there = to_device(here, "cuda")
    assert_same(shifted(there, 0.5), shifted(here, 0.5), xp)
    assert_same(there, here, xp)
    assert here[0, 0] == 0.5
    assert shifted.__name__ == "shifted" and "cosine" in shifted.__doc__


@pytest.mark.parametrize("library", ["this machine's", "one without mallopt", "none"])
def test_where_the_c_library_cannot_keep_memory_nothing_happens(library, monkeypatch):
    asked = []
    if library == "one without mallopt":
        monkeypatch.setattr("ctypes.CDLL", lambda name: asked.append(name) or object())
    elif library == "none":

        def refuse(name):
            asked.append(name)
            raise OSError

        monkeypatch.setattr("ctypes.CDLL", refuse)
    keep_freed_memory()
    assert asked == ([] if library == "this machine's" else [None])


def test_on_device_of_moves_both_ways(xp):
    here, there = np.ones(3, np.float32), to_device(np.zeros(3, np.float32), "cuda")
    assert_same(on_device_of(here, there), here, xp)
    assert_same(on_device_of(there, there), np.zeros(3, np.float32), xp)
    assert isinstance(on_device_of(there, here), np.ndarray)
    assert on_device_of(here, here) is here


# The flow


def layers():
    def rng():
        return np.random.default_rng(0)

    config = GlowConfig(channels=4, steps=2, hidden=3, layers=2, condition_channels=2)
    yield "ActNorm", lambda: ActNorm(4)
    yield "InvertibleConv1x1", lambda: InvertibleConv1x1(4, 2, rng())
    yield "InvertibleConv1x1PLU", lambda: InvertibleConv1x1PLU(4, 2, rng())
    yield "AffineCoupling", lambda: AffineCoupling(4, 3, 2, condition_channels=2, rng=rng())
    yield "Squeeze", lambda: Squeeze(2)
    yield "Glow", lambda: Glow(config, rng())
    yield "FusedGlow", lambda: fuse(Glow(config, rng()))
    yield "ParallelGlow", lambda: parallel(fuse(Glow(config, rng())))


@pytest.mark.parametrize("make", [pytest.param(make, id=name) for name, make in layers()])
def test_every_method_of_a_layer_runs_on_the_device(make, xp):
    rng = np.random.default_rng(1)
    x, condition = rng.standard_normal((2, 4, 6), np.float32), rng.standard_normal((2, 2), np.float32)
    here, there = make(), moved(make())
    for layer in (here, there):
        for parameter in layer.parameters().values():
            shift = 0.1 * np.random.default_rng(parameter.size).standard_normal(parameter.shape, np.float32)
            parameter += on_device_of(shift, parameter)
    results = []
    for layer, device in ((here, "cpu"), (there, "cuda")):
        data, label = to_device(x, device), to_device(condition, device)
        tape = []
        z, logdet = layer.forward(data, label, tape)
        backward = layer.backward(z, logdet, z, label, tape)
        results.append([
            z, logdet, layer.inverse(z, label), *backward, *layer.backward(z, logdet, z, label),
            *layer.frozen().backward(z, logdet, z, label), *layer.backward_inverse(data, data, label),
            *layer.forward(data, label), *layer.parameters().values(), *layer.gradients().values(),
        ])  # fmt: skip
    for on_host, on_device in zip(*results, strict=True):
        assert_same(on_device, on_host, xp, 1e-3)


def plain_layers():
    yield "StridedConvolution", lambda: StridedConvolution(4, 3, kernel=3, stride=2, padding="same"), (2, 4, 9)
    yield "two axes", lambda: StridedConvolution(4, 3, kernel=(5, 3), stride=2, padding="same"), (2, 4, 8, 6)
    yield "TransposedConvolution", lambda: TransposedConvolution(4, 3, kernel=8, stride=4), (2, 4, 5)
    yield "two axes, transposed", lambda: TransposedConvolution(4, 3, (5, 5), 2, padding="same"), (2, 4, 4, 3)
    yield "ReLU", ReLU, (2, 4, 5)
    yield "LeakyReLU", LeakyReLU, (2, 4, 5)
    yield "Tanh", Tanh, (2, 4, 5)
    yield "GLU", GLU, (2, 4, 5)
    yield "Linear", lambda: Linear(4, 3), (2, 4)
    yield "Reshape", lambda: Reshape(2, -1), (2, 4, 5)
    yield "LSTM", lambda: LSTM(4, 3, layers=2), (2, 4, 5)
    yield "LinearInterpolation", LinearInterpolation, (2, 4, 5)
    yield "Decimation", Decimation, (2, 4, 5)
    yield "Padding", lambda: Padding(2, 1, "reflect"), (2, 4, 5)
    yield "Padding, edge", lambda: Padding(2, 1, "edge"), (2, 4, 5)
    yield "PhaseShuffle", lambda: PhaseShuffle(2, (1, -2)), (2, 4, 5)
    yield "LogMagnitudes", lambda: LogMagnitudes(np.zeros(4, np.float32), np.ones(4, np.float32)), (2, 4, 5)
    yield "WaveformSpectra", lambda: WaveformSpectra(16, 8), (2, 1, 64)
    yield "SkipConcatenation", lambda: SkipConcatenation(StridedConvolution(4, 3, kernel=2)), (2, 4, 6)
    yield "SkipSum", lambda: SkipSum(StridedConvolution(4, 4, kernel=2)), (2, 4, 6)
    yield "SincResampling, up", lambda: SincResampling(2, 1), (2, 4, 70)
    yield "SincResampling, down", lambda: SincResampling(1, 2), (2, 4, 70)


@pytest.mark.parametrize("make, shape", [pytest.param(make, shape, id=name) for name, make, shape in plain_layers()])
def test_every_plain_layer_runs_on_the_device(make, shape, xp):
    x = np.random.default_rng(1).standard_normal(shape, np.float32)
    results = []
    for layer, device in ((make(), "cpu"), (moved(make()), "cuda")):
        data, tape = to_device(x, device), []
        y = layer.forward(data, tape)
        results.append([y, layer.backward(y, tape), *layer.gradients().values()])
        frozen = layer.frozen()
        results[-1] += [frozen.backward(frozen.forward(data, tape), tape)]
    for on_host, on_device in zip(*results, strict=True):
        assert_same(on_device, on_host, xp, 1e-3)


def test_the_losses_of_networks_run_on_the_device(xp):
    def critic():
        layers = (StridedConvolution(1, 2, (3, 3), 2, padding="same"), LeakyReLU(), ReLU(), Reshape(-1), Linear(18, 1))
        return Chain(*layers)

    rng = np.random.default_rng(2)
    x, target = rng.standard_normal((2, 2, 1, 5, 6), np.float32)
    results = []
    for network, device in ((critic(), "cpu"), (moved(critic()), "cuda")):
        data, other = to_device(x, device), to_device(target, device)
        penalty, gradients = gradient_penalty(network, data)
        scores = network.forward(data, [])
        results.append([
            penalty, *gradients.values(), *mean_absolute(other, data), *mean_square(other, data),
            *critic_loss(scores, 2 * scores), *generator_loss(scores),
        ])  # fmt: skip
    for on_host, on_device in zip(*results, strict=True):
        assert_same(on_device, on_host, xp, 1e-3)


def test_glow_gives_densities_scores_and_samples_on_the_device(xp):
    config = GlowConfig(channels=4, steps=2, hidden=3, layers=2)
    here, there = Glow(config), moved(Glow(config))
    x = np.random.default_rng(0).standard_normal((2, 4, 6), np.float32)
    for on_host, on_device in zip(
        (here.log_prob(x), *here.log_prob_gradient(x), here.sample(2, 6, np.random.default_rng(1))),
        (
            there.log_prob(to_device(x, "cuda")),
            *there.log_prob_gradient(to_device(x, "cuda")),
            there.sample(2, 6, np.random.default_rng(1)),
        ),
        strict=True,
    ):
        assert_same(on_device, on_host, xp, 1e-3)


def test_a_frozen_flow_runs_on_the_device(xp):
    x = np.random.default_rng(0).standard_normal((2, 4, 6), np.float32)
    here, there = (fuse(Glow(GlowConfig(channels=4, steps=2, hidden=3, layers=2))) for _ in range(2))
    for glow in (here, there):
        glow.forward(x)  # initialises
    here, there = freeze(here), freeze(moved(there))
    for on_host, on_device in zip(
        (*here.log_prob_gradient(x), here.sample(2, 6, np.random.default_rng(1))),
        (*there.log_prob_gradient(to_device(x, "cuda")), there.sample(2, 6, np.random.default_rng(1))),
        strict=True,
    ):
        assert_same(on_device, on_host, xp, 1e-3)


# Signals


def test_spectrograms_and_masks_run_on_the_device(xp):
    waveform = noise(2, 3000)
    there = to_device(waveform, "cuda")
    spectrum = spectrogram.stft(waveform, 64, 16)
    assert_same(spectrogram.stft(there, 64, 16), spectrum, xp)
    assert_same(spectrogram.istft(to_device(spectrum, "cuda"), 3000, 64, 16), waveform, xp)
    magnitudes = np.abs(spectrogram.stft(noise(3, 1500, seed=1), 64, 16))
    masks = ratio_masks(magnitudes, 2)
    assert_same(ratio_masks(to_device(magnitudes, "cuda"), 2), masks, xp)
    estimates = mask_waveform(waveform, 44100, masks, RATE, 64, 16)
    assert_same(mask_waveform(there, 44100, to_device(masks, "cuda"), RATE, 64, 16), estimates, xp)
    heard = griffin_lim(to_device(magnitudes[0], "cuda"), 3, np.random.default_rng(0), 0.5, 64, 16)
    assert_same(heard, griffin_lim(magnitudes[0], 3, np.random.default_rng(0), 0.5, 64, 16), xp, 1e-3)


# Priors


def test_a_prior_runs_on_the_device(xp):
    here, there = tiny_prior("bass"), prior_on_device("bass")
    waveform = noise(2, 1000)
    assert_same(there.log_prob(to_device(waveform, "cuda")), here.log_prob(waveform), xp)
    magnitudes = here.sample_magnitudes(2, 7, np.random.default_rng(0))
    assert_same(there.sample_magnitudes(2, 7, np.random.default_rng(0)), magnitudes, xp)
    drawn = [prior.sample(0.1, np.random.default_rng(0), iterations=2) for prior in (there, here)]
    assert_same(*drawn, xp, 1e-3)


def test_a_prior_saved_from_the_device_is_the_one_saved_from_the_host(xp, tmp_path):
    for prior, name in ((tiny_prior("bass"), "here"), (prior_on_device("bass"), "there")):
        prior.save(tmp_path / f"{name}.npz")
    here, there = (Prior.load(tmp_path / f"{name}.npz") for name in ("here", "there"))
    for name, array in here.flow.parameters().items():
        assert_allclose(there.flow.parameters()[name], array)


def test_training_and_its_resume_run_on_the_device(xp, tmp_path):
    solo = noise(4000)
    weights, losses = [], []
    for device in ("cpu", "cuda"):
        checkpoint = tmp_path / f"{device}.checkpoint"
        for steps in (2, 4):  # the second fit goes on from a checkpoint of the first
            prior = Prior("bass", TINY, np.random.default_rng(0))
            prior.to(device)
            if steps == 2:
                stop_at(prior, solo, checkpoint)
            else:
                curve = fit(prior, solo, solo, TRAINING, checkpoint, progress=False)
        weights.append(prior.flow.parameters() | prior.statistics())
        losses.append([*curve.training, *(loss for _, loss in curve.validation)])
    assert_allclose(*losses, rtol=1e-3)
    for name, array in weights[0].items():
        assert_same(weights[1][name], array, xp, 2e-3)


def stop_at(prior, solo, checkpoint):
    """Train until the first checkpoint is written, and no further."""

    class Stop(Exception):
        pass

    def no_more(step):
        if checkpoint.exists():
            raise Stop
        return 1e-3

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("glowsep.systems.glow.train.WarmupStableDecay", lambda *_: no_more)
        with pytest.raises(Stop):
            fit(prior, solo, solo, TRAINING, checkpoint, progress=False)


def test_a_labelled_prior_is_trained_on_the_device(xp):
    solos, weights, losses = [noise(4000, seed=seed) for seed in range(4)], [], []
    for device in ("cpu", "cuda"):
        prior = tiny_labelled_prior().to(device)
        curve = prior.fit(solos, solos, TRAINING, progress=False)
        weights.append(prior.flow.parameters() | prior.statistics())
        losses.append([*curve.training, *(loss for _, loss in curve.validation)])
    assert_allclose(*losses, rtol=1e-3)
    for name, array in weights[0].items():
        assert_same(weights[1][name], array, xp, 2e-3)


def test_the_statistics_of_a_labelled_prior_are_measured_on_the_device(xp, monkeypatch):
    monkeypatch.setattr("glowsep.systems.glow.train.measure_dictionary.__defaults__", (2, 4, 2))
    solos, measured = [noise(4000, seed=seed) for seed in range(4)], []
    for device in ("cpu", "cuda"):
        prior = LabelledPrior(INSTRUMENTS, TINY_LABELLED).to(device)
        LabelledRun(prior, solos, None, TRAINING).begin()
        measured.append(prior.statistics())
    for name, array in measured[0].items():
        assert_same(measured[1][name], array, xp, 2e-3)


# Separation


@pytest.mark.parametrize(
    "search",
    [
        AnnealedSearch(iterations=2),
        ConstrainedLatentSearch(iterations=1, walks=2),
        LatentSearch(iterations=2, start=from_zero),
        LatentSearch(iterations=2, start=from_prior, weight=0.1),
        LatentSearch(iterations=2, start=from_mixture, likelihood=gaussian),
    ],
    ids=["annealed", "constrained", "from zero", "from prior", "from mixture"],
)
@pytest.mark.parametrize("mixture_on", ["cpu", "cuda"])
def test_separation_computes_where_the_priors_lie_and_answers_on_the_host(search, mixture_on, xp):
    mixture, seen = noise(2, 2000), []
    priors = [prior_on_device(name) for name in INSTRUMENTS[:2]]
    found = separate(
        to_device(mixture, mixture_on), priors, 44100, search,
        callback=lambda iteration, magnitudes, terms: seen.append(magnitudes),
    )  # fmt: skip
    assert [array_module(magnitudes) for magnitudes in seen] == [xp, xp]
    expected = separate(mixture, [tiny_prior(name) for name in INSTRUMENTS[:2]], 44100, search)
    for name in ("estimates", "magnitudes"):
        assert isinstance(getattr(found, name), np.ndarray)
        assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-3, atol=1e-3)
    for there, here in zip(found.latents, expected.latents, strict=True):
        assert_allclose(there, here, rtol=1e-2, atol=1e-2)
    for there, here in zip(found.history, expected.history, strict=True):
        assert all(type(value) is float for value in there.values())
        assert there == pytest.approx(here, rel=1e-3, abs=1e-3)


@pytest.mark.parametrize(
    "name", ["average_spectrum", "nmf", "mixture", "equal_share", "oracle_magnitude", "oracle_power"]
)
@pytest.mark.parametrize("rate", [RATE, 44100])
def test_a_system_answers_where_the_mixture_is(name, rate, baselines, xp):
    sources = {source: noise(2, 2000, seed=seed) for seed, source in enumerate(INSTRUMENTS)}
    system, mixture = SYSTEMS[name], sum(sources.values())
    if system.weights is not None:
        system = system.load(baselines / f"{name}.npz")
    else:
        system = system(sources if name.startswith("oracle") else INSTRUMENTS)
    assert_same(system.separate(to_device(mixture, "cuda"), rate), system.separate(mixture, rate), xp)


@pytest.mark.parametrize("search", [ConstrainedLatentSearch(iterations=2), LatentSearch(iterations=2)])
def test_musicglow_separates_on_the_device(search, xp, tmp_path):
    mixture = noise(2, 2000)
    tiny_labelled_prior().save(tmp_path / "musicglow.npz")
    here, there = (
        MusicGlow.load(tmp_path / "musicglow.npz", search=search, device=device) for device in ("cpu", "cuda")
    )
    assert all(array_module(prior.label) is xp for prior in there.priors)
    expected = here.separate(mixture, RATE)
    assert_allclose(there.separate(to_device(mixture, "cuda"), RATE), expected, rtol=1e-3, atol=1e-3)


def test_silence_on_the_device_is_silence(xp):
    found = separate(np.zeros((2, 900), np.float32), [prior_on_device("bass"), prior_on_device("drums")], RATE)
    assert found.estimates.shape == (2, 2, 900) and not found.estimates.any()


@pytest.mark.parametrize("form", FORMS)
def test_a_gan_learns_and_draws_on_the_device(form, xp):
    drawn = []
    for device in ("cpu", "cuda"):
        gan = tiny_gan("bass", form).to(device)
        run = GANRun(gan, noise(20_000), noise(20_000), GANTraining(batch=2, critic_steps=1))
        run.begin()
        losses = [run.step(0), run.validation_loss(1)]
        run.load({name: to_host(array).copy() for name, array in run.arrays().items()})
        drawn.append((gan.sample(0.1, np.random.default_rng(0), iterations=2), losses))
    (here, of_host), (there, of_device) = drawn
    assert_same(there, here, xp, 1e-2)
    assert_allclose(of_device, of_host, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("mixture_on", ["cpu", "cuda"])
def test_gans_separate_where_they_lie_and_answer_on_the_host(form, mixture_on, xp):
    mixture, search, found = noise(2, 3000), ProjectedGradientDescent(2), []
    for device in ("cpu", "cuda"):
        gans = [tiny_gan(name, form).to(device) for name in INSTRUMENTS[:2]]
        given = to_device(mixture, mixture_on) if device == "cuda" else mixture
        found.append(separate_by_gans(given, gans, 44100, search))
    for name in ("estimates", "raw", "latents"):
        here, there = (getattr(one, name) for one in found)
        assert isinstance(there, np.ndarray)
        assert_allclose(there, here, rtol=1e-2, atol=1e-3)


def test_files_are_separated_by_priors_on_the_device(xp, song, tmp_path):
    search = AnnealedSearch(iterations=1)
    stems = separate_file(song, tmp_path / "there", [prior_on_device("bass")], search, progress=False)
    (expected,) = separate_file(song, tmp_path / "here", [tiny_prior("bass")], search, progress=False)
    assert_allclose(soundfile.read(stems[0])[0], soundfile.read(expected)[0], atol=1e-4)


def test_the_command_line_runs_on_the_device(xp, song, priors, tmp_path):
    for device in ("cpu", "cuda"):
        out = str(tmp_path / device)
        options = ["--priors", str(priors), "-o", out, "--device", device, "--iterations", "2", "--quiet"]
        assert main(["separate", str(song), *options]) == 0
    for name in INSTRUMENTS:
        here, there = (soundfile.read(tmp_path / device / f"{name}.wav")[0] for device in ("cpu", "cuda"))
        assert_allclose(there, here, atol=1e-4)
