"""Peak memory of a training step against depth, each in a process of its own; see compare.py.

    python tests/benchmarks/compare_memory.py recomputed 32

prints one row: what the process held before there was a network, and at its peak, in bytes.
"""

import argparse
import dataclasses
import json
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the repository: it need not be installed

import compare_steps as steps

from glowsep.arrays.memory import keep_freed_memory, peak_memory

DEPTHS = (4, 8, 16, 32, 64)
KINDS = {"recomputed": "ours, recomputed", "kept": "ours, activations kept", "torch": "PyTorch"}
NETWORK, BATCH = "default prior", 32


def measure(device, progress):
    """One row for every kind and depth, each from a fresh process."""
    rows = []
    for depth in DEPTHS:
        for kind in KINDS:
            if kind == "torch" and not steps.HAS_TORCH:
                continue
            command = [sys.executable, __file__, kind, str(depth), "--device", device]
            rows.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
            progress(f"{KINDS[kind]}, {depth} steps: {rows[-1]['peak'] / 2**20:.0f} MiB")
    return rows


def row(kind, depth, batch, device):
    """Two training steps of a network ``depth`` steps deep, in this process."""
    config = dataclasses.replace(steps.NETWORKS[NETWORK], steps=depth)
    if kind == "torch":
        import torch  # noqa: F401 (what importing it takes is not the network's)
    keep_freed_memory()  # as the command line does; PyTorch gains from it too
    before = peak(device)
    subject = steps.Subject.of(config, batch, device, steps.FRAMES[NETWORK])
    parameters = sum(array.nbytes for array in subject.glow.parameters().values())
    if kind == "torch":
        learner = steps.theirs_of(subject, device)
        del subject.glow  # only one network is to be counted
    else:
        learner = steps.Ours(subject)
    subject.latent = learner.latent = None  # the search's
    step = learner.training_recomputed if kind == "recomputed" else learner.training
    for _ in range(2):
        step()
    return {"kind": kind, "depth": depth, "before": before, "peak": peak(device), "parameters": parameters}


def peak(device):
    """The most memory that this process has held, in bytes: main memory, or on a GPU what the two pools took."""
    if device == "cuda":
        import cupy

        theirs = sys.modules["torch"].cuda.max_memory_reserved() if "torch" in sys.modules else 0
        return cupy.get_default_memory_pool().total_bytes() + theirs
    return peak_memory()


def draw(rows, path):
    """Peak memory against depth, as a picture."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 3.6), layout="constrained")
    for kind, label in KINDS.items():
        chosen = [r for r in rows if r["kind"] == kind]
        if chosen:
            axes.plot([r["depth"] for r in chosen], [r["peak"] / 2**20 for r in chosen], "o-", label=label)
    deepest = [r for r in rows if r["kind"] == "recomputed"]
    held = [(r["before"] + 4 * r["parameters"]) / 2**20 for r in deepest]
    axes.plot([r["depth"] for r in deepest], held, "k:", label="weights, gradients and Adam's means alone")
    axes.set(xlabel="steps of flow", ylabel="peak memory in MiB", xlim=0, ylim=0)
    figure.legend(loc="outside lower center", ncols=2)  # above the curves it would hide one
    figure.savefig(path, dpi=100)
    plt.close(figure)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("depth", type=int)
    parser.add_argument("--batch", type=int, default=BATCH, help="default: %(default)s")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    arguments = parser.parse_args()
    print(json.dumps(row(arguments.kind, arguments.depth, arguments.batch, arguments.device)))
