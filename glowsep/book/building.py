"""Building: Jupyter Book gets its source, and the book appears in its place, whole or not at all."""

import os
import re
import subprocess
import sys
from importlib import metadata
from os import PathLike
from pathlib import Path

from tqdm import tqdm

from glowsep.arrays.files import work_folder
from glowsep.arrays.folders import put_folder_in_place, read_record, require_as_written
from glowsep.book.links import PAGES
from glowsep.book.search import write_index
from glowsep.book.source import write_source
from glowsep.datasets.shipped import REPOSITORY
from glowsep.errors import BookError, how_to_install

COMMAND = (sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build")
INVENTORY = "objects.inv"  # Sphinx writes it into every site; its first lines name the project
FIRST = ("index.html", INVENTORY)  # in every book, so also in one that has no record of what was written
PAGE_DONE = re.compile(r"^(?:reading sources|writing output)\.\.\. \[ *\d+%\] (\S+)")
COLOUR = re.compile(r"\x1b\[[\d;]*m")


def build(
    out: str | PathLike, repository: str | PathLike = REPOSITORY, progress: bool = True, overwrite: bool = False
) -> None:
    """Build the book from the chapters, without running them.

    Parameters
    ----------
    out : path
        The folder to write to; start reading at its ``index.html``. A book built there earlier is replaced, and files
        that somebody has added to it stay.
    repository : path
        Holds ``README.md`` and the folder ``chapters``.
    progress : bool
        Show a progress bar.
    overwrite : bool
        Replace pages of the earlier book that have been changed since.

    Raises
    ------
    BookError
        If Jupyter Book is not installed, the folder holds something else, or pages that have been changed, or is not
        writable, or a chapter cannot be shown. What was at ``out`` is then unchanged.
    """
    out, repository = Path(out).resolve(), Path(repository).resolve()
    require_jupyter_book()
    require_place(out)
    require_as_written(out, FIRST, overwrite, BookError)
    with work_folder(out) as folder:
        source = folder / "source"
        write_source(repository, source)
        site = _built(source, progress)
        write_index(site)
        put_folder_in_place(site, out, overwrite, BookError)


def require_jupyter_book() -> None:
    """Refuse to continue without Jupyter Book, or with its version 2, which is another program of the same name.

    Raises
    ------
    BookError
    """
    try:
        found = metadata.version("jupyter-book")
    except metadata.PackageNotFoundError:
        found = "none"
    if not found.startswith("1."):
        raise BookError(f"the book needs Jupyter Book 1, but there is {found} here: {how_to_install('book')}")


def require_place(out: Path) -> None:
    """Refuse a place for the book that holds something else already, or whose parent folder is missing.

    Raises
    ------
    BookError
    """
    if not out.parent.is_dir():
        raise BookError(f"{out}: cannot be written, there is no folder {out.parent}; make it first")
    if not os.access(out.parent, os.W_OK):
        raise BookError(f"{out}: cannot be written; choose a folder that you may write to")
    if out.exists() and not out.is_dir():
        raise BookError(f"{out}: is a file; choose another name for the book's folder")
    if out.is_dir() and any(out.iterdir()) and not _is_book(out):
        raise BookError(f"{out}: holds something other than a book of glowsep; choose another folder, or empty it")


def _is_book(folder):
    inventory = folder / INVENTORY
    if INVENTORY in read_record(folder):  # even if somebody has changed it since
        return True
    return inventory.is_file() and b"# Project: glowsep\n" in inventory.read_bytes()


def _built(source, progress):
    """Have Jupyter Book build a source; return the site's folder."""
    output = source.parent
    command = [*COMMAND, source, "--path-output", output, "--warningiserror"]
    environment = os.environ | {"PYTHONIOENCODING": "utf-8"}
    complaints = output / "complaints.txt"
    pages = 1 + sum(path.suffix in PAGES for path in (source / "chapters").rglob("*"))  # and the landing page
    with (
        open(complaints, "wb") as stderr,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, env=environment, encoding="utf-8") as process,
        tqdm(total=2 * pages, desc="book", unit="page", disable=not progress) as bar,  # each is read, then written
    ):
        try:
            for line in process.stdout:
                if page := PAGE_DONE.match(COLOUR.sub("", line)):
                    bar.set_postfix_str(Path(page[1]).name, refresh=False)
                    bar.update()
        except BaseException:  # Ctrl-C: the folder can only be removed once nothing writes to it any more
            process.kill()
            raise
    if process.returncode:
        raise BookError(_reason(complaints.read_text(encoding="utf-8"), source))
    return output / "_build" / "html"


def _reason(complaints, source):
    """What Sphinx complained about first, in one line that starts with the page's name."""
    lines = [line for line in COLOUR.sub("", complaints).splitlines() if line.strip()]
    place = re.compile(re.escape(f"{source}{os.sep}") + r"(.+?\.(?:ipynb|md)):(?:\d+:)? *(?:WARNING|ERROR)?:? *(.*)")
    for line in lines:
        if found := place.search(line):
            return f"{found[1]}: Jupyter Book cannot show it ({found[2]}); correct the chapter"
    return f"Jupyter Book failed ({' '.join(lines[:2])})"
