"""Which chapters and guides there are, and how the book arranges them."""

from pathlib import Path

from glowsep.errors import BookError

#: The parts' titles, by the number of the chapter that begins each.
PARTS = {1: "Signals, scores and NMF", 4: "A flow by hand", 10: "Priors, search and separation"}

#: The guides make up the appendix, in this order. A guide that is not named here comes after those that are.
APPENDIX = "Appendix: guides"
ORDER = ("your_own_data", "results", "performance", "clusters", "teaching", "reports_and_the_book", "architecture")


def chapters(repository):
    """The notebooks of the chapters, in their order.

    Parameters
    ----------
    repository : path
        Holds them as ``chapters/NN_name.ipynb``, where ``NN`` is the chapter's number.

    Returns
    -------
    list of pathlib.Path

    Raises
    ------
    BookError
        If there are none.
    """
    folder = Path(repository) / "chapters"
    found = sorted(folder.glob("[0-9][0-9]_*.ipynb"))
    if not found:
        raise BookError(f"{folder}: no chapters here; clone the repository, and run this inside it")
    return found


def guides(repository):
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


def table_of_contents(chapters, guides=()):
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
