"""Reports in a real browser: they open from the disk, and what a player's buttons promise is what is heard."""

import numpy as np
import pytest
import soundfile

from glowsep.arrays.files import write_text
from glowsep.datasets import Track
from glowsep.evaluate import evaluate
from glowsep.report import best_and_worst, dataset_report, song_report

pytest_plugins = ["browser"]

RATE, SECONDS = 22050, 6

# Each track has a tone of its own. Guitar and piano have one more in common, in opposite phase: played in step, to the
# sample, they cancel it; a single sample late, they do not.
TONES = {"mixture": 2500, "bass": 500, "bass, reference": 2000, "guitar": 1000, "piano": 1500}
COMMON = 3000
ESTIMATES = ("bass", "guitar", "piano")

# Stands between every sound and the loudspeaker, and measures what passes.
TAP = """
window.taps = [];
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (target, ...more) {
  if (!(target instanceof AudioDestinationNode)) return connect.call(this, target, ...more);
  let tap = taps.find((tap) => tap.context === this.context);
  if (!tap) {
    tap = new AnalyserNode(this.context, { fftSize: 8192, smoothingTimeConstant: 0 });
    connect.call(tap, target);
    taps.push(tap);
  }
  return connect.call(this, tap, ...more);
};
"""
LEVELS = """([rate, tones]) => {
  const tap = taps.find((tap) => tap.context.sampleRate === rate);
  const spectrum = new Float32Array(tap.frequencyBinCount);
  tap.getFloatFrequencyData(spectrum);
  const width = tap.context.sampleRate / tap.fftSize;
  return tones.map((tone) => Math.max(...[-1, 0, 1].map((step) => spectrum[Math.round(tone / width) + step])));
}"""
STATE = """() => {
  const { multitrack } = document.querySelector('.player');
  const own = multitrack.audios.slice(0, document.querySelector('.player').querySelectorAll('li').length);
  return {
    playing: multitrack.isPlaying(), time: multitrack.getCurrentTime(), times: own.map((audio) => audio.currentTime),
    durations: own.map((audio) => audio.duration), width: multitrack.rendering.containers[0].clientWidth,
  };
}"""


def tone(*frequencies, sign=1):
    """A sum of sines (1, samples); ``sign`` is that of the common one."""
    time = np.arange(SECONDS * RATE) / RATE
    waves = [0.1 * np.sin(2 * np.pi * f * time) * (sign if f == COMMON else 1) for f in frequencies]
    return np.sum(waves, axis=0, dtype=np.float32)[None]


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """The pages, by name."""
    folder = tmp_path_factory.mktemp("reports")
    sounds = {name: tone(frequency) for name, frequency in TONES.items()}
    sounds["guitar"], sounds["piano"] = tone(1000, COMMON), tone(1500, COMMON, sign=-1)
    for name in ("mixture", *ESTIMATES):
        soundfile.write(folder / f"{name}.wav", sounds[name].T, RATE, "FLOAT")
    stems = [folder / f"{name}.wav" for name in ESTIMATES]
    history = [{"likelihood": 9.0 / n, "prior": 4.0 / n} for n in range(1, 9)]
    references = {"bass": sounds["bass, reference"]}
    write_text(
        folder / "song.html", song_report(folder / "mixture.wav", stems, references, [history], {"search": "annealed"})
    )
    tracks = [
        Track(f"track {n}", RATE, n * sounds["mixture"], {name: sounds[name] for name in ESTIMATES}) for n in (1, 2)
    ]
    evaluations = evaluate(tracks, {"mixture": lambda track: np.stack([track.mixture] * 3)}, quiet=True)
    examples = {
        heading: (tracks[place], np.stack([tracks[place].mixture] * 3))
        for heading, place in best_and_worst(evaluations[0]).items()
    }
    write_text(folder / "dataset.html", dataset_report("tones", evaluations, examples, {"split": "test"}))
    return {path.stem: path for path in folder.glob("*.html")}


@pytest.fixture
def opened(new_page, reports):
    """Opens a report, with its sound measured."""

    def open_page(name, width=1280, scheme="light"):
        page = new_page(width, scheme)
        page.add_init_script(TAP)
        page.goto(reports[name].as_uri())
        page.locator(".play:not([disabled])").last.wait_for()
        return page

    return open_page


def state(page):
    return page.evaluate(STATE)


def heard(page):
    """The names of the tracks that are heard, and "common" where guitar's and piano's tone is not cancelled."""
    page.wait_for_timeout(800)  # longer than what the tap looks at, 8192 samples
    names = [*TONES, "common"]
    levels = page.evaluate(LEVELS, [RATE, [*TONES.values(), COMMON]])
    return {name for name, level in zip(names, levels, strict=True) if level > max(levels) - 25}


def strip(page, name, button):
    return page.get_by_role("button", name=f"{button} {name}", exact=True)


def play_from(page, time):
    """Play from there, whether or not it plays now."""
    page.evaluate("(time) => document.querySelector('.player').multitrack.setTime(time)", time)
    if not state(page)["playing"]:
        page.locator(".play").first.click()


def test_it_plays_and_pauses(opened):
    page = opened("song")
    assert len(state(page)["durations"]) == len(TONES)
    assert all(abs(duration - SECONDS) < 0.1 for duration in state(page)["durations"])
    page.locator(".play").click()
    page.wait_for_timeout(800)
    first = state(page)
    assert first["playing"] and first["time"] > 0
    page.locator(".play").click()
    paused = state(page)
    page.wait_for_timeout(500)
    assert not paused["playing"] and paused["times"] == state(page)["times"]


def test_mute_and_solo_do_what_they_say(opened):
    page = opened("song")
    page.locator(".play").click()
    assert heard(page) == set(ESTIMATES), "at first the estimates alone, in step: the common tone is cancelled"
    strip(page, "bass", "Mute").click()
    play_from(page, 0.5)
    assert heard(page) == {"guitar", "piano"}
    strip(page, "bass, reference", "Solo").click()
    play_from(page, 0.5)
    assert heard(page) == {"bass, reference"}
    strip(page, "guitar", "Solo").click()
    play_from(page, 0.5)
    assert heard(page) == {"guitar", "common"}, "alone, nothing cancels the common tone"
    strip(page, "guitar", "Solo").click()
    play_from(page, 0.5)
    assert heard(page) == {"guitar", "piano"}, "as it was before the solo"
    strip(page, "mixture", "Solo").click()
    play_from(page, 0.5)
    assert heard(page) == {"mixture"}


def test_all_tracks_stay_in_step_wherever_they_are_sent(opened):
    page = opened("song")
    page.locator(".tracks").click(position={"x": state(page)["width"] / 2, "y": 90})
    assert state(page)["times"] == pytest.approx([SECONDS / 2] * len(TONES), abs=0.1)
    page.locator(".play").click()
    assert "common" not in heard(page)
    page.locator(".tracks").click(position={"x": state(page)["width"] / 4, "y": 30})
    now = state(page)
    assert now["playing"] and now["time"] < SECONDS / 2 - 0.1
    assert max(now["times"]) - min(now["times"]) < 0.5 / RATE
    assert "common" not in heard(page), "sent elsewhere while playing, they are in step to the sample"
    page.locator(".play").click()
    page.locator(".seek").fill("0.1")
    assert state(page)["times"] == pytest.approx([SECONDS / 10] * len(TONES), abs=0.01)
    page.locator(".seek").fill("0.11")
    assert state(page)["times"] == pytest.approx([0.11 * SECONDS] * len(TONES), abs=0.01), "however small the step"


def test_after_its_end_it_plays_again(opened):
    page = opened("song")
    play_from(page, SECONDS - 0.3)
    page.get_by_role("button", name="Play", exact=True).wait_for()
    page.wait_for_timeout(1500)
    assert not state(page)["playing"]
    page.locator(".play").click()
    page.wait_for_timeout(500)
    assert state(page)["playing"] and state(page)["times"][0] < SECONDS - 0.3


def test_the_volume_of_a_track_is_its_own(opened):
    page = opened("song")
    volume = page.get_by_role("slider", name="Volume of piano", exact=True)
    volume.fill("0")
    play_from(page, 0.5)
    assert heard(page) == {"bass", "guitar", "common"}, "without the piano, nothing cancels the common tone"
    volume.fill("1")
    play_from(page, 0.5)
    assert heard(page) == set(ESTIMATES)


def test_a_track_is_downloaded_under_the_song_s_name(opened):
    page = opened("song")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download bass", exact=True).click()
    assert waiting.value.suggested_filename.split(" ")[-1] in ("bass.mp3", "bass.ogg")
    waveform, rate = soundfile.read(waiting.value.path())
    assert rate == RATE and len(waveform) == SECONDS * RATE
    spectrum = np.abs(np.fft.rfft(waveform))
    assert abs(spectrum.argmax() / SECONDS - TONES["bass"]) < 1


def test_one_player_sounds_at_a_time(opened):
    page = opened("dataset")
    playing = "() => [...document.querySelectorAll('.player')].map((player) => player.multitrack.isPlaying())"
    page.locator(".play").nth(0).click()
    page.wait_for_timeout(500)
    assert page.evaluate(playing) == [True, False]
    page.locator(".play").nth(1).click()
    page.wait_for_timeout(500)
    assert page.evaluate(playing) == [False, True]


@pytest.mark.parametrize("width", [1280, 390])
def test_a_spectrogram_is_as_large_as_there_is_room(opened, width):
    page = opened("song", width=width)
    assert page.evaluate("document.documentElement.scrollWidth") == width, "nothing sticks out"
    for picture in page.locator(".spectrograms img").all():
        box = picture.bounding_box()
        assert box["width"] >= min(500, width - 40) and box["height"] >= 0.5 * box["width"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["song", "dataset"])
def test_it_can_be_read_on_a_phone(opened, name, scheme):
    page = opened(name, width=375, scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") == 375, "nothing sticks out"
    broken = "[...document.images].filter((image) => !image.complete || !image.naturalWidth).length"
    assert page.evaluate(broken) == 0
    for button in page.locator("button, .download, .volume").all():
        box = button.bounding_box()
        assert min(box["width"], box["height"]) >= 24, "a finger must hit it"
    colours = page.evaluate("[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]")
    ink, paper = (luminance(colour) for colour in colours)
    assert (ink < paper) == (scheme == "light")
    assert (max(ink, paper) + 0.05) / (min(ink, paper) + 0.05) > 7, "WCAG's enhanced contrast"
    inner = page.evaluate("document.querySelector('.tracks').clientWidth")
    assert state(page)["width"] == pytest.approx(inner, abs=2)


def test_a_turned_phone_s_tracks_are_as_wide_as_there_is_room(opened):
    page = opened("song", width=375)
    for width in (812, 375):
        page.set_viewport_size({"width": width, "height": 500})
        page.wait_for_timeout(1000)
        inner = page.evaluate("document.querySelector('.tracks').clientWidth")
        assert state(page)["width"] == pytest.approx(inner, abs=2)


def test_a_data_set_s_tracks_can_both_be_heard(opened):
    page = opened("dataset")
    assert page.locator(".player").count() == 2
    durations = "(i) => document.querySelectorAll('.player')[i].multitrack.maxDuration"
    assert all(page.evaluate(durations, i) == pytest.approx(SECONDS, abs=0.1) for i in range(2))
    time = "(i) => document.querySelectorAll('.player')[i].multitrack.getCurrentTime()"
    for i in range(2):
        page.locator(".play").nth(i).click()
        page.wait_for_timeout(800)
        assert page.evaluate(time, i) > 0
        page.locator(".play").nth(i).click()


def luminance(colour):
    """WCAG's relative luminance of ``rgb(r, g, b)``."""
    parts = np.array([int(part) for part in colour[4:-1].split(",")]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]
