"""What Jupyter Book builds from: landing page, the chapters' copies, guides, settings and the table of contents."""

import json
import re
import shutil
from pathlib import Path
from string import Template

import yaml

from glowsep.book.contents import guides, table_of_contents
from glowsep.book.links import with_links
from glowsep.book.reader import readers_copy
from glowsep.course.contents import chapters
from glowsep.course.keeping import read_chapter

ASSETS = Path(__file__).parent / "assets"


def write_source(repository, source):
    """Write all that Jupyter Book needs.

    Parameters
    ----------
    repository : pathlib.Path
    source : pathlib.Path
        The folder to write to.

    Raises
    ------
    CourseError
        If there are no chapters, or one is not a notebook.
    BookError
        If a link leads nowhere.
    """
    notebooks, appendix = chapters(repository), guides(repository)
    shutil.copytree(ASSETS, source / "assets", ignore=shutil.ignore_patterns("config.yml", "landing.md"))
    shutil.copyfile(ASSETS / "config.yml", source / "_config.yml")
    toc = table_of_contents([path.stem for path in notebooks], [path.stem for path in appendix])
    _write(source / "_toc.yml", yaml.safe_dump(toc, sort_keys=False))
    readme = repository / "README.md"
    _write(source / "index.md", with_links(landing_page(readme), readme, repository, source))
    for path in notebooks:
        notebook = readers_copy(read_chapter(path), path.relative_to(repository).as_posix())
        for cell in notebook["cells"]:
            if cell["cell_type"] == "markdown":
                cell["source"] = with_links(cell["source"], path, repository, source)
        _write(source / path.relative_to(repository), json.dumps(notebook))
    for path in appendix:
        text = path.read_text(encoding="utf-8")
        _write(source / path.relative_to(repository), with_links(text, path, repository, source))


def landing_page(readme):
    """The README's beginning, the list of the chapters, and the README's credits, as Markdown."""
    text = readme.read_text(encoding="utf-8")
    front = text.partition("\n## Results\n")[0]
    credits = re.search(r"^## Citation and licence\n.*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)[0]
    return Template((ASSETS / "landing.md").read_text(encoding="utf-8")).substitute(front=front, credits=credits)


def _write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
