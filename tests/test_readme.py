"""The README: its commands are commands, its links lead somewhere, and its tables are what was measured."""

import importlib.util
import re
import shlex
from pathlib import Path

import pytest

from glowsep.cli import command_line

REPOSITORY = Path(__file__).parent.parent
DOCUMENTS = ("README.md", "data/README.md", "data/priors/README.md")
TEXTS = {name: (REPOSITORY / name).read_text(encoding="utf-8") for name in DOCUMENTS}
COMMANDS = sorted(set(re.findall(r"python -m glowsep \w+ [^`\n(]+", "\n".join(TEXTS.values()))))


@pytest.fixture(scope="module")
def readme_tables():
    path = REPOSITORY / "tests" / "benchmarks" / "readme_tables.py"
    spec = importlib.util.spec_from_file_location("readme_tables", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_one(command, tmp_path, monkeypatch):
    for folder in ("data/results", "data/priors"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    command_line().parse_args(shlex.split(command)[3:])


def test_the_commands_to_paste_name_files_that_are_there():
    song = re.search(r"^pip install .* && python -m glowsep separate (\S+)", TEXTS["README.md"], re.MULTILINE)[1]
    assert (REPOSITORY / song).is_file()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_to_files(name):
    targets = re.findall(r"\]\((?!https?:)([^)]+)\)", TEXTS[name])
    assert targets or name != "README.md"
    for target in targets:
        assert (REPOSITORY / name).parent.joinpath(target).exists(), target


def test_benchmarks_that_are_named_exist():
    for path in re.findall(r"python (tests/benchmarks/\w+\.py)", TEXTS["README.md"]):
        assert (REPOSITORY / path).is_file(), path


def test_modules_of_the_map_exist_and_none_is_missing():
    rows = re.search(r"^## Map\n(.*?)^## ", TEXTS["README.md"], re.MULTILINE | re.DOTALL)[1]
    cells = re.findall(r"^\|[^|]*\| (`.*?) \|", rows, re.MULTILINE)
    named = {name for cell in cells for name in re.findall(r"`(\w+)/?`", cell)}
    package = REPOSITORY / "glowsep"
    files = {path.stem for path in package.glob("[!_]*.py")}
    folders = {path.parent.name for path in package.glob("*/__init__.py")}
    assert named == files | folders


def test_tables_are_what_was_measured(readme_tables):
    assert readme_tables.updated(TEXTS["README.md"]) == TEXTS["README.md"]


def test_tables_show_the_figures_of_the_files(readme_tables):
    assert readme_tables.table(["SDR", "of", "bass"], [["nmf", "a", -1.234], ["glow", "b", 10.0]]) == (
        "| SDR | of | bass |\n| --- | --- | --: |\n| nmf | a | −1.23 |\n| glow | b | 10.00 |"
    )
