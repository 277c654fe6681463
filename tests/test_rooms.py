"""The rooms of the package: imports point down one list, every module is in a room, and no name hides a module."""

import ast
import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest

import glowsep

PACKAGE = Path(glowsep.__file__).parent

#: From the bottom up; rooms on one line do not know each other.
FLOORS = (
    {"arrays"},
    {"signals", "layers"},
    {"learning", "datasets"},
    {"systems"},
    {"evaluate", "cluster"},
    {"comparison"},
    {"show"},
    {"assignments"},
    {"report"},
    {"course"},
    {"book"},
    {"slides"},
    {"cli"},
)
#: Everybody may import these; what they import themselves stands beside them.
LEAVES = {"errors": set(), "metrics": {"arrays"}, "check": {"arrays", "layers"}}
#: The package's own two files see all rooms.
ENTRANCES = {"__init__", "__main__"}
#: What several systems share; the registry alone knows all of them.
SHARED_BY_SYSTEMS = {"per_source", "search", "songs", "spectra", "supervised", "system", "trust"}

FLOOR_OF = {room: number for number, floor in enumerate(FLOORS) for room in floor}


def modules(package=PACKAGE):
    """Every file of the package: a dict of dotted name to path; a package has the name of its folder."""
    paths = sorted(package.rglob("*.py"))
    return {".".join(path.relative_to(package).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


def imports(path, names):
    """The package's modules that a file imports, anywhere in it, by dotted name without ``glowsep``."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}, line {node.lineno}: a relative import; write the whole name"
            if node.module and node.module.split(".")[0] == "glowsep":
                module = node.module.removeprefix("glowsep").removeprefix(".")
                for alias in node.names:
                    inner = f"{module}.{alias.name}".removeprefix(".")
                    yield inner if inner in names else module
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("glowsep."):
                    yield alias.name.removeprefix("glowsep.")


def complaint(importer, imported):
    """Why one module may not import the other, or None if it may."""
    here, there = importer.split(".")[0], imported.split(".")[0]
    if here in ENTRANCES or here == there != "systems" or there in LEAVES and there != here and here not in LEAVES:
        return None
    if here in LEAVES:
        return None if there == "errors" or there in LEAVES[here] else f"{here} is a leaf"
    if here == there == "systems":
        own, other = (f"{name}.".split(".")[1] for name in (importer, imported))
        if own == "registry" or own == other or other in SHARED_BY_SYSTEMS:
            return None
        return "one system does not know another"
    if there not in FLOOR_OF:
        return "no room imports the whole package"
    if FLOOR_OF[there] < FLOOR_OF[here]:
        return None
    return "sideways" if FLOOR_OF[there] == FLOOR_OF[here] else "upwards"


def turned_arrows(package=PACKAGE):
    names = modules(package)
    return [
        f"glowsep/{path.relative_to(package)} imports glowsep/{names[imported].relative_to(package)}: {reason}"
        for importer, path in names.items()
        for imported in imports(path, names)
        if (reason := complaint(importer, imported))
    ]


def test_imports_point_down():
    assert turned_arrows() == []


def test_every_module_is_in_a_room():
    rooms = set(FLOOR_OF) | set(LEAVES) | ENTRANCES
    assert [str(path) for name, path in modules().items() if name.split(".")[0] not in rooms] == []


@pytest.mark.parametrize(
    ("importer", "line", "reason"),
    [
        ("signals/audio/reading.py", "from glowsep.systems.glow.prior import Prior", "upwards"),
        ("signals/masks.py", "from glowsep.layers import ActNorm", "sideways"),
        ("arrays/library.py", "import glowsep.signals.spectrogram", "upwards"),
        ("systems/nmf/model.py", "from glowsep.systems.glow import separate", "one system does not know another"),
        ("systems/search/latent.py", "from glowsep.systems.nmf.model import PoissonNMF", "one system does not"),
        ("systems/glow/prior.py", "from glowsep.systems.registry import SYSTEMS", "one system does not"),
        ("metrics/ratios.py", "from glowsep.signals.spectrogram import stft", "metrics is a leaf"),
        ("evaluate.py", "def late():\n    from glowsep.report import page", "upwards"),
    ],
)
def test_a_turned_arrow_is_found(importer, line, reason, tmp_path):
    """In a copy of the package with one import more: the message names both files."""
    for path in modules().values():
        copy = tmp_path / path.relative_to(PACKAGE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    with open(tmp_path / importer, "a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    (found,) = turned_arrows(tmp_path)
    assert found.startswith(f"glowsep/{importer} imports glowsep/") and reason in found


def test_a_relative_import_is_refused(tmp_path):
    path = tmp_path / "mod.py"
    path.write_text("from . import other")
    with pytest.raises(AssertionError, match="relative import"):
        list(imports(path, {}))


def test_no_name_hides_a_module():
    """``import glowsep.systems.glow.separate as m`` gives a module, and so does every other path."""
    for found in pkgutil.walk_packages([str(PACKAGE)], "glowsep."):
        if found.name == "glowsep.__main__":
            continue
        module = importlib.import_module(found.name)
        parent, _, own = found.name.rpartition(".")
        attribute = getattr(importlib.import_module(parent), own)
        assert inspect.ismodule(attribute) and attribute is module, f"{parent} has a {own} that hides its module"
