"""What the pages point to: chapters become pages, and files of the repository come with the book."""

import re
import shutil

from glowsep.errors import BookError

# A stretch of code, which may hold brackets of any kind, or else a link or picture.
LINK = re.compile(
    r"(?s)```.*?```|`[^`]*`|(?P<picture>!?)\[(?P<words>(?:[^\[\]]|\[[^\[\]]*\])*)\]\((?P<target>[^)\s]+)\)"
)
ELSEWHERE = re.compile(r"#|[a-z]+:")


def with_links(text, page, repository, source):
    """Markdown whose links work in the book.

    A link to a chapter stays as it is, for the book's folders are the repository's. A file of the repository is copied
    into the book's source, for download; of a folder only the words are left.

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
        A link leads nowhere: names the page and the link.
    """

    def linked(found):
        target = found["target"]
        if target is None or ELSEWHERE.match(target):
            return found[0]
        path = (page.parent / target.partition("#")[0]).resolve()
        if not path.exists() or not path.is_relative_to(repository):
            raise BookError(f"{page.relative_to(repository)}: links to {target}, which is not there; correct the link")
        if path.suffix == ".ipynb":
            return found[0]
        if path.is_dir():
            return found["words"]
        copy = source / path.relative_to(repository)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        return found[0] if found["picture"] else f"[{found['words']}](<path:{target}>)"

    return LINK.sub(linked, text)
