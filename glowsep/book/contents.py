"""Which chapters there are, and how the book arranges them."""

from pathlib import Path

from glowsep.errors import BookError

#: The parts' titles, by the number of the chapter that begins each.
PARTS = {1: "Signals, scores and NMF", 4: "A flow by hand", 10: "Priors, search and separation"}


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
        There are none.
    """
    folder = Path(repository) / "chapters"
    found = sorted(folder.glob("[0-9][0-9]_*.ipynb"))
    if not found:
        raise BookError(f"{folder}: no chapters here; install from inside the repository: pip install -e '.[book]'")
    return found


def contents(names):
    """Jupyter Book's table of contents: a landing page, then every chapter in its part.

    Parameters
    ----------
    names : list of str
        Chapters in their order, such as ``"03_nmf"``.

    Returns
    -------
    dict
        As it stands in Jupyter Book's ``_toc.yml``.
    """
    parts = {first: {"caption": title, "chapters": []} for first, title in PARTS.items()}
    for name in names:
        part = max(first for first in PARTS if first <= int(name[:2]))
        parts[part]["chapters"].append({"file": f"chapters/{name}"})
    return {"format": "jb-book", "root": "index", "parts": [part for part in parts.values() if part["chapters"]]}
