"""How separations get better while a network learns from mixtures: SDR on the validation songs against core-minutes.

    python tests/benchmarks/sdr_against_minutes.py data/freedoom4 wave_u_net=copies/wave_u_net demucs=copies/demucs --json data/results/sdr_against_minutes.json -o data/curves/sdr_against_minutes.png

A training writes its checkpoint now and then; a folder holds copies that were kept of it, with any names. Scored are
the weights with the lowest validation loss until then: what ``train`` would keep if it ended there. The learning rate
falls over the last third of the steps, so the last copies gain from that too.
"""  # noqa: E501 (a command to copy)

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the repository: it need not be installed

from glowsep.arrays.files import write_text
from glowsep.datasets import open_dataset
from glowsep.evaluate import evaluate
from glowsep.learning.weights import load_arrays
from glowsep.show import colour
from glowsep.systems.registry import SYSTEMS
from glowsep.systems.supervised.trained_network import TrainedNetwork


def separator(method, header, arrays):
    """The system with the best weights of a checkpoint."""
    system = SYSTEMS[method]
    network = system.network(type(system.small)(**header["network"]))
    best = {name.removeprefix("best."): array for name, array in arrays.items() if name.startswith("best.")}
    network.load({name: array.astype(np.float32) for name, array in best.items()})
    return system(TrainedNetwork(network, tuple(header["sources"])))


def points(method, folder, tracks):
    """Of every copy: the steps and core-minutes that it took, and the mean SDR of its separations in dB."""
    found = []
    for path in sorted(folder.iterdir()):
        header, arrays = load_arrays(path, "checkpoint")
        curve = header["curve"]
        if not curve["validation"]:
            continue  # none of its weights is known to be the best
        (scores,) = evaluate(tracks, {method: separator(method, header, arrays)}, quiet=True)
        found.append({"steps": len(curve["training"]), "minutes": curve["core_seconds"] / 60, "sdr": scores.mean()})
        print(method, found[-1], flush=True)
    return sorted(found, key=lambda point: point["steps"])


def picture(table):
    """Mean SDR over core-minutes, a curve for each system, and NMF as the line to cross."""
    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axes = figure.add_subplot()
    for place, (method, curve) in enumerate(table["systems"].items()):
        minutes, scores = ([point[name] for point in curve] for name in ("minutes", "sdr"))
        axes.plot(minutes, scores, "o-", markersize=4, color=colour(place), label=SYSTEMS[method].kind)
    axes.axhline(table["nmf"], color="black", linestyle="--", linewidth=0.8, label="Poisson NMF")
    axes.set_xlabel("core-minutes of training")
    axes.set_ylabel("SDR in dB, validation songs")
    axes.set_xlim(0)
    axes.grid(alpha=0.3)
    axes.legend()
    return figure


def main():
    """Score all copies, save the table, and draw it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path, help="a data set with a validation split")
    parser.add_argument("copies", nargs="+", metavar="METHOD=FOLDER", help="copies of the checkpoints of a training")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each track's beginning (default: %(default)s)")
    parser.add_argument("--json", type=Path, required=True, help="where to save the table")
    parser.add_argument("-o", "--out", type=Path, required=True, help="the picture to write")
    arguments = parser.parse_args()

    tracks = [track.excerpt(0, arguments.seconds) for track in open_dataset(arguments.dataset, "validation")]
    (nmf,) = evaluate(tracks, {"nmf": SYSTEMS["nmf"].load()}, quiet=True)
    table = {"seconds": arguments.seconds, "nmf": nmf.mean(), "systems": {}}
    for method, folder in (given.split("=", 1) for given in arguments.copies):
        table["systems"][method] = points(method, Path(folder), tracks)
        if not table["systems"][method]:
            parser.error(f"{folder} holds no checkpoint that has been validated")
    write_text(arguments.json, json.dumps(table, indent=1) + "\n")
    picture(table).savefig(arguments.out, dpi=150)


if __name__ == "__main__":
    main()
