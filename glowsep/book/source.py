"""What Jupyter Book builds from: landing page, the chapters' copies, guides, settings and the table of contents."""

import json
import re
import shutil
from pathlib import Path
from string import Template

import yaml

from glowsep.book.contents import guides, table_of_contents
from glowsep.book.downloads import add_downloads
from glowsep.book.links import with_links
from glowsep.book.reader import readers_copy
from glowsep.book.wrapping import wrap
from glowsep.course.contents import chapters
from glowsep.course.keeping import read_chapter
from glowsep.errors import BookError

ASSETS = Path(__file__).parent / "assets"

ADDRESS = re.compile(r"https://github\.com/[\w.-]+/[\w.-]+/?")
BRANCH = "main"


def write_source(repository: Path, source: Path) -> None:
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
        If a link leads nowhere, or the address of the repository is none.
    """
    notebooks, appendix = chapters(repository), guides(repository)
    shutil.copytree(ASSETS, source / "assets", ignore=shutil.ignore_patterns("config.yml", "landing.md", "templates"))
    shutil.copytree(ASSETS / "templates", source / "templates")
    settings = yaml.safe_load((ASSETS / "config.yml").read_text(encoding="utf-8"))
    settings["sphinx"]["config"]["html_theme_options"] |= launch_buttons(repository)
    _write(source / "_config.yml", yaml.safe_dump(settings, sort_keys=False))
    toc = table_of_contents([path.stem for path in notebooks], [path.stem for path in appendix])
    _write(source / "_toc.yml", yaml.safe_dump(toc, sort_keys=False))
    readme = repository / "README.md"
    _write(source / "index.md", with_links(landing_page(readme), readme, repository, source))
    for path in notebooks:
        original = read_chapter(path)
        notebook = readers_copy(original, path.relative_to(repository).as_posix())
        wrap(notebook)
        for cell in notebook["cells"]:
            if cell["cell_type"] == "markdown":
                cell["source"] = with_links(cell["source"], path, repository, source)
        add_downloads(notebook, original, source / path.relative_to(repository))
        _write(source / path.relative_to(repository), json.dumps(notebook))
    for path in appendix:
        text = path.read_text(encoding="utf-8")
        _write(source / path.relative_to(repository), with_links(text, path, repository, source))


def launch_buttons(repository: Path) -> dict:
    """The theme's options for buttons that open a chapter on Binder and on Colab.

    Parameters
    ----------
    repository : pathlib.Path
        Where ``CITATION.cff`` gives the address of the public repository as ``repository-code``.

    Returns
    -------
    dict
        Empty as long as no address is given: then there are no buttons.

    Raises
    ------
    BookError
        If the address is not one of GitHub, which is all that Colab opens.
    """
    citation = repository / "CITATION.cff"
    about = yaml.safe_load(citation.read_text(encoding="utf-8")) if citation.exists() else {}
    address = about.get("repository-code")
    if address is None:
        return {}
    if not ADDRESS.fullmatch(str(address)):
        known = "https://github.com/OWNER/NAME"
        raise BookError(f"CITATION.cff: repository-code is {address}, but Colab opens {known} only; correct it")
    return {
        "repository_url": address.rstrip("/"),
        "repository_branch": BRANCH,
        "launch_buttons": {
            "notebook_interface": "jupyterlab",
            "binderhub_url": "https://mybinder.org",
            "colab_url": "https://colab.research.google.com",
        },
    }


def landing_page(readme: Path) -> str:
    """The README's beginning, the list of the chapters, and the README's credits, as Markdown."""
    text = readme.read_text(encoding="utf-8")
    front = text.partition("\n## Results\n")[0]
    credits = re.search(r"^## Citation and licence\n.*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)[0]
    return Template((ASSETS / "landing.md").read_text(encoding="utf-8")).substitute(front=front, credits=credits)


def _write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
