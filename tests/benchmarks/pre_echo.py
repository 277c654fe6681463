"""What a loud passage leaks into the quiet one before it, through the window of the STFT.

    python tests/benchmarks/pre_echo.py data/freedoom4 --json data/results/pre_echo.json

The first half of an excerpt is 40 dB quieter than the second, as in robustness.py. Scored is the first half, and the
same less its last tenth of a second: SDR in dB, mean over songs of the validation split. The masks know the true
sources, in STFTs of several windows; NMF has learnt its dictionaries from the data set's training songs, one set for
each window.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the repository: it need not be installed

from robustness import above_20_hz, all_play, half_quieter

from glowsep.arrays.files import write_text
from glowsep.datasets import open_dataset
from glowsep.metrics import sdr
from glowsep.systems.floors_and_ceilings.ceilings import mask_by_truth
from glowsep.systems.nmf.model import PoissonNMF

WINDOWS = (1024, 2048, 4096)
DECIBELS = (0, 40)
LEFT_OUT = 0.1  # seconds before the loud half


def main():
    """Score masks and NMF for every window, and save the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--seconds", type=float, default=6.0, help="of each song's beginning (default: %(default)s)")
    parser.add_argument("--json", type=Path, required=True, help="where to save the table")
    arguments = parser.parse_args()

    training = open_dataset(arguments.dataset, "train")
    nmf = {window: PoissonNMF.fit(training, window_length=window) for window in WINDOWS}
    validation = open_dataset(arguments.dataset, "validation")
    tracks = [excerpt for track in validation if all_play(excerpt := track.excerpt(0, arguments.seconds))]
    rows = []
    for window in WINDOWS:
        systems = {
            "oracle masks of magnitude": lambda sources, mixture, rate, window=window: mask_by_truth(
                dict(enumerate(sources)), mixture, rate, 1, window, window // 4
            ),
            "Poisson NMF": lambda sources, mixture, rate, window=window: nmf[window].separate(mixture, rate),
        }
        for system, method in systems.items():
            scores = {f"{decibels}": scored(method, tracks, nmf[window].sources, decibels) for decibels in DECIBELS}
            rows.append({"system": system, "window": window, "scores": scores})
            print(system, window, scores, flush=True)
    table = {"seconds": arguments.seconds, "songs": len(tracks), "left_out": LEFT_OUT, "rows": rows}
    write_text(arguments.json, json.dumps(table, indent=1) + "\n")


def scored(method, tracks, names, decibels):
    """SDR of the first half, and of the same without its end, with the first half that much quieter."""
    scores = []
    for track in tracks:
        sources = half_quieter(np.stack([track.sources[name] for name in names]), decibels)
        estimates = method(sources, sources.sum(axis=0), track.rate)
        half = sources.shape[-1] // 2
        for end in (half, half - round(LEFT_OUT * track.rate)):
            scores.append(sdr(*(above_20_hz(part[..., :end], track.rate) for part in (sources, estimates))).mean())
    whole, less = np.mean(np.reshape(scores, (-1, 2)), axis=0)
    return {"whole": float(whole), "without its end": float(less)}


if __name__ == "__main__":
    main()
