"""One thing that pyproject.toml cannot say: the folder data/ is installed inside the package, as glowsep/data/."""

from setuptools import find_packages, setup

setup(packages=[*find_packages(include=["glowsep*"]), "glowsep.data"], package_dir={"glowsep.data": "data"})
