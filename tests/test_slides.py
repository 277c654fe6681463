"""Slides from the chapters: what is tagged, what of it is shown, and where it is written."""

import re

import nbformat
import pytest
from notebooks import CHAPTERS, grading, read

from glowsep.arrays.folders import RECORD
from glowsep.cli import main
from glowsep.course import PARTS, chapters, read_chapter
from glowsep.slides import build, deck
from glowsep.slides.cells import TAG, glance

TEXT = """## Gain

A gain is learnt. Nobody sets it.

**Is it invertible?** Solve for $x$. Then be glad. So we write:

$$y = g x$$

Much more is said about it.

- one thing
- and another"""


def notebook(*cells):
    return {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def markdown(text, tagged=True):
    return {"cell_type": "markdown", "id": "x", "metadata": {"tags": [TAG]} if tagged else {}, "source": text}


def code(html, tagged=True):
    output = {"output_type": "display_data", "metadata": {}, "data": {"text/html": [html], "text/plain": ["object"]}}
    metadata = {"tags": [TAG]} if tagged else {}
    cell = {"cell_type": "code", "id": "y", "execution_count": 1, "metadata": metadata, "outputs": [output]}
    return {**cell, "source": ["secret = 1"]}


def shown(*chapters):
    cells = deck("Part 1: sound", chapters)["cells"]
    return [(cell["metadata"]["slideshow"]["slide_type"], cell["cell_type"], cell["source"]) for cell in cells]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_chapter_has_slides_and_no_exercise_is_on_them(chapter):
    cells = read(chapter).cells
    tagged = [cell for cell in cells if TAG in cell.metadata.get("tags", [])]
    assert len(tagged) >= 5 and cells[0] in tagged
    assert any(cell.cell_type == "code" for cell in tagged)
    assert not [cell.id for cell in tagged if grading(cell)]
    slides = deck("Part", [read_chapter(next(path for path in chapters() if path.stem == chapter))])
    nbformat.validate(nbformat.from_dict(slides))
    on_slides = "\n".join(cell["source"] for cell in slides["cells"])
    assert not re.search(r"(?m)^#+ Exercise|BEGIN|raise NotImplementedError", on_slides)


def test_at_a_glance_are_what_is_set_apart_and_the_sentences_that_lead_to_it():
    assert glance(TEXT).split("\n\n") == [
        "## Gain",
        "A gain is learnt.",
        "**Is it invertible?** Solve for $x$. So we write:",
        "$$y = g x$$",
        "- one thing\n- and another",
    ]
    assert (
        glance("## Plain\n\nFirst words. More.\n\nSecond words. More.") == "## Plain\n\nFirst words.\n\nSecond words."
    )
    assert glance("## Who\n\nZhu et al. say so. More.") == "## Who\n\nZhu et al. say so."


def test_text_becomes_notes_and_the_first_picture_is_on_its_slide():
    first, *rest = shown(
        notebook(markdown("# 1 Sound\n\nIt waves. A lot."), code("<img 1>"), code("<img 2>"), code("", False))
    )
    assert first == ("slide", "markdown", "# Part 1: sound\n\n- 1 Sound")
    assert rest == [
        ("slide", "markdown", "# 1 Sound\n\nIt waves."),
        ("notes", "markdown", "# 1 Sound\n\nIt waves. A lot."),
        ("-", "code", ""),
        ("subslide", "markdown", "# 1 Sound"),
        ("-", "code", ""),
    ]


def test_what_is_not_tagged_still_gives_the_heading():
    title, _, *rest = shown(
        notebook(markdown("# 1 Sound"), markdown("## Waves\n\nLeft out.", False), code("<img>"), code("<img>"))
    )
    assert [text for kind, _, text in rest if kind == "subslide"] == ["## Waves"]


@pytest.fixture
def repository(tmp_path):
    """A folder with one chapter for each part."""
    pytest.importorskip("nbconvert")
    chapters = tmp_path / "repository" / "chapters"
    chapters.mkdir(parents=True)
    for number in PARTS:
        chapter = notebook(markdown(f"# {number} Sound\n\nIt <waves>."), code("<img alt='a'>"))
        nbformat.write(nbformat.from_dict(chapter), chapters / f"{number:02}_x.ipynb")
    return chapters.parent


def test_slides_replace_earlier_ones_and_nothing_else(repository, tmp_path, capsys):
    out = tmp_path / "slides"
    for _ in range(2):
        pages = build(out, repository)
        assert [page.name for page in pages] == [f"part-{number + 1}.html" for number in range(len(PARTS))]
    (out / "notes.txt").write_text("mine")
    (out / "part-1.html").write_text("mine")
    before = sorted(out.iterdir())
    assert main(["slides", "-o", str(out)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{out / 'part-1.html'}: is there already, and not as glowsep wrote it; choose another folder" in line
    assert sorted(out.iterdir()) == before and (out / "part-1.html").read_text() == "mine"
    build(out, repository, overwrite=True)
    assert sorted(out.iterdir()) == before and (out / "part-1.html").read_text() != "mine"
    assert (out / "notes.txt").read_text() == "mine"
    build(out, repository, [2])
    assert sorted(path.name for path in out.iterdir()) == [RECORD, "assets", "notes.txt", "part-2.html"]


def test_a_folder_of_something_else_does_not_become_slides(repository, tmp_path, capsys):
    out = tmp_path / "mine"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    for given in ([], ["--overwrite"]):
        assert main(["slides", "-o", str(out), *given]) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert f"{out}: holds something other than slides" in line and len(list(out.iterdir())) == 1


def test_one_part_can_be_built_alone(repository, tmp_path, capsys):
    out = tmp_path / "slides"
    (page,) = build(out, repository, parts=[2])
    assert [path.name for path in out.glob("*.html")] == [page.name] == ["part-2.html"]
    for number in ("0", "4"):
        assert main(["slides", number, "-o", str(tmp_path / "other")]) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert f"{number}: no such part; give a number from 1 to 3" in line and not (tmp_path / "other").exists()


def test_a_page_asks_for_nothing_from_a_network(tmp_path):
    pytest.importorskip("nbconvert")
    (page, *_) = build(tmp_path / "slides")
    fetched = re.findall(
        r"<(?:script|link|img|iframe)[^>]*?(?:src|href)=\"([^\"]{0,60})", page.read_text(encoding="utf-8")
    )
    local = [target for target in fetched if not target.startswith("data:")]
    assert local and all((page.parent / target).is_file() for target in local)
    assert "secret" not in page.read_text(encoding="utf-8") and "import numpy" not in page.read_text(encoding="utf-8")
