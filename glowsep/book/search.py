"""The search's index: the words of every page by section, as a script that a page from the disk may load."""

import json
import re
import unicodedata
from html.parser import HTMLParser
from pathlib import Path

INDEX = Path("_static", "search_words.js")

VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
SKIPPED = {"script", "style", "button", "nav", "audio", "svg", "details"}  # what is folded away is not given away
HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
BLOCKS = {"p", "li", "td", "th", "dt", "dd", "div", "figcaption", "tr"} | HEADINGS
LONGEST_FORMULA = 24


def write_index(site: Path) -> None:
    """Write the search's index into a site that Sphinx has built.

    Parameters
    ----------
    site : pathlib.Path
    """
    pages = [path for path in sorted(site.rglob("*.html")) if path.name not in ("search.html", "genindex.html")]
    entries = [
        {"page": path.relative_to(site).as_posix(), **section}
        for path in pages
        if "_static" not in path.relative_to(site).parts
        for section in sections(path.read_text(encoding="utf-8"))
    ]
    words = json.dumps(entries, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    (site / INDEX).parent.mkdir(exist_ok=True)
    (site / INDEX).write_text(f"window.BOOK_SECTIONS = {words};\n", encoding="utf-8")


def sections(markup: str) -> list[dict[str, str]]:
    """The sections of a page.

    Parameters
    ----------
    markup : str
        The page as HTML.

    Returns
    -------
    list of dict
        Per section: "title", the page's; "anchor" and "heading", the section's own; its words as "text" and "code".
        A section without words is left out.
    """
    page = _Page()
    page.feed(markup)
    page.close()
    title = page.sections[0]["heading"] if page.sections else ""
    return [{"title": title, **section} for section in page.sections if section["text"] or section["code"]]


def readable(formula: str) -> str:
    r"""A formula of LaTeX as words to find and to read: simple ones as they look, others as three dots.

    Examples
    --------
    >>> readable(r"\(\sigma\)"), readable("$z$"), readable(r"\(\frac{1}{2} \sum_i z_i^2\)")
    ('σ', 'z', '…')
    """
    text = formula.strip().strip("$").removeprefix("\\(").removesuffix("\\)").strip()
    text = re.sub(r"\\(?:mathbf|mathrm|mathcal|hat|tilde|log|exp|det|text)\b", lambda found: _kept(found[0]), text)
    text = re.sub(r"\\([A-Za-z]+)", lambda found: _greek(found[1]), text)
    text = re.sub(r"[{}]|\\[,;!]", "", text)
    return "…" if "\\" in text or "^" in text or len(text) > LONGEST_FORMULA else text


class _Page(HTMLParser):
    """Collects the words of the article of a page, section by section."""

    def __init__(self):
        super().__init__()
        self.sections, self._open, self._elements, self._formula = [], [], [], None

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag in VOID:
            self._add(" ")
            return
        classes = set((attributes.get("class") or "").split())
        self._elements.append((tag, classes))
        if tag == "section" and self._within(classes={"bd-article"}):
            self.sections.append({"anchor": attributes.get("id", ""), "heading": "", "text": "", "code": ""})
            self._open.append(self.sections[-1])
        elif "math" in classes:
            self._formula = ""
        elif tag in BLOCKS:
            self._add(" ")

    def handle_endtag(self, tag):
        while self._elements:  # a stray element that was never closed goes with the one around it
            name, classes = self._elements.pop()
            if "math" in classes and self._formula is not None:
                formula, self._formula = self._formula, None
                self._add(readable(formula))
            if name == "section" and self._open:
                section = self._open.pop()
                for key in ("heading", "text", "code"):
                    section[key] = " ".join(section[key].split())
            if name == tag:
                break
        if tag in BLOCKS:
            self._add(" ")

    def handle_data(self, data):
        self._add(data)

    def _add(self, words):
        if not self._open or self._within(SKIPPED, {"headerlink", "downloads"}):
            return
        if self._formula is not None:
            self._formula += words
            return
        key = "heading" if self._within(HEADINGS) else "code" if self._within({"pre"}) else "text"
        self._open[-1][key] += words

    def _within(self, tags=frozenset(), classes=frozenset()):
        """Whether what is read now is within an element of one of these names or classes."""
        return any(tag in tags or its_classes & classes for tag, its_classes in self._elements)


def _kept(command):
    """Of a command that says how letters look, nothing; of the name of a function, the name."""
    return command[1:] if command[1:] in ("log", "exp", "det") else ""


def _greek(name):
    """The Greek letter of that name, or the command as it was."""
    case = "CAPITAL" if name[0].isupper() else "SMALL"
    try:
        return unicodedata.lookup(f"GREEK {case} LETTER {'LAMDA' if name.lower() == 'lambda' else name.upper()}")
    except KeyError:
        return f"\\{name}"
