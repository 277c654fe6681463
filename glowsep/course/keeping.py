"""Reading chapters, and writing notebooks: one that somebody has worked on is never replaced unasked.

What glowsep writes carries a seal, a digest of its content, in its metadata. Who changes anything in the notebook, be
it only by running it, breaks the seal, and from then on the file is theirs.
"""

import hashlib
import json
from os import PathLike
from pathlib import Path

from glowsep.arrays.files import write_text
from glowsep.errors import CourseError

SEAL = "glowsep_seal"


def read_chapter(path: str | PathLike) -> dict:
    """A notebook as its JSON has it.

    Raises
    ------
    CourseError
        If the file is not a notebook of format 4.
    """
    try:
        notebook = json.loads(Path(path).read_text(encoding="utf-8"))
        if notebook["nbformat"] == 4:
            return notebook
    except (ValueError, LookupError, TypeError):
        pass
    raise CourseError(f"{path}: not a notebook of format 4; fetch it again")


def write_notebook(notebook: dict, path: str | PathLike, overwrite: bool = False) -> None:
    """Write a notebook with a seal.

    Parameters
    ----------
    notebook : dict
    path : path
        In a folder that exists. What is there already is replaced only if its seal is whole.
    overwrite : bool
        Replace whatever is there.

    Raises
    ------
    CourseError
        If a file is there that has been changed since it was written, or that glowsep did not write.
    """
    path = Path(path)
    if path.exists() and not overwrite and not is_sealed(path):
        raise CourseError(
            f"{path}: has been changed, so it stays as it is; choose another folder, or replace it with --overwrite"
        )
    metadata = {**notebook["metadata"], SEAL: _seal(notebook)}
    write_text(path, json.dumps({**notebook, "metadata": metadata}, indent=1, ensure_ascii=False) + "\n")


def is_sealed(path: str | PathLike) -> bool:
    """Whether a file is a notebook that glowsep wrote, and nobody has changed since."""
    try:
        notebook = read_chapter(path)
        return notebook["metadata"][SEAL] == _seal(notebook)
    except (CourseError, LookupError, TypeError):
        return False


def _seal(notebook):
    """A digest of everything but the seal, the same however the JSON is laid out."""
    metadata = {key: value for key, value in notebook["metadata"].items() if key != SEAL}
    text = json.dumps({**notebook, "metadata": metadata}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
