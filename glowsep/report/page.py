"""A page and its parts. Everything is inside it: style, scripts, sounds and pictures."""

import html
from collections.abc import Sequence
from pathlib import Path
from string import Template

from glowsep.arrays.seals import BLANK

ASSETS = Path(__file__).parent / "assets"


def page(title: str, content: str) -> str:
    """A whole page around its content.

    Parameters
    ----------
    title : str
        As text.
    content : str
        As HTML.

    Returns
    -------
    str
        HTML that loads nothing from any network; its content security policy forbids it, too.
        `glowsep.arrays.files.write_text` seals it.
    """
    return Template(asset("page.html")).substitute(
        title=html.escape(title),
        content=content,
        seal=BLANK,
        style=asset("page.css"),
        library=asset("multitrack.min.js"),
        player=asset("webaudio.js") + asset("player.js"),
        licence=html.escape(asset("LICENSE.wavesurfer-multitrack.txt")),
    )


def section(heading: str, *parts: str) -> str:
    """Parts as HTML under a heading as text."""
    return f"<section>\n<h2>{html.escape(heading)}</h2>\n" + "\n".join(parts) + "\n</section>\n"


def table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str | float]]) -> str:
    """A table of text, with numbers aligned; in every row the first cell is its heading.

    Parameters
    ----------
    caption : str
        What the table shows, in which unit.
    head : list of str
    rows : list of list of str or float
        A float is written with two digits after the point, or as a dash if it is not finite.
    """
    header = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in head)
    body = "\n".join(
        f'<tr><th scope="row">{html.escape(name)}</th>' + "".join(map(_cell, cells)) + "</tr>" for name, *cells in rows
    )
    return (
        f'<div class="table"><table><caption>{html.escape(caption)}</caption>\n<thead><tr>{header}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def settings_table(settings: dict[str, str]) -> str:
    """Names and values, as text."""
    rows = "\n".join(f"<dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd>" for name, value in settings.items())
    return f"<dl>\n{rows}\n</dl>"


def decibels(score: float) -> str:
    """A score to read: two digits after the point and a true minus, or a dash if there is none."""
    return f"{score:.2f}".replace("-", "−") if abs(score) < float("inf") else "–"


def asset(name: str) -> str:
    """The text of one of the package's own files."""
    return (ASSETS / name).read_text(encoding="utf-8")


def _cell(value):
    return f"<td>{html.escape(value)}</td>" if isinstance(value, str) else f'<td class="number">{decibels(value)}</td>'
