"""What of a chapter goes on slides: of each cell with the tag ``slide`` what an audience can read at a glance.

Of a text, each heading begins a slide, with the formulas, lists and tables below it, and with the sentences that lead
to them. The whole text becomes the speaker's notes. Of code, what it shows.
"""

import re
from collections.abc import Iterator

TAG = "slide"
HEADING = re.compile(r"(?m)^(?=#+ )")
FIRST_SENTENCE = re.compile(r"(?s).+?[.?!:]\**(?=\s|\Z)")
LAST_SENTENCE = re.compile(r"(?s)(?:^|(?<=[.?!]\s))[^.?!]*:\Z")
SHOWN_WHOLE = re.compile(r"\$\$|[-*] |\d+\. |\||>|!\[")
QUESTION = "**The question.**"


def deck(title: str, chapters: list[dict]) -> dict:
    """A notebook for nbconvert with the slides of several chapters.

    Parameters
    ----------
    title : str
        Of the first slide.
    chapters : list of dict
        Notebooks, as read from their JSON.

    Returns
    -------
    dict
        A notebook whose cells say where in a slide show they belong.
    """
    cells = [_text(f"# {title}", "slide")]
    for notebook in chapters:
        cells += _slides(notebook["cells"])
    for place, cell in enumerate(cells):
        cell["id"] = f"slide-{place}"
    return {"cells": cells, "metadata": {"title": title}, "nbformat": 4, "nbformat_minor": 5}


def _slides(cells) -> Iterator[dict]:
    heading = ""
    for cell in cells:
        text = "".join(cell["source"])
        is_tagged = TAG in cell["metadata"].get("tags", [])
        if cell["cell_type"] == "code":
            if is_tagged and (outputs := [output for output in cell["outputs"] if "text/html" in output.get("data", {})]):
                yield _text(heading, "subslide")
                yield {**cell, "source": "", "outputs": outputs, "metadata": _place("-")}
            continue
        for section in HEADING.split(text):
            heading = section.partition("\n")[0] if section.startswith("#") else heading
            if is_tagged and section.strip() and not section.startswith("### Exercise "):
                is_new = heading.startswith(("# ", "## ")) and section.startswith("#")
                yield _text(glance(section) if section.startswith("#") else f"{heading}\n\n{glance(section)}",
                            "slide" if is_new else "subslide")
                yield _text(section, "notes")


def glance(section: str) -> str:
    """A section's heading, and of its blocks what can be read at a glance."""
    blocks = [block.strip() for block in re.split(r"\n\s*\n", section.strip()) if block.strip()]
    kept, is_first = [], True
    for block, after in zip(blocks, [*blocks[1:], ""], strict=True):
        if block.startswith("#") or SHOWN_WHOLE.match(block) or block.startswith(QUESTION):
            kept.append(block)
            continue
        sentences = [FIRST_SENTENCE.match(block)] if is_first or block.startswith("**") else []
        if SHOWN_WHOLE.match(after):
            sentences.append(LAST_SENTENCE.search(block))
        found = dict.fromkeys(sentence[0].strip() for sentence in sentences if sentence)
        kept += [" ".join(found)] if found else []
        is_first = False
    return "\n\n".join(kept)


def _text(text, slide_type):
    return {"cell_type": "markdown", "source": text, "metadata": _place(slide_type)}


def _place(slide_type):
    return {"slideshow": {"slide_type": slide_type}}
