"""Pictures of sounds: what is loud is bright, at its time and frequency. Players: what is quieter sounds quieter."""

import base64
import io
import re
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
import soundfile
from matplotlib import image, pyplot
from matplotlib.figure import Figure
from numpy.testing import assert_allclose
from PIL import Image

from glowsep.learning.training import LearningCurve
from glowsep.show import (
    animation,
    draw_learning_curve,
    draw_spectrograms,
    players,
    spectrograms,
    with_alt,
    with_sliders,
)

RATE = 8000


def test_a_tone_is_a_bright_line_at_its_frequency(tmp_path):
    time = np.arange(RATE) / RATE
    tone = np.sin(2 * np.pi * 1000 * time).astype(np.float32)
    spectrograms({"tone": tone, "": None, "later": tone * (time > 0.5)}, RATE, tmp_path / "tone.png", 2, highest=2000)
    picture = image.imread(tmp_path / "tone.png")[:, :, :3]
    height, width = picture.shape[:2]
    bright = (picture[:, :, 0] > 0.9) & (picture[:, :, 2] < 0.4)  # the end of the scale of loudness is yellow
    rows, columns = np.nonzero(bright[: height // 2, : width // 3])
    assert np.ptp(rows) <= 6  # one line
    assert np.ptp(columns) > width / 5  # from the beginning to the end
    later = np.nonzero(bright[height // 2 :, : width // 3])[1]
    assert later.min() > (columns.min() + columns.max()) / 2 - 4  # half a picture later
    assert later.max() == columns.max()


def test_silence_is_dark_and_an_unknown_kind_of_picture_leaves_nothing(tmp_path):
    silence = {"silence": np.zeros(RATE, np.float32)}
    spectrograms(silence, RATE, tmp_path / "silence.png")
    with pytest.raises(ValueError):
        spectrograms(silence, RATE, tmp_path / "silence.xyz")
    assert [path.name for path in tmp_path.iterdir()] == ["silence.png"]


def test_of_channels_the_mean_power_is_drawn():
    noise = np.random.default_rng(0).standard_normal(RATE)
    sounds = {"in phase": [noise] * 2, "out of phase": [noise, -noise], "left only": [noise, 0 * noise], "mono": noise}
    panels = draw_spectrograms({title: np.array(sound) for title, sound in sounds.items()}, RATE, highest=2000).axes
    in_phase, out_of_phase, left_only, one = (axes.images[0].get_array() for axes in panels[:4])
    assert_allclose(in_phase, one, atol=1e-6)
    assert_allclose(out_of_phase, one, atol=1e-6)
    assert_allclose(left_only, one - 10 * np.log10(2), atol=1e-6)


@pytest.fixture
def displayed(monkeypatch):
    """What a notebook would show: a list of markups."""
    IPython = pytest.importorskip("IPython")
    shown = []
    monkeypatch.setattr(IPython.display, "display", lambda thing: shown.append(thing.data))
    return shown


class Elements(HTMLParser):
    """The elements of some markup as (name, attributes), and its text."""

    def __init__(self, markup):
        super().__init__()
        self.elements, self.text = [], []
        self.feed(markup)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)

    def of(self, name):
        return [attributes for tag, attributes in self.elements if tag == name]


def content(uri, kind):
    """The bytes in a data URI, which must be of this kind."""
    head, encoded = uri.split(";base64,")
    assert re.fullmatch(f"data:{kind}", head)
    return base64.b64decode(encoded)


def heard(markup):
    """The waveform and rate of each player."""
    files = [content(audio["src"], "audio/(mpeg|ogg)") for audio in Elements(markup).of("audio")]
    return [soundfile.read(io.BytesIO(file)) for file in files]


def test_a_picture_comes_with_words(displayed):
    figure = pyplot.figure(figsize=(2, 1))
    with_alt(figure, 'a "quoted" <word> & a frame')
    (picture,) = Elements(displayed[0]).of("img")
    assert picture["alt"] == 'a "quoted" <word> & a frame'
    assert Image.open(io.BytesIO(content(picture["src"], "image/png"))).size == (180, 90)
    assert not pyplot.fignum_exists(figure.number)  # or a notebook shows it twice


@pytest.mark.parametrize("of_figures", [True, False])
def test_an_animation_loops_through_its_frames(of_figures):
    colours = ["red", "lime", "blue"]
    if of_figures:
        frames = [Figure(figsize=(1, 1), facecolor=colour) for colour in colours]
    else:
        frames = [np.asarray(Image.new("RGB", (90, 90), colour)) for colour in colours]
    (picture,) = Elements(animation(frames, "red, green, blue", 0.2).data).of("img")
    assert picture["alt"] == "red, green, blue"
    moving = Image.open(io.BytesIO(content(picture["src"], "image/webp")))
    assert (moving.n_frames, moving.size, moving.info["loop"]) == (3, (90, 90), 0)
    for number in range(3):
        moving.seek(number)
        assert np.argmax(moving.convert("RGB").getpixel((45, 45))) == number


def tone(rate, seconds=1, loudness=1.0):
    return (loudness * np.sin(2 * np.pi * 440 * np.arange(seconds * rate) / rate)).astype(np.float32)


def test_players_have_one_common_gain():
    sounds = {"loud": tone(16000, loudness=0.3), "quiet": tone(16000, loudness=0.003), "silence": 0 * tone(16000)}
    loud, quiet, silence = (np.abs(waveform[4000:12000]).max() for waveform, _ in heard(players(sounds, 16000).data))
    assert loud == pytest.approx(0.9, rel=0.05)
    assert quiet == pytest.approx(loud / 100, rel=0.2)  # MP3 is coarse there
    assert silence < 1e-6


@pytest.mark.parametrize(("rate", "played_at"), [(44100, 16000), (22050, 16000), (10000, 16000), (8000, 8000)])
def test_players_are_mono_and_small_at_any_rate(rate, played_at):
    markup = players({"stereo": np.stack([tone(rate, 2), tone(rate, 2)])}, rate).data
    ((waveform, heard_at),) = heard(markup)
    assert heard_at == played_at
    assert waveform.ndim == 1
    assert len(waveform) / heard_at == pytest.approx(2, abs=0.15)
    spectrum = abs(np.fft.rfft(waveform))
    assert np.argmax(spectrum) * heard_at / len(waveform) == pytest.approx(440, abs=1)
    assert len(markup) < 50_000


def test_an_inverted_channel_does_not_silence_a_player():
    sounds = {"as it is": np.stack([tone(8000), tone(8000)]), "inverted": np.stack([tone(8000), -tone(8000)])}
    (as_it_is, _), (inverted, _) = heard(players(sounds, 8000).data)
    assert_allclose(inverted, as_it_is, atol=1e-6)
    assert np.abs(inverted[2000:6000]).max() > 0.5


def test_players_have_labels_to_see_and_to_hear():
    page = Elements(players({"bass & drums": tone(8000), "guitar": tone(8000)}, 8000).data)
    assert page.text == ["bass & drums", "guitar"]
    assert [audio["aria-label"] for audio in page.of("audio")] == page.text
    assert all("controls" in audio for audio in page.of("audio"))


def test_all_players_may_be_silent():
    ((waveform, _),) = heard(players({"silence": np.zeros(8000, np.float32)}, 8000).data)
    assert not waveform.any()


@pytest.mark.parametrize("waveform", [np.full(100, np.nan), np.zeros(0)])
def test_what_cannot_be_played_is_named(waveform):
    with pytest.raises(ValueError, match="'broken'"):
        players({"fine": tone(8000), "broken": waveform}, 8000)


def test_the_package_does_without_jupyter():
    code = "import sys, glowsep, glowsep.show, glowsep.assignments; sys.exit('IPython' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_moved_slider_draws_anew(monkeypatch):
    ipywidgets = pytest.importorskip("ipywidgets")
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    shell, drawn, boxes, box = InteractiveShell.instance(), [], [], ipywidgets.VBox
    monkeypatch.setattr(ipywidgets, "VBox", lambda children: boxes.append(children) or box(children))
    try:
        with capture_output() as captured:
            slider = ipywidgets.IntSlider(3, 0, 9)

            def draw(height):
                drawn.append(height)
                figure = Figure(figsize=(1, 1))
                figure.subplots().axhline(height)
                with_alt(figure, f"A line at {height}.")

            with_sliders(draw, height=slider)
            slider.value = 5
    finally:
        shell.clear_instance()
    assert drawn == [3, 5] and slider.description == "height"
    assert len(captured.outputs) == 1, "the box alone is shown; the picture is inside"
    ((first, picture),) = boxes
    assert first is slider
    assert "A line at 5." in picture.value and "<img" in picture.value


def test_a_learning_curve_counts_steps_and_core_minutes_and_names_its_unit():
    curve = LearningCurve([4.0, 2.0, 3.0, 1.0], [(2, 2.5), (4, 1.5)], seconds=90.0, core_seconds=120.0)
    axes = draw_learning_curve(curve, "mean square error", window=2).axes[0]
    assert [line.get_xydata().tolist() for line in axes.lines] == [
        [[2, 3], [3, 2.5], [4, 2]],  # the means of two steps, at the later one
        [[2, 2.5], [4, 1.5]],
    ]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("step", "mean square error")
    (above,) = axes.child_axes
    axes.figure.draw_without_rendering()
    assert above.get_xlabel() == "core-minutes"
    assert_allclose(above.get_xlim(), np.multiply(axes.get_xlim(), 2 / 4))  # 2 minutes took 4 steps


@pytest.mark.parametrize("core_seconds", [0.0, float("nan")])
def test_a_learning_curve_without_times_has_steps_alone(core_seconds):
    curve = LearningCurve([2.0, 1.0], core_seconds=core_seconds)
    assert draw_learning_curve(curve, "nats/dim").axes[0].child_axes == []
