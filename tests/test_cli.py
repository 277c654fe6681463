"""The command line: what each command writes, where, and that unusual but sound input is handled."""

import json
import math
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from conftest import INSTRUMENTS, RATE, TINY, noise

from glowsep.cli import COMMANDS, command_line, main
from glowsep.learning.weights import load_arrays
from glowsep.systems.floors_and_ceilings.average_spectrum import AverageSpectrum
from glowsep.systems.glow import train
from glowsep.systems.glow.prior import Prior
from glowsep.systems.nmf.model import PoissonNMF

STEMS = sorted(f"{name}.wav" for name in INSTRUMENTS)


def run(*arguments):
    return main([str(argument) for argument in arguments])


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def stems(folder):
    """The stems in a folder, stacked: (sources, samples, channels)."""
    return np.stack([soundfile.read(folder / name, always_2d=True)[0] for name in STEMS])


# Help


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example_that_the_parser_accepts(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    example = COMMANDS[command].EXAMPLE
    assert example in capsys.readouterr().out
    assert example.startswith(f"python -m glowsep {command} ")
    command_line().parse_args(example.split()[3:])


def test_the_general_help_names_every_command(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    said = capsys.readouterr().out
    assert all(command in said for command in COMMANDS)


# separate


def test_a_song_alone_is_separated_into_a_folder_beside_it(priors, song, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("glowsep.datasets.shipped.DATA", tmp_path)
    assert run("separate", song) == 0
    said = capsys.readouterr()
    folder = song.parent / "song"
    assert files(folder) == STEMS
    assert said.out.splitlines() == [str(folder / f"{name}.wav") for name in INSTRUMENTS]
    assert said.err == ""
    assert files(song.parent) == ["song", "song.wav"]
    mixture, _ = soundfile.read(song)
    np.testing.assert_allclose(stems(folder).sum(axis=0), mixture, atol=1e-5)


@pytest.mark.parametrize("search", ["annealed", "constrained", "latent", "published"])
def test_every_search_can_be_chosen(search, priors, song, tmp_path):
    options = ["--search", search, "--iterations", 2, "--weight", 0.5, "-o", tmp_path / "out"]
    assert run("separate", song, "--priors", priors, *options) == 0
    assert files(tmp_path / "out") == STEMS


def test_the_same_seed_gives_the_same_files(priors, song, tmp_path):
    for folder in ("first", "second"):
        run("separate", song, "--priors", priors, "--iterations", 2, "--seed", 7, "-o", tmp_path / folder)
    for name in STEMS:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()


def test_priors_can_be_named_one_by_one(priors, song, tmp_path):
    two = ["--priors", priors / "bass.npz", "--priors", priors / "drums.npz"]
    assert run("separate", *two, song, "--iterations", 1, "-o", tmp_path / "out") == 0
    assert files(tmp_path / "out") == ["bass.wav", "drums.wav"]


def test_several_songs_get_a_folder_each(priors, song, tmp_path):
    second = song.with_name("another.flac")
    soundfile.write(second, noise(RATE // 4), RATE)
    options = ["--priors", priors, "--iterations", 1, "-o", tmp_path / "out"]
    assert run("separate", song, second, *options) == 0
    assert files(tmp_path / "out") == ["another", "song"]
    assert files(tmp_path / "out" / "another") == STEMS


def test_quiet_says_nothing(priors, song, capsys):
    assert run("separate", song, "--priors", priors, "--iterations", 1, "--quiet") == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "")


def test_a_terminal_sees_a_progress_bar(priors, song, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert run("separate", song, "--priors", priors, "--iterations", 1) == 0
    assert "100%" in capsys.readouterr().err
    assert run("separate", song, "--priors", priors, "--iterations", 1, "--quiet") == 0
    assert capsys.readouterr().err == ""


def test_a_song_without_a_suffix_keeps_its_name(priors, song):
    plain = song.rename(song.with_name("song"))
    assert run("separate", plain, "--priors", priors, "--iterations", 1) == 0
    assert plain.is_file() and files(plain.with_name("song-sources")) == STEMS


UNUSUAL = {
    "one sample": (noise(1, 1), RATE),
    "eight channels": (noise(8, RATE // 10), RATE),
    "8 kHz": (noise(1, 2000), 8000),
    "192 kHz": (noise(2, 24000), 192000),
    "clipping": (np.sign(noise(1, RATE // 10)), RATE),
    "all zeros": (np.zeros((2, RATE // 10), np.float32), RATE),
    "an odd rate": (noise(1, 1234), 11111),
}


@pytest.mark.parametrize("kind", UNUSUAL)
def test_unusual_audio_is_handled(kind, priors, tmp_path):
    waveform, rate = UNUSUAL[kind]
    song = tmp_path / "song.wav"
    soundfile.write(song, waveform.T, rate, "FLOAT")
    assert run("separate", song, "--priors", priors, "--iterations", 2) == 0
    folder = tmp_path / "song"
    assert files(folder) == STEMS
    assert all(soundfile.info(folder / name).samplerate == rate for name in STEMS)
    np.testing.assert_allclose(stems(folder).sum(axis=0), waveform.T, atol=1e-5)
    if not waveform.any():
        assert not stems(folder).any()


@pytest.mark.parametrize("name", ["my song.wav", "Für Elise, déjà vu.wav", "夜曲.wav", "-o.wav", "a.b.c.wav"])
def test_any_file_name_is_handled(name, priors, song, monkeypatch):
    named = song.rename(song.with_name(name))
    assert run("separate", named, "--priors", priors, "--iterations", 1) == 0
    assert files(named.with_suffix("")) == STEMS


def test_an_existing_folder_keeps_what_is_not_a_stem(priors, song):
    folder = song.with_suffix("")
    folder.mkdir()
    (folder / "notes.txt").write_text("keep me")
    (folder / "vocals.wav").write_bytes(b"of another program")
    for seed in (0, 1):  # the second run replaces the stems of the first
        assert run("separate", song, "--priors", priors, "--iterations", 1, "--seed", seed) == 0
    assert files(folder) == sorted([*STEMS, "notes.txt", "vocals.wav"])
    assert (folder / "notes.txt").read_text() == "keep me"
    assert (folder / "vocals.wav").read_bytes() == b"of another program"
    assert stems(folder).shape[1] == soundfile.info(song).frames


@pytest.mark.parametrize("method", ["nmf", "average-spectrum"])
def test_another_system_can_be_chosen(method, song, baselines, tmp_path):
    options = ["--method", method, "--model", baselines / f"{method.replace('-', '_')}.npz", "-o", tmp_path / "out"]
    assert run("separate", song, *options) == 0
    assert files(tmp_path / "out") == STEMS
    mixture, _ = soundfile.read(song)
    np.testing.assert_allclose(stems(tmp_path / "out").sum(axis=0), mixture, atol=1e-5)


def test_what_knows_no_sources_cannot_separate_a_song(song, capsys):
    assert run("separate", song, "--method", "oracle-power") == 1
    assert (
        "oracle_power knows no sources but those of a track: use evaluate, or a trained system"
        in capsys.readouterr().err
    )
    assert files(song.parent) == ["song.wav"]


@pytest.mark.parametrize(
    "option", [["--iterations", 3], ["--search", "latent"], ["--mask-exponent", 2], ["--device", "cuda"]]
)
@pytest.mark.parametrize("command", ["separate", "evaluate"])
def test_an_option_that_would_have_no_effect_is_refused(command, option, song, dataset, monkeypatch, capsys):
    monkeypatch.setattr("glowsep.cli.options.cuda", lambda: None)
    given = {"separate": song, "evaluate": dataset}[command]
    assert run(command, given, "--method", "nmf", *option) == 1
    assert f"{option[0]} is not for nmf; leave it out" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--priors", "--model"])
def test_what_is_not_trained_has_no_weights(option, dataset, baselines, capsys):
    assert run("evaluate", dataset, "--method", "mixture", option, baselines / "nmf.npz") == 1
    assert "--priors or --model is not for mixture; leave it out" in capsys.readouterr().err


@pytest.mark.parametrize(
    "option",
    [
        ["--source", "bass"],
        ["--half"],
        ["--plot", "curve.png"],
        ["--steps", 7],
        ["--batch", 7],
        ["--exponent", 1],
        ["--scale", 2],
        ["--checkpoint", "mine.checkpoint"],
        ["--device", "cuda"],
    ],
)
def test_an_option_that_would_not_change_the_training_is_refused(option, dataset, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("glowsep.cli.options.cuda", lambda: None)
    out = tmp_path / "learnt.npz"
    assert run("train", dataset, "--method", "average_spectrum", "-o", out, *option) == 1
    assert f"{option[0]} is not for average_spectrum; leave it out" in capsys.readouterr().err
    assert not out.exists()


def test_one_file_of_weights_is_enough(song, baselines, capsys):
    weights = ["--model", baselines / "nmf.npz"] * 2
    assert run("separate", song, "--method", "nmf", *weights) == 1
    assert "nmf is a single file; name one only" in capsys.readouterr().err


# train and sample


def test_train_writes_a_prior_that_can_be_sampled(dataset, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("glowsep.systems.glow.instglow.PriorConfig", lambda: TINY)
    monkeypatch.chdir(tmp_path)
    options = ["--steps", 3, "--batch", 2, "--plot", "curve.png"]
    assert run("train", dataset, "--source", "bass", "-o", "mine/bass.npz", *options) == 0
    assert files(tmp_path / "mine") == ["bass.npz"]
    assert Prior.load(tmp_path / "mine" / "bass.npz").name == "bass"
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert run("sample", "mine/bass.npz", "--seconds", 0.25) == 0
    waveform, rate = soundfile.read(tmp_path / "bass-sample.wav")
    assert rate == TINY.rate and len(waveform) == -(-rate // 4) and waveform.any()
    assert str(tmp_path / "mine") not in capsys.readouterr().err


def test_train_without_a_source_trains_all(dataset, tmp_path, monkeypatch):
    monkeypatch.setattr("glowsep.systems.glow.instglow.PriorConfig", lambda: TINY)
    assert run("train", dataset, "-o", tmp_path / "mine", "--steps", 1, "--batch", 1) == 0
    assert files(tmp_path / "mine") == sorted(f"{name}.npz" for name in INSTRUMENTS)


def test_train_hears_several_data_sets(dataset, tmp_path, monkeypatch):
    """The second has no validation split, another rate, and one source more than is trained."""
    monkeypatch.setattr("glowsep.systems.glow.instglow.PriorConfig", lambda: TINY)
    other, heard = tmp_path / "other", []
    for source in ("bass", "drums"):
        (other / "song").mkdir(parents=True, exist_ok=True)
        soundfile.write(other / "song" / f"{source}.wav", noise(2 * RATE, seed=5), 2 * RATE, "FLOAT")

    def fit(prior, solo, validation, config, checkpoint, progress):
        heard.append((len(solo) / RATE, len(validation) / RATE))
        return train.fit(prior, solo, validation, config, checkpoint, progress)

    monkeypatch.setattr("glowsep.systems.glow.prior.train", SimpleNamespace(fit=fit))
    options = ["--source", "bass", "--steps", 1, "--batch", 1]
    assert run("train", dataset, "-o", tmp_path / "one.npz", *options) == 0
    assert run("train", dataset, other, "-o", tmp_path / "both.npz", *options) == 0
    assert heard == [pytest.approx((2, 2), abs=0.05), pytest.approx((3, 2), abs=0.05)]
    assert run("train", dataset, other, "-o", tmp_path / "all") == 1  # guitar and piano are in the first alone


def test_the_training_options_reach_the_prior(dataset, tmp_path, monkeypatch):
    monkeypatch.setattr("glowsep.systems.glow.instglow.PriorConfig", lambda: TINY)
    path, checkpoint = tmp_path / "bass.npz", tmp_path / "kept"
    shape = ["--window", 128, "--hop", 32, "--flow-steps", 2, "--hidden", 6, "--spectra", 5]
    options = ["--frames", 8, "--drive", 0.5, "--steps", 1, "--batch", 1, "--checkpoint", checkpoint]
    assert run("train", dataset, "--source", "bass", "-o", path, *shape, *options) == 0
    config = Prior.load(path).config
    assert (config.window_length, config.hop, config.glow.channels) == (128, 32, 64)
    assert (config.glow.steps, config.glow.hidden, config.components) == (2, 6, 5)
    training = load_arrays(checkpoint, "checkpoint")[0]["training"]
    assert (training["frames"], training["drive"], training["batch"]) == (8, 0.5, 1)
    assert run("train", dataset, "--source", "bass", "-o", path, "--window", 256, *options[:-2]) == 0
    assert Prior.load(path).config.hop == 64  # a quarter of the window


def test_a_training_goes_on_from_a_prior(dataset, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("glowsep.systems.glow.instglow.PriorConfig", lambda: TINY)
    first, second = tmp_path / "bass.npz", tmp_path / "further.npz"
    once = ["--source", "bass", "--frames", 8, "--batch", 1, "--steps", 1]
    assert run("train", dataset, *once, "-o", first, "--window", 128) == 0
    assert run("train", dataset, *once, "-o", second, "--from", first) == 0
    before, after = Prior.load(first), Prior.load(second)
    assert after.config == before.config
    for name, statistic in before.statistics().items():  # those of the sounds that it first learnt
        np.testing.assert_array_equal(after.statistics()[name], statistic)
    moved = [np.abs(after.flow.parameters()[n] - p).max() for n, p in before.flow.parameters().items()]
    assert 0 < max(moved) < 0.01  # a step of Adam, not other weights
    assert run("train", dataset, *once, "-o", second, "--from", first, "--spectra", 3) == 0
    more = Prior.load(second)
    assert more.config.components == before.config.components + 3 == more.dictionary.shape[1]
    np.testing.assert_array_equal(more.dictionary[:, :-3], before.dictionary)
    np.testing.assert_allclose(more.dictionary[:, -3:].sum(axis=0), 1, rtol=1e-3)  # spectra, not what was there
    for wrong, said in [
        (["--from", first, "--source", "drums", "--steps", 1], "bass.npz: the prior of 'bass', not of 'drums'"),
        (["--from", first, "--source", "bass", "--window", 128], "has its own; leave it out, or train a new prior"),
        (["--from", first], "--from takes one source, but these are 4; give one --source"),
        (["--from", tmp_path / "none.npz", "--source", "bass"], "none.npz"),
        (["--from", first, "--method", "nmf"], "--from is not for nmf"),
        (["--repeats", 2, 1, "--source", "bass"], "repeats is [2, 1]"),
    ]:
        capsys.readouterr()
        assert run("train", dataset, *wrong, "-o", tmp_path / "wrong") == 1
        line = capsys.readouterr().err
        assert said in line and line.count("\n") == 1
    assert not (tmp_path / "wrong").exists()


def test_the_checkpoint_of_another_window_is_refused(dataset, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("glowsep.systems.glow.instglow.PriorConfig", lambda: TINY)
    options = ["--source", "bass", "--steps", 1, "--batch", 1, "-o", tmp_path / "bass.npz"]
    assert run("train", dataset, *options, "--checkpoint", tmp_path / "kept") == 0
    capsys.readouterr()
    assert run("train", dataset, *options, "--checkpoint", tmp_path / "kept", "--window", 128) == 1
    assert "kept: the checkpoint of another prior configuration" in capsys.readouterr().err


@pytest.mark.parametrize("method", ["average-spectrum", "nmf"])
def test_a_baseline_is_trained_at_the_window_that_is_asked_for(method, dataset, tmp_path):
    assert run("train", dataset, "--method", method, "-o", tmp_path / "learnt.npz", "--window", 512) == 0
    learnt = {"average-spectrum": AverageSpectrum, "nmf": PoissonNMF}[method].load(tmp_path / "learnt.npz")
    assert (learnt.window_length, learnt.hop) == (512, 128)


@pytest.mark.parametrize("method", ["average-spectrum", "nmf"])
def test_train_writes_a_baseline(method, dataset, tmp_path):
    assert run("train", dataset, "--method", method, "-o", tmp_path / "learnt.npz") == 0
    learnt = {"average-spectrum": AverageSpectrum, "nmf": PoissonNMF}[method].load(tmp_path / "learnt.npz")
    assert learnt.sources == INSTRUMENTS


def test_a_training_without_checkpoints_removes_none(dataset, tmp_path):
    (tmp_path / "bass.checkpoint").write_text("of another training")
    assert run("train", dataset, "--method", "average_spectrum", "-o", tmp_path / "bass.npz") == 0
    assert (tmp_path / "bass.checkpoint").read_text() == "of another training"


def test_a_training_s_last_loss_has_its_unit(dataset, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("glowsep.systems.glow.instglow.PriorConfig", lambda: TINY)
    monkeypatch.setattr("glowsep.systems.glow.instglow.InstGlow.unit", "bananas")
    assert run("train", dataset, "--source", "bass", "-o", tmp_path / "bass.npz", "--steps", 1, "--batch", 1) == 0
    assert capsys.readouterr().out.endswith(" bananas after 1 steps\n")


# evaluate

COMPARED = {"mixture", "equal_share", "average_spectrum", "nmf", "oracle_magnitude", "oracle_power"}


def test_evaluate_prints_a_table_and_writes_what_is_asked_for(dataset, priors, baselines, tmp_path, capsys):
    report, picture = tmp_path / "scores.json", tmp_path / "scores.png"
    models = ["--priors", priors, "--baselines", baselines]
    assert run("evaluate", dataset, *models, "--iterations", 1, "--json", report, "--plot", picture) == 0
    said = capsys.readouterr().out
    assert [line.split()[0] for line in said.splitlines() if line[:1].isalpha()][1] == "instglow"
    assert all(name in said for name in COMPARED | set(INSTRUMENTS))
    scores = json.loads(report.read_text())
    assert scores["method"] == "instglow" and {row["method"] for row in scores["others"]} == COMPARED
    assert [track["name"] for track in scores["tracks"]] == ["test-first", "test-second"]
    songs = [np.mean([source["sdr"] for source in track["sources"].values()]) for track in scores["tracks"]]
    assert math.isclose(scores["mean"]["sdr"], np.mean(songs))
    assert set(scores["sources"]) == set(INSTRUMENTS)
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_evaluate_scores_the_floor_right(dataset, baselines, tmp_path):
    """All four sources of these tracks are independent noise of one power: the mixture's error is the other three."""
    report = tmp_path / "scores.json"
    options = ["--method", "mixture", "--limit", 1, "--baselines", baselines, "--json", report, "--quiet"]
    assert run("evaluate", dataset, *options) == 0
    scores = json.loads(report.read_text())
    assert len(scores["tracks"]) == 1
    assert abs(scores["mean"]["sdr"] - 10 * math.log10(1 / 3)) < 0.2


def test_evaluate_takes_the_weights_that_are_named(dataset, baselines, tmp_path):
    other, scores = tmp_path / "other.npz", []
    assert run("train", dataset, "--method", "average-spectrum", "-o", other, "--quiet") == 0
    for weights in ([], ["--model", other]):
        method = ["--method", "average-spectrum", "--baselines", baselines, *weights]
        report = ["--limit", 1, "--json", tmp_path / "scores.json", "--quiet"]
        assert run("evaluate", dataset, *method, *report) == 0
        scores.append(json.loads((tmp_path / "scores.json").read_text())["mean"]["sdr"])
    assert scores[0] != scores[1]


def test_a_data_set_with_a_source_that_no_prior_knows_is_refused(dataset, priors, baselines, capsys):
    (priors / "piano.npz").unlink()
    assert run("evaluate", dataset, "--priors", priors, "--baselines", baselines) == 1
    said = capsys.readouterr().err
    assert f"{dataset}: instglow does not know 'piano'; its sources are bass, drums, guitar; train one" in said


# render


def test_render_passes_everything_on(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr("glowsep.cli.render.render_excerpts", lambda *given, **named: calls.append((given, named)))
    font, songs = tmp_path / "font.sf2", tmp_path / "songs"
    options = ["--soundfont", font, "--midi", songs, "--rate", 16000, "--workers", 3, "--excerpts"]
    assert run("render", tmp_path / "out", *options) == 0
    assert run("render", tmp_path / "out", *options, "--overwrite") == 0
    named = {"workers": 3, "progress": False, "unheard": False}
    given = (songs, tmp_path / "out", font, 16000)
    assert calls == [(given, named | {"overwrite": overwrite}) for overwrite in (False, True)]


def test_render_passes_variations_on(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr("glowsep.cli.render.render", lambda *given, **named: calls.append(named))
    for options in (["--variations", 2], ["--only-variation", 3], ["--only-variation", 0], ["--unheard"], []):
        assert run("render", tmp_path / "out", "--soundfont", tmp_path / "font.sf2", *options) == 0
    asked = [(list(named.get("versions", [0])), named.get("splits"), named["unheard"]) for named in calls]
    assert asked == [
        ([0, 1, 2], None, False),
        ([3], ["train"], False),
        ([0], ["train"], False),
        ([0], None, True),
        ([0], None, False),
    ]
