"""The files about the project agree with each other: versions, pinned tools, and what CI runs."""

import re
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).parent.parent


def text(name):
    return (REPOSITORY / name).read_text(encoding="utf-8")


@pytest.fixture
def project():
    tomllib = pytest.importorskip("tomllib", reason="tomllib came with Python 3.11")
    return tomllib.loads(text("pyproject.toml"))["project"]


def test_every_package_is_installed():
    """They are listed one by one, because data/ is installed as one of them."""
    tomllib = pytest.importorskip("tomllib", reason="tomllib came with Python 3.11")
    listed = tomllib.loads(text("pyproject.toml"))["tool"]["setuptools"]["packages"]
    folders = [path.parent for path in (REPOSITORY / "glowsep").rglob("__init__.py")]
    found = sorted(".".join(folder.relative_to(REPOSITORY).parts) for folder in folders)
    assert listed == [*found, "glowsep.data"]


def test_the_version_is_the_same_everywhere(project):
    assert re.search(r"^## (\S+)$", text("CHANGELOG.md"), re.MULTILINE)[1] == project["version"]
    assert yaml.safe_load(text("CITATION.cff"))["version"] == project["version"]
    wheels = re.findall(r"glowsep-([\d.]+)-py3", text("chapters/guides/your_own_data.md"))
    assert wheels and set(wheels) == {project["version"]}


def test_the_citation_names_this_software_and_the_paper():
    citation = yaml.safe_load(text("CITATION.cff"))
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()  # what the format requires
    (paper,) = citation["references"]
    assert {"type", "title", "authors"} <= paper.keys()
    assert paper["url"] == "https://arxiv.org/abs/2204.09079" and len(paper["authors"]) == 5


def test_pre_commit_runs_the_tools_that_ci_runs(project):
    pinned = {need for need in project["optional-dependencies"]["dev"] if "==" in need}
    (local,) = yaml.safe_load(text(".pre-commit-config.yaml"))["repos"]
    assert {need for hook in local["hooks"] for need in hook["additional_dependencies"]} == pinned


def test_what_runs_the_tests_can_be_installed_with_the_dev_extra_alone(project):
    requirements = {line for line in text("requirements.txt").splitlines() if line.startswith(("pytest", "hypothesis"))}
    assert requirements <= set(project["optional-dependencies"]["dev"])


def test_ci_runs_everything_on_linux_and_the_readmes_tests_elsewhere():
    jobs = yaml.safe_load(text(".github/workflows/ci.yml"))["jobs"]
    assert ".ci/run" in [step.get("run") for step in jobs["everything"]["steps"]]
    command = jobs["tests"]["steps"][-1]["run"]
    assert f"\n{command}\n" in text("README.md") and f"command='{command}'" in text(".ci/run")
    matrix = jobs["tests"]["strategy"]["matrix"]
    assert {name.split("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}
    assert matrix["python"] == ["3.10", "3.14"]
