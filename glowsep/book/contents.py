"""Which guides there are, and how the book arranges them and the chapters."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from glowsep.course.contents import PARTS

#: The guides make up the appendix, in this order. A guide that is not named here comes after those that are.
APPENDIX = "Appendix"
ORDER = (
    "notation",
    "glossary",
    "your_own_data",
    "results",
    "performance",
    "clusters",
    "teaching",
    "reports_and_the_book",
    "architecture",
)


def guides(repository: str | PathLike) -> list[Path]:
    """The guides, ``chapters/guides/NAME.md``, in their order.

    Parameters
    ----------
    repository : path

    Returns
    -------
    list of pathlib.Path
        Empty if there are none.
    """

    def place(path):
        return (ORDER.index(path.stem) if path.stem in ORDER else len(ORDER), path.stem)

    return sorted((Path(repository) / "chapters" / "guides").glob("*.md"), key=place)


def table_of_contents(chapters: Sequence[str], guides: Sequence[str] = ()) -> dict:
    """Jupyter Book's table of contents: a landing page, then every chapter in its part, and the guides.

    Parameters
    ----------
    chapters, guides : sequences of str
        Their names in order, such as ``"03_nmf"`` and ``"results"``.

    Returns
    -------
    dict
        The content of Jupyter Book's ``_toc.yml``.
    """
    parts = {first: {"caption": title, "chapters": []} for first, title in PARTS.items()}
    for name in chapters:
        part = max(first for first in PARTS if first <= int(name[:2]))
        parts[part]["chapters"].append({"file": f"chapters/{name}"})
    appendix = {"caption": APPENDIX, "chapters": [{"file": f"chapters/guides/{name}"} for name in guides]}
    filled = [part for part in (*parts.values(), appendix) if part["chapters"]]
    return {"format": "jb-book", "root": "index", "parts": filled}
