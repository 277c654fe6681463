"""What the pages point to: chapters and guides become pages, and files of the repository come with the book."""

import re
import shutil
from pathlib import Path

from glowsep.errors import BookError

# A stretch of code, which may hold brackets of any kind, or else a link or picture.
LINK = re.compile(
    r"(?s)```.*?```|`[^`]*`|(?P<picture>!?)\[(?P<words>(?:[^\[\]]|\[[^\[\]]*\])*)\]\((?P<target>[^)\s]+)\)"
)
ELSEWHERE = re.compile(r"#|[a-z]+:")
PAGES = (".ipynb", ".md")  # of the folder chapters


def with_links(text: str, page: Path, repository: Path, source: Path) -> str:
    """Markdown whose links work in the book.

    A link to a chapter or guide stays as it is, since the book's folders are the repository's. Any other file of the
    repository is copied into the book's source, for download; a link to a folder becomes its words.

    Parameters
    ----------
    text : str
    page : pathlib.Path
        The file in the repository that the text is from.
    repository : pathlib.Path
    source : pathlib.Path
        The folder that the book is built from.

    Returns
    -------
    str

    Raises
    ------
    BookError
        If a link leads nowhere; the message names the page and the link.
    """

    def linked(found):
        target = found["target"]
        if target is None or ELSEWHERE.match(target):
            return found[0]
        path = (page.parent / target.partition("#")[0]).resolve()
        if not path.exists() or not path.is_relative_to(repository):
            raise BookError(f"{page.relative_to(repository)}: links to {target}, which is not there; correct the link")
        if path.is_relative_to(repository / "chapters") and path.suffix in PAGES:
            return found[0]
        if path.is_dir():
            return found["words"]
        copy = source / path.relative_to(repository)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        return found[0] if found["picture"] else f"[{found['words']}](<path:{target}>)"

    return LINK.sub(linked, text)
