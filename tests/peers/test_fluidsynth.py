"""The real FluidSynth: it plays the stems that a song was taken apart into as it plays the song, each time the same.

Needs Debian's packages fluidsynth and fluid-soundfont-gm.
"""

import json
import shutil
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile

from glowsep.datasets.freedoom import midi
from glowsep.datasets.freedoom.fluidsynth import FULL_SCALE, FluidSynth
from glowsep.datasets.freedoom.render import render_excerpts
from glowsep.datasets.freedoom.variations import varied
from glowsep.errors import DatasetError

SOUNDFONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
RATE = 22050
DATA = Path(__file__).parents[2] / "data"


def test_stems_together_are_the_song(tmp_path):
    """A song without re-voiced instruments: played in one go, it is the sum of its stems.

    Not to the last bit: in FluidSynth 2.3 the block of 64 samples in which a recording ends depends a little on what
    else is playing, here by a hundred-thousandth of the energy. One note that is missing or misplaced is far more.
    """
    path = DATA / "freedoom" / "midi" / "freedoom1_e1m6.mid"
    song = mido.MidiFile(path)
    stems = midi.split(song)
    assert {stem.group for stem in stems} == {"bass", "drums", "guitar"}
    synthesiser = FluidSynth(SOUNDFONT, RATE)
    length = round(midi.duration(song) * RATE)
    together = np.zeros(length, np.int32)
    for number, stem in enumerate(stems):
        stem.midi.save(tmp_path / f"{number}.mid")
        together += synthesiser.render(tmp_path / f"{number}.mid", length)
    whole = synthesiser.render(path, length)
    assert np.abs(whole).max() > 0.05 * FULL_SCALE
    assert np.sum((together - whole) ** 2.0) < 3e-5 * np.sum(whole**2.0)


def test_a_variation_sounds_in_the_key_that_it_is_tuned_to(tmp_path):
    """Recordings of other keys are tuned back: the pitch is right, to a tenth of a semitone and the 10 cents."""
    track = [mido.Message("program_change", channel=0, program=0)]
    track.append(mido.Message("note_on", channel=0, note=69, velocity=100))
    track.append(mido.Message("note_off", channel=0, note=69, time=192))
    (stem,) = midi.split(mido.MidiFile(type=1, ticks_per_beat=96, tracks=[mido.MidiTrack(track)]), minimum_notes=1)
    synthesiser, path, bodies = FluidSynth(SOUNDFONT, RATE), tmp_path / "stem.mid", set()
    for number in range(6):
        (changed,) = varied([stem], np.random.default_rng(number))
        changed.midi.tracks[0][0].program = 0  # the piano, whose first partial is a clear peak
        changed.midi.save(path)
        spectrum = np.abs(np.fft.rfft(synthesiser.render(path, RATE) * np.hanning(RATE), 8 * RATE))
        messages = [message for message in changed.midi.tracks[0] if message.type == "control_change"]
        (tuning,) = (message.value - 64 for message in messages[:4] if message.control == 6)
        (struck,) = (message.note for message in changed.midi.tracks[0] if message.type == "note_on")
        expected = 440 * 2 ** ((struck + tuning - 69) / 12)
        nearby = slice(round(8 * expected * 0.8), round(8 * expected * 1.25))
        heard = (nearby.start + np.argmax(spectrum[nearby])) / 8
        assert abs(12 * np.log2(heard / expected)) < 0.13
        bodies.add(tuning)
    assert len(bodies) > 2


def test_rendering_again_gives_the_same_bytes(tmp_path):
    name = "freedoom2_runnin"
    freedoom = tmp_path / "freedoom"
    (freedoom / "midi").mkdir(parents=True)
    shutil.copyfile(DATA / "freedoom" / "midi" / f"{name}.mid", freedoom / "midi" / f"{name}.mid")
    excerpts = json.loads((DATA / "freedoom" / "split.json").read_text())["excerpts"]
    (freedoom / "split.json").write_text(json.dumps({"validation": [name], "excerpts": excerpts}))
    for folder in ("first", "second"):
        render_excerpts(freedoom, tmp_path / folder, SOUNDFONT, progress=False)
    files = [path.relative_to(tmp_path / "first") for path in (tmp_path / "first").rglob("*") if path.is_file()]
    assert len(files) == 7  # four stems, their sum, what they are, and the record of these
    for file in files:
        assert (tmp_path / "first" / file).read_bytes() == (tmp_path / "second" / file).read_bytes()
    for file in (file for file in files if file.suffix == ".flac"):
        shipped, _ = soundfile.read(DATA / "freedoom4" / file)
        rendered, _ = soundfile.read(tmp_path / "first" / file)
        assert np.sum((rendered - shipped) ** 2) <= 1e-4 * np.sum(shipped**2)  # other versions round otherwise


def test_sound_font_with_nothing_in_it(tmp_path):
    """FluidSynth itself would render silence, and say that all is well."""
    path = tmp_path / "empty.sf2"
    path.write_bytes(b"RIFF" + (4).to_bytes(4, "little") + b"sfbk")
    song = DATA / "freedoom" / "midi" / "freedoom1_introa.mid"
    with pytest.raises(DatasetError, match=r"empty\.sf2"):
        FluidSynth(path, RATE).render(song, RATE)
