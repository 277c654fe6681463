"""Reports: what is on a page, that it asks for nothing else, and that it is written whole or not at all."""

import base64
import io
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import soundfile
import yaml
from conftest import INSTRUMENTS, RATE, noise

from glowsep.arrays.files import write_text
from glowsep.cli import main
from glowsep.metrics import sdr
from glowsep.report import page, pictures, sounds, spectrograms
from glowsep.signals.audio.playing import PEAK, data_url

VOID = {"meta", "link", "input", "img", "br"}


def run(*arguments):
    return main([str(argument) for argument in arguments])


class Page(HTMLParser):
    """A page as read by Python's own parser: its elements, its visible words, and its players' contents."""

    def __init__(self, path):
        super().__init__()
        self.elements, self.words, self.scripts, self._open = [], [], [], []
        self.text = path.read_text(encoding="utf-8")
        self.feed(self.text)
        self.close()
        assert self._open == [], "elements that are never closed"

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open[-1:] == ["script"]:
            self.scripts.append((self.elements[-1][1].get("type"), data))
        elif self._open[-1:] != ["style"] and data.strip():
            self.words.append(data.strip())

    def players(self):
        return [json.loads(text) for kind, text in self.scripts if kind == "application/json"]

    def headings(self):
        return re.findall(r"<h2>(.*?)</h2>", self.text)

    def labels(self):
        return [attributes["title"] for tag, attributes in self.elements if attributes.get("class") == "name"]


def decoded(track):
    """The sound of a player's track: (samples, channels), and its rate."""
    return soundfile.read(io.BytesIO(base64.b64decode(track["url"].partition(",")[2])), always_2d=True)


@pytest.fixture
def report(tmp_path):
    return tmp_path / "report.html"


@pytest.fixture
def references(tmp_path):
    """The sources of which `song` could be made: two of the four, one of them silent."""
    folder = tmp_path / "references"
    folder.mkdir()
    soundfile.write(folder / "bass.wav", noise(2, RATE // 4, seed=1).T, RATE, "FLOAT")
    soundfile.write(folder / "piano.flac", np.zeros((RATE // 4, 2)), RATE)
    return folder


def separated(song, priors, report, *more):
    options = ["--priors", priors, "--iterations", 3, "--report", report]
    assert run("separate", song, *options, *more) == 0
    return Page(report)


# One song


def test_a_song_s_page_holds_all_that_it_shows(song, priors, report, capsys):
    parsed = separated(song, priors, report)
    assert capsys.readouterr().out.splitlines()[-1] == str(report)
    assert parsed.headings() == ["Listen", "Spectrograms", "Search", "Settings"]
    assert parsed.labels() == ["mixture", *INSTRUMENTS]
    assert {"ConstrainedLatentSearch", "from_dictionaries", "3"} <= set(parsed.words)
    assert sum(tag == "img" for tag, _ in parsed.elements) == 1 + len(parsed.labels()), (
        "the curves, and a spectrogram each"
    )
    assert all(attributes["alt"] for tag, attributes in parsed.elements if tag == "img")
    for _, attributes in parsed.elements:
        for name in ("src", "href"):
            assert attributes.get(name, "data:").startswith("data:"), "a page asks for nothing that is not inside it"
    assert "default-src 'none'" in parsed.text
    assert str(song.parent) not in parsed.text


def test_the_page_plays_what_was_separated(song, priors, report):
    (player,) = separated(song, priors, report).players()
    mixture, *estimates = [decoded(track) for track in player["tracks"]]
    expected = [song, *(song.with_suffix("") / f"{name}.wav" for name in INSTRUMENTS)]
    originals = [soundfile.read(path, always_2d=True)[0] for path in expected]
    gain = PEAK / max(abs(original).max() for original in originals)
    for (waveform, rate), original in zip([mixture, *estimates], originals, strict=True):
        assert rate == player["rate"] == RATE and waveform.shape == original.shape
        heard, meant = np.abs(np.fft.rfft(waveform.T)[:, :1000]), np.abs(np.fft.rfft(gain * original.T)[:, :1000])
        assert sdr(meant, heard) > 10, "all tracks have the one gain that takes the loudest to nine tenths"
    assert [track["muted"] for track in player["tracks"]] == [True, False, False, False, False]
    assert max(max(track["peaks"]) for track in player["tracks"]) == pytest.approx(1, abs=1e-3)


def test_references_are_scored_and_can_be_heard(song, priors, references, report):
    parsed = separated(song, priors, report, "--references", references)
    assert parsed.headings() == ["Listen", "Scores", "Spectrograms", "Search", "Settings"]
    assert parsed.labels() == ["mixture", "bass", "bass, reference", "drums", "guitar", "piano", "piano, reference"]
    assert [track["muted"] for track in parsed.players()[0]["tracks"]] == [True, False, True, False, False, False, True]
    estimate, _ = soundfile.read(song.with_suffix("") / "bass.wav")
    reference, _ = soundfile.read(references / "bass.wav")
    score = f"{sdr(reference.T, estimate.T):.2f}".replace("-", "−")
    assert f"SDR {score} dB" in parsed.words
    assert any("signal-to-distortion ratio" in words for words in parsed.words)
    rows = dict(re.findall(r'<tr><th scope="row">(.*?)</th><td class="number">(.*?)</td>', parsed.text))
    assert rows == {"bass": score, "piano": "–", "mean": score}, "silence has no score, and does not count"


def test_a_track_of_slakh_can_be_the_reference(song, priors, tmp_path, report):
    folder = tmp_path / "Track00001"
    (folder / "stems").mkdir(parents=True)
    stems = {f"S{place:02}": program for place, program in enumerate((33, 0))}
    about = {name: {"is_drum": False, "program_num": p, "audio_rendered": True} for name, p in stems.items()}
    (folder / "metadata.yaml").write_text(yaml.safe_dump({"stems": about}))
    for seed, name in enumerate(stems):
        soundfile.write(folder / "stems" / f"{name}.wav", noise(2, RATE // 4, seed=seed).T, RATE, "FLOAT")
    labels = separated(song, priors, report, "--references", folder).labels()
    assert [label for label in labels if "reference" in label] == [f"{name}, reference" for name in INSTRUMENTS]


REFUSED = {
    "no folder": ("nowhere", {}, "no such folder"),
    "no source in it": ("empty", {}, "holds none of bass.wav"),
    "another length": ("other", {"bass": (noise(2, RATE), RATE)}, "1.00 s, but the song 0.25 s"),
    "another rate": ("other", {"bass": (noise(2, RATE // 4), 44100)}, "44100 Hz"),
    "other channels": ("other", {"drums": (noise(1, RATE // 4), RATE)}, "1 channels"),
}


def test_of_two_references_none_is_taken(song, priors, references, report, capsys):
    soundfile.write(references / "bass.flac", np.zeros((RATE // 4, 2)), RATE)
    assert run("separate", song, "--priors", priors, "--report", report, "--references", references) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "bass.flac: bass.wav is there too" in said


@pytest.mark.parametrize("kind", REFUSED)
def test_references_that_do_not_fit_are_refused_before_the_work(kind, song, priors, tmp_path, report, capsys):
    name, files, complaint = REFUSED[kind]
    folder = tmp_path / name
    if name != "nowhere":
        folder.mkdir()
    for source, (waveform, rate) in files.items():
        soundfile.write(folder / f"{source}.wav", waveform.T, rate)
    assert run("separate", song, "--priors", priors, "--report", report, "--references", folder) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and complaint in said
    assert not report.exists() and not song.with_suffix("").exists()


def test_only_a_report_on_one_song_is_written(song, priors, report, references, capsys):
    second = song.with_name("second.wav")
    second.write_bytes(song.read_bytes())
    assert run("separate", song, second, "--priors", priors, "--report", report) == 1
    assert "--report takes one song, but these are 2" in capsys.readouterr().err
    assert run("separate", song, "--priors", priors, "--references", references) == 1
    assert "add --report FILE.html" in capsys.readouterr().err
    assert not song.with_suffix("").exists()


def test_silence_gets_a_page_without_curves(song, priors, report):
    soundfile.write(song, np.zeros((RATE // 4, 2)), RATE)
    parsed = separated(song, priors, report)
    assert parsed.headings() == ["Listen", "Spectrograms", "Settings"]
    assert not any(decoded(track)[0].any() for track in parsed.players()[0]["tracks"])


UNUSUAL = {
    "one sample": (noise(1, 1), 22050, 22050, 1),
    "eight channels": (noise(8, 2000), 22050, 22050, 1),
    "4 kHz": (noise(1, 2000), 4000, 8000, 1),
    "192 kHz": (noise(2, 24000), 192000, 44100, 2),
    "an odd rate": (noise(1, 1234), 11111, 11025, 1),
}


@pytest.mark.parametrize("kind", UNUSUAL)
def test_unusual_audio_is_made_playable(kind, priors, tmp_path, report):
    waveform, rate, played_at, channels = UNUSUAL[kind]
    song = tmp_path / "song.wav"
    soundfile.write(song, waveform.T, rate, "FLOAT")
    (player,) = separated(song, priors, report).players()
    samples = -(-waveform.shape[1] * played_at // rate)
    for track in player["tracks"]:
        heard, its_rate = decoded(track)
        assert its_rate == player["rate"] == played_at and heard.shape == (samples, channels)


def test_a_name_cannot_break_the_page(song, priors, report):
    name = "<script>alert('$x')</script> & \"friends\".wav"
    try:
        song = song.rename(song.with_name(name.replace("/", "∕")))
    except OSError:
        pytest.skip("this file system knows no such names")
    parsed = separated(song, priors, report)
    assert song.stem in parsed.words
    assert not any("alert" in text for _, text in parsed.scripts)


def test_a_long_song_s_page_holds_its_beginning(song, priors, report, monkeypatch):
    for module in ("song", "sounds"):
        monkeypatch.setattr(f"glowsep.report.{module}.LONGEST", 1)
    soundfile.write(song, noise(2, 2 * RATE).T, RATE, "FLOAT")
    parsed = separated(song, priors, report)
    assert all(len(decoded(track)[0]) == RATE for track in parsed.players()[0]["tracks"])
    assert any("hold the first" in words for words in parsed.words)


def test_without_mp3_a_page_speaks_ogg(song, priors, report, monkeypatch):
    formats = soundfile.available_formats()
    monkeypatch.setattr(soundfile, "available_formats", lambda: {k: v for k, v in formats.items() if k != "MP3"})
    (player,) = separated(song, priors, report).players()
    assert all(track["url"].startswith("data:audio/ogg;base64,") for track in player["tracks"])
    assert len(decoded(player["tracks"][0])[0]) == RATE // 4


def test_four_minutes_stay_in_a_few_tens_of_megabytes():
    """Ten seconds of stereo noise, which compresses worse than any music, times 24, times five tracks."""
    waveform = noise(2, 10 * 44100)
    assert 24 * 5 * len(data_url(*sounds.playable(waveform, 44100))) < 60e6


def test_every_track_has_a_volume_and_a_download_under_its_own_name(song, priors, report):
    parsed = separated(song, priors, report)
    inputs = [attributes["aria-label"] for tag, attributes in parsed.elements if attributes.get("class") == "volume"]
    downloads = [attributes["download"] for tag, attributes in parsed.elements if attributes.get("class") == "download"]
    assert inputs == [f"Volume of {label}" for label in parsed.labels()]
    assert downloads == [f"{song.stem} {label}.mp3" for label in parsed.labels()]


@pytest.mark.parametrize(("name", "title"), [("Blue Monday.wav", "Blue Monday"), ("mix.wav", "second song")])
def test_the_title_is_the_song_s_name(name, title, song, priors, tmp_path, report):
    folder = tmp_path / "second song"
    folder.mkdir()
    parsed = separated(song.rename(folder / name), priors, report)
    assert f"<title>{title}</title>" in parsed.text and f"<h1>{title}</h1>" in parsed.text


# Spectrograms


@pytest.mark.parametrize("rate", [8000, 22050, 44100])
@pytest.mark.parametrize("frequency", [110, 3500])
def test_a_tone_is_where_the_axis_says(rate, frequency):
    """A tone in the second half: the brightest row is the tone's, the first half is silent, the top is Nyquist."""
    time = np.arange(2 * rate) / rate
    power = spectrograms.log_spectrogram(np.sin(2 * np.pi * frequency * time) * (time > 1), rate)
    axes = spectrograms.draw(10 * np.log10(power + 1e-12), 2.0, rate).axes[0]
    bottom, top = 2 ** np.array(axes.get_ylim())
    assert top == pytest.approx(rate / 2) and bottom == pytest.approx(spectrograms.LOWEST)
    assert axes.get_yticklabels()[-1].get_text() == spectrograms.named(rate / 2)
    rows, columns = power.shape
    edges = np.geomspace(bottom, top, rows + 1)
    loudest = int(power[:, -columns // 4 :].max(axis=1).argmax())
    assert edges[loudest] < frequency * 1.05 and edges[loudest + 1] > frequency / 1.15
    assert power[:, : columns // 3].max() < 1e-6 * power.max()


def test_no_click_is_lost_in_a_long_song_and_the_picture_stays_small():
    waveform = np.zeros(60 * 8000, np.float32)
    waveform[30 * 8000] = 1
    power = spectrograms.log_spectrogram(waveform, 8000)
    assert power.shape == (spectrograms.ROWS, spectrograms.COLUMNS)
    assert abs(int(power.max(axis=0).argmax()) - spectrograms.COLUMNS // 2) <= 2 and power.max() > 0.5


# Loss curves


def test_curves_are_the_sum_over_segments(monkeypatch):
    drawn = []
    monkeypatch.setattr(pictures, "picture", lambda figure, alt: drawn.append(figure))
    first = [{"likelihood": 3.0, "prior": 10.0}, {"likelihood": 2.0, "prior": 5.0}]
    second = [{"likelihood": 1.0, "prior": -4.0}, {"likelihood": 0.5, "prior": -8.0}]
    pictures.loss_curves([first, second])
    likelihood, prior = (axes.lines[0].get_ydata() for axes in drawn[0].axes)
    np.testing.assert_allclose(likelihood, [4, 2.5])
    np.testing.assert_allclose(prior, [6, -3])


def test_every_searched_segment_has_a_history(song, priors, report, monkeypatch):
    seen = []
    monkeypatch.setattr("glowsep.report.song.loss_curves", lambda histories: seen.extend(histories) or "")
    monkeypatch.setattr("glowsep.systems.songs.SEGMENT", 1.0)
    monkeypatch.setattr("glowsep.systems.songs.OVERLAP", 0.1)
    waveform = noise(1, 3 * RATE)
    waveform[:, RATE // 2 :] *= np.arange(RATE // 2, 3 * RATE) > 2 * RATE  # the second segment is silent
    soundfile.write(song, waveform.T, RATE, "FLOAT")
    separated(song, priors, report)
    assert [len(history) for history in seen] == [4 * 3] * len(seen) and len(seen) >= 2  # four walks of 3
    assert all(set(terms) == {"likelihood", "prior"} for history in seen for terms in history)


# A data set


def test_a_data_set_s_page_has_its_best_and_worst_track(dataset, priors, baselines, report, capsys):
    louder = dataset / "test" / "test-second" / "bass.wav"
    soundfile.write(louder, 2 * noise(RATE, seed=99), RATE, "FLOAT")  # or both tracks would have the same scores
    options = ["--priors", priors, "--baselines", baselines, "--iterations", 1, "--report", report]
    assert run("evaluate", dataset, *options) == 0
    printed = capsys.readouterr().out
    parsed = Page(report)
    headings = parsed.headings()
    assert headings[:3] == ["Scores", "Spread", "Tracks"] and headings[-1] == "Settings"
    assert {headings[3].partition(": ")[0], headings[4].partition(": ")[0]} == {"Best track", "Worst track"}
    assert {headings[3].partition(": ")[2], headings[4].partition(": ")[2]} == {"test-first", "test-second"}
    assert [len(player["tracks"]) for player in parsed.players()] == [9, 9]
    for line in printed.splitlines()[2:]:
        if line.split()[0] in ("instglow", "nmf"):
            name, *numbers = line.split()
            row = re.search(rf'<th scope="row">{name}</th>(.*?)</tr>', parsed.text)[1]
            assert re.findall(r">([−–\d.]+)<", row) == [number.replace("-", "−") for number in numbers]


def test_one_track_is_shown_once(dataset, baselines, report):
    options = ["--method", "mixture", "--limit", 1, "--baselines", baselines, "--report", report]
    assert run("evaluate", dataset, *options) == 0
    parsed = Page(report)
    assert "The only track: test-first" in parsed.headings() and len(parsed.players()) == 1


# Writing


@pytest.mark.parametrize("command", ["separate", "evaluate"])
@pytest.mark.parametrize("where", ["nowhere/report.html", "folder.html", "report.pdf"])
def test_a_page_that_cannot_be_written_is_refused_before_the_work(command, where, song, dataset, tmp_path, capsys):
    (tmp_path / "folder.html").mkdir()
    given = {"separate": song, "evaluate": dataset}[command]
    assert run(command, given, "--report", tmp_path / where) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and where in said
    assert not song.with_suffix("").exists()


def test_a_folder_that_refuses_is_found_out_before_the_work(song, priors, report, monkeypatch, capsys):
    def refuse(path, *given, **named):
        raise OSError(30, "Read-only file system", str(path))

    monkeypatch.setattr("pathlib.Path.touch", refuse)
    assert run("separate", song, "--priors", priors, "--report", report) == 1
    assert f"{report} cannot be written (Read-only file system)" in capsys.readouterr().err
    assert not song.with_suffix("").exists()


def test_a_page_is_whole_or_not_there(report, monkeypatch):
    report.write_text("earlier")

    def full(*given):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="No space") as refusal:
        write_text(report, "new")
    assert refusal.value.filename == str(report)
    assert [path.name for path in report.parent.iterdir()] == [report.name]
    assert report.read_text() == "earlier"


def test_the_player_s_licence_is_beside_it_and_on_the_page(song, priors, report):
    licence = page.asset("LICENSE.wavesurfer-multitrack.txt")
    assert "BSD 3-Clause License" in licence and "katspaugh" in licence
    assert "katspaugh and contributors" in separated(song, priors, report).text
