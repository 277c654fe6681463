"""What the chapters share: the data that came with the repository, and the package's own code to read along.

The exercises themselves are nbgrader's; what a wrong answer is told comes from `glowsep.check`.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from glowsep.datasets.shipped import REPOSITORY, shipped
from glowsep.errors import DatasetError

if TYPE_CHECKING:  # the package does not need Jupyter
    from IPython.display import Markdown


def data(name: str) -> Path:
    """The path of something in the repository's folder ``data``, from whatever folder a notebook runs in.

    Parameters
    ----------
    name : str
        Such as ``"freedoom4/test/freedoom2_doom"`` or ``"priors/bass.npz"``.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    DatasetError
        If there is no such file or folder. The songs do not come along when the package is installed without the
        repository.
    """
    path = shipped(name)
    if not path.exists():
        raise DatasetError(
            f"{path}: not there; look for it in {path.parent}, or, if glowsep was installed without its repository, "
            "clone that and run inside it: pip install -r requirements.txt"
        )
    return path


def source(*definitions: Callable) -> Markdown:
    """The code of functions, methods or classes as it is in the package, for a notebook to show.

    This way a chapter never holds a second version that could drift from the first.

    Parameters
    ----------
    *definitions : functions, methods or classes of glowsep

    Returns
    -------
    IPython.display.Markdown
        One block of highlighted Python for each, headed by the name of its file.
    """
    from IPython.display import Markdown  # here, so that the package does not need Jupyter

    return Markdown("\n\n".join(_listing(definition) for definition in definitions))


def _listing(definition):
    lines = textwrap.dedent(inspect.getsource(definition)).rstrip()
    written = inspect.unwrap(definition)  # a decorator's wrapper would lead to the decorator's file
    path = Path(inspect.getsourcefile(written)).relative_to(REPOSITORY).as_posix()
    return f"```python\n# {path}: {definition.__qualname__}\n{lines}\n```"
