"""Folders that are written whole and again: glowsep's own files are replaced, and the user's stay."""

import os
import sys

import pytest

from glowsep.arrays.folders import RECORD, folder_written_whole, read_record, require_as_written, write_record
from glowsep.errors import BookError, GlowsepError


def write(folder, *names, text="written", **options):
    """Write these files to a folder, and nothing else."""
    with folder_written_whole(folder, **options) as new:
        for name in names:
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            (new / name).write_text(text)


def contents(folder):
    """The text of every file, the targets of links, None for folders; without the record."""
    return {
        path.relative_to(folder).as_posix(): os.readlink(path)
        if path.is_symlink()
        else path.read_text()
        if path.is_file()
        else None
        for path in sorted(folder.rglob("*"))
        if path.name != RECORD
    }


@pytest.fixture
def folder(tmp_path):
    """A folder as glowsep wrote it."""
    write(tmp_path / "book", "index.html", "deep/page.html")
    return tmp_path / "book"


def test_what_is_not_written_again_goes(folder):
    write(folder, "index.html", text="new")
    assert contents(folder) == {"index.html": "new"}
    assert read_record(folder).keys() == {"index.html"}
    assert [path.name for path in folder.parent.iterdir()] == ["book"]


def test_what_the_user_has_put_there_stays_as_it_is(folder):
    (folder / ".git" / "objects").mkdir(parents=True)
    (folder / ".git" / "HEAD").write_text("ref: refs/heads/pages")
    (folder / "deep" / "notes.txt").write_text("mine")
    (folder / "deep" / "notes.txt").chmod(0o600)
    os.utime(folder / "deep" / "notes.txt", (0, 10**9))
    before = (folder / "deep" / "notes.txt").stat()
    for text in ("new", "newer"):
        write(folder, "index.html", text=text)
    after = (folder / "deep" / "notes.txt").stat()
    assert (before.st_mode, before.st_mtime) == (after.st_mode, after.st_mtime)
    assert contents(folder) == {
        ".git": None,
        ".git/HEAD": "ref: refs/heads/pages",
        ".git/objects": None,
        "deep": None,
        "deep/notes.txt": "mine",
        "index.html": "newer",
    }


def test_a_file_system_without_second_names_gets_copies(folder, monkeypatch):
    def refuse(*names, **options):
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    (folder / "notes.txt").write_text("mine")
    write(folder, "index.html", text="new")
    assert contents(folder) == {"index.html": "new", "notes.txt": "mine"}


def test_links_stay_links(folder, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "notes.txt").write_text("mine")
    try:
        (folder / "linked").symlink_to("../elsewhere")
        (folder / "nowhere").symlink_to("../gone")
    except OSError:
        pytest.skip("this system or its user makes no links")
    write(folder, "index.html", text="new")
    assert contents(folder) == {"index.html": "new", "linked": "../elsewhere", "nowhere": "../gone"}
    assert (tmp_path / "elsewhere" / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("change", ["edited", "another file", "a link", "a folder"])
def test_what_somebody_has_changed_is_refused_before_any_work(change, folder, tmp_path):
    path = folder / "index.html"
    if change == "edited":
        path.write_text("written by me")
    else:
        path.unlink()
    if change == "another file":
        path.write_text("mine")
    elif change == "a folder":
        path.mkdir()
        (path / "notes.txt").write_text("mine")
    elif change == "a link":
        (tmp_path / "mine.html").write_text("written")
        try:
            path.symlink_to(tmp_path / "mine.html")
        except OSError:
            pytest.skip("this system or its user makes no links")
    before = contents(folder)
    with pytest.raises(BookError, match="index.html: is there already, and not as glowsep wrote it; .*--overwrite"):
        require_as_written(folder, error=BookError)
    with pytest.raises(BookError, match="index.html"):
        write(folder, "index.html", text="new", error=BookError)
    assert contents(folder) == before
    require_as_written(folder, overwrite=True)
    write(folder, "index.html", text="new", overwrite=True)
    assert contents(folder) == {"index.html": "new"}


def test_a_changed_file_that_is_not_written_again_stays_even_then(folder):
    (folder / "deep" / "page.html").write_text("mine")
    write(folder, "index.html", text="new", overwrite=True)
    assert contents(folder) == {"deep": None, "deep/page.html": "mine", "index.html": "new"}


@pytest.mark.parametrize(("mine", "new"), [("new.html", "new.html"), ("new/notes", "new"), ("new", "new/page.html")])
def test_a_file_of_the_user_s_whose_name_is_needed_is_not_replaced(mine, new, folder):
    """However the names meet."""
    (folder / mine).parent.mkdir(exist_ok=True)
    (folder / mine).write_text("mine")
    before = contents(folder)
    with pytest.raises(GlowsepError, match=f"{mine}: is there already"):
        write(folder, "index.html", new)
    assert contents(folder) == before
    write(folder, "index.html", new, overwrite=True)
    assert (folder / new).read_text() == "written"


@pytest.mark.parametrize("record", [None, "", "[]", "{", '{"index.html": 1}', "\ud800"])
def test_without_a_record_every_file_is_the_user_s(record, folder):
    (folder / RECORD).unlink()
    if record is not None:
        (folder / RECORD).write_bytes(record.encode("utf-8", "surrogatepass"))
    with pytest.raises(GlowsepError, match="index.html"):
        require_as_written(folder, ["index.html", "new.html"])
    write(folder, "new.html")
    assert contents(folder) == {
        "deep": None,
        "deep/page.html": "written",
        "index.html": "written",
        "new.html": "written",
    }
    require_as_written(folder, ["new.html"])


def test_a_record_can_be_of_some_files_only(tmp_path):
    for name in ("list.json", "other.json"):
        (tmp_path / name).write_text("mine")
    write_record(tmp_path, ["list.json"])
    require_as_written(tmp_path, ["list.json", "new.json"])
    with pytest.raises(GlowsepError, match="other.json"):
        require_as_written(tmp_path, ["other.json"])


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="this user may read everything")
def test_a_folder_that_cannot_be_read_is_not_lost(folder):
    (folder / "closed").mkdir(mode=0)
    try:
        with pytest.raises(PermissionError):
            write(folder, "index.html", text="new")
        assert contents(folder)["index.html"] == "written"
    finally:
        (folder / "closed").chmod(0o700)
