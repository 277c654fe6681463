"""Data sets: each layout read as it is published, and damaged ones refused in a line that names the file."""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import yaml
from conftest import dataset_refused
from hypothesis import given, settings
from hypothesis import strategies as st

from glowsep.datasets import MUSDB18, MUSDB18HQ, Joined, Slakh2100, StemFolder, open_dataset
from glowsep.datasets.files import audio_file
from glowsep.datasets.solos import solo_waveforms, validation_split
from glowsep.errors import AudioError

RATE = 8000
FREEDOOM4 = Path(__file__).parents[1] / "data" / "freedoom4"


def write(path, seed, samples=RATE // 4, channels=1, rate=RATE):
    """Write a small recording of 16 bit, and return it as (channels, samples)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    levels = np.random.default_rng(seed).integers(-3000, 3000, (samples, channels)).astype(np.int16)
    soundfile.write(path, levels, rate, subtype="PCM_16")
    return levels.T.astype(np.float32) / 32768


# Several data sets as one


@pytest.fixture
def two(tmp_path):
    """Two data sets whose tracks have the same name and other rates, numbers of channels and formats."""
    written = {}
    for seed, (folder, name) in enumerate(
        [("a", "lute.wav"), ("a", "voice.wav"), ("b", "lute.flac"), ("b", "voice.flac")]
    ):
        shape = {"channels": 1, "rate": RATE} if folder == "a" else {"channels": 2, "rate": 2 * RATE}
        written[folder, name.split(".")[0]] = write(tmp_path / folder / "song" / name, seed, **shape)
    return tmp_path, written


def test_joined_data_sets_are_read_one_after_the_other(two):
    path, written = two
    parts = [StemFolder(path / name) for name in ("a", "b")]
    joined = Joined(parts)
    assert joined.names == (f"{path / 'a'}/song", f"{path / 'b'}/song") and joined.sources == ("lute", "voice")
    for track, folder, rate in zip(joined, ("a", "b"), (RATE, 2 * RATE), strict=True):
        assert track.rate == rate and track.name == f"{path / folder}/song"
        for source, waveform in track.sources.items():
            np.testing.assert_array_equal(waveform, written[folder, source])
    heard = list(joined.recordings("voice"))
    assert [(name, rate) for name, _, rate in heard] == list(zip(joined.names, (RATE, 2 * RATE), strict=True))
    for (_, waveform, _), folder in zip(heard, ("a", "b"), strict=True):
        np.testing.assert_array_equal(waveform, written[folder, "voice"])


def test_recordings_of_joined_data_sets_come_to_one_rate(two):
    path, written = two
    first, second = solo_waveforms(Joined([StemFolder(path / "a"), StemFolder(path / "b")]), "lute", RATE, quiet=True)
    np.testing.assert_allclose(first, written["a", "lute"][0], atol=1e-6)
    assert second.shape == (RATE // 8,) and second.any()


def test_joined_data_sets_read_the_sources_that_are_named(two):
    path, _ = two
    write(path / "b" / "song" / "drum.wav", 7, channels=2, rate=2 * RATE)
    parts = [StemFolder(path / name) for name in ("a", "b")]
    assert Joined(parts, ["voice"]).sources == ("voice",) and list(Joined(parts, ["voice"])[1].sources) == ["voice"]
    dataset_refused(lambda: Joined(parts), path / "a", "'drum'", path / "b", "name the sources")
    dataset_refused(lambda: Joined(parts[::-1]), path / "a", "has no 'drum'; its sources are lute, voice")
    dataset_refused(lambda: Joined(parts, ["drum"]), path / "a", "has no 'drum'; its sources are lute, voice")
    with pytest.raises(ValueError, match="source is 'lute', expected one of voice"):
        list(Joined(parts, ["voice"]).recordings("lute"))


def test_a_data_set_is_heard_as_often_as_its_repeats_say(two):
    path, _ = two
    parts = [StemFolder(path / name) for name in ("a", "b")]
    joined = Joined(parts, repeats=[1, 3])
    assert [Path(name).parent.name for name, _, _ in joined.recordings("lute")] == ["a", "b", "b", "b"]
    assert len(joined) == 2  # as a data set to be separated, it has every track once


@pytest.mark.parametrize("repeats", [[1], [1, 2, 3], [1, 0]])
def test_each_data_set_is_heard_at_least_once(repeats, two):
    path, _ = two
    with pytest.raises(ValueError, match="at least 1 for each data set, and there are 2"):
        Joined([StemFolder(path / name) for name in ("a", "b")], repeats=repeats)


def test_a_data_set_is_not_joined_to_itself(two, monkeypatch):
    path, _ = two
    monkeypatch.chdir(path)
    dataset_refused(lambda: Joined([StemFolder(path / "a"), StemFolder("a")]), "given twice")
    (path / "c").symlink_to(path / "a")
    dataset_refused(lambda: Joined([StemFolder(path / "a"), StemFolder(path / "c")]), path / "c", "given twice")


# A folder of stems


@pytest.fixture
def stems(tmp_path):
    """Two tracks of two sources, one with a mixture of its own; and what was written."""
    written = {}
    for seed, (track, name) in enumerate(
        [("b", "voice.wav"), ("b", "lute.flac"), ("a", "voice.flac"), ("a", "lute.wav")]
    ):
        written[track, name.split(".")[0]] = write(tmp_path / track / name, seed)
    written["a", "mixture"] = write(tmp_path / "a" / "mixture.wav", 9)
    (tmp_path / "notes.txt").write_text("not a track")
    (tmp_path / ".hidden").mkdir()
    return tmp_path, written


def test_stem_folder_reads_wav_and_flac_in_order(stems):
    path, written = stems
    dataset = StemFolder(path)
    assert dataset.names == ("a", "b") and dataset.sources == ("lute", "voice") and len(dataset) == 2
    for track in dataset:
        assert track.rate == RATE and list(track.sources) == ["lute", "voice"]
        for source, waveform in track.sources.items():
            np.testing.assert_array_equal(waveform, written[track.name, source])
            assert waveform.dtype == np.float32
    np.testing.assert_array_equal(dataset[0].mixture, written["a", "mixture"])
    np.testing.assert_allclose(dataset[-1].mixture, written["b", "lute"] + written["b", "voice"], atol=1e-7)


FORMATS = {
    "Bass.WAV": "WAV", "BASS.wav": "WAV", "bass.Flac": "FLAC", "bass.aiff": "AIFF", "bass.AIF": "AIFF",
    "bass.ogg": "OGG", "bass.MP3": "MP3", "bass.w64": "W64", "bass.caf": "CAF", "bass.au": "AU",
}  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_stems_in_capitals_and_in_other_formats(name, tmp_path):
    levels = write(tmp_path / "t1" / "drums.wav", 0)
    soundfile.write(tmp_path / "t1" / name, np.random.default_rng(1).uniform(-0.1, 0.1, RATE // 4), RATE,
                    format=FORMATS[name])  # fmt: skip
    (tmp_path / "t1" / "bass.txt").write_text("notes on the bass")
    (tmp_path / "t1" / "._bass.wav").write_text("what macOS leaves")
    dataset = open_dataset(tmp_path)
    assert dataset.sources == ("bass", "drums")
    (track,) = dataset
    np.testing.assert_array_equal(track.sources["drums"], levels)
    assert track.sources["bass"].shape == levels.shape
    assert 0.05 < np.abs(track.sources["bass"]).max() < 0.2
    assert [recording[0] for recording in dataset.recordings("bass")] == ["t1"]


def test_tracks_may_differ_in_capitals_and_formats(tmp_path):
    for track, names in {"a": ("Bass.wav", "MIXTURE.Wav"), "b": ("bass.FLAC", "Mixture.flac")}.items():
        for seed, name in enumerate(names):
            write(tmp_path / track / name, seed)
    dataset = StemFolder(tmp_path)
    assert dataset.sources == ("bass",)
    for track in dataset:
        assert not np.array_equal(track.mixture, track.sources["bass"])


TWICE = (
    "bass.wav bass.flac",
    "bass.aiff bass.wav",
    "Bass.wav bass.wav",
    "bass.WAV bass.wav",
    "Mixture.aiff mixture.wav",
)


@pytest.mark.parametrize("twice", TWICE)
def test_of_two_files_none_is_read(twice, tmp_path):
    """Nobody knows which of them is meant: they may be two takes."""
    twice = twice.split()
    for name in ("a/bass.wav", "a/mixture.wav", "b/drums.wav", *(f"b/{name}" for name in twice)):
        write(tmp_path / name, 0)
    write(tmp_path / "a" / "drums.wav", 0)
    if "bass.wav" not in twice:
        write(tmp_path / "b" / "bass.wav", 0)
    if (tmp_path / "b" / twice[0]).samefile(tmp_path / "b" / twice[1]):
        pytest.skip("on this system they are one file")
    dataset_refused(lambda: open_dataset(tmp_path), tmp_path / "b", *twice)
    dataset_refused(lambda: audio_file(tmp_path / "b", Path(twice[1]).stem), *twice)
    (tmp_path / "b" / twice[0]).unlink()
    assert len(list(open_dataset(tmp_path))) == 2


def test_of_two_stems_in_slakhs_layout_none_is_read(tmp_path):
    for name in ("a", "b"):
        slakh_track(tmp_path / name, [(33, True), (0, True)])
    write(tmp_path / "b" / "stems" / "S01.wav", 0)
    dataset_refused(lambda: open_dataset(tmp_path), tmp_path / "b", "S01.flac", "S01.wav")
    assert Slakh2100(tmp_path, names=["a"])[0].name == "a"


def test_two_files_of_a_source_that_is_not_asked_for_do_not_matter(tmp_path):
    for file in ("bass.wav", "piano.wav", "Piano.wav"):
        write(tmp_path / "a" / file, 0)
    assert len(StemFolder(tmp_path, sources=["bass"])) == 1


def test_a_name_has_several_spellings_in_unicode(tmp_path):
    for track, name in {"a": "b\u00e4ss.wav", "b": "ba\u0308ss.wav"}.items():
        write(tmp_path / track / name, 0)
    (source,) = StemFolder(tmp_path).sources
    write(tmp_path / "a" / "ba\u0308ss.flac", 0)
    dataset_refused(lambda: StemFolder(tmp_path), "b\u00e4ss.wav", "ba\u0308ss.flac")
    assert source == "b\u00e4ss"


def test_a_source_whose_file_is_a_link_that_leads_nowhere_is_not_left_out(tmp_path):
    write(tmp_path / "a" / "bass.wav", 0)
    try:
        (tmp_path / "a" / "voice.wav").symlink_to("fetched later.wav")
    except OSError:
        pytest.skip("this system or its user makes no links")
    dataset_refused(lambda: open_dataset(tmp_path), tmp_path / "a" / "voice.wav", "leads nowhere")


def test_two_splits_of_one_name(tmp_path):
    for split in ("train", "Train", "test"):
        write(tmp_path / split / "t" / "bass.wav", 0)
    if (tmp_path / "train").samefile(tmp_path / "Train"):
        pytest.skip("on this system they are one folder")
    dataset_refused(lambda: open_dataset(tmp_path, "train"), tmp_path, "train", "Train")
    assert open_dataset(tmp_path, "test").names == ("t",)


def test_splits_in_capitals(tmp_path):
    for split in ("Train", "Validation", "TEST"):
        write(tmp_path / split / "t" / "bass.wav", 0)
    for split in ("train", "validation", "test"):
        assert open_dataset(tmp_path, split).names == ("t",)
    assert validation_split(tmp_path, open_dataset(tmp_path, "train")).folder.name == "Validation"


def test_stem_folder_of_a_split(stems):
    path, _ = stems
    (path / "test").mkdir()
    (path / "a").rename(path / "test" / "a")
    assert StemFolder(path, "test").names == ("a",)
    dataset_refused(lambda: StemFolder(path, "validation"), path, "validation", "test")


def test_stem_folder_reads_only_the_sources_asked_for(stems):
    path, _ = stems
    (path / "a" / "lute.wav").write_bytes(b"")
    dataset = StemFolder(path, sources=["voice"])
    assert [list(track.sources) for track in dataset] == [["voice"], ["voice"]]


def test_recordings_read_one_source_alone(stems):
    path, written = stems
    dataset = StemFolder(path)
    (path / "a" / "lute.wav").write_bytes(b"")
    (path / "a" / "mixture.wav").write_bytes(b"")
    recordings = list(dataset.recordings("voice"))
    assert [(name, rate) for name, _, rate in recordings] == [("a", RATE), ("b", RATE)]
    for name, waveform, _ in recordings:
        np.testing.assert_array_equal(waveform, written[name, "voice"])
    with pytest.raises(AudioError, match="lute.wav"):
        dataset[0]
    with pytest.raises(ValueError, match="flute"):
        list(dataset.recordings("flute"))


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, RATE // 10), min_size=2, max_size=4))
def test_small_differences_of_length_are_padded_with_silence(missing):
    with TemporaryDirectory() as folder:
        written = {
            f"s{i}": write(Path(folder, "track", f"s{i}.wav"), i, samples=RATE // 4 - fewer)
            for i, fewer in enumerate(missing)
        }
        track = StemFolder(folder)[0]
    longest = max(waveform.shape[1] for waveform in written.values())
    assert track.mixture.shape == (1, longest)
    for source, waveform in written.items():
        np.testing.assert_array_equal(track.sources[source][:, : waveform.shape[1]], waveform)
        assert track.sources[source].shape == (1, longest)
        assert not track.sources[source][:, waveform.shape[1] :].any()


def test_files_that_do_not_belong_together_are_refused(stems):
    path, _ = stems
    lute = path / "b" / "lute.flac"
    write(lute, 0, samples=RATE // 4 - RATE // 10 - 1)
    dataset_refused(lambda: StemFolder(path)[1], lute, "0.10 s shorter")
    write(lute, 0, rate=RATE * 2, samples=RATE // 2)
    dataset_refused(lambda: StemFolder(path)[1], "voice.wav", RATE, RATE * 2)
    write(lute, 0, channels=2)
    dataset_refused(lambda: StemFolder(path)[1], "voice.wav", "channel")


def test_stem_folder_with_something_missing(stems, tmp_path):
    path, _ = stems
    (path / "b" / "lute.flac").unlink()
    dataset_refused(lambda: StemFolder(path), path / "b" / "lute")
    empty = tmp_path / "empty"
    empty.mkdir()
    dataset_refused(lambda: StemFolder(empty), empty, "no track")
    dataset_refused(lambda: StemFolder(path / "nowhere"), path / "nowhere", "no such folder")
    dataset_refused(lambda: StemFolder(path / "notes.txt"), path / "notes.txt")


# Slakh2100


def slakh_track(folder, stems, ending="flac", **lies):
    """Write a track in Slakh2100's layout; `stems` holds (program, rendered). Return the rendered waveforms."""
    about, written = {}, []
    for seed, (program, rendered) in enumerate(stems):
        name = f"S{seed:02d}"
        about[name] = {
            "audio_rendered": rendered,
            "inst_class": "whatever the makers call it",
            "integrated_loudness": -23.0,
            "is_drum": program == 128,
            "midi_program_name": "a name",
            "midi_saved": True,
            "plugin_name": "a plugin",
            "program_num": program,
        }
        if rendered:
            written.append((program, write(folder / "stems" / f"{name}.{ending}", seed)))
    write(folder / f"mix.{ending}", 99)
    metadata = {
        "UUID": "1a81ae092884234f3264e2f45927f00a",
        "audio_dir": "a/folder/of/the/makers",
        "lmd_midi_dir": "lmd_matched/O/O/O/a.mid",
        "midi_dir": "MIDI",
        "normalization_factor": -13.0,
        "normalized": True,
        "overall_gain": 0.17,
        "target_peak": -1.0,
        "stems": about,
    }
    (folder / "metadata.yaml").write_text(yaml.safe_dump(metadata | lies), encoding="utf-8")
    return written


def in_group(written, programs):
    return sum(waveform for program, waveform in written if program in programs)


@pytest.mark.parametrize("ending", ["flac", "wav"])
def test_slakh_groups_stems_by_program(tmp_path, ending):
    programs = [(0, True), (7, True), (8, True), (23, True), (24, True), (31, True), (32, True), (39, True)]
    programs += [(40, True), (127, True), (128, True), (128, True), (33, False), (5, False)]
    written = slakh_track(tmp_path / "test" / "Track01876", programs, ending)
    dataset = Slakh2100(tmp_path, "test")
    assert dataset.names == ("Track01876",) and dataset.sources == ("bass", "drums", "guitar", "piano")
    track = dataset[0]
    expected = {
        "bass": in_group(written, range(32, 40)),
        "drums": in_group(written, [128]),
        "guitar": in_group(written, range(24, 32)),
        "piano": in_group(written, range(8)),
    }
    assert list(track.sources) == list(expected)
    for source, waveform in expected.items():
        np.testing.assert_allclose(track.sources[source], waveform, atol=1e-6)
    np.testing.assert_allclose(track.mixture, sum(expected.values()), atol=1e-6)


def test_slakh_drums_are_known_by_is_drum_alone(tmp_path):
    folder = tmp_path / "Track00001"
    slakh_track(folder, [(0, True)])
    metadata = yaml.safe_load((folder / "metadata.yaml").read_text())
    metadata["stems"]["S00"]["is_drum"] = True
    (folder / "metadata.yaml").write_text(yaml.safe_dump(metadata))
    track = Slakh2100(tmp_path)[0]
    assert track.sources["drums"].any() and not track.sources["piano"].any()


def test_slakh_group_that_is_missing_is_silence(tmp_path):
    slakh_track(tmp_path / "Track00001", [(0, True), (33, False)])
    slakh_track(tmp_path / "Track00002", [(0, True), (33, True), (34, True)])
    dataset = Slakh2100(tmp_path)  # as in BabySlakh, no folders of splits
    track = dataset[0]
    assert all(waveform.shape == track.mixture.shape for waveform in track.sources.values())
    assert [source for source, waveform in track.sources.items() if waveform.any()] == ["piano"]
    ((name, waveform, rate),) = dataset.recordings("bass")
    assert name == "Track00002" and rate == RATE
    np.testing.assert_array_equal(waveform, dataset[1].sources["bass"])
    assert list(dataset.recordings("guitar")) == []


def test_slakh_recordings_read_no_other_stem(tmp_path):
    slakh_track(tmp_path / "Track00001", [(0, True), (33, True)])
    (tmp_path / "Track00001" / "stems" / "S00.flac").write_bytes(b"")
    assert [name for name, _, _ in Slakh2100(tmp_path).recordings("bass")] == ["Track00001"]


def test_slakh_splits_are_folders(tmp_path):
    for split in ("train", "validation", "test", "omitted"):
        slakh_track(tmp_path / split / f"Track-{split}", [(0, True)])
    for split in ("train", "validation", "test", "omitted"):
        assert Slakh2100(tmp_path, split).names == (f"Track-{split}",)
    dataset_refused(lambda: Slakh2100(tmp_path, "tset"), tmp_path, "tset", "validation")
    dataset_refused(lambda: Slakh2100(tmp_path), tmp_path, "no track", "test")


def test_slakh_tracks_with_an_excerpt_are_cut_to_it(tmp_path):
    slakh_track(tmp_path / "test" / "cut", [(0, True), (33, True)])
    slakh_track(tmp_path / "test" / "whole", [(0, True)])
    whole = {track.name: track for track in Slakh2100(tmp_path, "test")}
    (tmp_path / "excerpts.json").write_text(json.dumps({"cut": {"start_s": 0.05, "duration_s": 0.1}}))
    for folder, split in [(tmp_path, "test"), (tmp_path / "test", None)]:
        dataset = Slakh2100(folder, split)
        part = slice(round(0.05 * RATE), round(0.15 * RATE))
        np.testing.assert_array_equal(dataset[0].mixture, whole["cut"].mixture[:, part])
        np.testing.assert_array_equal(dataset[0].sources["bass"], whole["cut"].sources["bass"][:, part])
        np.testing.assert_array_equal(dataset[1].mixture, whole["whole"].mixture)
        ((_, waveform, _),) = dataset.recordings("bass")
        np.testing.assert_array_equal(waveform, dataset[0].sources["bass"])
    (tmp_path / "excerpts.json").write_text(json.dumps({"cut": {"start_s": 5, "duration_s": 1}}))
    dataset_refused(lambda: Slakh2100(tmp_path, "test")[0], "S01.flac", "excerpt")
    for damage in ("{", "[]", '{"cut": 5}', '{"cut": {"start_s": "early", "duration_s": 1}}'):
        (tmp_path / "excerpts.json").write_text(damage)
        dataset_refused(lambda: Slakh2100(tmp_path, "test"), tmp_path / "excerpts.json")


def test_slakh_with_something_missing_or_damaged(tmp_path):
    track = tmp_path / "Track00001"
    slakh_track(track, [(0, True), (33, True), (48, False)])
    (track / "stems" / "S01.flac").unlink()
    dataset_refused(lambda: Slakh2100(tmp_path)[0], track / "stems" / "S01", "missing")
    for damage in (
        b"",
        b"stems:\n",
        b"stems: [1, 2]",
        b"stems: {S00: {is_drum: false}}",
        b"{",
        b"\xff\xfe",
        b"UUID: x",
    ):
        (track / "metadata.yaml").write_bytes(damage)
        dataset_refused(lambda: Slakh2100(tmp_path)[0], track / "metadata.yaml", "damaged")
    slakh_track(track, [(48, True)])
    dataset_refused(lambda: Slakh2100(tmp_path)[0], track)


def test_slakh_stems_a_few_samples_apart(tmp_path):
    slakh_track(tmp_path / "Track00001", [(0, True), (33, True)])
    write(tmp_path / "Track00001" / "stems" / "S01.flac", 1, samples=RATE // 4 - 3)
    track = Slakh2100(tmp_path)[0]
    assert track.sources["bass"].shape == track.sources["piano"].shape == (1, RATE // 4)


# MUSDB18-HQ


def musdb_track(folder):
    names = ("mixture", "bass", "drums", "other", "vocals", "accompaniment")
    return {name: write(folder / f"{name}.wav", seed, channels=2) for seed, name in enumerate(names)}


@pytest.fixture
def musdb_hq(tmp_path):
    """A tree with one track of each split, and what is in the test track."""
    musdb_track(tmp_path / "train" / "A Classic Education - NightOwl")
    musdb_track(tmp_path / "train" / "Leaf - Summerghost")
    return tmp_path, musdb_track(tmp_path / "test" / "Zeno - Signs")


def test_musdb_hq_takes_mixture_and_sources_from_their_files(musdb_hq):
    path, written = musdb_hq
    track = MUSDB18HQ(path, "test")[0]
    assert track.name == "Zeno - Signs" and list(track.sources) == ["bass", "drums", "other", "vocals"]
    np.testing.assert_array_equal(track.mixture, written["mixture"])
    for source, waveform in track.sources.items():
        np.testing.assert_array_equal(waveform, written[source])


def test_musdb_hq_validation_tracks_are_not_trained_on(musdb_hq):
    path, _ = musdb_hq
    assert MUSDB18HQ(path, "train").names == ("A Classic Education - NightOwl",)
    assert MUSDB18HQ(path, "validation").names == ("Leaf - Summerghost",)
    dataset_refused(lambda: MUSDB18HQ(path, "valid"), path, "valid", "train, validation, test")


def test_musdb_hq_with_something_missing(musdb_hq):
    path, _ = musdb_hq
    (path / "test" / "Zeno - Signs" / "vocals.wav").unlink()
    dataset_refused(lambda: MUSDB18HQ(path, "test"), path / "test" / "Zeno - Signs" / "vocals")
    for file in (path / "train" / "Leaf - Summerghost").iterdir():
        file.unlink()
    dataset_refused(lambda: MUSDB18HQ(path, "validation"), path / "train", "validation")


# MUSDB18


class FakeMUSDB:
    """The part of the musdb package that is used, over files of five stems written by `soundfile`."""

    def __init__(self):
        self.decoded = []

    def DB(self, root, subsets):
        files = sorted(Path(root, subsets).glob("*.stem.mp4"))
        return SimpleNamespace(tracks=[self.MultiTrack(str(path), path.name, 0) for path in files])

    def MultiTrack(self, path, name, stem_id):
        fake = self

        class Stream:
            def __init__(self, number):
                self.number = number

            @property
            def audio(self):
                fake.decoded.append(self.number)
                return soundfile.read(path)[0][:, 2 * self.number : 2 * self.number + 2]

        class MultiTrack:
            rate = float(soundfile.info(path).samplerate)
            sources = {name: Stream(i) for i, name in enumerate(["drums", "bass", "other", "vocals"], start=1)}

            @property
            def stems(self):
                return np.stack([Stream(number).audio for number in range(5)])

        track = MultiTrack()
        track.name = name.removesuffix(".stem.mp4")
        return track


@pytest.fixture
def musdb(tmp_path, monkeypatch):
    """A tree of MUSDB18, with a stand-in for the package; and the five streams of every track."""
    fake = FakeMUSDB()
    monkeypatch.setitem(sys.modules, "musdb", fake)
    streams = write(tmp_path / "ten.wav", 0, channels=10).reshape(5, 2, -1)
    for track in ("train/A - B", "train/ANiMAL - Rockshow", "test/C - D"):
        (tmp_path / track).parent.mkdir(exist_ok=True)
        (tmp_path / f"{track}.stem.mp4").write_bytes((tmp_path / "ten.wav").read_bytes())
    return tmp_path, fake, streams


def test_musdb_streams_are_told_apart(musdb):
    path, fake, streams = musdb
    dataset = MUSDB18(path, "test")
    assert dataset.names == ("C - D",) and dataset[0].rate == RATE
    np.testing.assert_array_equal(dataset[0].mixture, streams[0])
    for source, number in {"drums": 1, "bass": 2, "other": 3, "vocals": 4}.items():
        np.testing.assert_array_equal(dataset[0].sources[source], streams[number])
    assert dataset[0].mixture.dtype == np.float32
    fake.decoded.clear()
    ((name, waveform, rate),) = dataset.recordings("vocals")
    assert (name, rate) == ("C - D", RATE) and fake.decoded == [4]
    np.testing.assert_array_equal(waveform, streams[4])


def test_musdb_splits(musdb):
    path, _, _ = musdb
    assert MUSDB18(path, "train").names == ("A - B",)
    assert MUSDB18(path, "validation").names == ("ANiMAL - Rockshow",)
    dataset_refused(lambda: MUSDB18(path, "omitted"), path, "omitted")
    (path / "test" / "C - D.stem.mp4").unlink()
    dataset_refused(lambda: MUSDB18(path, "test"), path / "test")


def test_musdb_damaged_file_is_named(musdb):
    path, _, _ = musdb
    (path / "test" / "E - F.stem.mp4").write_bytes(b"half a file")
    dataset_refused(lambda: MUSDB18(path, "test"), path / "test" / "E - F.stem.mp4")


def test_musdb_without_the_package(musdb, monkeypatch):
    path, _, _ = musdb
    monkeypatch.setitem(sys.modules, "musdb", None)
    dataset_refused(lambda: MUSDB18(path, "test"), path, 'pip install "musdb>=', "FFmpeg")


# Recognising a layout


def test_open_dataset_recognises_each_layout(tmp_path, musdb):
    slakh_track(tmp_path / "slakh" / "validation" / "Track00001", [(0, True)])
    slakh_track(tmp_path / "baby" / "Track00001", [(0, True)], "wav")
    musdb_track(tmp_path / "hq" / "train" / "Leaf - Summerghost")
    write(tmp_path / "own" / "test" / "song" / "cello.wav", 0)
    write(tmp_path / "plain" / "song" / "cello.wav", 0)
    musdb_path, _, _ = musdb
    expected = [
        (tmp_path / "slakh", "validation", Slakh2100, "Track00001"),
        (tmp_path / "slakh" / "validation", None, Slakh2100, "Track00001"),
        (tmp_path / "baby", None, Slakh2100, "Track00001"),
        (tmp_path / "hq", "validation", MUSDB18HQ, "Leaf - Summerghost"),
        (tmp_path / "own", "test", StemFolder, "song"),
        (tmp_path / "plain", None, StemFolder, "song"),
        (musdb_path, "validation", MUSDB18, "ANiMAL - Rockshow"),
    ]
    for path, split, kind, name in expected:
        dataset = open_dataset(str(path), split)
        assert type(dataset) is kind and dataset.names == (name,)


def test_open_dataset_refuses_what_is_none(tmp_path):
    dataset_refused(lambda: open_dataset(tmp_path / "nowhere"), tmp_path / "nowhere")
    dataset_refused(lambda: open_dataset(tmp_path), tmp_path, "no track")
    dataset_refused(lambda: open_dataset(tmp_path, "test"), tmp_path, "test")
    dataset_refused(lambda: open_dataset(tmp_path, "validation"), tmp_path)
    write(tmp_path / "song.wav", 0)
    dataset_refused(lambda: open_dataset(tmp_path / "song.wav"), tmp_path / "song.wav")


# What is shipped


def test_shipped_excerpts_are_those_of_the_split():
    split = json.loads((FREEDOOM4.parent / "freedoom" / "split.json").read_text())
    for name in ("validation", "test"):
        dataset = open_dataset(FREEDOOM4, name)
        assert dataset.names == tuple(sorted(split[name]))
    track = dataset[0]
    assert track.rate == 22050 and track.mixture.shape == (1, 20 * 22050)
    assert all(waveform.any() for waveform in track.sources.values())
    mix, _ = soundfile.read(dataset.folder / track.name / "mix.flac", dtype="float32")
    np.testing.assert_allclose(track.mixture[0], mix, atol=1e-6)
    assert set(open_dataset(FREEDOOM4, "train").names) <= set(split["train"])
