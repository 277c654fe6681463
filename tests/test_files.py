"""Files and folders are written whole or not at all, whatever fails, and what fails is named."""

import errno
import os
import re
import subprocess
import sys

import pytest

from glowsep.arrays.files import (
    _hidden,
    all_written_whole,
    clear_leftovers,
    folder_made,
    work_folder,
    write_text,
    written_whole,
)
from glowsep.arrays.folders import folder_written_whole
from glowsep.arrays.processes import is_running

FULL = OSError(errno.ENOSPC, "No space left on device")
STOPPED = [FULL, KeyboardInterrupt(), RuntimeError("the search failed")]


def contents(folder):
    """Everything in a folder, hidden or not: the bytes of files, None for folders."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")
    }


def write_folder(target, text):
    with folder_written_whole(target) as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / "page.txt").write_text(text)


@pytest.mark.parametrize("earlier", [None, "old"])
def test_a_file_appears_when_the_block_ends(tmp_path, earlier):
    path = tmp_path / "scores.json"
    if earlier:
        path.write_text(earlier)
    with written_whole(str(path)) as temporary:
        temporary.write_text("new")
        assert contents(tmp_path).get("scores.json") == (earlier and earlier.encode())
    assert contents(tmp_path) == {"scores.json": b"new"}


def test_the_temporary_name_is_hidden_and_tells_whose_it_is_and_of_what_kind(tmp_path):
    """Hidden, so that no data set takes it for a track; with the suffix, by which Matplotlib chooses a format."""
    with written_whole(tmp_path / "curve.png") as temporary:
        temporary.touch()
        assert temporary.parent == tmp_path
        assert re.fullmatch(rf"\.glowsep-{os.getpid()}-[0-9a-f]{{8}}-new-curve\.png", temporary.name)
    with folder_written_whole(tmp_path / "song") as temporary:
        assert re.fullmatch(rf"\.glowsep-{os.getpid()}-[0-9a-f]{{8}}-new-song", temporary.name)


@pytest.mark.parametrize("error", STOPPED)
def test_what_stops_the_block_leaves_everything_as_it_was(tmp_path, error):
    (tmp_path / "old.txt").write_text("old")
    write_folder(tmp_path / "site", "old")
    before = contents(tmp_path)
    for name in ("old.txt", "new.txt"):
        with pytest.raises(type(error)):
            with written_whole(tmp_path / name) as temporary:
                temporary.write_text("half")
                raise error
    with pytest.raises(type(error)):
        with folder_written_whole(tmp_path / "site") as folder:
            (folder / "half.txt").write_text("half")
            raise error
    assert contents(tmp_path) == before


def replace_until(call, error, monkeypatch):
    """Let ``os.replace`` fail at its call of this number, and count its calls."""
    replace, calls = os.replace, []

    def failing(source, target):
        calls.append(target)
        if len(calls) == call:
            raise error
        replace(source, target)

    monkeypatch.setattr(os, "replace", failing)
    return calls


@pytest.mark.parametrize("call", [1, 2, 3, 4])
@pytest.mark.parametrize("error", [PermissionError(errno.EACCES, "in use"), KeyboardInterrupt()])
def test_several_files_take_their_names_all_or_none(tmp_path, monkeypatch, call, error):
    """One earlier file is moved aside and three new ones into place: each of the four renames may fail."""
    targets = [tmp_path / name for name in ("bass.wav", "drums.wav", "piano.wav")]
    targets[1].write_text("old")
    before = contents(tmp_path)
    replace_until(call, error, monkeypatch)
    with pytest.raises(type(error)) as raised:
        with all_written_whole(targets) as temporaries:
            for temporary in temporaries:
                temporary.write_text("new")
    assert contents(tmp_path) == before
    if isinstance(error, OSError):
        assert raised.value.filename == str([targets[1], *targets][call - 1])


def test_several_files_replace_what_was_there(tmp_path, monkeypatch):
    targets = [tmp_path / name for name in ("bass.wav", "drums.wav")]
    targets[1].write_text("old")
    calls = replace_until(None, None, monkeypatch)
    with all_written_whole(targets) as temporaries:
        for temporary in temporaries:
            temporary.write_text("new")
    assert contents(tmp_path) == {"bass.wav": b"new", "drums.wav": b"new"}
    assert len(calls) == 3


def test_a_single_file_is_replaced_in_one_step(tmp_path, monkeypatch):
    """There is no moment without either the earlier file or the new one."""
    (tmp_path / "a.npz").write_text("old")
    calls = replace_until(None, None, monkeypatch)
    write_text(tmp_path / "a.npz", "new")
    assert calls == [tmp_path / "a.npz"]


@pytest.mark.parametrize("call", [1, 2])
@pytest.mark.parametrize("error", [FULL, KeyboardInterrupt()])
def test_an_earlier_folder_comes_back(tmp_path, monkeypatch, call, error):
    write_folder(tmp_path / "book", "old")
    before = contents(tmp_path)
    replace_until(call, error, monkeypatch)
    with pytest.raises(type(error)):
        write_folder(tmp_path / "book", "new")
    assert contents(tmp_path) == before


def test_a_work_folder_leaves_nothing(tmp_path):
    with work_folder(tmp_path / "book") as folder:
        (folder / "draft.txt").write_text("draft")
        assert folder.parent == tmp_path
    assert not contents(tmp_path)


@pytest.mark.parametrize("stop", [True, False])
def test_folders_are_made_and_removed_again_if_the_block_fails(tmp_path, stop):
    (tmp_path / "mine").mkdir()
    for folder in (tmp_path / "mine", tmp_path / "new" / "deep"):
        try:
            with folder_made(folder):
                assert folder.is_dir()
                if stop:
                    raise KeyboardInterrupt
        except KeyboardInterrupt:
            pass
    assert set(contents(tmp_path)) == ({"mine"} if stop else {"mine", "new", "new/deep"})


# What killed processes have left


@pytest.fixture
def dead():
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def leave(folder, number, state, name, machine=None, text="half"):
    """What a killed process of this number leaves: of this machine, unless another is named."""
    here = _hidden(folder / "x", "new").name.split("-")[2]
    path = folder / f".glowsep-{number}-{machine or here}-{state}-{name}"
    path.write_text(text)
    return path


WRITERS = [lambda folder: write_text(folder / "new.txt", "new"), lambda folder: write_folder(folder / "new.txt", "new")]


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("name", ["bass.wav", "new.txt", "-new-.wav", "a\nb", ".glowsep-1-new-x"])
def test_the_half_written_files_of_a_dead_process_are_cleared(write, name, dead, tmp_path):
    leave(tmp_path, dead, "new", name)
    (tmp_path / f".glowsep-{dead}-new-older version.wav").write_text("half")
    write(tmp_path)
    assert [path for path in contents(tmp_path) if "/" not in path] == ["new.txt"]


def test_a_half_written_folder_of_a_dead_process_is_cleared(dead, tmp_path):
    path = leave(tmp_path, dead, "new", "book")
    path.unlink()
    write_folder(path, "half")
    write_text(tmp_path / "new.txt", "new")
    assert contents(tmp_path).keys() == {"new.txt"}


def test_an_earlier_file_that_a_dead_process_moved_aside_comes_back(dead, tmp_path):
    """It was killed between two renames: one target is new, one is gone, and nothing may be lost."""
    leave(tmp_path, dead, "old", "bass.wav", text="earlier bass")
    leave(tmp_path, dead, "old", "drums.wav", text="earlier drums")
    (tmp_path / "drums.wav").write_text("new drums")
    clear_leftovers(tmp_path)
    assert contents(tmp_path) == {"bass.wav": b"earlier bass", "drums.wav": b"new drums"}


def test_what_others_are_writing_stays(dead, tmp_path):
    """Another process here; any on another machine, whose numbers mean nothing here; and what is not ours at all."""
    running = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        leave(tmp_path, running.pid, "new", "bass.wav")
        leave(tmp_path, dead, "new", "bass.wav", machine="0123abcd")
        (tmp_path / ".glowsep-notes").touch()
        (tmp_path / f"glowsep-{dead}-new-x").touch()
        before = contents(tmp_path)
        write_text(tmp_path / "new.txt", "new")
        assert contents(tmp_path) == before | {"new.txt": b"new"}
    finally:
        running.communicate(b"\n")
    clear_leftovers(tmp_path)
    assert len(contents(tmp_path)) == 4


def test_a_work_folder_of_a_dead_process_with_our_number_is_cleared(tmp_path):
    leftover = _hidden(tmp_path / "book", "new")
    leftover.mkdir()
    (leftover / "half.txt").touch()
    with work_folder(tmp_path / "book") as folder:
        assert not list(folder.iterdir())
    assert not contents(tmp_path)


@pytest.mark.parametrize("number", [0, 2**22 + 1, 2**80])
def test_numbers_that_no_process_has(number):
    assert is_running(number) == (number == 0)


def test_a_folder_that_is_not_there_holds_no_leftovers(tmp_path):
    clear_leftovers(tmp_path / "missing")


# What fails is named


@pytest.mark.parametrize("writing", [write_text, write_folder])
def test_a_folder_that_is_missing_or_a_file(tmp_path, writing):
    (tmp_path / "file").touch()
    for parent in (tmp_path / "missing", tmp_path / "file"):
        with pytest.raises((FileNotFoundError, NotADirectoryError)) as raised:
            writing(parent / "target", "text")
        assert raised.value.filename == str(parent / "target")
    assert contents(tmp_path) == {"file": b""}


def test_a_folder_in_the_way_of_a_file(tmp_path):
    (tmp_path / "song").mkdir()
    with pytest.raises(IsADirectoryError) as raised:
        write_text(tmp_path / "song", "text")
    assert raised.value.filename == str(tmp_path / "song")


def test_an_error_about_another_file_is_left_alone(tmp_path):
    with pytest.raises(FileNotFoundError) as raised:
        with written_whole(tmp_path / "copy.txt"):
            open(tmp_path / "original.txt")
    assert raised.value.filename == str(tmp_path / "original.txt")


def test_text_has_the_same_bytes_everywhere(tmp_path):
    write_text(tmp_path / "page.html", "é\nß\n")
    assert (tmp_path / "page.html").read_bytes() == "é\nß\n".encode()
