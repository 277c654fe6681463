"""The book in a real browser: every page opens from the disk without a network, whole, on a phone as on a desk."""

import json
import os
import re
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from glowsep.book import build, chapters, guides
from glowsep.datasets.shipped import REPOSITORY

pytest_plugins = ["browser"]

CHAPTERS = [path.stem for path in chapters(REPOSITORY)]
GUIDES = [path.stem for path in guides(REPOSITORY)]
PAGES = ["index", "search", *(f"chapters/{name}" for name in CHAPTERS), *(f"chapters/guides/{name}" for name in GUIDES)]
every_page = pytest.mark.parametrize("name", PAGES)

BROKEN_PICTURES = """() => [...document.images].filter((image) => !image.complete || !image.naturalWidth)
  .map((image) => image.alt || image.src.slice(0, 99))"""
FORMULAS = """() => {
  const formulas = [...document.querySelectorAll('.math')];
  return {
    all: formulas.length,
    set: formulas.filter((formula) => formula.querySelector('mjx-container svg')).length,
    wrong: [...document.querySelectorAll('[data-mml-node=merror], mjx-merror')].map((error) => error.textContent),
  };
}"""
# The words of a page, without code and without formulas that are set.
PROSE = """() => {
  const main = document.querySelector('main').cloneNode(true);
  main.querySelectorAll('pre, code, mjx-container, script').forEach((element) => element.remove());
  return main.textContent;
}"""
HEARD = """async () => {
  const heard = [];
  for (const player of document.querySelectorAll('audio')) {
    player.muted = true;
    await player.play();
    const end = performance.now() + 10000;
    while (!player.currentTime && performance.now() < end) await new Promise((next) => setTimeout(next, 20));
    heard.push({ name: player.ariaLabel, duration: player.duration, time: player.currentTime });
    player.pause();
  }
  return heard;
}"""
CUT_OFF = """() => [...document.querySelectorAll('main *')]
  .filter((element) => ['hidden', 'clip'].includes(getComputedStyle(element).overflowX))
  .filter((element) => element.clientWidth > 1 && element.scrollWidth > element.clientWidth + 1)
  .filter((element) => !element.closest('mjx-assistive-mml'))
  .map((element) => element.textContent.slice(0, 99))"""
# The brightness, from 0 to 255, of the paper and of the ink.
BRIGHTNESS = """() => ['backgroundColor', 'color'].map((property) => {
  const [red, green, blue] = getComputedStyle(document.body)[property].match(/[\\d.]+/g).map(Number);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
})"""


class Markup(HTMLParser):
    """What a page points to, what in it can be pointed to, and how often each element occurs in it."""

    def __init__(self, path):
        super().__init__()
        self.path, self.targets, self.anchors, self.elements = path, [], {"", "top"}, []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.elements.append(tag)
        self.anchors.add(attributes.get("id", ""))
        self.targets += [(tag, attributes[name]) for name in ("href", "src") if attributes.get(name)]


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """The folder of the book."""
    if find_spec("jupyter_book") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no Jupyter Book here: pip install -e '.[book]'")
    folder = tmp_path_factory.mktemp("built") / "book"
    build(folder, progress=False)
    return folder


@pytest.fixture(scope="module")
def pages(book):
    """The markup of all pages, by name."""
    paths = [path for path in book.rglob("*.html") if "_static" not in path.parts]
    return {path.relative_to(book).with_suffix("").as_posix(): Markup(path) for path in paths}


@pytest.fixture
def opened(new_page, book):
    """Opens a page of the book."""

    def open_page(name, width=1280, scheme="light"):
        page = new_page(width, scheme)
        page.goto((book / f"{name}.html").as_uri())
        page.evaluate("() => window.MathJax && MathJax.startup.promise")
        return page

    return open_page


def test_every_chapter_and_guide_has_a_page_and_no_page_is_forgotten_here(pages):
    assert sorted(pages) == sorted(PAGES)


@every_page
def test_links_lead_somewhere(name, pages):
    markup = pages[name]
    by_path = {page.path: page for page in pages.values()}
    for tag, target in markup.targets:
        url = urlsplit(target)
        if url.scheme:
            assert tag == "a" or url.scheme == "data", f"{target[:99]} is fetched when the page is opened"
            continue
        path = Path(os.path.normpath(markup.path.parent / unquote(url.path))) if url.path else markup.path
        assert path.is_file(), target
        if url.fragment:
            assert unquote(url.fragment) in by_path[path].anchors, target


@every_page
def test_a_page_opens_whole(name, opened, pages):
    page = opened(name)
    assert page.evaluate(BROKEN_PICTURES) == []
    formulas = page.evaluate(FORMULAS)
    assert formulas["wrong"] == []
    assert formulas["set"] == formulas["all"]
    assert re.findall(r"\$|\\\w+", page.evaluate(PROSE)) == [], "a formula that is not set"
    heard = page.evaluate(HEARD)
    assert len(heard) == pages[name].elements.count("audio")
    assert not [player for player in heard if not player["duration"] > 0 or not player["time"] > 0]


def test_no_player_and_no_picture_of_a_chapter_is_lost(pages):
    for name in CHAPTERS:
        cells = json.loads((REPOSITORY / "chapters" / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
        shown = "".join(
            "".join(output.get("data", {}).get("text/html", "")) for cell in cells for output in cell.get("outputs", [])
        )
        for element in ("audio", "img"):
            assert pages[f"chapters/{name}"].elements.count(element) == shown.count(f"<{element} ")


@every_page
def test_it_can_be_read_on_a_phone(name, opened):
    page = opened(name, width=390)
    page.evaluate("document.querySelectorAll('details').forEach((details) => (details.open = true))")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390, "something sticks out"
    assert page.evaluate(CUT_OFF) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_light_or_dark_as_the_system_is_until_told_otherwise(scheme, opened):
    page = opened("index", scheme=scheme)
    button = page.locator(".theme-switch-button:visible")
    looks = []
    for _ in range(4):
        paper, ink = page.evaluate(BRIGHTNESS)
        assert abs(paper - ink) > 127
        looks.append("light" if paper > ink else "dark")
        button.click()
        page.wait_for_timeout(500)
    assert looks[0] == scheme
    assert set(looks) == {"light", "dark"}


def test_pictures_and_players_can_be_seen_in_the_dark(opened):
    """Pictures are drawn in black on white or on nothing: behind them there must be white."""
    page = opened(f"chapters/{CHAPTERS[0]}", scheme="dark")
    behind = "(images) => images.map((image) => getComputedStyle(image).backgroundColor)"
    assert set(page.locator(".cell_output img").evaluate_all(behind)) == {"rgb(255, 255, 255)"}
    captions = "(captions) => captions.map((caption) => getComputedStyle(caption).color)"
    words = page.locator("article p").first.evaluate("(words) => getComputedStyle(words).color")
    assert set(page.locator("figcaption").evaluate_all(captions)) == {words}


def test_a_solution_shows_when_it_is_asked_for(opened):
    page = opened(f"chapters/{CHAPTERS[0]}")
    solution = page.locator("details", has=page.get_by_text("Solution", exact=True)).first
    assert not solution.locator("pre").is_visible()
    solution.locator("summary").click()
    assert solution.locator("pre").is_visible()
    assert "SOLUTION" not in solution.inner_text()


@pytest.mark.parametrize("width", [1280, 390])
def test_code_is_read_without_moving_it_sideways(width, opened):
    page = opened(f"chapters/{CHAPTERS[0]}", width=width)
    page.evaluate("document.querySelectorAll('details').forEach((details) => (details.open = true))")
    wide = "(all) => all.filter((code) => code.scrollWidth > code.clientWidth + 1).map((code) => code.textContent)"
    assert page.locator("div.highlight pre").evaluate_all(wide) == []


def test_what_is_copied_from_a_cell_is_its_code(opened):
    page = opened(f"chapters/{CHAPTERS[0]}")
    code = page.locator(".highlight-ipython3 pre").first.evaluate("(code) => code.textContent")
    cells = json.loads((REPOSITORY / f"chapters/{CHAPTERS[0]}.ipynb").read_text(encoding="utf-8"))["cells"]
    first = next("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    assert code.strip() == first.strip()


def test_one_player_sounds_at_a_time(opened):
    page = opened(f"chapters/{CHAPTERS[0]}")
    assert page.locator("audio").count() > 1
    sounding = """async (place) => {
      const players = [...document.querySelectorAll('audio')];
      players[place].muted = true;
      await players[place].play();
      await new Promise((next) => setTimeout(next, 100));
      return players.flatMap((player, number) => (player.paused ? [] : [number]));
    }"""
    assert page.evaluate(sounding, 0) == [0]
    assert page.evaluate(sounding, 1) == [1]


def test_a_notebook_is_downloaded_without_solutions_or_with_them(opened):
    """Whether a browser saves a file from the disk or shows it, it decides itself: so the link's target is read."""
    page = opened(f"chapters/{CHAPTERS[0]}")
    for words, has_solutions in (("without solutions", False), ("with solutions", True)):
        link = page.get_by_role("link", name=words)
        assert link.get_attribute("download") is not None  # from a server it is saved
        target = unquote(urlsplit(link.evaluate("(link) => link.href")).path)
        text = Path(target).read_text(encoding="utf-8")
        assert json.loads(text)["nbformat"] == 4
        assert ("BEGIN SOLUTION" in text) == has_solutions


@pytest.mark.parametrize("width", [1280, 390])
def test_search_quotes_every_section_that_holds_the_words(width, opened):
    page = opened("search", width=width)
    page.locator(".book-search input").fill("Tweedie formula")
    page.locator("#search-results li").first.wait_for()
    for result in page.locator("#search-results li").all():
        words = result.inner_text().lower()
        assert "tweedie" in words or "formula" in words
        assert {mark.lower() for mark in result.locator("mark").all_inner_texts()} & {"tweedie", "formula"}
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator(".book-search input").fill("no such words anywhere")
    assert page.locator("#search-summary").inner_text() == "0 sections"


def test_search_finds_the_chapter_of_a_word(opened):
    page = opened("index")
    page.keyboard.press("Control+K")
    page.locator("dialog input[type=search]").fill("Tweedie")
    page.keyboard.press("Enter")
    found = page.locator("#search-results li a").first
    found.wait_for()
    found.click()
    page.wait_for_url(re.compile("chapters/"))
    assert "Tweedie" in page.locator("article").inner_text()


def test_a_widget_leaves_a_line_where_it_was(book):
    widgets = {name for name in CHAPTERS if "widget-view+json" in (REPOSITORY / f"chapters/{name}.ipynb").read_text()}
    assert widgets
    for name in widgets:
        assert "this part moves" in (book / f"chapters/{name}.html").read_text(encoding="utf-8")


def test_the_licence_of_the_formulas_comes_along(book):
    assert "Apache License" in next(book.rglob("LICENSE.mathjax.txt")).read_text(encoding="utf-8")
