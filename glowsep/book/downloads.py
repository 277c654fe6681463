"""Downloads: every chapter's notebook, with its solutions and without, under the chapter's title."""

import json
from pathlib import Path

from glowsep.course.handouts import handout

LINE = (
    "```{{div}} downloads\n"
    "To run and change it, download this chapter's notebook "
    "[without solutions](<path:{without}>) or [with solutions](<path:{complete}>). "
    "It needs the package: see [Two commands]({landing}).\n"
    "```\n"
)


def add_downloads(notebook: dict, original: dict, path: Path) -> None:
    """Put the notebook's two versions beside a page of the book, and a line that links to them under its title.

    Parameters
    ----------
    notebook : dict
        The reader's copy, which gets the line.
    original : dict
        The chapter itself.
    path : pathlib.Path
        Where the reader's copy goes.
    """
    folder = path.parent / "notebooks"
    folder.mkdir(parents=True, exist_ok=True)
    versions = {
        "complete": (f"{path.stem}.ipynb", original),
        "without": (f"{path.stem}_without_solutions.ipynb", handout(original, path.stem)),
    }
    for name, content in versions.values():
        (folder / name).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    targets = {key: f"notebooks/{name}" for key, (name, _) in versions.items()}
    line = LINE.format(**targets, landing="../index.md#two-commands")
    notebook["cells"].insert(1, {"id": "downloads", "cell_type": "markdown", "metadata": {}, "source": line})
