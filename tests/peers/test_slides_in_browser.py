"""The slides in a real browser: each opens from the disk without a network, and every slide fits on the screen."""

import os
from importlib.util import find_spec

import pytest

from glowsep.course import PARTS
from glowsep.slides import build

pytest_plugins = ["browser"]

# Of every slide: its place, whether it fits, and how large its text is.
SLIDES = """() => [...document.querySelectorAll('.slides section section')].map((slide) => {
  const place = Reveal.getIndices(slide);
  Reveal.slide(place.h, place.v);
  return {
    text: slide.innerText.trim().slice(0, 60),
    height: slide.scrollHeight,
    wide: [...slide.querySelectorAll('*')].filter((element) => !element.closest('mjx-assistive-mml')
      && element.getBoundingClientRect().right > innerWidth).map((element) => element.outerHTML.slice(0, 80)),
    size: parseFloat(getComputedStyle(slide).fontSize),
    seen: slide.getClientRects().length > 0,
    empty: !slide.innerText.trim() && !slide.querySelector('img'),
  };
})"""
FORMULAS = """() => ({
  set: document.querySelectorAll('.slides mjx-container svg').length,
  wrong: [...document.querySelectorAll('[data-mml-node=merror]')].map((error) => error.textContent),
  left: [...document.querySelectorAll('.slides section section')].map((slide) => {
    const copy = slide.cloneNode(true);
    copy.querySelectorAll('mjx-container, code, pre, .notes').forEach((element) => element.remove());
    return copy.textContent;
  }).filter((text) => text.includes('$')),
})"""


@pytest.fixture(scope="module")
def slides(tmp_path_factory):
    """The pages of the slides."""
    if find_spec("nbconvert") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no nbconvert here: pip install -r requirements.txt")
    return build(tmp_path_factory.mktemp("built") / "slides")


@pytest.mark.parametrize("part", range(len(PARTS)))
def test_a_part_s_slides_open_and_every_one_fits(part, slides, new_page):
    page = new_page(1280)
    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto(slides[part].as_uri())
    page.evaluate("() => window.ready")
    shown = page.evaluate(SLIDES)
    assert len(shown) > 20
    assert not [slide for slide in shown if slide["height"] > 720 or slide["wide"] or not slide["seen"]]
    assert not [slide for slide in shown if slide["empty"]]
    assert min(slide["size"] for slide in shown) >= 13
    formulas = page.evaluate(FORMULAS)
    assert formulas["set"] > 10 and formulas["wrong"] == [] and formulas["left"] == []
    assert page.evaluate("() => [...document.images].filter((image) => !image.naturalWidth).length") == 0


def test_the_arrow_keys_lead_through_the_slides(slides, new_page):
    page = new_page(1280)
    page.goto(slides[0].as_uri())
    page.evaluate("() => window.ready")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("() => Reveal.getIndices().h") == 1
    page.keyboard.press("Space")
    assert page.evaluate("() => Reveal.getIndices().v + Reveal.getIndices().h") == 2
    assert page.evaluate("() => Reveal.getSlideNotes().length") > 0
