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
    assert len(files) == 6
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
