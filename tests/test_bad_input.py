"""Bad input: refused in one line that names the file and the remedy, with exit status 1 and nothing written."""

import errno
import json
import os
import pickle
import shutil
import signal
import struct
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import soundfile
from conftest import INSTRUMENTS, RATE, TINY, contents, noise, tiny_labelled_prior, tiny_prior

from glowsep.cli import main
from glowsep.errors import AudioError
from glowsep.learning.weights import weight_files
from glowsep.signals import audio
from glowsep.signals.audio import writing
from glowsep.systems.glow.excerpts import excerpt_length
from glowsep.systems.glow.instglow import InstGlow
from glowsep.systems.glow.prior import PriorConfig
from glowsep.systems.glow.train import TrainingConfig

REPOSITORY = Path(__file__).resolve().parents[1]


# Songs


def wav_bytes(path, waveform=None):
    """The bytes of a plain 16-bit WAV file: 44 of header, the number of bytes of audio in the last four."""
    soundfile.write(path, noise(RATE // 4) if waveform is None else waveform, RATE, "PCM_16")
    return bytearray(path.read_bytes())


def empty_file(path):
    path.touch()


def picture(path):
    path.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)))


def text(path):
    path.write_text("This is a letter, and no song.\n" * 20)


def truncated_wav(path):
    whole = wav_bytes(path)
    path.write_bytes(whole[: len(whole) // 2])


def cut_in_the_header(path):
    path.write_bytes(wav_bytes(path)[:30])


def header_promises_too_much(path):
    lying = wav_bytes(path)
    lying[40:44] = struct.pack("<I", 10 * len(lying))
    path.write_bytes(lying)


def header_promises_too_little(path):
    lying = wav_bytes(path)
    lying[40:44] = struct.pack("<I", len(lying) // 4 * 2)
    path.write_bytes(lying)


def no_samples(path):
    wav_bytes(path, np.zeros(0))


def with_sample(value):
    def make(path):
        waveform = noise(RATE // 4)
        waveform[1234] = value
        soundfile.write(path, waveform, RATE, "FLOAT")

    return make


def truncated_flac(path):
    flac = path.with_suffix(".flac")
    soundfile.write(flac, noise(RATE), RATE)
    path.write_bytes(flac.read_bytes()[:-2000])
    flac.unlink()


BAD_SONGS = {
    "missing": (lambda path: None, "no such file; check the name"),
    "directory": (Path.mkdir, "no audio file in it; give the songs"),
    "empty": (empty_file, "is empty; fetch or export it again"),
    "png": (picture, "not audio that can be read; give a wav"),
    "text": (text, "not audio that can be read; give a wav"),
    "truncated": (truncated_wav, "fetch or export it again"),
    "truncated_header": (cut_in_the_header, "give a wav, flac, ogg or mp3 file"),
    "truncated_flac": (truncated_flac, "fetch or export it again"),
    "header_too_long": (header_promises_too_much, "its header"),
    "header_too_short": (header_promises_too_little, "export it again"),
    "no_samples": (no_samples, "holds no samples; record or export it again"),
    "nan": (with_sample(np.nan), "NaN or infinite samples"),
    "inf": (with_sample(np.inf), "NaN or infinite samples"),
}


@pytest.mark.parametrize("kind", BAD_SONGS)
def test_a_bad_song_is_refused(kind, refused, priors, tmp_path):
    make, remedy = BAD_SONGS[kind]
    path = tmp_path / f"{kind}.wav"
    make(path)
    line = refused("separate", path, "--priors", priors, "--iterations", 1)
    assert str(path) in line and remedy in line


@pytest.mark.parametrize("first", [True, False])
def test_a_bad_song_among_good_ones_may_stop_all_before_any_is_separated(first, refused, priors, song, tmp_path):
    bad = tmp_path / "bad.wav"
    text(bad)
    songs = [bad, song] if first else [song, bad]
    assert str(bad) in refused("separate", *songs, "--stop-at-first", "--priors", priors, "--iterations", 1)


def test_two_songs_that_go_to_one_folder_are_refused(refused, priors, song):
    twin = song.with_suffix(".flac")
    soundfile.write(twin, noise(2, RATE // 4).T, RATE)
    line = refused("separate", song, twin, "--priors", priors, "--iterations", 1)
    assert str(twin) in line and "-o" in line


def test_a_song_is_not_replaced_by_its_own_stem(refused, priors, song):
    bass = song.rename(song.with_name("bass.wav"))
    line = refused("separate", bass, "-o", bass.parent, "--priors", priors, "--iterations", 1)
    assert str(bass) in line and "choose another folder" in line


# Files of the user's


def foreign(path):
    soundfile.write(path, noise(2, 500).T, RATE)


def edited(path):
    """An earlier stem that somebody has made quieter since."""
    with audio.StemWriter(path.parent, [path.stem], RATE, 2) as writer:
        writer.write(noise(1, 2, 500))
    waveform, rate = soundfile.read(path)
    with soundfile.SoundFile(path, "r") as file:
        comment = file.comment
    with soundfile.SoundFile(path, "w", rate, 2, "FLOAT") as file:
        file.comment = comment  # editors keep comments
        file.write(waveform / 2)


def one_byte_changed(path):
    edited(path)
    path.unlink()
    with audio.StemWriter(path.parent, [path.stem], RATE, 2) as writer:
        writer.write(noise(1, 2, 500))
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def protected(path):
    with audio.StemWriter(path.parent, [path.stem], RATE, 2) as writer:
        writer.write(noise(1, 2, 500))
    path.chmod(0o444)


def link(path):
    target = path.with_name("take 7.wav")
    foreign(target)
    try:
        path.symlink_to(target)
    except OSError:
        pytest.skip("this system or its user makes no links")


def link_to_nothing(path):
    try:
        path.symlink_to("gone.wav")
    except OSError:
        pytest.skip("this system or its user makes no links")


MINE = {
    "of another program": foreign,
    "text": text,
    "empty": empty_file,
    "an edited stem": edited,
    "one byte changed": one_byte_changed,
    "a protected stem": protected,
    "a link": link,
    "a link to nothing": link_to_nothing,
}


@pytest.mark.parametrize("kind", MINE)
def test_a_file_of_the_user_s_is_not_replaced(kind, refused, priors, song):
    """Nor does the search begin: with these iterations it would take days."""
    folder = song.with_suffix("")
    folder.mkdir()
    MINE[kind](folder / "guitar.wav")
    command = ["separate", song, "--priors", priors]
    line = refused(*command, "--iterations", 10**9)
    assert str(folder / "guitar.wav") in line and "--overwrite" in line and "-o" in line
    assert main([str(word) for word in [*command, "--iterations", 1, "--overwrite"]]) == 0
    assert soundfile.info(folder / "guitar.wav").frames == soundfile.info(song).frames


def test_all_songs_are_looked_at_before_the_first_is_separated(refused, priors, song, tmp_path):
    other = song.with_name("other.wav")
    shutil.copy(song, other)
    other.with_suffix("").mkdir()
    foreign(other.with_suffix("") / "bass.wav")
    line = refused("separate", song, other, "--priors", priors)
    assert str(other.with_suffix("") / "bass.wav") in line


def test_a_folder_where_a_stem_should_be(refused, priors, song):
    (song.with_suffix("") / "bass.wav").mkdir(parents=True)
    assert "bass.wav" in refused("separate", song, "--priors", priors, "--overwrite")


@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
@pytest.mark.parametrize("first", [True, False])
def test_a_song_is_not_replaced_by_another_song_s_stem(first, overwrite, refused, priors, song):
    inner = song.with_suffix("") / "bass.wav"
    inner.parent.mkdir()
    shutil.copy(song, inner)
    songs = [inner, song] if first else [song, inner]
    line = refused("separate", *songs, "--priors", priors, *overwrite)
    assert f"{inner}: the stems of {song} would replace it" in line


@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
@pytest.mark.parametrize("other_name", [False, True])
def test_references_are_not_replaced(other_name, overwrite, refused, priors, song, tmp_path, monkeypatch):
    folder = tmp_path / "track"
    folder.mkdir()
    for source in ("bass", "drums"):
        shutil.copy(song, folder / f"{source}.wav")
    out = Path("songs", "..", "track") if other_name else folder
    options = ["--priors", priors, "--report", tmp_path / "r.html", "--references", folder, *overwrite]
    line = refused("separate", song, "-o", out, *options)
    assert str(folder) in line and "references" in line


def test_a_song_is_not_replaced_even_when_asked(refused, priors, song):
    bass = song.rename(song.with_name("bass.wav"))
    line = refused("separate", bass, "-o", bass.parent, "--priors", priors, "--overwrite")
    assert str(bass) in line and "choose another folder" in line


def test_separate_file_refuses_too(priors, song):
    """Who calls it from Python has files of his own as well."""
    folder = song.with_suffix("")
    folder.mkdir()
    foreign(folder / "bass.wav")
    before = contents(song.parent)
    with pytest.raises(AudioError, match="not as glowsep wrote it"):
        InstGlow.load(priors).separate_file(song, folder, progress=False)
    assert contents(song.parent) == before


@pytest.mark.parametrize("kind", MINE)
@pytest.mark.parametrize("named", [True, False])
def test_a_sample_does_not_replace_a_file_of_the_user_s(named, kind, refused, priors, tmp_path):
    path = tmp_path / "bass-sample.wav"
    MINE[kind](path)
    command = ["sample", priors / "bass.npz", "--seconds", 0.1, *(["-o", path] if named else [])]
    line = refused(*command)
    assert path.name in line and "--overwrite" in line
    for more in (["--overwrite"], []):  # the second time it is glowsep's own
        assert main([str(word) for word in [*command, *more]]) == 0


def test_a_sample_stays_in_the_folder_whatever_the_prior_is_called(refused, priors, tmp_path):
    prior = tiny_prior("bass")
    prior.name = "../escaped"
    prior.save(priors / "bass.npz")
    assert "'../escaped'" in refused("sample", priors / "bass.npz", "--seconds", 0.1)


@pytest.mark.parametrize("arguments", [["--format", "mp3", "--bits", "16"], ["--format", "flac", "--bits", "float"]])
def test_bits_that_a_format_has_not(arguments, refused, priors, song):
    line = refused("separate", song, "--priors", priors, *arguments)
    assert arguments[1] in line and "bits" in line


@pytest.mark.parametrize("name", ["mp3", "ogg"])
def test_a_format_that_cannot_hold_the_song(name, refused, priors, tmp_path):
    song = tmp_path / "song.wav"
    soundfile.write(song, noise(500, 6), RATE)
    line = refused("separate", song, "--priors", priors, "--format", name)
    assert str(song) in line and "6 channels" in line and "wav" in line
    soundfile.write(song, noise(500, 2), 5000)
    line = refused("separate", song, "--priors", priors, "--format", name)
    assert str(song) in line and "5000 Hz" in line


def test_a_stem_that_nobody_can_find(refused, priors, song):
    line = refused("separate", song, "--priors", priors, "--only", "vocals")
    assert "'vocals'" in line and "bass, drums, guitar, piano" in line


@pytest.mark.parametrize("pattern", ["*.flac", "nowhere/*.wav", "s?ng.mp3"])
def test_a_pattern_that_fits_nothing(pattern, refused, priors, song):
    assert f"{pattern}: no file fits" in refused("separate", pattern, "--priors", priors)


# Priors


def truncated(path):
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def one_byte_wrong(path):
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    path.write_bytes(damaged)


def zeros_in_the_middle(path):
    damaged = bytearray(path.read_bytes())
    middle = len(damaged) // 2
    damaged[middle : middle + 400] = bytes(400)
    path.write_bytes(damaged)


def changed(path, change):
    """Rewrite a prior's file with its header and arrays changed."""
    with np.load(path) as archive:
        arrays = dict(archive)
    header = json.loads(str(arrays["header"]))
    change(header, arrays)
    np.savez(path, **arrays | {"header": np.array(json.dumps(header))})


def newer_format(path):
    changed(path, lambda header, arrays: header.update(format_version=99))


def a_weight_missing(path):
    changed(path, lambda header, arrays: arrays.pop(next(name for name in arrays if name != "header")))


def a_weight_nan(path):
    changed(path, lambda header, arrays: next(a for n, a in arrays.items() if n.endswith("bias")).fill(np.nan))


def an_impossible_configuration(path):
    changed(path, lambda header, arrays: header["config"].update(glow={"channels": -1}))


def pickle_inside(path):
    np.savez(path, header=np.array({"kind": "prior"}, dtype=object))


def plain_pickle(path):
    path.write_bytes(pickle.dumps({"kind": "prior", "weights": [1.0, 2.0]}))


def another_archive(path):
    np.savez(path, weights=np.zeros(3))


BAD_PRIORS = {
    "missing": (Path.unlink, "train"),
    "empty": (lambda path: path.write_bytes(b""), "damaged"),
    "text": (text, "damaged"),
    "truncated": (truncated, "damaged"),
    "one_byte_wrong": (one_byte_wrong, "damaged"),
    "zeros_in_the_middle": (zeros_in_the_middle, "damaged"),
    "another_archive": (another_archive, "fetch or train it again"),
    "a_weight_missing": (a_weight_missing, "fetch or train it again"),
    "a_weight_nan": (a_weight_nan, "train it again"),
    "an_impossible_configuration": (an_impossible_configuration, "fetch or train it again"),
    "newer_format": (newer_format, "update glowsep"),
    "pickle_inside": (pickle_inside, "pickle"),
    "plain_pickle": (plain_pickle, "pickle"),
}


@pytest.mark.parametrize("kind", BAD_PRIORS)
@pytest.mark.parametrize("command", ["separate", "sample"])
def test_a_bad_prior_is_refused(command, kind, refused, priors, song):
    bad = priors / "guitar.npz"
    damage, remedy = BAD_PRIORS[kind]
    damage(bad)
    if command == "separate":
        line = refused("separate", song, "--priors", priors / "bass.npz", "--priors", bad, "--iterations", 1)
    else:
        line = refused("sample", bad, "-o", priors / "sample.wav")
    assert str(bad) in line and remedy in line


@pytest.mark.parametrize("kind", BAD_PRIORS)
def test_bad_weights_of_musicglow_are_refused(kind, refused, song, tmp_path):
    bad = tmp_path / "musicglow.npz"
    tiny_labelled_prior().save(bad)
    damage, remedy = BAD_PRIORS[kind]
    damage(bad)
    line = refused("separate", song, "--method", "musicglow", "--model", bad, "--iterations", 1)
    assert str(bad) in line and remedy in line


def test_a_pickle_in_a_prior_is_never_run(refused, priors, song, tmp_path):
    class Trap:
        def __reduce__(self):
            return Path.touch, (tmp_path / "trap sprung",)

    (priors / "guitar.npz").write_bytes(pickle.dumps(Trap()))
    assert "pickle" in refused("separate", song, "--priors", priors)


def test_two_priors_of_one_name_are_refused(refused, priors, song):
    twin = priors / "second bass.npz"
    shutil.copy(priors / "bass.npz", twin)
    line = refused("separate", song, "--priors", priors)
    assert str(twin) in line and str(priors / "bass.npz") in line
    assert "two priors are named 'bass'; leave one of them out" in line


def test_a_prior_in_capitals_is_one_and_a_hidden_one_is_none(priors):
    """Without it there would be no bass, and nobody would know why; and one that is being written is none yet."""
    (priors / "bass.npz").rename(priors / "BASS.NPZ")
    (priors / "._BASS.NPZ").write_bytes(b"what macOS leaves on memory sticks")
    (priors / ".glowsep-1-new-bass.npz").write_bytes(b"half of")
    assert [path.name.lower() for path in weight_files(priors)] == [f"{name}.npz" for name in INSTRUMENTS]


def test_a_prior_of_another_sample_rate_is_refused(refused, priors, song):
    other = priors / "piano.npz"
    tiny_prior("piano", type(TINY)(rate=16000, window_length=64, hop=16, glow=TINY.glow)).save(other)
    line = refused("separate", song, "--priors", priors)
    assert str(other) in line and "16000" in line and "22050" in line


def test_a_folder_without_priors_is_refused(refused, song, tmp_path):
    folder = tmp_path / "nothing here"
    folder.mkdir()
    line = refused("separate", song, "--priors", folder)
    assert str(folder) in line and "train" in line


def test_a_copy_without_priors_says_where_to_get_them(refused, song, tmp_path, monkeypatch):
    monkeypatch.setattr("glowsep.datasets.shipped.DATA", tmp_path)
    line = refused("separate", song)
    assert str(tmp_path / "priors") in line and "--priors" in line


def test_a_prior_that_is_a_checkpoint_is_refused(refused, song, priors):
    changed(priors / "bass.npz", lambda header, arrays: header.update(kind="checkpoint"))
    line = refused("separate", song, "--priors", priors)
    assert str(priors / "bass.npz") in line and "checkpoint" in line


# Places to write to


def test_an_output_folder_that_is_a_file_is_refused(refused, priors, song, tmp_path):
    place = tmp_path / "taken"
    place.write_text("something else")
    line = refused("separate", song, "-o", place, "--priors", priors, "--iterations", 1)
    assert str(place) in line and "choose" in line


def test_an_output_folder_that_is_not_writable_is_refused(refused, priors, song, tmp_path, monkeypatch):
    def open_forbidding_new_files(path, mode="r", *arguments, **keywords):
        if mode[0] in "xwa":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return open(path, mode, *arguments, **keywords)

    monkeypatch.setattr(writing, "open", open_forbidding_new_files, raising=False)
    line = refused("separate", song, "-o", tmp_path / "stems", "--priors", priors, "--iterations", 1)
    assert str(tmp_path / "stems") in line and "choose a folder that you may write to" in line


@pytest.fixture
def failing_write(monkeypatch):
    """From the third block on, the disk is not what it was."""

    def fail(failure):
        blocks = []
        write = soundfile.SoundFile.write

        def write_or_fail(file, block):
            blocks.append(block)
            if len(blocks) > 2:
                failure()
            write(file, block)

        monkeypatch.setattr(soundfile.SoundFile, "write", write_or_fail)

    return fail


def disk_full():
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def control_c():
    signal.raise_signal(signal.SIGINT)


def test_a_full_disk_leaves_no_folder(refused, priors, song, failing_write):
    failing_write(disk_full)
    line = refused("separate", song, "--priors", priors, "--iterations", 1)
    assert str(song.with_suffix("")) in line and "disk is full; free some space" in line


@pytest.fixture
def earlier_stems(priors, song, capsys):
    """Stems of the song, and a file beside them."""
    assert main(["separate", str(song), "--priors", str(priors), "--iterations", "1", "--seed", "5"]) == 0
    (song.with_suffix("") / "notes.txt").write_text("not a stem")
    capsys.readouterr()


def test_a_full_disk_leaves_earlier_stems(refused, priors, song, earlier_stems, failing_write):
    failing_write(disk_full)
    assert "disk is full" in refused("separate", song, "--priors", priors, "--iterations", 1)


def test_a_full_disk_leaves_no_half_sample(refused, priors, tmp_path, monkeypatch):
    monkeypatch.setattr(soundfile.SoundFile, "write", lambda file, block: disk_full())
    line = refused("sample", priors / "bass.npz", "-o", tmp_path / "bass.wav", "--seconds", 0.1)
    assert str(tmp_path / "bass.wav") in line and "disk is full" in line


def test_control_c_leaves_no_half_written_file(refused, priors, song, earlier_stems, failing_write, ctrl_c_is_heard):
    failing_write(control_c)
    assert "interrupted" in refused("separate", song, "--priors", priors, "--iterations", 1, status=130)


def test_a_sample_needs_a_folder_that_exists(refused, priors, tmp_path):
    line = refused("sample", priors / "bass.npz", "-o", tmp_path / "nowhere" / "bass.wav", "--seconds", 0.1)
    assert str(tmp_path / "nowhere" / "bass.wav") in line and "make it first" in line


def test_training_into_a_file_s_place_is_refused_before_it_begins(refused, dataset, tmp_path):
    (tmp_path / "taken").write_text("something else")
    line = refused("train", dataset, "--source", "bass", "-o", tmp_path / "taken" / "bass.npz")
    assert str(tmp_path / "taken" / "bass.npz") in line and "-o" in line


# Options


BAD_OPTIONS = {
    "weight": ("separate song.wav --weight -1", "--weight: is -1, but must be a number of at least 0"),
    "weight_nan": ("separate song.wav --weight nan", "--weight: is nan"),
    "iterations": ("separate song.wav --iterations 0", "--iterations: is 0, but must be a whole number of at least 1"),
    "iterations_fraction": ("separate song.wav --iterations 1.5", "--iterations: is 1.5"),
    "device": ("separate song.wav --device tpu", "'cpu', 'cuda'"),
    "device_of_sample": ("sample bass.npz --device tpu", "'cpu', 'cuda'"),
    "search": ("separate song.wav --search luck", "constrained"),
    "variations": ("render out --soundfont font.sf2 --variations -1", "--variations: is -1"),
    "method": ("evaluate dataset --method luck", "oracle_power"),
    "training_method": ("train dataset --method luck", "nmf"),
    "steps": ("train dataset --steps 0", "--steps: is 0"),
    "seconds": ("sample bass.npz --seconds 0", "--seconds: is 0, but must be a number above 0"),
    "temperature": ("sample bass.npz --temperature -0.1", "--temperature: is -0.1"),
    "seed": ("sample bass.npz --seed -1", "--seed: is -1"),
    "command": ("unscramble song.wav", "separate"),
    "no_command": ("", "COMMAND"),
    "no_song": ("separate", "SONG"),
    "option": ("separate song.wav --loud", "--loud"),
    "soundfont": ("render out", "--soundfont"),
}


@pytest.mark.parametrize("kind", BAD_OPTIONS)
def test_a_bad_option_is_refused(kind, refused):
    command, remedy = BAD_OPTIONS[kind]
    line = refused(*command.split())
    assert remedy in line and "--help" in line


@pytest.mark.parametrize("command", ["separate", "sample"])
def test_cuda_without_cupy_is_refused(command, refused, priors, song, monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)  # what makes Python's import fail
    subject = {"separate": [song, "--priors", priors], "sample": [priors / "bass.npz"]}[command]
    line = refused(command, *subject, "--device", "cuda")
    assert "CuPy" in line and 'pip install "cupy-cuda12x' in line


@pytest.mark.parametrize("answer", ["none", "error"])
def test_cuda_without_a_gpu_is_refused(answer, refused, priors, song, monkeypatch):
    class CUDARuntimeError(RuntimeError):
        pass

    def count_of_devices():
        if answer == "error":
            raise CUDARuntimeError("cudaErrorNoDevice: no CUDA-capable device is detected")
        return 0

    cupy = ModuleType("cupy")
    cupy.cuda = SimpleNamespace(
        runtime=SimpleNamespace(getDeviceCount=count_of_devices, CUDARuntimeError=CUDARuntimeError)
    )
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    line = refused("separate", song, "--priors", priors, "--device", "cuda")
    assert "NVIDIA GPU" in line and "use device 'cpu'" in line


# Data sets


def no_data_set(folder):
    shutil.rmtree(folder)


def no_tracks(folder):
    shutil.rmtree(folder)
    (folder / "test").mkdir(parents=True)
    (folder / "train").mkdir()


def a_stem_missing(folder):
    for split in ("train", "test"):
        (folder / split / f"{split}-second" / "piano.wav").unlink()


def a_stem_damaged(folder):
    for split in ("train", "test"):
        truncated(folder / split / f"{split}-second" / "bass.wav")


BAD_DATASETS = {
    "missing": (no_data_set, "no such folder"),
    "no_tracks": (no_tracks, "no track in it"),
    "a_stem_missing": (a_stem_missing, "piano"),
    "a_stem_damaged": (a_stem_damaged, "fetch or export it again"),
}


@pytest.mark.parametrize("kind", BAD_DATASETS)
def test_a_bad_data_set_is_refused_by_evaluate(kind, refused, dataset, baselines, tmp_path):
    damage, remedy = BAD_DATASETS[kind]
    damage(dataset)
    report = tmp_path / "report.json"
    line = refused("evaluate", dataset, "--method", "equal-share", "--baselines", baselines, "--json", report)
    assert str(dataset) in line and remedy in line


@pytest.mark.parametrize("kind", BAD_DATASETS)
def test_a_bad_data_set_is_refused_by_train(kind, refused, dataset, tmp_path):
    damage, remedy = BAD_DATASETS[kind]
    damage(dataset)
    line = refused("train", dataset, "--source", "bass", "--steps", 1, "-o", tmp_path / "bass.npz")
    assert str(dataset) in line and remedy in line


@pytest.mark.parametrize("command", ["evaluate", "train"])
def test_an_unknown_split_is_refused(command, refused, dataset):
    line = refused(command, dataset, "--split", "rehearsal")
    assert str(dataset) in line and "'rehearsal'" in line and "validation" in line


def test_an_unknown_source_is_refused(refused, dataset):
    line = refused("train", dataset, "--source", "bass", "--source", "kazoo")
    assert str(dataset) in line and "kazoo" in line and "guitar" in line


@pytest.mark.parametrize("split", ["train", "validation"])
@pytest.mark.parametrize("heard", ["nothing", "too little", "silence"])
def test_a_source_that_cannot_be_learnt_is_refused_before_the_first_is_trained(split, heard, refused, dataset):
    """The piano comes last: here, training the first would fail loudly."""
    config = PriorConfig()
    for track in (dataset / split).iterdir():
        seconds = {"nothing": 3, "too little": 0.2, "silence": 60}[heard]
        waveform = noise(round(seconds * RATE)) if heard == "too little" else np.zeros(round(seconds * RATE))
        soundfile.write(track / "piano.wav", waveform, RATE)
    for track in (dataset / ("validation" if split == "train" else "train")).iterdir():
        soundfile.write(track / "piano.wav", noise(4 * RATE), RATE)
    for track in [*(dataset / "train").iterdir(), *(dataset / "validation").iterdir()]:
        for source in ("bass", "drums", "guitar"):
            soundfile.write(track / f"{source}.wav", noise(4 * RATE), RATE)
    line = refused("train", dataset, "--steps", 10**9)
    found = "0.4" if heard == "too little" else "0.0"
    excerpt = excerpt_length(config, TrainingConfig.frames)
    needed = f"{(2 * excerpt + 1 if split == 'train' else excerpt + 1) / config.rate:.1f}"
    assert f"{dataset / split}: piano plays for {found} s" in line and f"{needed} s are needed" in line


@pytest.mark.parametrize("method", ["nmf", "average-spectrum"])
def test_a_baseline_names_the_source_that_never_plays(method, refused, dataset):
    for track in (dataset / "train").iterdir():
        soundfile.write(track / "guitar.wav", np.zeros(RATE), RATE)
    line = refused("train", dataset, "--method", method)
    assert f"{dataset / 'train'}: guitar plays in none of its tracks" in line


@pytest.mark.parametrize("method", ["instglow", "musicglow", "nmf", "average_spectrum"])
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--window", 2048, "--hop", 500], "hop is 500, but must be the window's length, 2048, divided by 2, 3, 4"),
        (["--window", 2047], "window_length is 2047, but must be an even number"),
        (["--hop", 4096], "hop is 4096"),
    ],
)
def test_a_window_that_cannot_be_is_refused(method, options, said, refused, dataset):
    assert said in refused("train", dataset, "--method", method, *options)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--window", 1004], "window_length is 1004, but must be a multiple of 8"),
        (["--drive", 1.5], "--drive: is 1.5, but must be a number from 0 to 1"),
        (["--drive", -0.1], "--drive"),
        (["--frames", 0], "--frames"),
        (["--hidden", 0], "--hidden"),
        (["--flow-steps", 0], "--flow-steps"),
        (["--window", 10**6], "are needed for training"),
        (["--method", "musicglow", "--frames", 30], "bass plays for 2.0 s, pauses not counted, but 3.1 s are needed"),
        (["--method", "musicglow", "--from", "bass.npz"], "--from is not for musicglow"),
        (["--method", "nmf", "--frames", 8], "--frames is not for nmf"),
        (["--method", "nmf", "--drive", 0.5], "--drive is not for nmf"),
        (["--method", "average_spectrum", "--flow-steps", 8], "--flow-steps is not for average_spectrum"),
    ],
)
def test_a_training_that_cannot_be_is_refused(options, said, refused, dataset):
    assert said in refused("train", dataset, *options)


@pytest.mark.parametrize("method", ["instglow", "musicglow", "nmf"])
def test_a_data_set_that_is_given_twice_is_refused(method, refused, dataset):
    assert f"{dataset}" in refused("train", dataset, dataset, "--method", method)
    line = refused("train", dataset, dataset / "train" / "..", "--method", method)
    assert "given twice" in line


@pytest.mark.parametrize("method", ["instglow", "musicglow", "nmf"])
def test_data_sets_of_other_sources_are_refused(method, refused, dataset, tmp_path):
    kazoos = tmp_path / "kazoos" / "song"
    kazoos.mkdir(parents=True)
    soundfile.write(kazoos / "kazoo.wav", noise(RATE), RATE)
    line = refused("train", dataset, kazoos.parent, "--method", method)
    assert str(kazoos.parent) in line and "'bass'" in line


def test_one_file_for_two_priors_is_refused(refused, dataset, tmp_path):
    line = refused("train", dataset, "--source", "bass", "--source", "piano", "-o", tmp_path / "both.npz")
    assert "one source" in line


def test_a_damaged_checkpoint_is_refused(refused, dataset, tmp_path):
    checkpoint = tmp_path / "bass.checkpoint"
    text(checkpoint)
    line = refused("train", dataset, "--source", "bass", "-o", tmp_path / "bass.npz", "--checkpoint", checkpoint)
    assert str(checkpoint) in line and "damaged" in line


# Rendering


def test_render_refuses_a_missing_sound_font(refused, tmp_path):
    font = tmp_path / "font.sf2"
    assert str(font) in refused("render", tmp_path / "out", "--soundfont", font)


def test_render_refuses_what_is_no_sound_font(refused, tmp_path):
    font = tmp_path / "font.sf2"
    text(font)
    line = refused("render", tmp_path / "out", "--soundfont", font)
    assert str(font) in line and ".sf2" in line


def test_render_says_how_to_install_fluidsynth(refused, tmp_path, monkeypatch):
    font = tmp_path / "font.sf2"
    font.write_bytes(b"RIFF\x04\0\0\0sfbk")
    monkeypatch.setattr("shutil.which", lambda program: None)
    line = refused("render", tmp_path / "out", "--soundfont", font)
    assert "fluidsynth" in line and "install" in line


def test_render_refuses_a_folder_without_songs(refused, tmp_path):
    songs = tmp_path / "songs"
    songs.mkdir()
    line = refused("render", tmp_path / "out", "--soundfont", tmp_path / "font.sf2", "--midi", songs)
    assert str(songs) in line and "split.json" in line


@pytest.mark.parametrize("option", ["--variations", "--only-variation"])
@pytest.mark.parametrize("other", ["--excerpts", "--unheard"])
def test_render_refuses_variations_of_what_has_none(refused, tmp_path, option, other):
    line = refused("render", tmp_path / "out", "--soundfont", tmp_path / "font.sf2", option, 2, other)
    assert option in line and other in line


def test_render_refuses_one_variation_and_several(refused, tmp_path):
    options = ["--soundfont", tmp_path / "font.sf2", "--variations", 2, "--only-variation", 3]
    line = refused("render", tmp_path / "out", *options)
    assert "--variations and --only-variation" in line


# The whole program


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["separate", "missing.wav"], "missing.wav"), (["separate", "song.wav", "--iterations", "0"], "--iterations")],
)
def test_the_program_says_one_line_and_exits_with_1(arguments, said, tmp_path):
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    program = [sys.executable, "-m", "glowsep", *arguments]
    done = subprocess.run(program, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1 and said in done.stderr
    assert list(tmp_path.iterdir()) == []
