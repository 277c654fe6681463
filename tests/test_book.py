"""The book before Jupyter Book sees it: chapters made ready, their order, their links; and what can go wrong."""

import ast
import copy
import json
import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
import yaml

from glowsep.arrays.folders import RECORD
from glowsep.book import build, chapters, guides, readers_copy, table_of_contents
from glowsep.book.contents import ORDER
from glowsep.book.links import with_links
from glowsep.book.search import INDEX, readable, sections, write_index
from glowsep.book.source import ASSETS, write_source
from glowsep.book.wrapping import WIDTH, wrap
from glowsep.cli import main
from glowsep.datasets.shipped import REPOSITORY
from glowsep.errors import BookError, CourseError

WIDGET = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "interactive(…)"}
# A stand-in for Jupyter Book: it says and writes what Jupyter Book does, as far as it is looked at here.
STAND_IN = """
import pathlib, sys
source, output = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[3], "_build", "html")
print("reading sources... [ 50%] chapters/01_sound")
{also}
output.mkdir(parents=True, exist_ok=True)
(output / "index.html").write_text("new")
(output / "objects.inv").write_bytes(b"# Sphinx inventory version 2\\n# Project: glowsep\\n")
"""


def cell(kind, source, **metadata):
    outputs = {"outputs": [], "execution_count": None} if kind == "code" else {}
    return {"id": "a", "cell_type": kind, "source": source.splitlines(keepends=True), "metadata": metadata} | outputs


def notebook(*cells):
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {"widgets": {}, "kernelspec": {}}, "cells": list(cells)}


def of_copy(*cells):
    """The cells of a reader's copy, the source of each as one text."""
    return readers_copy(notebook(*cells), "chapters/01_sound.ipynb")["cells"]


@pytest.fixture
def repository(tmp_path):
    """A repository of one chapter and one guide."""
    folder = tmp_path / "repository"
    (folder / "chapters" / "guides").mkdir(parents=True)
    (folder / "chapters" / "guides" / "hearing.md").write_text(
        "# Hearing\n\n[Sound](../01_sound.ipynb), [MIT](../../LICENSE)"
    )
    (folder / "README.md").write_text(
        "# glowsep\n\n![Words](picture.png)\n\n## Results\n\nMany.\n\n## Citation and licence\n\n[MIT](LICENSE)\n"
    )
    (folder / "LICENSE").write_text("MIT")
    (folder / "picture.png").write_bytes(b"a picture")
    (folder / "chapters" / "01_sound.ipynb").write_text(json.dumps(notebook(cell("markdown", "# 1 Sound"))))
    return folder


@pytest.fixture
def jupyter_book(monkeypatch):
    """Sets a stand-in for Jupyter Book, which does something besides before it writes the pages."""

    def stand_in(also="", version="1.0.4"):
        monkeypatch.setattr("glowsep.book.building.COMMAND", (sys.executable, "-c", STAND_IN.format(also=also)))
        monkeypatch.setattr(metadata, "version", lambda name: version)

    stand_in()
    return stand_in


# The reader's copy


def test_a_solution_is_folded_away_without_its_marks():
    answer = cell(
        "code", "def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION\n", nbgrader={"solution": True}
    )
    (shown,) = of_copy(answer)
    assert shown["source"] == "def f():\n    return 1\n"
    assert "hide-input" in shown["metadata"]["tags"]


def test_hidden_tests_are_left_out_and_the_others_folded_away():
    tests = cell(
        "code",
        "assert f() == 1\n### BEGIN HIDDEN TESTS\nassert f() < 2\n### END HIDDEN TESTS\nprint('right')",
        nbgrader={"grade": True},
    )
    (shown,) = of_copy(tests)
    assert shown["source"] == "assert f() == 1\nprint('right')"
    assert "hide-input" in shown["metadata"]["tags"]


def test_the_mark_scheme_of_a_project_is_left_out():
    text = "## Project\n\n=== BEGIN MARK SCHEME ===\n\n6 points.\n\n=== END MARK SCHEME ===\n\nGood luck."
    (shown,) = of_copy(cell("markdown", text, nbgrader={"task": True}))
    assert "Project" in shown["source"] and "Good luck." in shown["source"]
    assert "6 points" not in shown["source"] and "MARK SCHEME" not in shown["source"]


@pytest.mark.parametrize("marks", ["=== {} SOLUTION ===", "### {} SOLUTION"])
def test_an_answer_in_words_is_folded_away_and_the_question_is_not(marks):
    text = f"### Why?\n\n{marks.format('BEGIN')}\nBecause.\n{marks.format('END')}\n"
    (shown,) = of_copy(cell("markdown", text, nbgrader={"solution": True, "grade": True}))
    question, _, answer = shown["source"].partition("::::{dropdown}")
    assert "Why?" in question and "Because." in answer and answer.rstrip().endswith("\n::::")
    assert "SOLUTION" not in shown["source"]


def test_an_answer_that_fills_its_cell_is_folded_away_and_an_empty_one_left_out():
    grading = {"solution": True, "grade": True}
    (shown,) = of_copy(
        cell("markdown", "Because.", nbgrader=grading), cell("markdown", "*Your answer here.*", nbgrader=grading)
    )
    assert shown["source"].startswith("::::{dropdown}") and "Because." in shown["source"]


def test_a_widget_becomes_a_line_and_other_outputs_stay():
    picture = {"output_type": "display_data", "metadata": {}, "data": {"text/html": "<img>"}}
    code = cell("code", "interact(draw)")
    code["outputs"] = [picture, {"output_type": "display_data", "metadata": {}, "data": WIDGET}]
    original = notebook(code)
    before = copy.deepcopy(original)
    shown = readers_copy(original, "chapters/01_sound.ipynb")
    first, second = shown["cells"][0]["outputs"]
    assert first == picture
    assert list(second["data"]) == ["text/markdown"] and "chapters/01_sound.ipynb" in second["data"]["text/markdown"]
    assert "widgets" not in shown["metadata"]
    assert original == before, "the chapter itself is not touched"


def test_code_that_only_draws_is_folded_away_and_its_figure_is_not():
    code = cell("code", "axes.plot(x)", tags=["plot"])
    code["outputs"] = [{"output_type": "display_data", "metadata": {}, "data": {"text/html": "<img>"}}]
    (shown,) = of_copy(code)
    assert shown["metadata"]["tags"] == ["plot", "hide-input"] and shown["outputs"] == code["outputs"]
    assert shown["metadata"]["mystnb"]["code_prompt_show"] == "Code of the figure"


def test_an_ordinary_cell_is_shown_as_it_is():
    (shown,) = of_copy(cell("code", "print(1)\nprint(2)", tags=["varies"]))
    assert shown["source"] == "print(1)\nprint(2)" and shown["metadata"]["tags"] == ["varies"]


@pytest.mark.parametrize("path", chapters(REPOSITORY), ids=lambda path: path.stem)
def test_of_a_chapter_nothing_is_shown_that_is_not_for_readers(path):
    shown = readers_copy(json.loads(path.read_text(encoding="utf-8")), path.name)
    for part in shown["cells"]:
        words = ("BEGIN SOLUTION", "END SOLUTION", "HIDDEN TESTS", "MARK SCHEME", "Your answer here")
        assert not [word for word in words if word in part["source"]]
        if part["metadata"].get("nbgrader", {}).get("solution"):
            assert "hide-input" in part["metadata"].get("tags", []) or "{dropdown}" in part["source"]
        assert not [
            output for output in part.get("outputs", []) if set(output.get("data", {})) & set(WIDGET) - {"text/plain"}
        ]


@pytest.mark.parametrize("path", chapters(REPOSITORY), ids=lambda path: path.stem)
def test_no_solution_in_words_is_a_heading(path):
    """Whoever opens the notebook sees its Markdown: the marks of a solution must not be the largest letters on it."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    prose = "\n".join("".join(part["source"]) for part in cells if part["cell_type"] == "markdown")
    assert not re.findall(r"(?m)^ {0,3}#.*(?:SOLUTION|MARK SCHEME)", prose)
    assert not re.findall(r"(?s)BEGIN SOLUTION(?:(?!END SOLUTION).)*?\n#+ [^\n]*", prose)


# Wrapping

LONG = "result = function_with_a_long_name(first_argument=1, second_argument=2, third_argument=3, fourth=4)"


@pytest.fixture
def wrapped():
    """What the book shows of a cell of code and of a listing among its outputs."""
    pytest.importorskip("ruff", reason="Ruff comes with the extra book")

    def of_code(code, listing="x = 1"):
        cells = [cell("code", code)]
        cells[0]["outputs"] = [
            {"output_type": "display_data", "metadata": {}, "data": {"text/markdown": f"```python\n{listing}\n```"}}
        ]
        shown = readers_copy(notebook(*cells), "chapters/01_sound.ipynb")
        wrap(shown)
        (cell_shown,) = shown["cells"]
        return cell_shown["source"], cell_shown["outputs"][0]["data"]["text/markdown"]

    return of_code


@pytest.mark.parametrize("end", ["", "  # a comment that goes on and on, much further than a page of the book is wide"])
def test_code_that_is_too_wide_is_laid_out_in_88_columns_and_means_the_same(end, wrapped):
    code = f"def f():\n    {LONG}{end}\n"
    for text in (wrapped(code)[0], wrapped("x = 1", code)[1].removeprefix("```python\n").removesuffix("```")):
        assert max(map(len, text.split("\n"))) <= WIDTH
        assert ast.dump(ast.parse(text)) == ast.dump(ast.parse(code))
        assert end.strip("# ").split() == [word for word in re.findall(r"# (.*)", text) for word in word.split()]


@pytest.mark.parametrize("code", ["x  =  1 ;", f"%timeit {LONG}", f"not Python: {LONG}"])
def test_code_that_fits_or_is_not_python_stays_as_it_is(code, wrapped):
    assert wrapped(code)[0] == code


def test_without_ruff_one_line_says_how_to_get_it(monkeypatch):
    shown = readers_copy(notebook(cell("code", LONG)), "chapters/01_sound.ipynb")
    missing = subprocess.CompletedProcess([], 1, "", "python: No module named ruff")
    monkeypatch.setattr(subprocess, "run", lambda *arguments, **options: missing)
    with pytest.raises(BookError, match="needs Ruff.*pip install"):
        wrap(shown)


# The table of contents


def test_every_chapter_is_in_the_contents_once_in_its_part():
    names = [path.stem for path in chapters(REPOSITORY)]
    parts = table_of_contents(names)["parts"]
    assert [chapter["file"] for part in parts for chapter in part["chapters"]] == [f"chapters/{name}" for name in names]
    assert [part["chapters"][0]["file"][9:11] for part in parts] == ["01", "04", "10"]
    assert len({part["caption"] for part in parts}) == 3


def test_a_new_chapter_joins_the_last_part_and_empty_parts_are_left_out():
    (part,) = table_of_contents(["10_prior", "16_sixteen"])["parts"]
    assert [chapter["file"] for chapter in part["chapters"]] == ["chapters/10_prior", "chapters/16_sixteen"]


def test_chapters_come_in_the_order_of_their_numbers(tmp_path):
    (tmp_path / "chapters").mkdir()
    for name in ("10_c", "02_b", "01_z"):
        (tmp_path / "chapters" / f"{name}.ipynb").touch()
    (tmp_path / "chapters" / "notes.ipynb").touch()
    assert [path.stem for path in chapters(tmp_path)] == ["01_z", "02_b", "10_c"]


def test_every_guide_is_in_the_appendix_and_its_order_is_given():
    names = [path.stem for path in guides(REPOSITORY)]
    assert tuple(names) == ORDER
    *_, appendix = table_of_contents(["01_listen"], names)["parts"]
    assert [guide["file"] for guide in appendix["chapters"]] == [f"chapters/guides/{name}" for name in names]


def test_a_new_guide_comes_after_the_others(tmp_path):
    (tmp_path / "chapters" / "guides").mkdir(parents=True)
    for name in ("a_new_one", "results"):
        (tmp_path / "chapters" / "guides" / f"{name}.md").touch()
    assert [path.stem for path in guides(tmp_path)] == ["results", "a_new_one"]


# Links


@pytest.fixture
def linked(repository, tmp_path):
    """What a chapter's text becomes, and the folder that the linked files go to."""
    page, source = repository / "chapters" / "01_sound.ipynb", tmp_path / "source"
    return lambda text: with_links(text, page, repository, source), source


@pytest.mark.parametrize(
    "text",
    [
        "[a chapter](01_sound.ipynb)",
        "[a place in it](01_sound.ipynb#a-sound)",
        "[a guide](guides/hearing.md)",
        "[here](#above)",
        "[paper](https://arxiv.org/abs/1807.03039)",
        "`weights[name](missing)`",
        "```python\nrows[0](missing)\n```",
    ],
)
def test_what_leads_to_chapters_or_elsewhere_or_is_code_stays(text, linked):
    assert linked[0](text) == text


def test_a_file_of_the_repository_comes_along_for_download(linked):
    relink, source = linked
    assert relink("see [the licence](../LICENSE).") == "see [the licence](<path:../LICENSE>)."
    assert (source / "LICENSE").read_text() == "MIT"


def test_a_picture_comes_along_and_is_shown(linked):
    relink, source = linked
    assert relink("![Words](../picture.png)") == "![Words](../picture.png)"
    assert (source / "picture.png").read_bytes() == b"a picture"


def test_of_a_folder_the_words_are_left(linked):
    assert linked[0]("see [the chapters](../chapters).") == "see the chapters."


@pytest.mark.parametrize("target", ["../missing.py", "../../outside", "99_missing.ipynb"])
def test_a_link_that_leads_nowhere_is_refused(target, linked, tmp_path):
    (tmp_path / "outside").touch()
    with pytest.raises(BookError, match=f"chapters/01_sound.ipynb: links to {target}"):
        linked[0](f"[words]({target})")


# The source


def test_the_source_holds_landing_page_chapters_and_what_jupyter_book_needs(repository, tmp_path):
    source = tmp_path / "source"
    write_source(repository, source)
    landing = (source / "index.md").read_text(encoding="utf-8")
    assert landing.startswith("# glowsep\n") and "Citation and licence" in landing and "Many." not in landing
    assert "$" not in landing
    toc = yaml.safe_load((source / "_toc.yml").read_text())
    assert [part["chapters"][0]["file"] for part in toc["parts"]] == ["chapters/01_sound", "chapters/guides/hearing"]
    for name in ("index.md", "chapters/01_sound.ipynb", "chapters/guides/hearing.md"):
        assert (source / name).is_file()
    guide = (source / "chapters" / "guides" / "hearing.md").read_text(encoding="utf-8")
    assert "[Sound](../01_sound.ipynb), [MIT](<path:../../LICENSE>)" in guide
    for name in yaml.safe_load((source / "_config.yml").read_text())["sphinx"]["config"]["html_css_files"]:
        assert (source / "assets" / name).is_file()
    assert (source / "assets" / "LICENSE.mathjax.txt").is_file()


def test_a_chapter_offers_its_notebook_with_and_without_solutions(repository, tmp_path):
    answer = cell("code", "### BEGIN SOLUTION\nx = 1\n### END SOLUTION\n", nbgrader={"solution": True})
    original = notebook(cell("markdown", "# 1 Sound"), answer)
    (repository / "chapters" / "01_sound.ipynb").write_text(json.dumps(original))
    source = tmp_path / "source"
    write_source(repository, source)
    folder = source / "chapters" / "notebooks"
    assert json.loads((folder / "01_sound.ipynb").read_text(encoding="utf-8")) == original
    without = (folder / "01_sound_without_solutions.ipynb").read_text(encoding="utf-8")
    assert "your code here" in without and "x = 1" not in without
    shown = json.loads((source / "chapters" / "01_sound.ipynb").read_text())["cells"]
    line = shown[1]["source"]
    assert re.findall(r"<path:(.*?)>", line) == [
        "notebooks/01_sound_without_solutions.ipynb",
        "notebooks/01_sound.ipynb",
    ]


def options_of_theme(repository, source):
    write_source(repository, source)
    return yaml.safe_load((source / "_config.yml").read_text(encoding="utf-8"))["sphinx"]["config"][
        "html_theme_options"
    ]


@pytest.mark.parametrize("citation", [None, "title: glowsep\n"])
def test_without_an_address_there_are_no_buttons_that_need_one(citation, repository, tmp_path):
    if citation:
        (repository / "CITATION.cff").write_text(citation)
    options = options_of_theme(repository, tmp_path / "source")
    assert "launch_buttons" not in options and options["repository_url"] == ""


def test_a_public_repository_gives_buttons_for_binder_and_colab(repository, tmp_path):
    (repository / "CITATION.cff").write_text('repository-code: "https://github.com/owner/name/"\n')
    options = options_of_theme(repository, tmp_path / "source")
    assert options["repository_url"] == "https://github.com/owner/name"
    assert {"binderhub_url", "colab_url"} <= set(options["launch_buttons"])


@pytest.mark.parametrize("address", ["github.com/owner/name", "https://github.com/owner", "https://example.org/a/b"])
def test_an_address_that_colab_cannot_open_is_refused(address, repository, tmp_path):
    (repository / "CITATION.cff").write_text(f"repository-code: {address}\n")
    with pytest.raises(BookError, match=f"CITATION.cff: repository-code is {address}"):
        write_source(repository, tmp_path / "source")


def test_the_licence_of_the_text_is_said_on_every_page_and_lies_beside_it():
    options = yaml.safe_load((ASSETS / "config.yml").read_text())["sphinx"]["config"]["html_theme_options"]
    assert "creativecommons.org/licenses/by/4.0/" in options["extra_footer"]
    assert "creativecommons.org/licenses/by/4.0/" in (REPOSITORY / "chapters" / "LICENSE").read_text(encoding="utf-8")


def test_nothing_is_run_and_nothing_fetched():
    settings = yaml.safe_load((ASSETS / "config.yml").read_text())
    assert settings["execute"]["execute_notebooks"] == "off"
    assert (ASSETS / settings["sphinx"]["config"]["mathjax_path"]).is_file()


@pytest.mark.parametrize("text", ["", "[]", '{"nbformat": 3}'])
def test_a_chapter_that_is_no_notebook_is_named(text, repository, tmp_path):
    (repository / "chapters" / "02_noise.ipynb").write_text(text)
    with pytest.raises(CourseError, match="chapters/02_noise.ipynb: "):
        write_source(repository, tmp_path / "source")


def test_a_repository_without_chapters_is_named(tmp_path):
    with pytest.raises(CourseError, match="chapters"):
        write_source(tmp_path, tmp_path / "source")


# The search's index

PAGE = """<html><body><nav>menu</nav><article class="bd-article"><section id="sound">
<h1>1 Sound<a class="headerlink">#</a></h1><div class="downloads"><p>to download</p></div>
<p>The level <span class="math">\\(\\sigma\\)</span> of <code><span class="pre">noise</span></code>&amp;<br>more.</p>
<div class="highlight"><pre><span>def f():</span>\n    <span>pass</span></pre><button>copy</button></div>
<section id="ears"><h2>Ears</h2><p>Two</p><p>ears.</p></section><p>The end.</p></section></article></body></html>"""


def test_the_index_holds_the_words_of_every_section_once():
    assert sections(PAGE) == [
        {
            "title": "1 Sound",
            "anchor": "sound",
            "heading": "1 Sound",
            "text": "The level σ of noise& more. The end.",
            "code": "def f(): pass",
        },
        {"title": "1 Sound", "anchor": "ears", "heading": "Ears", "text": "Two ears.", "code": ""},
    ]


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        (r"\(p_\sigma\)", "p_σ"),
        (r"\(\lambda\)", "λ"),
        (r"\(\log p\)", "log p"),
        (r"\[\int_0^1 x\, dx\]", "…"),
        ("$x^2$", "…"),
    ],
)
def test_simple_formulas_can_be_read_and_others_are_dots(formula, words):
    assert readable(formula) == words


def test_the_index_is_a_script_that_no_page_can_end(tmp_path):
    (tmp_path / "chapters").mkdir()
    (tmp_path / "chapters" / "01.html").write_text(PAGE.replace("Two", "&lt;/script&gt; two"), encoding="utf-8")
    (tmp_path / "search.html").write_text(PAGE, encoding="utf-8")
    write_index(tmp_path)
    script = (tmp_path / INDEX).read_text(encoding="utf-8")
    assert "</script>" not in script
    found = json.loads(script.removeprefix("window.BOOK_SECTIONS = ").rstrip(";\n"))
    assert [entry["page"] for entry in found] == ["chapters/01.html"] * 2


# Building


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_a_book_appears_and_replaces_an_earlier_one(repository, tmp_path, jupyter_book):
    out = tmp_path / "books" / "book"
    out.parent.mkdir()
    jupyter_book("(output / 'old').mkdir(parents=True); (output / 'old' / 'left-over.html').touch()")
    build(out, repository, progress=False)
    assert (out / "old" / "left-over.html").exists()
    jupyter_book()
    (out / "CNAME").write_text("mine")
    (out / ".git").mkdir()
    (out / ".git" / "HEAD").write_text("mine")
    build(out, repository, progress=False)
    assert files(out.parent) == [
        "book",
        "book/.git",
        "book/.git/HEAD",
        f"book/{RECORD}",
        "book/CNAME",
        "book/_static",
        "book/_static/search_words.js",
        "book/index.html",
        "book/objects.inv",
    ]
    assert (out / "CNAME").read_text() == "mine"


@pytest.mark.parametrize("name", ["index.html", "objects.inv", "_static/search_words.js"])
def test_a_page_that_somebody_has_changed_stays(name, repository, tmp_path, jupyter_book):
    """Also in a book that has no record of what was written, as far as one can know before it is built."""
    out = tmp_path / "book"
    build(out, repository, progress=False)
    written = (out / name).read_bytes()
    (out / name).write_text("# Project: glowsep\nmine")
    before = files(out)
    jupyter_book("sys.exit('was begun')")
    with pytest.raises(BookError, match=re.escape(f"{out / name}: is there already, and not as glowsep wrote it")):
        build(out, repository, progress=False)
    jupyter_book()
    (out / RECORD).unlink()
    with pytest.raises(BookError, match=re.escape(f"{out}{os.sep}") + ".* not as glowsep wrote it"):
        build(out, repository, progress=False)
    assert files(out) == [path for path in before if path != RECORD]
    assert (out / name).read_text() == "# Project: glowsep\nmine"
    build(out, repository, progress=False, overwrite=True)
    assert files(out) == before and (out / name).read_bytes() == written


def test_an_empty_folder_may_become_the_book(repository, tmp_path, jupyter_book):
    (tmp_path / "book").mkdir()
    build(tmp_path / "book", repository, progress=False)
    assert (tmp_path / "book" / "index.html").is_file()


def test_what_jupyter_book_complains_of_is_said_in_one_line_that_names_the_chapter(repository, tmp_path, jupyter_book):
    jupyter_book(
        """sys.stderr.write("\\x1b[91mWarning, treated as error:\\x1b[39m\\n")
sys.stderr.write(f"{source}/chapters/01_sound.ipynb:10001:Document headings start at H2\\n")
sys.exit("There was an error in building your book.")"""
    )
    before = files(tmp_path)
    with pytest.raises(BookError, match="^chapters/01_sound.ipynb: .*Document headings start at H2") as complaint:
        build(tmp_path / "book", repository, progress=False)
    assert "\n" not in str(complaint.value) and str(tmp_path) not in str(complaint.value)
    assert files(tmp_path) == before


def test_what_it_complains_of_elsewhere_is_said_too(repository, tmp_path, jupyter_book):
    jupyter_book("""sys.exit("Extension error:\\nCould not import extension myst_nb\\n")""")
    with pytest.raises(BookError, match="Could not import extension myst_nb"):
        build(tmp_path / "book", repository, progress=False)


def test_an_earlier_book_stays_where_a_new_one_fails(repository, tmp_path, jupyter_book):
    build(tmp_path / "book", repository, progress=False)
    jupyter_book("sys.exit(1)")
    before = files(tmp_path)
    with pytest.raises(BookError):
        build(tmp_path / "book", repository, progress=False)
    assert files(tmp_path) == before


def test_an_earlier_book_comes_back_where_the_new_one_cannot_be_put(repository, tmp_path, jupyter_book, monkeypatch):
    build(tmp_path / "book", repository, progress=False)
    before, replace = files(tmp_path), os.replace

    def full(source, target):
        if Path(source).name == "html":
            raise OSError(28, "No space left on device", str(target))
        replace(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        build(tmp_path / "book", repository, progress=False)
    assert files(tmp_path) == before


def test_interrupted_it_leaves_nothing_and_jupyter_book_does_not_run_on(
    repository, tmp_path, jupyter_book, monkeypatch
):
    jupyter_book("import time; print('reading sources... [100%] index', flush=True); time.sleep(600)")
    started = []

    class Interrupted(subprocess.Popen):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            started.append(self)

    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    monkeypatch.setattr("glowsep.book.building.tqdm.update", interrupt)
    before = files(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        build(tmp_path / "book", repository, progress=False)
    assert files(tmp_path) == before
    assert started[0].poll() is not None


@pytest.mark.parametrize("version", ["2.1.0", None])
def test_without_jupyter_book_1_one_line_says_how_to_get_it(version, tmp_path, monkeypatch, capsys):
    def installed(name):
        if version is None:
            raise metadata.PackageNotFoundError(name)
        return version

    monkeypatch.setattr(metadata, "version", installed)
    assert main(["book", "-o", str(tmp_path / "book")]) == 1
    said = capsys.readouterr()
    assert 'pip install "jupyter-book<2,' in said.err and said.err.count("\n") == 1 and not said.out
    assert files(tmp_path) == []


@pytest.mark.parametrize("place", ["file", "folder of something else", "missing/book"])
def test_a_place_that_is_taken_or_missing_is_refused_and_left_alone(place, tmp_path, jupyter_book, capsys):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder of something else").mkdir()
    (tmp_path / "folder of something else" / "index.html").write_text("mine")
    before = files(tmp_path)
    assert main(["book", "-o", str(tmp_path / place)]) == 1
    said = capsys.readouterr().err
    assert place in said and said.count("\n") == 1
    assert files(tmp_path) == before


def test_a_folder_that_may_not_be_written_to_is_refused(tmp_path, jupyter_book, monkeypatch, capsys):
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK or Path(path) != tmp_path.resolve())
    assert main(["book", "-o", str(tmp_path / "book")]) == 1
    assert "may write to" in capsys.readouterr().err
    assert files(tmp_path) == []


def test_the_command_says_where_to_begin_reading(tmp_path, jupyter_book, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("glowsep.book.wrapping.laid_out", lambda pieces: {})  # Ruff comes with the extra book, too
    assert main(["book"]) == 0
    assert capsys.readouterr().out.split() == [str(Path("book", "index.html"))]
    assert main(["book", "--quiet"]) == 0
    assert capsys.readouterr().out == ""
