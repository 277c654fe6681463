"""What an installed package carries, and what messages advise to install."""

import os
import shutil
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import soundfile

from glowsep.datasets.shipped import REPOSITORY
from glowsep.errors import how_to_install

REQUIREMENTS = [
    "numpy>=2",
    'musdb>=0.4.2; extra == "musdb"',
    "cupy-cuda12x[ctk]>=13.4 ; extra == 'cuda12'",
    'nbgrader>=0.9.5; extra == "teach"',
    'ipywidgets>=8; python_version >= "3.10" and extra == "teach"',
]

#: What the wheel carries of the folder data, if it is there: not every system's weights are shipped.
CARRIED = ("README.md", "priors", "baselines", "freedoom", "musicglow.npz", "gan_priors", "supervised")


@pytest.mark.parametrize(
    "extra, command",
    [
        ("musdb", 'pip install "musdb>=0.4.2"'),
        ("cuda12", 'pip install "cupy-cuda12x[ctk]>=13.4"'),
        ("teach", 'pip install "nbgrader>=0.9.5" "ipywidgets>=8"'),
    ],
)
def test_advice_names_what_an_extra_needs_and_never_the_package_itself(monkeypatch, extra, command):
    monkeypatch.setattr(metadata, "requires", lambda name: REQUIREMENTS)
    assert how_to_install(extra) == command


def test_advice_in_a_repository_that_is_not_installed_keeps_it_editable(monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", missing)
    assert how_to_install("musdb") == 'pip install -e ".[musdb]" in the repository'


def test_no_message_advises_to_replace_an_editable_installation():
    """``pip install '.[extra]'`` without -e would put a copy in its place."""
    for path in sorted((REPOSITORY / "glowsep").rglob("*.py")):
        for line in path.read_text(encoding="utf-8").splitlines():
            assert "pip install '.[" not in line and 'pip install ".[' not in line or path.name == "errors.py", path


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The package's wheel, built from a copy of the files that it is made of."""
    pytest.importorskip("setuptools", minversion="77")
    folder = tmp_path_factory.mktemp("building")
    copy = folder / "copy"
    for part in ("glowsep", *(f"data/{name}" for name in CARRIED if (REPOSITORY / "data" / name).is_dir())):
        shutil.copytree(REPOSITORY / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", *(f"data/{name}" for name in CARRIED)):
        if (REPOSITORY / name).is_file():
            shutil.copy(REPOSITORY / name, copy / name)
    build = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"
    built = subprocess.run([sys.executable, "-c", build, folder], cwd=copy, capture_output=True, encoding="utf-8")
    assert built.returncode == 0, built.stderr
    return folder / built.stdout.split()[-1]


def test_a_wheel_holds_the_package_and_its_data(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    package = {path for path in (REPOSITORY / "glowsep").rglob("*") if "__pycache__" not in path.parts}
    carried = [REPOSITORY / "data" / name for name in CARRIED]
    data = {path for place in carried for path in (place, *place.rglob("*"))}
    expected = {path.relative_to(REPOSITORY).as_posix() for path in package if path.is_file()}
    expected |= {f"glowsep/{path.relative_to(REPOSITORY).as_posix()}" for path in data if path.is_file()}
    assert names == expected


def test_an_installed_package_separates_from_any_folder(wheel, tmp_path):
    """Unpacked where Python looks first, as pip would; the repository is out of reach."""
    place = tmp_path / "site-packages"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place)
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 11_025)
    soundfile.write(tmp_path / "song.wav", noise, 22_050)
    command = [sys.executable, "-m", "glowsep", "separate", "song.wav", "--iterations", "2", "-o", "stems"]
    environment = os.environ | {"PYTHONPATH": str(place)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert [Path(line) for line in done.stdout.split()] == [
        Path("stems", f"{name}.wav") for name in ("bass", "drums", "guitar", "piano")
    ]
    ask = """
from glowsep import assignments
from glowsep.datasets.shipped import shipped
print(shipped("baselines"))
assignments.data("freedoom4")"""
    asked = subprocess.run(
        [sys.executable, "-c", ask], cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8"
    )
    assert Path(asked.stdout.strip()) == place / "glowsep" / "data" / "baselines"
    assert "clone" in asked.stderr.splitlines()[-1]
