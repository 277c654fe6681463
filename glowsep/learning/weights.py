"""Files of weights: a zip of plain arrays and one JSON header, never a pickle, always written whole."""

import json
from os import PathLike
from pathlib import Path, PurePath

import numpy as np

from glowsep.arrays.devices import to_host
from glowsep.arrays.files import written_whole
from glowsep.errors import PriorError

FORMAT_VERSION = 1


def save_arrays(path: str | PathLike, kind: str, header: dict, arrays: dict) -> None:
    """Write ``arrays`` and ``header`` to ``path``, whole or not at all.

    Parameters
    ----------
    path : path of an ``.npz`` file
    kind : str
        What the file holds ("prior", "checkpoint", ...); `load_arrays` insists on it.
    header : dict
        Anything that JSON can hold.
    arrays : dict of str to array
        NumPy or CuPy.

    Raises
    ------
    PriorError
        If the folder is missing, not writable or full.
    """
    path = Path(path)
    header = json.dumps({"kind": kind, "format_version": FORMAT_VERSION} | header)
    try:
        with written_whole(path) as temporary, open(temporary, "wb") as file:
            np.savez_compressed(file, header=np.array(header), **{name: to_host(a) for name, a in arrays.items()})
    except OSError as error:
        reason = error.strerror or error
        raise PriorError(f"{path}: cannot be written ({reason}); choose a folder with room to write in") from None


def load_arrays(path: str | PathLike, kind: str) -> tuple[dict, dict]:
    """Read what `save_arrays` wrote: (header, arrays).

    Raises
    ------
    PriorError
        If the file is missing, damaged, of another kind, of a newer format, or holds a pickle.
    """
    path = Path(path)
    header, arrays = _read(path)
    if not isinstance(header, dict) or header.get("kind") != kind:
        found = header.get("kind") if isinstance(header, dict) else header
        raise PriorError(f"{path}: holds a {found!r}, not a {kind!r}; name another file")
    version = header.get("format_version")
    if version != FORMAT_VERSION:
        raise PriorError(
            f"{path}: has format version {version}, this glowsep reads {FORMAT_VERSION}; update glowsep, or train again"
        )
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise PriorError(f"{path}: {name} holds NaN or infinite numbers; train it again")
    return header, arrays


def is_weights(path: str | PathLike) -> bool:
    """Whether a file was written by `save_arrays`, whatever its kind and version.

    Examples
    --------
    >>> is_weights(__file__)
    False
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            header = json.loads(str(archive["header"]))
        return {"kind", "format_version"} <= header.keys()
    except Exception:  # as in _read
        return False


def looks_like_weights(path: PurePath) -> bool:
    """Whether a path ends as a file of weights does, and is not hidden.

    Examples
    --------
    >>> [looks_like_weights(PurePath(name)) for name in ("bass.NPZ", "._bass.npz", "README.md")]
    [True, False, False]
    """
    return path.suffix.lower() == ".npz" and not path.name.startswith(".")


def weight_files(path: str | PathLike) -> list[Path]:
    """The file itself, or all ``.npz`` files of a folder, in capitals or not, in the order of their names.

    Hidden files do not count: one may be about to be written.

    Raises
    ------
    PriorError
        If there is none in the folder.
    """
    path = Path(path)
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.iterdir() if looks_like_weights(file))
    if not files:
        raise PriorError(f"{path}: no prior (.npz) in it; train some with: python -m glowsep train --help")
    return files


def make_folder(path: str | PathLike) -> None:
    """Make a folder for files of weights, unless it is there.

    Raises
    ------
    PriorError
        If it cannot be made.
    """
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = "there is a file of this name" if isinstance(error, FileExistsError) else error.strerror
        raise PriorError(f"{path}: the folder cannot be made ({reason}); choose another") from None


def _read(path):
    """The header and the arrays of a file, whatever they say."""
    if path.is_dir():
        raise PriorError(f"{path}: is a folder; name a file (.npz) in it")
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
            return json.loads(str(arrays.pop("header"))), arrays
    except FileNotFoundError:
        raise PriorError(f"{path}: no such file; train it with: python -m glowsep train --help") from None
    except Exception as error:  # damaged bytes make zip, zlib, NumPy and JSON raise a dozen kinds
        if isinstance(error, OSError) and error.errno is not None:
            raise PriorError(f"{path}: cannot be read ({error.strerror}); check its permissions") from None
        if "Object arrays" in str(error) or _begins_like_a_pickle(path):
            raise PriorError(f"{path}: holds a pickle, which could run code; fetch or train it again") from None
        raise PriorError(f"{path}: damaged, or no file of weights; fetch or train it again") from None


def _begins_like_a_pickle(path):
    with open(path, "rb") as file:
        return file.read(1) == b"\x80"
