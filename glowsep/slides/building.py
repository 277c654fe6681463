"""Building: nbconvert makes a page of slides for each part; what the pages need is in a folder beside them."""

import json
import re
import shutil
from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from glowsep.arrays.files import write_text
from glowsep.arrays.folders import folder_written_whole, read_record, require_as_written
from glowsep.book.source import ASSETS as BOOK_ASSETS
from glowsep.course.contents import PARTS, chapters, part_of
from glowsep.course.keeping import read_chapter
from glowsep.datasets.shipped import REPOSITORY
from glowsep.errors import CourseError, how_to_install
from glowsep.slides.cells import deck

ASSETS = Path(__file__).parent / "assets"
NUMBERS = range(1, len(PARTS) + 1)
MATHJAX = "tex-svg-full.js"
MARK = 'content="glowsep slides"'  # of the template's generator


def build(
    out: str | PathLike,
    repository: str | PathLike = REPOSITORY,
    parts: Sequence[int] = tuple(NUMBERS),
    overwrite: bool = False,
) -> list[Path]:
    """Write the slides of every part, or of some, with all that they need to open without a network.

    Parameters
    ----------
    out : path
        The folder to write to. Slides that were built there earlier are replaced, and files that somebody has added
        to them stay.
    repository : path
        Holds the folder ``chapters``.
    parts : sequence of int
        From 1 on. The slides of other parts that are in ``out`` are not kept.
    overwrite : bool
        Replace earlier slides that have been changed since.

    Returns
    -------
    list of pathlib.Path
        A page for each part: ``out/part-1.html``, …

    Raises
    ------
    CourseError
        If there are no chapters or no such part, nbconvert is not installed, or the folder holds something else, or
        slides that have been changed.
    """
    out = Path(out).resolve()
    if unknown := sorted(set(parts) - set(NUMBERS)):
        raise CourseError(f"{unknown[0]}: no such part; give a number from {NUMBERS[0]} to {NUMBERS[-1]}")
    _require_place(out)
    require_as_written(out, [f"part-{number}.html" for number in parts], overwrite, CourseError)
    paths = chapters(repository)
    exporter = _exporter()
    written = []
    with folder_written_whole(out, overwrite, CourseError) as folder:
        shutil.copytree(ASSETS, folder / "assets", ignore=shutil.ignore_patterns("*.j2"))
        for name in (MATHJAX, "LICENSE.mathjax.txt"):
            shutil.copyfile(BOOK_ASSETS / name, folder / "assets" / name)
        for number, (first, title) in enumerate(PARTS.items(), start=1):
            if number not in parts:
                continue
            notebooks = [read_chapter(path) for path in paths if part_of(path) == first]
            page = _page(exporter, deck(f"Part {number}: {title}", notebooks))
            write_text(folder / f"part-{number}.html", page)
            written.append(out / f"part-{number}.html")
    return written


def _exporter():
    try:
        from nbconvert.exporters import SlidesExporter
    except ImportError:
        raise CourseError(f"slides need nbconvert, which comes with Jupyter: {how_to_install('teach')}") from None
    return SlidesExporter(
        extra_template_paths=[str(ASSETS)],
        template_file="slides.html.j2",
        exclude_input=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
    )


def _page(exporter, notebook):
    import nbformat  # comes with nbconvert

    page, _ = exporter.from_notebook_node(nbformat.reads(json.dumps(notebook), as_version=4))
    return re.sub(r"\n\s*\n+", "\n", page)


def _is_slides(page):
    return page.is_file() and MARK in page.read_text(encoding="utf-8", errors="replace")


def _require_place(out):
    """Refuse a folder that holds something other than slides."""
    if out.is_dir() and any(out.iterdir()):
        pages = [f"part-{number}.html" for number in NUMBERS]
        if not any(_is_slides(out / page) for page in pages) and not read_record(out).keys() & {*pages}:
            raise CourseError(f"{out}: holds something other than slides; choose another folder, or empty it")
    elif out.exists() and not out.is_dir():
        raise CourseError(f"{out}: is a file; choose another name for the folder of the slides")
    elif not out.parent.is_dir():
        raise CourseError(f"{out}: cannot be written, there is no folder {out.parent}; make it first")
