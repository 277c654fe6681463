"""Rendering: songs taken apart note by note, and folders that are there whole or not at all.

A stand-in for the program FluidSynth makes noise of every MIDI file, another for each, so that these tests need
neither it nor a sound font; tests/peers/test_fluidsynth.py has the real one.
"""

import json
import os
import random
import stat
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import mido
import numpy as np
import pytest
import soundfile
import yaml
from conftest import dataset_refused
from hypothesis import given, settings
from hypothesis import strategies as st

from glowsep.arrays.folders import RECORD
from glowsep.cli import main
from glowsep.datasets import open_dataset
from glowsep.datasets.freedoom import midi, variations
from glowsep.datasets.freedoom.render import read_midi, render, render_excerpts
from glowsep.errors import DatasetError
from glowsep.signals.loudness import high_pass, high_shelf, integrated_loudness

RATE = 8000


def song_of(*messages, ticks_per_beat=96):
    """A MIDI file of type 1 with a track for each list of messages, whose times are since the one before."""
    tracks = [mido.MidiTrack(track) for track in messages]
    return mido.MidiFile(type=1, ticks_per_beat=ticks_per_beat, tracks=tracks)


def notes(channel, program, count, start=0):
    """A track of `count` notes, one after the other, on one instrument."""
    track = [mido.Message("program_change", channel=channel, program=program, time=start)]
    for number in range(count):
        key = 40 + number % 24
        track.append(mido.Message("note_on", channel=channel, note=key, velocity=80, time=0))
        track.append(mido.Message("note_off", channel=channel, note=key, time=12))
    return track


def groups_of(song):
    return [(stem.group, stem.program) for stem in midi.split(song)]


def played(song):
    """Every note of a MIDI file as (second, channel, program, key, velocity), by mido's own player."""
    program, second = [0] * 16, 0.0
    for message in song:
        second += message.time
        if message.type == "program_change":
            program[message.channel] = message.program
        elif message.type == "note_on" and message.velocity:
            yield second, message.channel, program[message.channel], message.note, message.velocity


# Taking a song apart


def test_programs_become_four_groups():
    tracks = [notes(channel, program, 20) for channel, program in enumerate([0, 7, 24, 31, 32, 39])]
    expected = [("piano", 0), ("piano", 7), ("guitar", 24), ("guitar", 31), ("bass", 32), ("bass", 39)]
    assert groups_of(song_of(*tracks)) == expected


@pytest.mark.parametrize("program", [8, 23, 40, 111])
def test_other_pitched_instruments_are_played_by_a_piano(program):
    song = song_of(notes(3, program, 20))
    (stem,) = midi.split(song)
    assert (stem.group, stem.program) == ("piano", 0)
    assert {note[2] for note in played(stem.midi)} == {0}


@pytest.mark.parametrize("program", [112, 127])
def test_sound_effects_are_left_out(program):
    assert groups_of(song_of(notes(0, program, 50), notes(1, 33, 20))) == [("bass", 33)]


def test_channel_ten_is_drums_and_keeps_its_kit():
    (stem,) = midi.split(song_of(notes(9, 16, 20)))
    assert (stem.group, stem.program) == ("drums", 128)
    assert {note[2] for note in played(stem.midi)} == {16}


def test_group_with_few_notes_is_absent():
    song = song_of(notes(0, 33, 19), notes(1, 25, 10), notes(2, 30, 10), notes(3, 0, 1), notes(4, 48, 18))
    assert groups_of(song) == [("guitar", 25), ("guitar", 30)]


def test_program_in_force_at_the_note_decides():
    bass, guitar = notes(0, 33, 20), notes(0, 25, 20)
    silent = [mido.Message("program_change", channel=0, program=5, time=0)]
    assert groups_of(song_of(bass + silent + guitar)) == [("guitar", 25), ("bass", 33)]
    held = [mido.Message("note_on", channel=0, note=99, velocity=80, time=0)]
    release = [mido.Message("note_off", channel=0, note=99, time=480)]
    piano, bass = midi.split(song_of(notes(0, 0, 20) + held + notes(0, 33, 20) + release))
    assert sum(message.type == "note_off" and message.note == 99 for message in piano.midi.tracks[0]) == 1
    assert not any(message.type == "note_off" and message.note == 99 for message in bass.midi.tracks[0])


def test_what_shapes_the_notes_of_a_channel_stays_with_them():
    shaping = [
        mido.Message("control_change", channel=0, control=7, value=50, time=3),
        mido.Message("control_change", channel=0, control=0, value=8, time=0),
        mido.Message("pitchwheel", channel=0, pitch=1000, time=3),
        mido.Message("aftertouch", channel=0, value=9, time=3),
        mido.Message("sysex", data=(1, 2, 3), time=3),
        mido.MetaMessage("set_tempo", tempo=400_000, time=3),
        mido.MetaMessage("lyrics", text="la", time=3),
    ]
    bass, piano = midi.split(song_of(shaping + notes(0, 33, 20), notes(1, 0, 20)))
    assert Counter(m.type for m in bass.midi.tracks[0] if "note" not in m.type) == {
        "program_change": 2, "control_change": 1, "pitchwheel": 1, "aftertouch": 1, "sysex": 1, "set_tempo": 1,
        "end_of_track": 1,
    }  # fmt: skip
    others = {m.type for m in piano.midi.tracks[0] if "note" not in m.type}
    assert others == {"program_change", "sysex", "set_tempo", "end_of_track"}


events = st.one_of(
    st.builds(
        lambda channel, note, time: [
            mido.Message("note_on", channel=channel, note=note, velocity=64, time=time),
            mido.Message("note_off", channel=channel, note=note, time=5),
        ],
        st.integers(8, 11), st.integers(30, 40), st.integers(0, 50),
    ),
    st.builds(
        lambda channel, program: [mido.Message("program_change", channel=channel, program=program, time=0)],
        st.integers(8, 11), st.integers(0, 127),
    ),
    st.builds(lambda tempo, time: [mido.MetaMessage("set_tempo", tempo=tempo, time=time)],
              st.integers(200_000, 900_000), st.integers(0, 50)),
)  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(events, max_size=20), min_size=1, max_size=3))
def test_stems_play_the_notes_of_the_song_when_the_song_does(tracks):
    song = song_of(*[[message for event in track for message in event] for track in tracks])
    heard, expected = [], []
    for stem in midi.split(song, minimum_notes=1):
        assert sum(message.time for message in stem.midi) == pytest.approx(midi.duration(song), abs=0.02)
        heard += [(*note, second) for second, *note in played(stem.midi)]
    for second, channel, program, key, velocity in played(song):
        if channel != 9 and program >= 112:
            continue
        if channel != 9 and midi.instrument_group(program) is None:
            program = 0
        expected.append((channel, program, key, velocity, second))
    heard, expected = sorted(heard), sorted(expected)
    assert [note for *note, _ in heard] == [note for *note, _ in expected]
    # Sums of the same times in another order differ in their last digits.
    assert [second for *_, second in heard] == pytest.approx([second for *_, second in expected], abs=1e-9)


# Variations


def sounding(stem):
    """What a stem's notes sound like: a list of (second, key, program, velocity), the key as its channel is tuned.

    Keys are in semitones, without the part of a semitone; tuning is read as MIDI's registered parameter 2 says it.
    """
    second, selected, coarse, found = 0.0, {}, 0, []
    for message in stem.midi:
        second += message.time
        if message.type == "control_change" and message.control in (100, 101):
            selected[message.control] = message.value
        elif message.type == "control_change" and message.control == 6 and selected == {101: 0, 100: 2}:
            coarse = message.value - 64
        elif message.type == "program_change":
            program = message.program
        elif message.type == "note_on" and message.velocity:
            found.append((second, message.note + coarse, program, message.velocity))
    return found


def a_song():
    """Two basses, a guitar, a piano and drums; some play held-out programs."""
    return midi.split(song_of(notes(0, 32, 30), notes(1, 33, 30), notes(2, 27, 30), notes(3, 0, 30), notes(9, 24, 30)))


def as_text(stems):
    return [(stem.group, stem.program, [str(message) for message in stem.midi.tracks[0]]) for stem in stems]


@pytest.mark.parametrize("number", range(1, 21))
def test_a_variation_is_the_song_in_another_key_by_other_instruments(number):
    stems, shifts = a_song(), set()
    changed = variations.variation(stems, "a song", number)
    for before, after in zip(stems, changed, strict=True):
        assert after.group == before.group and midi.instrument_group(after.program) == after.group
        old, new = sounding(before), sounding(after)
        assert [note[0] for note in new] == pytest.approx([note[0] for note in old])
        assert {note[2] for note in new} <= set(variations.heard(after.group))
        assert all(1 <= velocity <= 127 for *_, velocity in new)
        assert after.midi.length == before.midi.length
        kinds = [Counter((m.type, getattr(m, "note", 0)) for m in s.midi.tracks[0] if "note" in m.type)
                 for s in (before, after)]  # fmt: skip
        if after.group == "drums":
            assert kinds[0] == kinds[1] and after.program == 128
            continue
        (shift,) = {b[1] - a[1] for a, b in zip(old, new, strict=True)}
        shifts.add(shift % 12)
        lowest, highest = variations.COMPASS[after.group]
        assert all(lowest <= key <= highest for _, key, _, _ in new)
    assert len(shifts) == 1  # they all play in the same key


def test_variations_differ_and_each_is_the_same_every_time():
    texts = [as_text(variations.variation(a_song(), *which)) for which in (("a", 1), ("a", 2), ("b", 1), ("a", 1))]
    assert texts[0] == texts[3]
    assert texts[0] != texts[1] != texts[2] != texts[0]
    before = as_text(a_song())
    stems = a_song()
    variations.varied(stems, np.random.default_rng(0))
    assert as_text(stems) == before  # what is given stays as it was


def test_variations_play_every_program_but_those_held_out():
    heard = {group: set() for group in midi.GROUPS}
    for number in range(200):
        for stem in variations.varied(a_song(), np.random.default_rng(number)):
            heard[stem.group] |= {program for _, _, program, _ in sounding(stem)}
    for group, programs in heard.items():
        assert programs == set(variations.heard(group))
        assert not programs & set(variations.HELD_OUT[group])


@pytest.mark.parametrize("velocity", [1, 60, 127])
@pytest.mark.parametrize(("lowest", "highest"), [(0, 2), (20, 70), (0, 127), (90, 108), (126, 127)])
def test_at_the_edges_keys_and_velocities_are_midis(velocity, lowest, highest):
    """A stem outside the compass of its group goes no further out, and sounds in one key."""
    track = [mido.Message("program_change", channel=0, program=33)]
    for key in [lowest, highest] * 10:
        track.append(mido.Message("note_on", channel=0, note=key, velocity=velocity))
        track.append(mido.Message("note_on", channel=0, note=key, velocity=0, time=12))
    (stem,) = midi.split(song_of(track))
    for number in range(40):
        (changed,) = variations.varied([stem], np.random.default_rng(number))
        keys = [key for _, key, _, _ in sounding(changed)]
        assert keys[1] - keys[0] == highest - lowest
        assert min(keys) >= min(lowest, 23) and max(keys) <= max(highest, 67)
        assert all(1 <= velocity <= 127 for *_, velocity in sounding(changed))


def test_tuning_leaves_what_the_song_has_selected():
    """A song may select the range of its pitch bends before the first note and set it after that."""
    track = notes(0, 33, 20)
    select = [mido.Message("control_change", channel=0, control=control, value=0) for control in (101, 100)]
    track[1:1] = select
    track.insert(5, mido.Message("control_change", channel=0, control=6, value=12))
    (stem,) = variations.varied(midi.split(song_of(track)), np.random.default_rng(0))
    selected = {}
    for message in stem.midi.tracks[0]:
        if message.type == "control_change" and message.control in (100, 101):
            selected[message.control] = message.value
        elif message.type == "control_change" and message.control == 6 and message.value == 12:
            assert selected == {101: 0, 100: 0}


def test_held_out_programs_are_replaced_and_nothing_else():
    before, after = a_song(), variations.with_heard(a_song())
    assert [stem.program for stem in after] == [33, 33, 24, 0, 128]
    assert sounding(after[4])[0][2] == 0
    for number in (1, 3):
        assert as_text([before[number]]) == as_text([after[number]])
    for a, b in zip(before, after, strict=True):
        assert [(n[0], n[1], n[3]) for n in sounding(a)] == [(n[0], n[1], n[3]) for n in sounding(b)]


def test_unheard_songs_play_the_held_out_programs_in_turns():
    before, after = a_song(), variations.with_unheard(a_song())
    assert [{program for _, _, program, _ in sounding(stem)} for stem in after] == [{32}, {36}, {25}, {1}, {24}]
    for a, b in zip(before, after, strict=True):
        assert [(n[0], n[1], n[3]) for n in sounding(a)] == [(n[0], n[1], n[3]) for n in sounding(b)]


# Rendering

NOISE = """
import array, random, struct, sys

arguments = sys.argv[1:]
rate, gain = int(arguments[arguments.index("-r") + 1]), float(arguments[arguments.index("-g") + 1])
with open(arguments[-1], "rb") as file:
    rng = random.Random(file.read())
left = [LEVEL * gain * rng.uniform(-1, 1) for _ in range(2 * rate)]
samples = array.array("f", [sample for level in left for sample in (level, 0)]).tobytes()
form = b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 3, 2, rate, 8 * rate, 8, 32)
with open(arguments[arguments.index("-F") + 1], "wb") as file:
    size = len(form) + 8 + len(samples)
    file.write(b"RIFF" + struct.pack("<I", size) + form + b"data" + struct.pack("<I", len(samples)) + samples)
"""


def heard_in_place_of(path):
    """The first two seconds of what the stand-in's left channel holds for a MIDI file."""
    rng = random.Random(path.read_bytes())
    return np.array([0.2 * rng.uniform(-1, 1) for _ in range(2 * RATE)])


@pytest.fixture
def fluidsynth(tmp_path, monkeypatch):
    """A function that installs a program "fluidsynth" which runs the Python source it is given."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def install(source):
        script = folder / "fluidsynth.py"
        script.write_text(source)
        if os.name == "nt":
            (folder / "fluidsynth.bat").write_text(f'@"{sys.executable}" -I -S "{script}" %*\n')
        else:
            program = folder / "fluidsynth"
            program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "{script}" "$@"\n')
            program.chmod(program.stat().st_mode | stat.S_IXUSR)

    install(NOISE.replace("LEVEL", "1.0"))
    return install


@pytest.fixture
def soundfont(tmp_path):
    """What looks like a sound font from outside."""
    path = tmp_path / "tiny.sf2"
    path.write_bytes(b"RIFF" + (4).to_bytes(4, "little") + b"sfbk")
    return path


@pytest.fixture
def freedoom(tmp_path):
    """Songs with a split file, as in data/freedoom."""
    folder = tmp_path / "freedoom"
    (folder / "midi").mkdir(parents=True)
    songs = {"one": [(0, 33, 24), (1, 0, 24), (2, 48, 24)], "two": [(0, 30, 30)], "three": [(9, 0, 30), (0, 33, 5)]}
    for name, tracks in songs.items():
        song_of(*[notes(*track) for track in tracks]).save(folder / "midi" / f"{name}.mid")
    split = {"train": ["two"], "validation": ["three"], "test": ["one"]}
    excerpts = {name: {"start_s": 0.5, "duration_s": 0.75} for name in ("one", "three")}
    (folder / "split.json").write_text(json.dumps(split | {"excerpts": excerpts}))
    (folder / "training_excerpts.json").write_text(json.dumps({"two": {"start_s": 0.25, "duration_s": 0.5}}))
    return folder


def contents(folder):
    """The bytes of all files, but for the records of what was written."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name != RECORD)
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def test_render_writes_slakhs_layout(fluidsynth, soundfont, freedoom, tmp_path):
    out = tmp_path / "out"
    render(freedoom, out, soundfont, RATE, progress=False)
    track = out / "test" / "one"
    names = {Path(name).as_posix() for name in contents(track)}
    stems = {f"{folder}/S0{i}.{ending}" for i in range(3) for folder, ending in [("MIDI", "mid"), ("stems", "flac")]}
    assert names == stems | {"all_src.mid", "metadata.yaml", "mix.flac"}
    assert (track / "all_src.mid").read_bytes() == (freedoom / "midi" / "one.mid").read_bytes()
    metadata = yaml.safe_load((track / "metadata.yaml").read_text())
    assert set(metadata) == {
        "UUID", "audio_dir", "lmd_midi_dir", "midi_dir", "normalization_factor", "normalized", "overall_gain",
        "target_peak", "stems",
    }  # fmt: skip
    for stem in metadata["stems"].values():
        assert set(stem) == {
            "audio_rendered", "inst_class", "integrated_loudness", "is_drum", "midi_program_name", "midi_saved",
            "plugin_name", "program_num",
        }  # fmt: skip
    about = [(stem["program_num"], stem["is_drum"], stem["inst_class"]) for stem in metadata["stems"].values()]
    assert about == [(33, False, "Bass"), (0, False, "Piano"), (0, False, "Piano")]
    drums = yaml.safe_load((out / "validation" / "three" / "metadata.yaml").read_text())["stems"]
    assert [(stem["program_num"], stem["is_drum"]) for stem in drums.values()] == [(128, True)]


def test_stems_sum_to_the_mix_and_last_as_long(fluidsynth, soundfont, freedoom, tmp_path):
    out = tmp_path / "out"
    render(freedoom, out, soundfont, RATE, progress=False)
    track = out / "test" / "one"
    stems = [soundfile.read(path, dtype="int16")[0].astype(int) for path in sorted((track / "stems").iterdir())]
    mix, rate = soundfile.read(track / "mix.flac", dtype="int16")
    assert rate == RATE and mix.ndim == 1 and mix.any()
    np.testing.assert_array_equal(sum(stems), mix)
    song = mido.MidiFile(freedoom / "midi" / "one.mid")
    length = round((song.length + 2) * RATE)
    assert length > 2 * RATE
    for number, stem in enumerate(stems):
        left = heard_in_place_of(track / "MIDI" / f"S{number:02d}.mid")
        np.testing.assert_allclose(stem, np.pad(left / 2, (0, length - len(left))) * 32768, atol=0.51)


def test_rendering_again_gives_the_same_bytes(fluidsynth, soundfont, freedoom, tmp_path):
    render(freedoom, tmp_path / "a", soundfont, RATE, workers=1, progress=False)
    render(freedoom, tmp_path / "b", soundfont, RATE, workers=3, progress=False)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_what_was_rendered_earlier_is_replaced_and_nothing_else_touched(fluidsynth, soundfont, freedoom, tmp_path):
    out = tmp_path / "out"
    song_of(*[notes(channel, 33, 24) for channel in range(4)]).save(freedoom / "midi" / "one.mid")
    render(freedoom, out, soundfont, RATE, splits=["test"], progress=False)
    assert (out / "test" / "one" / "stems" / "S03.flac").is_file()
    mine = [out / "kept.txt", out / "test/other/kept.txt", out / "test/one/kept.txt", out / "test/one/stems/vocals.wav"]
    for path in mine:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
    song_of(notes(0, 33, 24)).save(freedoom / "midi" / "one.mid")
    render(freedoom, out, soundfont, RATE, splits=["test"], progress=False)
    assert [path.name for path in sorted((out / "test" / "one" / "stems").iterdir())] == ["S00.flac", "vocals.wav"]
    assert {path.name for path in out.iterdir()} == {"test", "kept.txt", "excerpts.json", RECORD}
    assert [path.read_text() for path in mine] == ["mine"] * 4


def test_a_track_that_somebody_has_changed_is_replaced_only_where_it_is_asked_for(
    fluidsynth, soundfont, freedoom, tmp_path
):
    """Nor one that was there before: it may be anybody's data set of this layout."""
    out = tmp_path / "out"
    render(freedoom, out, soundfont, RATE, progress=False)
    path = out / "test" / "one" / "stems" / "S01.flac"
    rendered = path.read_bytes()
    path.write_bytes(rendered + b"\n")
    before = contents(out)
    dataset_refused(lambda: render(freedoom, out, soundfont, RATE, progress=False), path, "--overwrite")
    (path.parents[1] / RECORD).unlink()
    dataset_refused(lambda: render_excerpts(freedoom, out, soundfont, RATE, progress=False), "test/one", "--overwrite")
    assert contents(out) == before
    command = ["render", str(out), "--soundfont", str(soundfont), "--midi", str(freedoom), "--rate", "8000", "-q"]
    assert main([*command, "--overwrite"]) == 0
    assert path.read_bytes() == rendered


@pytest.mark.parametrize("name", ["../one", "/elsewhere/one", "a/one", ".."])
def test_a_song_s_name_does_not_lead_elsewhere(name, fluidsynth, soundfont, freedoom, tmp_path):
    (freedoom / "split.json").write_text(json.dumps({"test": [name], "excerpts": {name: {}}}))
    for renders in (render, render_excerpts):
        with pytest.raises(DatasetError, match="split.json: .* is no song's name"):
            renders(freedoom, tmp_path / "out", soundfont, RATE, progress=False)
    assert not (tmp_path / "out").exists()


def test_two_songs_of_one_name_are_refused(fluidsynth, soundfont, freedoom, tmp_path):
    (freedoom / "midi" / "ONE.mid").write_bytes((freedoom / "midi" / "one.mid").read_bytes())
    (freedoom / "split.json").write_text(json.dumps({"test": ["one", "ONE"]}))
    dataset_refused(lambda: render(freedoom, tmp_path / "out", soundfont, RATE, progress=False), "one.mid", "ONE.mid")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("place", ["test/one/notes.txt", "test/one", "excerpts.json"])
@pytest.mark.parametrize("whole", [True, False])
def test_a_folder_or_a_file_of_the_user_s_is_not_replaced(whole, place, fluidsynth, soundfont, freedoom, tmp_path):
    """A data set of excerpts writes no list of them, and so replaces none."""
    mine = tmp_path / "out" / place
    mine.parent.mkdir(parents=True)
    mine.write_text('{"my": "notes"}')
    before = contents(tmp_path / "out")
    make = render if whole else render_excerpts
    if place == "excerpts.json" and not whole:
        make(freedoom, tmp_path / "out", soundfont, RATE, progress=False)
    else:
        with pytest.raises(DatasetError, match="or move it away|not as glowsep wrote it") as refusal:
            make(freedoom, tmp_path / "out", soundfont, RATE, progress=False)
        assert str(mine if mine.name != "notes.txt" else mine.parent) in str(refusal.value)
        assert contents(tmp_path / "out") == before
    assert mine.read_text() == '{"my": "notes"}'


def test_excerpts_are_parts_of_the_whole(fluidsynth, soundfont, freedoom, tmp_path):
    whole, part = tmp_path / "whole", tmp_path / "part"
    render(freedoom, whole, soundfont, RATE, progress=False)
    render_excerpts(freedoom, part, soundfont, RATE, progress=False)
    for split in ("validation", "test"):
        for a, b in zip(open_dataset(whole, split), open_dataset(part, split), strict=True):
            assert a.name == b.name and a.mixture.shape == (1, round(0.75 * RATE))
            for source in a.sources:
                np.testing.assert_array_equal(a.sources[source], b.sources[source])
            mix, _ = soundfile.read(part / split / b.name / "mix.flac", dtype="float32")
            np.testing.assert_allclose(b.mixture[0], mix, atol=1e-6)
    song, excerpt = open_dataset(whole, "train")[0], open_dataset(part, "train")[0]
    assert song.mixture.shape[1] > 3 * RATE  # a training song is read whole
    np.testing.assert_array_equal(excerpt.mixture, song.mixture[:, round(0.25 * RATE) : round(0.75 * RATE)])
    assert [path.name for path in sorted((part / "test" / "one" / "stems").iterdir())] == ["S00.flac", "S01.flac"]
    assert not list(part.rglob("*.mid")) and not list((part / "train").rglob("mix.flac"))


def test_variations_are_more_training_tracks(fluidsynth, soundfont, freedoom, tmp_path):
    song_of(notes(0, 30, 30), notes(1, 25, 30)).save(freedoom / "midi" / "two.mid")
    plain, varied, again = (tmp_path / name for name in ("plain", "varied", "again"))
    render(freedoom, plain, soundfont, RATE, progress=False)
    render(freedoom, varied, soundfont, RATE, progress=False, versions=range(3))
    render(freedoom, again, soundfont, RATE, progress=False, versions=[0, 1])
    assert [path.name for path in sorted((varied / "train").iterdir())] == ["two", "two+1", "two+2"]
    for split in ("validation", "test"):
        assert contents(plain / split) == contents(varied / split)
    for name in ("two", "two+1"):
        assert contents(varied / "train" / name) == contents(again / "train" / name)
    assert contents(varied / "train" / "two+1") != contents(varied / "train" / "two+2")
    assert [path.name for path in varied.rglob("mix.flac") if path.parts[-3] == "train"] == ["mix.flac"]
    stems = [yaml.safe_load(path.read_text())["stems"] for path in sorted(varied.glob("train/*/metadata.yaml"))]
    assert [stem["program_num"] for stem in stems[0].values()] == [30, 24]  # 25 is held out
    assert not {stem["program_num"] for track in stems for stem in track.values()} & set(variations.HELD_OUT["guitar"])
    written = yaml.safe_load((plain / "train" / "two" / "metadata.yaml").read_text())["stems"]
    assert [stem["program_num"] for stem in written.values()] == [30, 25]
    assert len(open_dataset(varied, "train")) == 3


@pytest.mark.parametrize("function", [render, render_excerpts])
def test_unheard_songs(fluidsynth, soundfont, freedoom, tmp_path, function):
    function(freedoom, tmp_path / "out", soundfont, RATE, progress=False, unheard=True)
    for path in (tmp_path / "out").rglob("metadata.yaml"):
        for stem in yaml.safe_load(path.read_text())["stems"].values():
            group = midi.instrument_group(stem["program_num"])
            assert group == "drums" or stem["program_num"] in variations.HELD_OUT[group]


def test_one_variation_alone_is_the_one_among_others(fluidsynth, soundfont, freedoom, tmp_path):
    options = {"progress": False, "splits": ["train"]}
    render(freedoom, tmp_path / "all", soundfont, RATE, versions=range(4), **options)
    render(freedoom, tmp_path / "third", soundfont, RATE, versions=[3], **options)
    assert [path.name for path in (tmp_path / "third").glob("*/*")] == ["two+3"]
    assert contents(tmp_path / "third" / "train" / "two+3") == contents(tmp_path / "all" / "train" / "two+3")
    assert len(open_dataset(tmp_path / "third", "train")) == 1


@pytest.mark.parametrize("wrong", [{"versions": [0, -1]}, {"versions": []}, {"versions": [1], "unheard": True}])
def test_versions_that_cannot_be(fluidsynth, soundfont, freedoom, tmp_path, wrong):
    with pytest.raises(ValueError, match="versions"):
        render(freedoom, tmp_path / "out", soundfont, RATE, progress=False, **wrong)
    assert not (tmp_path / "out").exists()


# What goes wrong


def test_without_fluidsynth(soundfont, freedoom, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    words = ("fluidsynth", "apt-get install", "brew install", "Windows")
    dataset_refused(lambda: render(freedoom, tmp_path / "out", soundfont, RATE, progress=False), *words)


@pytest.mark.parametrize(
    ("damage", "word"),
    [(None, "cannot be read"), (b"", "not a sound font"), (b"MThd and more than that", "not a sound font"),
     (b"RIFF\x00\x00\x00\x00WAVE", "not a sound font"), (b"RIFF\x99\x00\x00\x00sfbk", "cut short")],
)  # fmt: skip
def test_not_a_sound_font(fluidsynth, soundfont, freedoom, tmp_path, damage, word):
    soundfont.unlink()
    if damage is not None:
        soundfont.write_bytes(damage)
    dataset_refused(lambda: render(freedoom, tmp_path / "out", soundfont, RATE, progress=False), soundfont, word)
    dataset_refused(lambda: render(freedoom, tmp_path / "out", tmp_path, RATE, progress=False), tmp_path)


@pytest.mark.parametrize(
    ("source", "word"),
    [("raise SystemExit(3)", "exit code 3"), ("print('Failed to load the SoundFont')", "Failed to load"),
     ("print('fine')", "no audio"), (NOISE.replace("LEVEL", "30.0"), "full scale")],
)  # fmt: skip
def test_failed_rendering_leaves_nothing(fluidsynth, soundfont, freedoom, tmp_path, source, word):
    fluidsynth(source)
    out = tmp_path / "out"
    dataset_refused(lambda: render(freedoom, out, soundfont, RATE, progress=False), word)
    assert set(contents(out)) == {"excerpts.json"}


def test_ctrl_c_leaves_no_half_written_song(fluidsynth, soundfont, freedoom, tmp_path, monkeypatch):
    fluidsynth("import time; time.sleep(60)")

    def interrupted(jobs, **about):
        time.sleep(0.5)  # while songs are under way
        raise KeyboardInterrupt

    monkeypatch.setattr("glowsep.datasets.freedoom.render.tqdm", interrupted)
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        render(freedoom, tmp_path / "out", soundfont, RATE)
    assert time.monotonic() - began < 20
    assert set(contents(tmp_path / "out")) == {"excerpts.json"}


def test_output_that_cannot_be_written(fluidsynth, soundfont, freedoom, tmp_path):
    out = tmp_path / "taken"
    out.write_text("a file")
    dataset_refused(lambda: render(freedoom, out, soundfont, RATE, progress=False), out, "another folder")
    dataset_refused(lambda: render_excerpts(freedoom, out, soundfont, RATE, progress=False), out, "another folder")


def test_songs_that_cannot_be_read(fluidsynth, soundfont, freedoom, tmp_path):
    def action():
        render(freedoom, tmp_path / "out", soundfont, RATE, splits=["train"], progress=False)

    path = freedoom / "midi" / "two.mid"
    whole = path.read_bytes()
    song = mido.MidiFile(path)
    song.type = 2
    song.save(path)
    dataset_refused(action, path, "type 2")
    path.write_bytes(whole[:12] + b"\xe8\x28" + whole[14:])
    dataset_refused(action, path, "film frames")
    for damage in (b"", b"not MIDI at all", whole[:40], whole.replace(b"MTrk", b"XXXX")):
        path.write_bytes(damage)
        dataset_refused(action, path)
    path.unlink()
    dataset_refused(action, path, "not found")
    for damage in ("{", "[]", "3"):
        (freedoom / "split.json").write_text(damage)
        dataset_refused(action, freedoom / "split.json")
    (freedoom / "split.json").unlink()
    dataset_refused(action, freedoom / "split.json")


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_any_damage_to_a_midi_file_is_one_clear_error(seed):
    rng = np.random.default_rng(seed)
    folder = Path(__file__).parents[1] / "data" / "freedoom" / "midi"
    damaged = bytearray((folder / "freedoom1_introa.mid").read_bytes())
    for place in rng.integers(len(damaged), size=5):
        damaged[place] = rng.integers(256)
    with TemporaryDirectory() as temporary:
        path = Path(temporary, "damaged.mid")
        path.write_bytes(damaged[: rng.integers(len(damaged))])
        try:
            midi.split(read_midi(path))
        except DatasetError as error:
            assert str(path) in str(error) and len(str(error).splitlines()) == 1


# Loudness


def test_loudness_filters_are_the_standards():
    """ITU-R BS.1770-4, tables 1 and 2: the coefficients at 48 kHz."""
    b, a = high_shelf(48000)
    np.testing.assert_allclose(b, [1.53512485958697, -2.69169618940638, 1.19839281085285], atol=1e-8)
    np.testing.assert_allclose(a, [1, -1.69065929318241, 0.73248077421585], atol=1e-8)
    b, a = high_pass(48000)
    np.testing.assert_allclose(b, [1, -2, 1])
    np.testing.assert_allclose(a, [1, -1.99004745483398, 0.99007225036621], atol=1e-8)


@pytest.mark.parametrize("rate", [22050, 44100, 48000])
def test_loudness_of_a_sine_at_full_scale(rate):
    """The standard's own calibration: 997 Hz at full scale in one channel is -3.01 LUFS, with or without pauses."""
    sine = np.sin(2 * np.pi * 997 * np.arange(5 * rate) / rate)
    assert integrated_loudness(sine, rate) == pytest.approx(-3.01, abs=0.05)
    assert integrated_loudness(sine / 10, rate) == pytest.approx(-23.01, abs=0.05)
    with_pause = np.concatenate([sine, np.zeros(20 * rate)])
    assert integrated_loudness(with_pause, rate) == pytest.approx(-3.01, abs=0.15)
    assert integrated_loudness(np.zeros(rate), rate) == -np.inf
    assert np.isfinite(integrated_loudness(sine[:10] * 0.5, rate))
