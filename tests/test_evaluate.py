"""Evaluations: means over the right things, silence counted and not averaged, the JSON's form, tables and pictures."""

import json
from pathlib import Path

import numpy as np
import pytest
from matplotlib import image
from numpy.testing import assert_allclose

from glowsep import show
from glowsep.datasets import Track, open_dataset
from glowsep.errors import PriorError
from glowsep.evaluate import Evaluation, TrackScores, comparison_systems, evaluate, merged, save_json, score, table
from glowsep.metrics import sdr, si_sdr
from glowsep.systems.floors_and_ceilings.ceilings import OracleMagnitude
from glowsep.systems.floors_and_ceilings.floors import EqualShare, Mixture

mixture, equal_share, oracle_magnitude = Mixture(), EqualShare(), OracleMagnitude()
RATE = 22_050
DATA = Path(__file__).parent.parent / "data"


def noise_track(name, seed, silent=()):
    rng = np.random.default_rng(seed)
    sources = {source: rng.standard_normal((1, 4000)).astype(np.float32) for source in ("bass", "drums", "piano")}
    sources |= {source: np.zeros((1, 4000), np.float32) for source in silent}
    return Track(name, RATE, sum(sources.values()), sources)


def half_right(song):
    """Estimates with known errors: 20 log10(2) = 6.02 dB whenever a source sounds."""
    return np.stack([0.5 * waveform for waveform in song.sources.values()])


@pytest.fixture
def songs():
    return [noise_track("one", 1), noise_track("two", 2, silent=["piano"]), noise_track("three", 3)]


@pytest.fixture
def evaluations(songs):
    return evaluate(songs, {"half": half_right, "mixture": mixture, "oracle": oracle_magnitude}, quiet=True)


def test_every_track_is_loaded_once_for_all_methods(songs):
    class Counted(list):
        loads = 0

        def __iter__(self):
            for song in super().__iter__():
                Counted.loads += 1
                yield song

    evaluations = evaluate(Counted(songs), {"one": mixture, "other": equal_share}, quiet=True)
    assert Counted.loads == 3
    assert [e.method for e in evaluations] == ["one", "other"]
    assert [track.name for track in evaluations[1].tracks] == ["one", "two", "three"]


def test_scores_are_the_metrics_of_references_and_estimates(songs):
    scores = score(songs[0], equal_share(songs[0]))
    for source, waveform in songs[0].sources.items():
        assert_allclose(scores.sources[source]["sdr"], sdr(waveform, songs[0].mixture / 3), rtol=1e-6)
        assert_allclose(scores.sources[source]["si_sdr"], si_sdr(waveform, songs[0].mixture / 3), rtol=1e-6)


def test_a_silent_source_has_no_score_and_is_counted(evaluations):
    half = evaluations[0]
    assert np.isnan(half.tracks[1].sources["piano"]["sdr"])
    assert (half.silent("piano"), half.silent("bass")) == (1, 0)
    assert_allclose([half.source_mean(source) for source in half.sources], 20 * np.log10(2), atol=1e-6)
    assert_allclose([half.mean(), half.median()], 20 * np.log10(2), atol=1e-6)


def given(*songs):
    return Evaluation(
        "given",
        [
            TrackScores(str(i), {s: {"sdr": value, "si_sdr": value} for s, value in song.items()})
            for i, song in enumerate(songs)
        ],
    )


def test_the_mean_is_over_songs_and_a_songs_is_over_its_sources():
    evaluation = given({"bass": 1.0, "drums": 3.0}, {"bass": 8.0, "drums": np.nan}, {"bass": 0.0, "drums": 0.0})
    assert evaluation.of_songs().tolist() == [2, 8, 0]
    assert evaluation.mean() == pytest.approx(10 / 3)
    assert evaluation.median() == 2
    assert evaluation.source_mean("bass") == 3
    assert evaluation.source_mean("drums") == 1.5


def test_tracks_may_have_different_sources():
    evaluation = given({"bass": 1.0}, {"vocals": 5.0, "bass": 3.0})
    assert evaluation.sources == ["bass", "vocals"]
    assert evaluation.source_mean("vocals") == 5
    assert "vocals" in table([evaluation])


def test_estimates_that_cannot_be_scored_are_refused_by_name(songs):
    with pytest.raises(ValueError, match=r"short gave.*\(3, 1, 3999\).*one.*\(3, 1, 4000\)"):
        evaluate(songs, {"short": lambda song: mixture(song)[..., 1:]}, quiet=True)
    with pytest.raises(ValueError, match="broken.*one.*finite"):
        evaluate(songs, {"broken": lambda song: mixture(song) * np.nan}, quiet=True)


# JSON


def test_json_has_the_promised_form(evaluations, tmp_path):
    save_json(evaluations, tmp_path / "scores.json")
    assert [path.name for path in tmp_path.iterdir()] == ["scores.json"]
    scores = json.loads((tmp_path / "scores.json").read_text(), parse_constant=pytest.fail)  # no NaN, no Infinity
    assert scores["method"] == "half"
    assert [other["method"] for other in scores["others"]] == ["mixture", "oracle"]
    for each, evaluation in zip([scores, *scores["others"]], evaluations, strict=True):
        assert each["mean"]["sdr"] == pytest.approx(evaluation.mean())
        for source in ("bass", "drums", "piano"):
            assert each["sources"][source]["sdr"] == pytest.approx(evaluation.source_mean(source))
        assert [song["name"] for song in each["tracks"]] == ["one", "two", "three"]
        assert each["tracks"][1]["sources"]["piano"]["sdr"] is None
        assert each["tracks"][0]["sources"]["piano"]["sdr"] is not None
        assert each["silent"] == {"bass": 0, "drums": 0, "piano": 1}


def test_where_nothing_sounds_the_mean_is_null():
    evaluation = given({"bass": np.nan})
    assert evaluation.as_json()["mean"]["sdr"] is None
    assert evaluation.as_json()["sources"]["bass"]["sdr"] is None
    assert "-" in table([evaluation]).splitlines()[-1]


def test_json_that_cannot_be_written_leaves_the_earlier_file(evaluations, tmp_path, monkeypatch):
    path = tmp_path / "scores.json"
    path.write_text("earlier")
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError):
        save_json(evaluations, path)
    assert path.read_text() == "earlier"
    assert [file.name for file in tmp_path.iterdir()] == ["scores.json"]


# Tables and pictures


def test_the_table_is_aligned_and_holds_the_means(evaluations):
    lines = table(evaluations).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[0].split() == ["method", "bass", "drums", "piano", "mean"]
    assert lines[2].split() == ["half", "6.02", "6.02", "6.02", "6.02"]
    assert [line.split()[0] for line in lines[2:]] == ["half", "mixture", "oracle"]
    assert float(lines[3].split()[-1]) == pytest.approx(evaluations[1].mean(), abs=0.006)
    assert float(table(evaluations, "si_sdr").splitlines()[3].split()[-1]) == pytest.approx(
        evaluations[1].mean("si_sdr"), abs=0.006
    )


def test_the_box_plot_shows_every_method(evaluations, tmp_path):
    path = tmp_path / "scores.png"
    show.box_plot(evaluations, path)
    picture = image.imread(path)
    for place in range(3):
        wanted = [int(show.colour(place)[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        assert (abs(picture[..., :3] - wanted).max(axis=-1) < 0.01).sum() > 500
    assert [file.name for file in tmp_path.iterdir()] == ["scores.png"]


def test_a_picture_in_a_format_that_does_not_exist_is_refused(evaluations, tmp_path):
    with pytest.raises(ValueError, match="xyz"):
        show.box_plot(evaluations, tmp_path / "scores.xyz")
    assert not list(tmp_path.iterdir())


def test_parts_of_a_data_set_are_merged_in_their_order(songs, evaluations):
    methods = {"half": half_right, "mixture": mixture, "oracle": oracle_magnitude}
    parts = [evaluate([song], methods, quiet=True) for song in songs]
    assert [each.as_json() for each in merged(parts)] == [each.as_json() for each in evaluations]


# What every evaluation is compared with


def test_on_real_music_each_of_them_beats_the_one_before():
    validation = open_dataset(DATA / "freedoom4", "validation")
    songs, systems = [validation[0], validation[2]], comparison_systems()
    means = [evaluation.mean() for evaluation in evaluate(songs, systems, quiet=True)]
    assert list(systems) == [
        "mixture",
        "equal_share",
        "average_spectrum",
        "nmf",
        "oracle_magnitude",
        "oracle_power",
    ]
    assert means == sorted(means)
    assert means[1] - means[0] > 5  # four times too loud costs about 6 dB


def test_missing_baselines_are_named(tmp_path):
    with pytest.raises(PriorError, match="average_spectrum.npz"):
        comparison_systems(tmp_path)
