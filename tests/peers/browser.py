"""A real browser for tests: pages without a network, on which nothing may go wrong unnoticed.

Needs Chromium, or Chrome, and Playwright (`pip install -e '.[peers]'`). In CI, a browser that is missing is a failure.
"""

import os
import shutil

import pytest

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 120_000  # milliseconds: a busy machine is slow


@pytest.fixture(scope="module")
def browser():
    missing = "no Chromium here: apt-get install chromium" if BROWSER is None else None
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing = "no Playwright here: pip install -e '.[peers]'"
    if missing:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS, timeout=PATIENCE)
        yield browser
        browser.close()


@pytest.fixture
def new_page(browser):
    """Makes pages that have no network; in the end, nothing may have gone wrong on them, or been asked of one."""
    wrong, asked, contexts = [], [], []

    def make(width=1280, scheme="light"):
        context = browser.new_context(viewport={"width": width, "height": 812}, color_scheme=scheme, offline=True)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda message: message.type in ("error", "warning") and wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("requestfailed", lambda request: wrong.append(f"not loaded: {request.url[:200]}"))
        page.on("request", lambda request: asked.append(request.url))
        return page

    yield make
    for context in contexts:
        context.close()
    assert wrong == []
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
