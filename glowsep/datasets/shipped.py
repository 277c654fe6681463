"""What comes with the package: priors, baselines and MIDI songs; in the repository, songs to practise on too."""

from importlib import resources
from pathlib import Path

#: The repository's folder, or where there is none, the folder in which the package is installed.
REPOSITORY = Path(__file__).resolve().parents[2]

_CARRIED = Path(str(resources.files("glowsep"))) / "data"
DATA = _CARRIED if _CARRIED.is_dir() else REPOSITORY / "data"


def shipped(name: str) -> Path:
    """The path of something in the repository's folder ``data``, whether it is there or not.

    An installed package carries a part of that folder inside itself, as ``glowsep/data``: what the commands need. The
    rendered songs are in the repository only.

    Parameters
    ----------
    name : str
        Such as ``"priors/bass.npz"``.

    Examples
    --------
    >>> shipped("priors/bass.npz").is_file()
    True
    """
    return DATA / name
