"""Wrapping: code that is too wide for a page is laid out again by Ruff, and means what it meant."""

import io
import re
import subprocess
import sys
import tempfile
import textwrap
import tokenize
from collections.abc import Iterable
from pathlib import Path

from glowsep.errors import BookError, how_to_install

#: Columns of code that a page has room for.
WIDTH = 88

LISTING = re.compile(r"(?ms)^```python\n(.*?)\n```$")


def wrap(notebook: dict) -> None:
    """Lay out the code of a notebook's cells, and the listings among its outputs, in lines of ``WIDTH`` columns.

    Code whose lines are short enough stays as it is, and so does what is not Python alone, such as a cell with a
    command for IPython. A long string is never broken: the page's style sheet folds what is still too wide.

    Parameters
    ----------
    notebook : dict
        As `glowsep.book.readers_copy` returns it; changed in place.

    Raises
    ------
    BookError
        If Ruff is needed and not installed.
    """
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    outputs = [output.get("data", {}) for cell in cells for output in cell["outputs"]]
    texts = [data for data in outputs if "text/markdown" in data]
    for text in texts:
        text["text/markdown"] = "".join(text["text/markdown"])
    listings = [listing for text in texts for listing in LISTING.findall(text["text/markdown"])]
    wrapped = laid_out({*(cell["source"] for cell in cells), *listings})
    for cell in cells:
        cell["source"] = wrapped.get(cell["source"], cell["source"])
    for text in texts:
        text["text/markdown"] = LISTING.sub(
            lambda found: f"```python\n{wrapped.get(found[1], found[1])}\n```", text["text/markdown"]
        )


def laid_out(pieces: Iterable[str]) -> dict[str, str]:
    """Of some pieces of code, those that are too wide, in shorter lines: a dict from the old text to the new."""
    wide = [piece for piece in pieces if max(map(len, piece.split("\n"))) > WIDTH]
    if not wide:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number}.py" for number in range(len(wide))]
        for path, piece in zip(paths, wide, strict=True):
            path.write_text(with_short_comments(piece), encoding="utf-8", newline="\n")
        command = [sys.executable, "-m", "ruff", "format", "--isolated", "--no-cache", f"--line-length={WIDTH}", folder]
        result = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace")
        if "No module named ruff" in result.stderr:
            raise BookError(f"the book needs Ruff, which lays out its code: {how_to_install('book')}")
        return {piece: path.read_text(encoding="utf-8").strip("\n") for path, piece in zip(paths, wide, strict=True)}


def with_short_comments(code: str) -> str:
    """Code whose comments are no wider than ``WIDTH``: one that makes its line too wide stands above it.

    Examples
    --------
    >>> print(with_short_comments("x = 1  # " + 40 * "so "))  # doctest: +ELLIPSIS
    # so so ...
    # so so ...
    x = 1
    """
    lines = code.split("\n")
    try:
        comments = [t for t in tokenize.generate_tokens(io.StringIO(code).readline) if t.type == tokenize.COMMENT]
    except (tokenize.TokenError, SyntaxError):  # not Python alone
        return code
    for row, column, text in reversed([(*comment.start, comment.string) for comment in comments]):
        line = lines[row - 1]
        if len(line) > WIDTH:
            indent = line[: len(line) - len(line.lstrip())]
            start = f"{indent}# "
            words = textwrap.wrap(text.lstrip("# "), WIDTH, initial_indent=start, subsequent_indent=start)
            lines[row - 1 : row] = [*words, *([line[:column].rstrip()] if line[:column].strip() else [])]
    return "\n".join(lines)
