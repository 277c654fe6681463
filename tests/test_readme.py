"""The README, the guides and CONTRIBUTING: commands parse, links resolve, tables are measurements, code works."""

import doctest
import functools
import importlib.util
import json
import os
import re
import runpy
import shlex
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import glowsep
from glowsep import check
from glowsep.cli import COMMANDS as names_of_commands
from glowsep.cli import command_line
from glowsep.signals import audio

REPOSITORY = Path(__file__).parent.parent
GUIDES = [path.relative_to(REPOSITORY).as_posix() for path in sorted(REPOSITORY.glob("chapters/guides/*.md"))]
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "course/README.md", "data/README.md", "data/priors/README.md")
DOCUMENTS = (*PAGES, *GUIDES)
TEXTS = {name: (REPOSITORY / name).read_text(encoding="utf-8") for name in DOCUMENTS}
ALL = "\n".join(TEXTS.values())
COMMANDS = sorted(set(re.findall(r"python -m glowsep \w+ [^`\n(]+", ALL)))
BENCHMARKS = sorted(set(re.findall(r"python (tests/benchmarks/\w+\.py[^`\n]*)", ALL)))
PEERS = ("torch", "museval", "mir_eval")
PYTHON = re.compile(r"(?s)```python\n(.*?)```")
of_documents = pytest.mark.parametrize("name", DOCUMENTS)


@pytest.fixture(scope="module")
def readme_tables():
    path = REPOSITORY / "tests" / "benchmarks" / "readme_tables.py"
    spec = importlib.util.spec_from_file_location("readme_tables", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Commands


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_parses(command, tmp_path, monkeypatch):
    for folder in ("data/results", "data/priors"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    command_line().parse_args(shlex.split(command)[3:])


def test_the_readme_names_every_command():
    (sentence,) = re.findall(r"The commands (.*?) each explain themselves", TEXTS["README.md"])
    assert re.findall(r"`(\w+)`", sentence) == list(names_of_commands)


@pytest.mark.parametrize("command", BENCHMARKS)
def test_every_benchmark_exists_and_has_the_options_shown(command):
    path, *arguments = shlex.split(command)
    code = (REPOSITORY / path).read_text(encoding="utf-8")
    for option in arguments:
        assert not option.startswith("-") or f'"{option}"' in code, option


@pytest.mark.parametrize("path", sorted({shlex.split(command)[0] for command in BENCHMARKS}))
def test_every_benchmark_can_be_imported(path, monkeypatch):
    monkeypatch.syspath_prepend(REPOSITORY / "tests" / "benchmarks")
    try:
        runpy.run_path(str(REPOSITORY / path), run_name="imported")
    except ModuleNotFoundError as error:
        if error.name not in PEERS:
            raise
        pytest.skip(f"{error.name} comes with the extra peers")


def test_the_commands_to_paste_name_files_that_exist():
    song = re.search(r"^pip install .* && python -m glowsep separate (\S+)", TEXTS["README.md"], re.MULTILINE)[1]
    assert (REPOSITORY / song).is_file()


def test_an_extra_is_installed_so_that_the_installation_stays_editable():
    with_extras = re.findall(r'pip install [^`\n]*"\.?\[[^`\n]*|pip install [^`\n]*\.\[[^`\n]*', ALL)
    assert with_extras
    for command in with_extras:
        assert "pip install -e " in command, command


def test_every_extra_is_one():
    tomllib = pytest.importorskip("tomllib", reason="tomllib came with Python 3.11")
    pyproject = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    extras = pyproject["project"]["optional-dependencies"]
    named = {extra for names in re.findall(r"(?:\.|\.whl)\[([\w,]+)\]", ALL) for extra in names.split(",")}
    assert named == set(extras)


# Links


def anchors(text):
    """The fragments that lead to a document's headings."""
    headings = re.findall(r"^#+ (.*)", re.sub(r"(?s)```.*?```", "", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@of_documents
def test_links_lead_somewhere(name):
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", TEXTS[name]):
        path, _, fragment = target.partition("#")
        found = Path(os.path.normpath((REPOSITORY / name).parent / path)) if path else REPOSITORY / name
        assert found.exists(), target
        assert not fragment or fragment in anchors(found.read_text(encoding="utf-8")), target


def test_the_readme_is_short_and_leads_to_every_guide():
    text = TEXTS["README.md"]
    assert len(text.splitlines()) <= 140
    assert set(re.findall(r"\((chapters/guides/\w+\.md)\)", text)) == set(GUIDES)


# Tables


@of_documents
def test_tables_are_what_was_measured(name, readme_tables):
    assert readme_tables.updated(TEXTS[name]) == TEXTS[name]


def test_every_table_is_in_some_document_that_is_written(readme_tables):
    shown = {name: set(re.findall(r"<!-- ([\w-]+):begin -->", text)) for name, text in TEXTS.items()}
    assert set.union(*shown.values()) == set(readme_tables.SECTIONS)
    written = {path.relative_to(REPOSITORY).as_posix() for path in readme_tables.DOCUMENTS}
    assert {name for name, sections in shown.items() if sections} <= written


def test_tables_show_the_figures_of_the_files(readme_tables):
    assert readme_tables.table(["SDR", "of", "bass"], [["nmf", "a", -1.234], ["glow", "b", 10.0]]) == (
        "| SDR | of | bass |\n| --- | --- | --: |\n| nmf | a | −1.23 |\n| glow | b | 10.00 |"
    )


def test_a_system_that_is_new_is_in_the_tables_with_what_it_takes(readme_tables, tmp_path):
    spread = {"sdr": 2.0}
    one = {
        "method": "oracle_power",
        "mean": {"sdr": 7.5},
        "spread": spread,
        "sources": {"bass": {"sdr": -1.5}},
        "source_spreads": {"bass": spread},
        "trained_on": "nothing",
        "training": {"hours": 0.0, "core_minutes": 0.0},
        "parameter_count": 0,
        "cost": {"seconds": 3.0, "core_seconds": 0.25, "peak_memory": 200 * 2**20},
    }
    new = one | {
        "method": "brand_new",
        "trained_on": "mixtures",
        "training": {"hours": 7.25, "core_minutes": None},
        "parameter_count": 645_800,
        "cost": None,
    }
    old = one | {"method": "nmf", "source_spreads": {"bass": {"sdr": None}}}
    path = tmp_path / "scores.json"
    path.write_text(json.dumps(one | {"others": [new, old]}))
    lines = readme_tables.systems(path).splitlines()[-3:]
    assert lines[0] == "| Poisson NMF | −1.50 | 7.50 ± 2.00 | nothing | – | – | – | 0.25 | 200 |"
    assert lines[1].startswith("| ceiling: oracle masks of power | −1.50 ± 2.00 | 7.50 ± 2.00 | nothing |")
    assert lines[2] == "| brand_new | −1.50 ± 2.00 | 7.50 ± 2.00 | mixtures | 7.2 | ? | 645,800 | – | – |"
    assert readme_tables.results(path).splitlines()[-1] == "| brand_new | −1.50 | 7.50 | mixtures |"
    assert readme_tables.spreads(path).splitlines()[-1] == "| brand_new | −1.50 ± 2.00 | 7.50 ± 2.00 |"


def test_a_section_that_was_written_by_hand_is_written_again(readme_tables):
    by_hand = "before <!-- speed:begin -->\nfast\n<!-- speed:end --> after"
    assert "fast" not in readme_tables.updated(by_hand)
    assert re.fullmatch(
        r"before <!-- speed:begin -->\n.* took .*\n<!-- speed:end --> after", readme_tables.updated(by_hand)
    )


# The map


def test_the_map_names_every_module_and_no_other():
    rows = re.search(r"(?s)^## The map\n(.*)", TEXTS["chapters/guides/architecture.md"], re.MULTILINE)[1]
    cells = re.findall(r"^\|[^|]*\| (`.*?) \|", rows, re.MULTILINE)
    named = [name for cell in cells for name in re.findall(r"`([\w/]+)`", cell)]
    package = REPOSITORY / "glowsep"
    for name in named:
        assert (package / name).is_dir() if name.endswith("/") else (package / f"{name}.py").is_file(), name
    for path in package.rglob("[!_]*.py"):
        module = path.relative_to(package).with_suffix("").as_posix()
        assert any(module == name or (name.endswith("/") and module.startswith(name)) for name in named), module


# Code


def test_the_five_lines_of_python_run(monkeypatch):
    code = PYTHON.search(TEXTS["README.md"])[1]
    assert len([line for line in code.splitlines() if line]) == 5
    read, names = audio.read, {}
    monkeypatch.setattr(audio, "read", lambda path: read(path, stop=4000))
    quick = functools.partial(glowsep.separate, search=glowsep.AnnealedSearch(iterations=2))
    monkeypatch.setattr(glowsep, "separate", quick)
    monkeypatch.chdir(REPOSITORY)
    exec(code, names)
    assert names["bass"].shape == names["piano"].shape == names["mixture"].shape


@pytest.mark.parametrize("layer", ["Compressor", "Saturation"])
def test_the_templates_of_a_layer_pass_the_checker(layer, capsys, monkeypatch):
    blocks = PYTHON.findall(TEXTS["CONTRIBUTING.md"])
    (start,) = (number for number, block in enumerate(blocks) if f"class {layer}(" in block)
    template = ModuleType(f"glowsep.layers.{layer.lower()}")  # the file that the text tells you to create
    exec(blocks[start], vars(template))
    assert vars(template)[layer].__doc__ and template.__doc__
    assert doctest.testmod(template) == (0, 2 if layer == "Compressor" else 1)
    monkeypatch.setitem(sys.modules, template.__name__, template)
    exec(blocks[start + 1], {})
    assert capsys.readouterr().out.strip()


def test_the_template_of_a_system_separates():
    (block,) = (block for block in PYTHON.findall(TEXTS["CONTRIBUTING.md"]) if "class Crossover(" in block)
    names = {"__name__": "template"}
    exec(block, names)
    mixture = np.random.default_rng(0).standard_normal((2, 1000)).astype(np.float32)
    system = names["Crossover"]()
    estimates = system.separate(mixture, 22050)
    assert estimates.shape == (2, 2, 1000) and estimates.dtype == np.float32
    np.testing.assert_allclose(estimates.sum(axis=0), mixture, atol=1e-6)
    np.testing.assert_array_equal(system.only(["drums"]).separate(mixture, 22050), estimates[1:])


def test_a_template_with_a_wrong_sign_does_not_pass():
    (block,) = (block for block in PYTHON.findall(TEXTS["CONTRIBUTING.md"]) if "class Compressor(" in block)
    wrong = block.replace("dz = dz - dlogdet", "dz = dz + dlogdet")
    assert wrong != block
    names = {"__name__": "template"}
    exec(wrong, names)
    x = np.random.default_rng(0).standard_normal((2, 3, 4))
    with pytest.raises(check.CheckError, match="backward"):
        check.layer(names["Compressor"](3), x)


def test_how_far_masks_reach_is_measured():
    """By tests/benchmarks/real_masks.py: in the README, and in chapter 2's table; its oracle is that of the tables."""
    measured = json.loads((REPOSITORY / "data" / "results" / "real_masks.json").read_text(encoding="utf-8"))["sdr"]
    means = {title: f"{of_source['mean']:.2f}" for title, of_source in measured.items()}
    in_zero_to_one, best = means["best real mask from 0 to 1"], means["best real mask"]
    assert f"from 0 to 1 reaches {in_zero_to_one} dB, and the best real mask {best} dB" in TEXTS["README.md"]
    assert re.search(rf"oracle masks of power .* {means['ratio of powers']} \|", TEXTS["README.md"])
    chapter = (REPOSITORY / "chapters" / "02_score.ipynb").read_text(encoding="utf-8")
    assert re.findall(r"\| (\d+\.\d\d) dB \|", chapter) == list(means.values())
