"""What several test files share: priors and a song small enough to separate in a blink."""

import signal

import numpy as np
import pytest
import soundfile

from glowsep.arrays.threads import blas
from glowsep.cli import main
from glowsep.errors import DatasetError
from glowsep.signals.mid import WINDOW_LENGTH
from glowsep.systems.floors_and_ceilings.average_spectrum import AverageSpectrum
from glowsep.systems.gan_prior.gan import GAN
from glowsep.systems.gan_prior.model import GANConfig
from glowsep.systems.glow.labelled import LabelledPrior, with_labels
from glowsep.systems.glow.model import GlowConfig
from glowsep.systems.glow.prior import NOISE_FEATURES, Prior, PriorConfig
from glowsep.systems.nmf.model import PoissonNMF

INSTRUMENTS = ("bass", "drums", "guitar", "piano")
RATE = 22050
TINY_GLOW = GlowConfig(
    channels=32, steps=1, hidden=8, layers=1, kernel=3, dilation=1, condition_channels=NOISE_FEATURES
)
TINY = PriorConfig(rate=RATE, window_length=64, hop=16, glow=TINY_GLOW)
TINY_LABELLED = with_labels(TINY, len(INSTRUMENTS))


def tiny_prior(name, config=TINY):
    """An untrained prior; its first batch, noise, has initialised its ActNorm."""
    seed = sum(name.encode())
    prior = Prior(name, config, np.random.default_rng(seed))
    magnitudes = prior.magnitudes(noise(2, 200 * config.hop, seed=seed))
    prior.flow.forward(prior.compress(magnitudes[:, :, :200]), prior.condition(np.float32([0.1, 1])))
    return prior


def tiny_labelled_prior(config=TINY_LABELLED, names=INSTRUMENTS):
    """An untrained prior of four instruments, initialised as `tiny_prior` is; each has a dictionary of its own."""
    rng = np.random.default_rng(0)
    prior = LabelledPrior(names, config, rng)
    prior.dictionary = rng.random(prior.dictionary.shape, np.float32)
    magnitudes = prior.magnitudes(noise(len(names), 200 * config.hop))
    levels = np.geomspace(0.1, 0.4, len(names), dtype=np.float32)
    prior.flow.forward(prior.compress(magnitudes[:, :, :200]), prior.condition(levels))
    return prior


def tiny_gan(name, form="spectrogram"):
    """An untrained generator that has moved: it makes sounds of its own, and z = 0 has a gradient."""
    rng = np.random.default_rng(sum(name.encode()))
    gan = GAN(name, GANConfig(form, channels=1), rng)
    for parameter in gan.generator.parameters().values():
        parameter += 0.1 * rng.standard_normal(parameter.shape, np.float32)
    return gan


def dataset_refused(action, *words):
    """The action raises a DatasetError of one line with these words in it."""
    with pytest.raises(DatasetError) as refusal:
        action()
    message = str(refusal.value)
    assert len(message.splitlines()) == 1
    for word in words:
        assert str(word) in message


def noise(*shape, seed=0):
    """A waveform well inside full scale."""
    return (0.1 * np.random.default_rng(seed).standard_normal(shape)).clip(-0.9, 0.9).astype(np.float32)


def contents(folder):
    """All that lies in a folder: a dict of path to bytes, for a folder or a broken link to whether it is a link."""
    return {path: path.read_bytes() if path.is_file() else path.is_symlink() for path in folder.rglob("*")}


def pytest_ignore_collect(collection_path, config):
    """The chapters take minutes, and need nbgrader: they are run only where the command line names their file."""
    if collection_path.name == "test_chapters.py" and not any("test_chapters.py" in name for name in config.args):
        return True
    return None


@pytest.fixture
def ctrl_c_is_heard():
    """A shell that is no terminal starts its background jobs, such as these tests, with Ctrl-C ignored."""
    earlier = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, earlier)


@pytest.fixture
def two_threads():
    """BLAS with two threads, on one core too: so there are two calls at once."""
    if not blas().lib_controllers:
        pytest.skip("threadpoolctl does not know this BLAS, so nothing is computed side by side")
    with blas().limit(limits=2):
        yield


@pytest.fixture
def priors(tmp_path):
    """A folder of four tiny priors."""
    folder = tmp_path / "priors"
    folder.mkdir()
    for name in INSTRUMENTS:
        tiny_prior(name).save(folder / f"{name}.npz")
    return folder


@pytest.fixture
def song(tmp_path):
    """A quarter of a second of stereo, in a folder of its own."""
    path = tmp_path / "songs" / "song.wav"
    path.parent.mkdir()
    soundfile.write(path, noise(2, RATE // 4).T, RATE, "FLOAT")
    return path


@pytest.fixture
def dataset(tmp_path):
    """A data set of four instruments in folders train, validation and test, two tracks each."""
    folder = tmp_path / "dataset"
    for number, split in enumerate(("train", "validation", "test")):
        for name in ("first", "second"):
            track = folder / split / f"{split}-{name}"
            track.mkdir(parents=True)
            for seed, source in enumerate(INSTRUMENTS):
                soundfile.write(track / f"{source}.wav", noise(RATE, seed=10 * number + seed), RATE, "FLOAT")
    return folder


@pytest.fixture
def baselines(tmp_path):
    """A folder of learnt baselines that have heard nothing but noise."""
    folder = tmp_path / "baselines"
    folder.mkdir()
    rng = np.random.default_rng(0)
    solos = {name: rng.random((WINDOW_LENGTH // 2 + 1, 8), np.float32) for name in INSTRUMENTS}
    AverageSpectrum.from_solos(solos).save(folder / "average_spectrum.npz")
    PoissonNMF.from_solos(solos, rng, components=2, learning_iterations=1, iterations=2).save(folder / "nmf.npz")
    return folder


@pytest.fixture
def refused(tmp_path, monkeypatch, capsys):
    """Run a command that must be refused, and return its one line. Nothing may have changed on the disk."""

    def run(*arguments, status=1):
        before = contents(tmp_path)
        assert main([str(argument) for argument in arguments]) == status
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.startswith("glowsep: ") and said.err.endswith("\n") and len(said.err.splitlines()) == 1
        assert "Traceback" not in said.err
        assert contents(tmp_path) == before
        return said.err

    monkeypatch.chdir(tmp_path)
    return run
