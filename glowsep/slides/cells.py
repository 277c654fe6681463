"""What of a chapter goes on slides: of each cell with the tag ``slide`` what an audience can read at a glance.

Of a text, each heading begins a slide, with the formulas, lists and tables below it, and with the sentences that lead
to them; where there are none, with the first sentence of each paragraph. The whole text becomes the speaker's notes. Of
code, what it shows: the first picture after a text is on the text's slide.
"""

import re
from collections.abc import Iterator

TAG = "slide"
HEADING = re.compile(r"(?m)^(?=#+ )")
LABEL = r"(?:\*\*[^*]*[.:?]\*\*\s*)?"  # as in "**Is it invertible?** Solve for $x$."
FIRST_SENTENCE = re.compile(rf"(?s){LABEL}.+?(?:[.?!:]\**(?=\s+[A-Z$*`\"])|\Z)")
LAST_SENTENCE = re.compile(r"(?s)(?:^|(?<=[.?!]\s))[^.?!]*:\Z")
SHOWN_WHOLE = re.compile(r"\$\$|[-*] |\d+\. |\||>|!\[")
QUESTION = "**The question.**"
LEFT_OUT = ("**Time:**", "**Conventions.**")


def deck(title: str, chapters: list[dict]) -> dict:
    """A notebook for nbconvert with the slides of several chapters.

    Parameters
    ----------
    title : str
        Of the first slide, which lists the chapters below it.
    chapters : list of dict
        Notebooks, as read from their JSON.

    Returns
    -------
    dict
        A notebook whose cells say where in a slide show they belong.
    """
    headings = ["".join(notebook["cells"][0]["source"]).partition("\n")[0] for notebook in chapters]
    names = "\n".join(f"- {heading.removeprefix('# ')}" for heading in headings)
    cells = [_text(f"# {title}\n\n{names}", "slide")]
    for notebook in chapters:
        cells += _slides(notebook["cells"])
    for place, cell in enumerate(cells):
        cell["id"] = f"slide-{place}"
    return {"cells": cells, "metadata": {"title": title}, "nbformat": 4, "nbformat_minor": 5}


def _slides(cells) -> Iterator[dict]:
    heading, has_picture = "", True
    for cell in cells:
        text = "".join(cell["source"])
        is_tagged = TAG in cell["metadata"].get("tags", [])
        if cell["cell_type"] == "code":
            if is_tagged and (
                outputs := [output for output in cell["outputs"] if "text/html" in output.get("data", {})]
            ):
                if has_picture:
                    yield _text(heading, "subslide")
                yield {**cell, "source": "", "outputs": outputs, "metadata": _place("-")}
                has_picture = True
            continue
        for section in HEADING.split(text):
            if section.startswith("### Exercise") or not section.strip():
                continue
            is_headed = section.startswith("#")
            heading = section.partition("\n")[0] if is_headed else heading
            if is_tagged:
                begins_topic = is_headed and not section.startswith("###")
                yield _text(
                    glance(section if is_headed else f"{heading}\n\n{section}"), "slide" if begins_topic else "subslide"
                )
                yield _text(section, "notes")
                has_picture = False


def glance(section: str) -> str:
    """A section's heading, and of its blocks what can be read at a glance.

    Examples
    --------
    >>> print(glance("## Gain\\n\\nIt is learnt. Nobody sets it. So we write:\\n\\n$$y = g x$$\\n\\nMore of it."))
    ## Gain
    <BLANKLINE>
    It is learnt. So we write:
    <BLANKLINE>
    $$y = g x$$
    """
    blocks = [block.strip() for block in re.split(r"\n\s*\n", section.strip()) if block.strip()]
    blocks = [block for block in blocks if not block.startswith(LEFT_OUT)]
    is_plain = not any(SHOWN_WHOLE.match(block) for block in blocks)
    kept, is_first = [], True
    for block, after in zip(blocks, [*blocks[1:], ""], strict=True):
        if block.startswith(("#", QUESTION)) or SHOWN_WHOLE.match(block):
            kept.append(block)
            continue
        sentences = [FIRST_SENTENCE.match(block)] if is_first or is_plain or block.startswith("**") else []
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
