"""Which songs are meant by what was typed, and where their stems go."""

import os

import pytest
import soundfile
from conftest import INSTRUMENTS, RATE, noise

from glowsep.cli import main
from glowsep.cli.songs import find_songs, folder_name, output_folders
from glowsep.errors import AudioError

STEMS = sorted(f"{name}.wav" for name in INSTRUMENTS)


@pytest.fixture
def album(tmp_path, monkeypatch):
    """A folder of songs, with what else lies in such folders; the current folder is the one around it."""
    folder = tmp_path / "album"
    (folder / "first").mkdir(parents=True)
    for name in ("b second.WAV", "a first.wav", "c third.flac", "first/bass.wav", "._a first.wav"):
        soundfile.write(folder / name, noise(2000, 1), RATE, format="FLAC" if name.endswith("flac") else "WAV")
    for name in ("cover.jpg", "notes.txt", "a first.wav.asd"):
        (folder / name).write_text("no song")
    monkeypatch.chdir(tmp_path)
    return folder


def run(*arguments):
    return main([str(argument) for argument in arguments])


def names(songs):
    return [song.name for song in songs]


def test_a_link_in_a_folder_that_leads_nowhere_is_said(album, capsys):
    try:
        (album / "gone.wav").symlink_to("elsewhere.wav")
    except OSError:
        pytest.skip("this system or its user makes no links")
    for given in (album, album / "g*.wav"):
        assert "gone.wav" in names(find_songs([given]))
    assert run("separate", album / "g*.wav") == 1
    assert "gone.wav: no such file" in capsys.readouterr().err


def test_a_folder_stands_for_the_songs_in_it(album):
    assert names(find_songs([album])) == ["a first.wav", "b second.WAV", "c third.flac"]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.wav", ["a first.wav"]),
        ("*.[fW]*", ["b second.WAV", "c third.flac"]),
        ("? *.*", ["a first.wav", "a first.wav.asd", "b second.WAV", "c third.flac"]),
    ],
)
def test_a_pattern_is_expanded_if_the_shell_has_not_done_it(pattern, found, album):
    if os.name == "nt":
        found = [name for name in found if name != "b second.WAV"]  # other rules for capitals
    assert set(found) <= set(names(find_songs([album / pattern])))


def test_a_file_whose_name_looks_like_a_pattern(album):
    song = album / "take [1].wav"
    soundfile.write(song, noise(2000, 1), RATE)
    assert find_songs([song]) == [song]


def test_a_song_that_is_named_twice_is_separated_once(album):
    song = album / "a first.wav"
    ways = [song, album / "first" / ".." / "a first.wav", album, album / "*first.wav"]
    assert names(find_songs(ways)) == ["a first.wav", "b second.WAV", "c third.flac"]


def test_a_link_to_a_song_is_that_song(album):
    try:
        (album / "again.wav").symlink_to("a first.wav")
    except OSError:
        pytest.skip("this system or its user makes no links")
    assert len(find_songs([album])) == 3


def test_a_folder_without_songs_is_refused(tmp_path):
    with pytest.raises(AudioError, match="no audio file in it"):
        find_songs([tmp_path])


@pytest.mark.parametrize("out", [[], ["-o", "out"]])
def test_a_folder_is_separated_and_its_stems_are_no_songs_the_next_time(out, album, priors, tmp_path):
    (album / "c third.flac").unlink()
    for _ in range(2):
        assert run("separate", album, "--priors", priors, "--iterations", 1, *out) == 0
    parent = tmp_path / "out" if out else album
    assert sorted(os.listdir(parent / "a first")) == sorted(os.listdir(parent / "b second")) == STEMS


def test_a_folder_of_one_song_gets_a_folder_for_it(album, priors, tmp_path):
    """So that adding a second song changes nothing for the first."""
    (album / "b second.WAV").unlink()
    (album / "c third.flac").unlink()
    assert run("separate", album, "--priors", priors, "--iterations", 1, "-o", "out") == 0
    assert os.listdir("out") == ["a first"]


def test_a_song_named_twice_goes_where_it_goes_alone(album, priors, tmp_path):
    song = album / "a first.wav"
    assert run("separate", song, song, "--priors", priors, "--iterations", 1, "-o", "out") == 0
    assert sorted(os.listdir("out")) == STEMS


def errors_in(said):
    """The lines on standard error without warnings: priors that have hardly learnt anything find no instrument."""
    return [line for line in said.splitlines() if not line.startswith("glowsep: warning: ")]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_bad_songs_are_told_at_the_end_and_the_others_are_separated(place, album, priors, capsys):
    bad = [album / f"{'abc'[place]} bad.wav", album / f"{'abc'[place]} worse.mp3"]
    bad[0].write_text("no song")
    bad[1].write_bytes(b"")
    assert run("separate", album, "--priors", priors, "--iterations", 1) == 1
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 3 * 4
    first, second = errors_in(said.err)
    assert first.startswith("glowsep: ") and str(bad[0]) in first and str(bad[1]) in second
    for name in ("a first", "b second", "c third"):
        assert sorted(os.listdir(album / name)) == STEMS


def test_a_folder_without_songs_does_not_stop_the_others(album, priors, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    given = [tmp_path / "empty", tmp_path / "*.mp3", album / "a first.wav"]
    assert run("separate", *given, "--priors", priors, "--iterations", 1, "-o", "out") == 1
    first, second = errors_in(capsys.readouterr().err)
    assert f"{given[0]}: no audio file" in first and f"{given[1]}: no file fits" in second
    assert os.listdir("out") == ["a first"]  # as if the others had been songs: several are asked for
    assert run("separate", *given, "--priors", priors, "--iterations", 1, "-o", "none", "--stop-at-first") == 1
    assert not os.path.exists("none")


def test_a_name_that_the_system_refuses_does_not_stop_the_others(album, priors, capsys):
    given = [album / f"{'long' * 100}.wav", album / "a first.wav"]
    assert run("separate", *given, "--priors", priors, "--iterations", 1) == 1
    (line,) = errors_in(capsys.readouterr().err)
    assert str(given[0]) in line
    assert sorted(os.listdir(album / "a first")) == STEMS


@pytest.mark.parametrize("only", [["bass, piano"], ["Piano", "bass", "bass"], ["piano,bass,PIANO"]])
def test_names_of_stems_however_they_are_typed(only, album, priors):
    options = [word for names in only for word in ("--only", names)]
    assert run("separate", album / "a first.wav", "--priors", priors, "--iterations", 1, *options) == 0
    assert sorted(os.listdir(album / "a first")) == ["bass.wav", "piano.wav"]


def test_a_song_in_two_formats_does_not_stop_the_others(album, priors, capsys):
    """Neither is separated: which one is meant, only the user knows."""
    soundfile.write(album / "a first.flac", noise(2000, 1), RATE)
    assert run("separate", album, "--priors", priors, "--iterations", 1) == 1
    (line,) = errors_in(capsys.readouterr().err)
    assert str(album / "a first.flac") in line and str(album / "a first.wav") in line and "-o" in line
    assert not (album / "a first").exists()
    for name in ("b second", "c third"):
        assert sorted(os.listdir(album / name)) == STEMS
    assert run("separate", album, "--priors", priors, "--iterations", 1, "--stop-at-first", "--seed", 5) == 1


def test_two_names_of_one_folder_are_noticed(tmp_path):
    (tmp_path / "real").mkdir()
    try:
        for name in ("a", "b"):
            (tmp_path / name).symlink_to("real", target_is_directory=True)
    except OSError:
        pytest.skip("needs symbolic links")
    with pytest.raises(AudioError, match=r"a\.wav goes to .* too"):
        output_folders([tmp_path / "a.wav", tmp_path / "b.wav"])


def test_a_song_that_fails_in_the_middle_is_told_at_the_end(album, priors, capsys, monkeypatch):
    from glowsep.systems.glow.instglow import InstGlow

    separate_file = InstGlow.separate_file

    def fail_once(system, song, *arguments):
        if song.name.startswith("b"):
            raise MemoryError
        return separate_file(system, song, *arguments)

    monkeypatch.setattr(InstGlow, "separate_file", fail_once)
    assert run("separate", album, "--priors", priors, "--iterations", 1, "-q") == 1
    assert errors_in(capsys.readouterr().err) == [
        f"glowsep: {album / 'b second.WAV'}: not enough memory; close other programs, or work on a shorter piece"
    ]
    assert sorted(os.listdir(album / "c third")) == STEMS
    assert run("separate", album, "--priors", priors, "--iterations", 1, "--stop-at-first", "--seed", 5) == 1
    assert "not enough memory" in capsys.readouterr().err


# Where the stems go


@pytest.mark.parametrize(
    ("song", "folder"),
    [
        ("song.wav", "song"),
        ("song.MP3", "song"),
        ("a.b.c.wav", "a.b.c"),
        ("...wav", "...wav-sources"),
        ("..wav", "..wav-sources"),
        (".wav", ".wav-sources"),
        ("....flac", "....flac-sources"),
        (". .wav", ". .wav-sources"),
        ("song. .wav", "song. .wav-sources"),
        ("Mr. Smith", "Mr. Smith-sources"),
        ("No. 5", "No. 5-sources"),
        ("song", "song-sources"),
        ("...", "...-sources"),
    ],
)
@pytest.mark.parametrize("out", [None, "out"])
def test_a_song_has_a_folder_of_its_own_inside_the_one_that_is_meant(song, folder, out, tmp_path):
    assert folder_name(song) == folder
    path, other = tmp_path / "songs" / song, tmp_path / "songs" / "other.wav"
    found = output_folders([path, other], out and tmp_path / out)[path]
    assert found == tmp_path / (out or "songs") / folder
    assert found.resolve().parent == (tmp_path / (out or "songs")).resolve()
    assert found != path


@pytest.mark.parametrize("name", ["...wav", "..wav", ".wav"])
@pytest.mark.skipif(os.name == "nt", reason="Windows takes dots off the ends of names")
def test_a_song_of_dots_is_separated_beside_itself(name, priors, tmp_path):
    song = tmp_path / "songs" / name
    song.parent.mkdir()
    soundfile.write(song, noise(2000, 1), RATE, format="WAV")
    assert run("separate", song, "--priors", priors, "--iterations", 1) == 0
    assert sorted(os.listdir(song.parent)) == sorted([name, f"{name}-sources"])
    assert sorted(os.listdir(tmp_path)) == ["priors", "songs"]
