"""All systems in one table: what is in it, who is left out, and what is measured in a process of its own."""

import json
import shlex
import shutil
import signal
import warnings

import numpy as np
import pytest
import soundfile
from conftest import INSTRUMENTS, RATE, tiny_prior
from matplotlib import image

from glowsep import show
from glowsep.arrays.memory import peak_memory
from glowsep.arrays.own_process import in_own_process
from glowsep.cli import command_line, comparing, main
from glowsep.comparison import Compared, Cost, Metered, comparison, markdown, save_comparison
from glowsep.datasets import Track
from glowsep.errors import SeparationWarning
from glowsep.evaluate import Evaluation, TrackScores, evaluate
from glowsep.learning.training_record import UNKNOWN, TrainingRecord
from glowsep.systems.floors_and_ceilings.floors import EqualShare
from glowsep.systems.glow.instglow import InstGlow
from glowsep.systems.registry import SYSTEMS, TRAINED
from glowsep.systems.search.annealed import AnnealedSearch

NOTHING = TrainingRecord()

#: The systems with small weights in these tests, and those that need none; more may be in the registry.
SMALL = ("instglow", "average_spectrum", "nmf")
SCORED = [name for name, system in SYSTEMS.items() if name in SMALL or system.weights is None]


def scored(name, *songs):
    """An evaluation of songs with these scores of bass and drums."""
    tracks = [
        TrackScores(
            f"song {number}",
            {"bass": dict.fromkeys(("sdr", "si_sdr"), bass), "drums": dict.fromkeys(("sdr", "si_sdr"), drums)},
        )
        for number, (bass, drums) in enumerate(songs)
    ]
    return Evaluation(name, tracks)


@pytest.fixture
def compared():
    return [
        Compared(scored("old", (1, 3), (3, 7)), "solos", UNKNOWN, 8196, Cost(9.0, 0.25, 300 * 2**20)),
        Compared(scored("new", (-1, -2), (-1, np.nan)), "mixtures", TrainingRecord(7.25, 90), 17_327_104),
        Compared(scored("floor", (np.nan, 0), (np.nan, 1)), "nothing", NOTHING, 0, Cost(9.0, 0.0, None)),
    ]


# The table


def test_the_spread_is_the_deviation_over_the_songs_that_have_a_score():
    evaluation = scored("mine", (1, 3), (3, 7), (5, np.nan))
    assert evaluation.spread() == pytest.approx(np.std([2, 5, 5], ddof=1))
    assert evaluation.source_spread("bass") == 2
    assert evaluation.source_spread("drums") == pytest.approx(np.std([3, 7], ddof=1))
    assert evaluation.as_json()["spread"]["sdr"] == pytest.approx(np.sqrt(3))
    assert evaluation.as_json()["source_spreads"]["bass"]["sdr"] == 2


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("songs", [[(1, 1)], [(np.nan, np.nan)] * 2, [(-np.inf, -np.inf), (1, 1)]])
def test_there_is_no_spread_of_one_song_of_silence_or_of_infinity(songs):
    evaluation = scored("mine", *songs)
    assert np.isnan(evaluation.spread()) and np.isnan(evaluation.source_spread("bass"))
    json.dumps(evaluation.as_json(), allow_nan=False)


def test_a_row_says_what_is_known_and_what_is_not(compared):
    rows = [row.cells() for row in compared]
    assert rows[0] == [
        "old", "2.00 ± 1.41", "5.00 ± 2.83", "3.50 ± 2.12", "solos", "?", "?", "8.2 k", "0.25", "300"
    ]  # fmt: skip
    assert rows[1] == ["new", "-1.00 ± 0.00", "-2.00", "-1.25 ± 0.35", "mixtures", "7.2", "90.0", "17.3 M", "-", "-"]
    assert rows[2] == ["floor", "-", "0.50 ± 0.71", "0.50 ± 0.71", "nothing", "-", "-", "-", "0.00", "-"]


def test_the_text_table_is_aligned_and_the_other_is_markdown(compared):
    lines = comparison(compared).splitlines()
    assert len({len(line) for line in lines}) == 1 and len(lines) == 5
    lines = markdown(compared).splitlines()
    assert {line.count("|") for line in lines[:5]} == {11}
    assert lines[1] == "| --- | --: | --: | --: | --- | --: | --: | --: | --: | --: |"
    assert "| −1.00 ± 0.00 | −2.00 |" in lines[3] and lines[3].endswith("| – | – |")
    assert "over 2 songs" in lines[6]


def test_json_holds_every_row_in_the_form_of_evaluate(compared, tmp_path):
    save_comparison(compared, tmp_path / "all.json")
    first = json.loads((tmp_path / "all.json").read_text(), parse_constant=pytest.fail)
    assert first["method"] == "old" and [row["method"] for row in first["others"]] == ["new", "floor"]
    assert first["mean"]["sdr"] == 3.5 and first["training"] == {"hours": None, "core_minutes": None}
    assert first["cost"] == {"seconds": 9.0, "core_seconds": 0.25, "peak_memory": 300 * 2**20}
    new = first["others"][0]
    assert new["training"] == {"hours": 7.25, "core_minutes": 90} and new["cost"] is None
    assert (new["trained_on"], new["parameter_count"]) == ("mixtures", 17_327_104)


def test_the_picture_has_a_dot_for_every_song_in_the_colour_of_its_kind(compared, tmp_path):
    figure = show.draw_comparison(compared)
    for place, row in enumerate(compared):
        dots = [line for line in figure.axes[1].lines if line.get_marker() == "o"][place]
        finite = [score for score in row.evaluation.of_source("drums") if np.isfinite(score)]
        assert list(dots.get_xdata()) == finite and set(dots.get_ydata()) == {place}
        assert dots.get_color() == show.LEARNERS[row.trained_on]
    show.comparison_picture(compared, tmp_path / "all.png")
    assert image.imread(tmp_path / "all.png").ndim == 3
    assert set(show.LEARNERS) >= {system.trained_on for system in SYSTEMS.values()}


# What a separation takes


def test_only_the_separation_is_metered_per_second_of_audio(monkeypatch):
    clock = {"perf_counter": 0.0, "process_time": 0.0}
    for name in clock:
        monkeypatch.setattr(f"glowsep.comparison.time.{name}", lambda name=name: clock[name])

    class Working(EqualShare):
        def __call__(self, track):
            clock["perf_counter"] += 3
            clock["process_time"] += 5
            return super().__call__(track)

    sources = {name: np.ones((2, RATE), np.float32) for name in INSTRUMENTS}
    metered = Metered(Working())
    for track in [Track("one", RATE, sum(sources.values()), sources)] * 2:
        clock["perf_counter"] += 100
        assert metered(track).shape == (4, 2, RATE)
    assert (metered.cost().seconds, metered.cost().core_seconds) == (3, 5)


def test_a_process_of_its_own_does_not_hold_what_this_one_holds():
    if peak_memory() is None:
        pytest.skip("this system does not say how much memory a process held")
    held = np.ones(40_000_000)  # 320 MB
    assert peak_memory() > held.nbytes
    assert in_own_process(peak_memory) < peak_memory() - held.nbytes / 2


def test_what_goes_wrong_in_a_process_of_its_own_is_raised_here():
    with pytest.raises(ValueError, match="invalid literal"):
        in_own_process(int, "one")


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no SIGKILL")
def test_a_process_that_the_system_kills_had_too_little_memory():
    with pytest.raises(MemoryError):
        in_own_process(signal.raise_signal, 9)


# Silence


def silent_track(name="no-sound"):
    sources = {source: np.zeros((1, 3000), np.float32) for source in INSTRUMENTS}
    return Track(name, RATE, sum(sources.values()), sources)


def test_a_warning_about_a_track_names_it():
    system, track = InstGlow([tiny_prior(name) for name in INSTRUMENTS], AnnealedSearch(iterations=1)), silent_track()
    methods = {"system": system, "function": lambda track: system.separate(track.mixture, track.rate)}
    for name, separate in {**methods, "alone": lambda tracks: system(tracks[0])}.items():
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            separate([track]) if name == "alone" else evaluate([track], {name: separate}, quiet=True)
        assert [str(each.message) for each in warned] == ["no-sound: is silent: so are its stems"], name
    with pytest.warns(SeparationWarning, match="^the mixture: is silent"):
        system.separate(track.mixture, track.rate)


def test_silences_are_named_by_source():
    evaluation = scored("mine", (1, np.nan), (np.nan, np.nan), (1, 2))
    evaluation.tracks.append(TrackScores("no drums at all", {"bass": {"sdr": 1.0, "si_sdr": 1.0}}))
    assert evaluation.silences() == {"bass": ["song 1"], "drums": ["song 0", "song 1"]}


def test_a_line_names_some_of_many_silent_tracks(capsys):
    comparing.tell_silences(scored("mine", (1, 1)))
    assert not capsys.readouterr().err
    comparing.tell_silences(scored("mine", *[(1, np.nan)] * 7))
    assert capsys.readouterr().err == (
        "glowsep: drums is silent in 7 of 7 tracks and has no score there: song 0, song 1, song 2, song 3, song 4, …\n"
    )


# The command


@pytest.fixture
def shipped(baselines, monkeypatch):
    """A folder with the weights of the `SMALL` systems, in the place of those that come with glowsep."""
    data = baselines.parent / "shipped"
    shutil.copytree(baselines, data / "baselines")
    (data / "priors").mkdir()
    for name in INSTRUMENTS:
        tiny_prior(name).save(data / "priors" / f"{name}.npz")
    monkeypatch.setattr("glowsep.datasets.shipped.DATA", data)
    monkeypatch.setattr(comparing, "in_own_process", lambda function, *arguments: function(*arguments))
    monkeypatch.setattr(comparing, "keep_freed_memory", lambda: None)  # this process is not the command's
    return data


def run(*arguments):
    return main([str(argument) for argument in arguments])


def test_all_systems_are_in_the_table_the_json_the_markdown_and_the_picture(dataset, shipped, tmp_path, capsys):
    soundfile.write(dataset / "test" / "test-first" / "piano.wav", np.zeros(RATE), RATE)
    files = [tmp_path / f"all.{suffix}" for suffix in ("json", "md", "png")]
    written = [part for pair in zip(("--json", "--markdown", "--plot"), files, strict=True) for part in pair]
    assert run("evaluate", dataset, "--method", "all", *written) == 0
    said = capsys.readouterr()
    assert [line.split()[0] for line in said.out.splitlines()[2:-3]] == SCORED
    assert [line for line in said.err.splitlines() if "is left out" not in line] == [
        "glowsep: piano is silent in 1 of 2 tracks and has no score there: test-first"
    ]
    first = json.loads(files[0].read_text())
    rows = {row["method"]: row for row in [first, *first["others"]]}
    assert list(rows) == SCORED
    for name, row in rows.items():
        assert row["trained_on"] == SYSTEMS[name].trained_on and (row["parameter_count"] > 0) == (name in TRAINED)
        assert row["cost"]["core_seconds"] > 0
        assert [track["name"] for track in row["tracks"]] == ["test-first", "test-second"]
    single = tmp_path / "single.json"
    assert run("evaluate", dataset, "--method", "nmf", "--json", single, "--quiet") == 0
    alone = json.loads(single.read_text())
    assert rows["nmf"]["tracks"] == alone["tracks"] and rows["nmf"]["mean"] == alone["mean"]
    assert files[1].read_text().startswith("| system | bass |") and files[2].read_bytes().startswith(b"\x89PNG")


def test_what_has_no_weights_is_left_out_with_the_command_that_trains_it(dataset, shipped, capsys):
    for file in (shipped / "priors").iterdir():
        file.unlink()
    (shipped / "priors" / "README.md").write_text("where the priors were")
    (shipped / "baselines" / "nmf.npz").unlink()
    assert run("evaluate", dataset, "--method", "all", "--limit", 1) == 0
    said = capsys.readouterr()
    missing = {name: SYSTEMS[name].weights for name in TRAINED if name != "average_spectrum"}
    assert [line.split()[0] for line in said.out.splitlines()[2:]] == [name for name in SYSTEMS if name not in missing]
    for line, (name, path) in zip(said.err.splitlines(), missing.items(), strict=True):
        assert line.startswith(f"glowsep: {shipped / path}: not there, so {name} is left out; train it with: python")
        command = command_line().parse_args(shlex.split(line.partition("python -m glowsep ")[2]))
        assert (command.method, command.out, command.datasets) == (name, shipped / path, [dataset])


def test_what_does_not_know_a_source_is_left_out_and_a_damaged_file_stops_before_the_work(
    dataset, shipped, capsys, monkeypatch
):
    (shipped / "priors" / "piano.npz").unlink()
    assert run("evaluate", dataset, "--method", "all", "--limit", 1) == 0
    said = capsys.readouterr()
    assert said.err.splitlines()[-1] == (
        f"glowsep: {dataset}: instglow does not know 'piano'; its sources are bass, drums, guitar; instglow is left out"
    )
    assert "instglow" not in said.out and "nmf" in said.out
    (shipped / "baselines" / "nmf.npz").write_bytes(b"noise")
    monkeypatch.setattr(comparing, "in_own_process", lambda *_: pytest.fail("worked before it looked at all files"))
    assert run("evaluate", dataset, "--method", "all", "--limit", 1) == 1
    assert "nmf.npz: damaged" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (["--method", "all", "--model", "nmf.npz"], "--priors or --model is not for all; leave it out"),
        (["--method", "all", "--iterations", "3"], "--iterations is not for all; leave it out"),
        (["--method", "all", "--search", "latent"], "--search is not for all; leave it out"),
        (["--method", "all", "--report", "all.html"], "--report is on one method; leave it out, or name the method"),
        (["--method", "nmf", "--markdown", "nmf.md"], "--markdown is for --method all; leave it out"),
    ],
)
def test_what_a_comparison_does_not_take_is_refused(given, complaint, dataset, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run("evaluate", dataset, *given) == 1
    assert capsys.readouterr().err == f"glowsep: {complaint}\n"
    assert {path.name for path in tmp_path.iterdir()} == {"dataset"}
