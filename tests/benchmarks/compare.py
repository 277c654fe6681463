"""The hand-written core beside PyTorch, SciPy and museval in one run: time, memory, and a separation by stage.

    python tests/benchmarks/compare.py --json data/results/compare.json --picture data/memory.png

Steps are measured in turns in one process, on the same weights, after losses and gradients have been seen to agree;
memory in a process of its own for every row. What is not installed (``pip install -e ".[peers]"``) is left out. Both
sides use all cores; for one, set OMP_NUM_THREADS=1 and OPENBLAS_NUM_THREADS=1. Nothing else should be running.
``--only`` measures some parts, and leaves the others in the file as they are.
"""

import argparse
import json
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY))  # the repository: it need not be installed

import compare_gan
import compare_memory
import compare_networks
import compare_signals
import compare_steps

from glowsep.arrays.files import write_text
from glowsep.arrays.memory import keep_freed_memory
from glowsep.arrays.threads import blas

SONG = REPOSITORY / "data" / "freedoom4" / "test" / "freedoom2_doom" / "mix.flac"
PARTS = ("steps", "networks", "gan", "memory", "signals", "separation")


def machine(device):
    """What the figures depend on."""
    names = {}
    if device == "cuda":
        import cupy

        names["gpu"] = cupy.cuda.runtime.getDeviceProperties(0)["name"].decode()
    for package in ("numpy", "torch", "scipy", "museval", "cupy"):
        try:
            names[package] = version(package)
        except PackageNotFoundError:
            continue
    threads = os.environ.get("OMP_NUM_THREADS", "all")
    # The processor that NumPy's matrix products are written for: OpenBLAS chooses, or OPENBLAS_CORETYPE.
    kernels = next((getattr(library, "architecture", None) for library in blas().lib_controllers), None)
    settings = {"device": device, "cores": os.cpu_count(), "threads": threads, "kernels": kernels}
    return settings | {"system": platform.machine()} | names


def show(line):
    print(line, flush=True)


def measured(part, arguments):
    """The figures of one part."""
    if part == "steps":
        return compare_steps.measure(arguments.batches, arguments.rounds, arguments.device, show)
    if part == "gan":
        return compare_gan.measure(arguments.rounds, arguments.device, show)
    if part == "networks":
        return compare_networks.measure(arguments.rounds, arguments.device, show)
    if part == "memory":
        return compare_memory.measure(arguments.device, show)
    if part == "signals":
        found = {
            "spectrogram": compare_signals.spectrograms(arguments.rounds),
            "bss_eval": compare_signals.bss_evaluation(1),
        }
    else:
        found = compare_signals.separation(SONG, arguments.device)
    show(json.dumps(found, indent=1))
    return found


def main():
    """Measure what was asked for, print it, save it, and draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="where to save the figures, after every part")
    parser.add_argument("--picture", type=Path, help="where to draw memory against depth")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="default: all")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="cuda: CuPy beside torch.cuda")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8, 32], help="default: 1 8 32")
    parser.add_argument("--rounds", type=int, default=7, help="of which the medians are taken (default: %(default)s)")
    arguments = parser.parse_args()

    keep_freed_memory()  # as the command line does; PyTorch gains from it too
    known = {}
    if arguments.json and arguments.json.exists():
        known = json.loads(arguments.json.read_text(encoding="utf-8"))
    for part in arguments.only:
        show(f"== {part} ==")
        known[part] = {"machine": machine(arguments.device), "rows": measured(part, arguments)}
        if arguments.json:
            write_text(arguments.json, json.dumps(known, indent=1) + "\n")
    if arguments.picture and "memory" in known:
        compare_memory.draw(known["memory"]["rows"], arguments.picture)


if __name__ == "__main__":
    main()
