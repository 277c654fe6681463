"""What it costs to evaluate MUSDB18's 50 test tracks, in core-hours, and the memory that each worker needs.

    OMP_NUM_THREADS=1 python tests/benchmarks/cluster_cost.py data/freedoom4 --json data/results/cluster.json

Measures what a worker does with a track, all systems and scores, on two excerpts in MUSDB18's form, stereo at 44.1 kHz:
what the longer one takes more, a longer track takes in proportion. Time is the processor's, which a scheduler bills.
"""

import argparse
import json
import resource
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the repository: it need not be installed

from glowsep.arrays.files import write_text
from glowsep.cli import command_line
from glowsep.cli.evaluate import chosen_systems
from glowsep.cli.options import chosen_tracks
from glowsep.datasets import Track
from glowsep.evaluate import evaluate
from glowsep.signals.resampling import resample

RATE = 44100
SECONDS = (4, 8)  # of the excerpts; the shorter first, for a process's peak of memory never falls

#: The test tracks, and the mean length of a track in seconds: https://sigsep.github.io/datasets (236 ± 95 s, all 150).
TRACKS, TRACK_SECONDS = 50, 236


def main():
    """Measure, compute, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--json", type=Path, help="where to save it")
    arguments = parser.parse_args()
    options = command_line().parse_args(["evaluate", str(arguments.dataset)])
    dataset = chosen_tracks(options)
    systems, track = chosen_systems(options, dataset.sources), as_in_musdb(dataset[0])
    measured = [measure(track.excerpt(0, seconds), systems) for seconds in SECONDS]
    costs = musdb(*np.polyfit(SECONDS, measured, 1))
    print(json.dumps(costs, indent=1))
    if arguments.json:
        write_text(arguments.json, json.dumps(costs) + "\n")


def as_in_musdb(track):
    """The track in stereo, at 44.1 kHz."""

    def converted(waveform):
        return np.repeat(resample(waveform[:1], track.rate, RATE), 2, axis=0)

    return Track(
        track.name, RATE, converted(track.mixture), {name: converted(audio) for name, audio in track.sources.items()}
    )


def measure(track, systems):
    """The processor's seconds that an evaluation takes, and this process's peak of memory in GB."""
    started = time.process_time()
    evaluate([track], systems, quiet=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return time.process_time() - started, peak / (1e9 if sys.platform == "darwin" else 1e6)


def musdb(slope, start):
    """The costs of MUSDB18's test tracks, from the slope and the start of the lines (processor's seconds, GB)."""
    seconds, gigabytes = start + slope * TRACK_SECONDS
    return {
        "tracks": TRACKS,
        "track_seconds": TRACK_SECONDS,
        "processor_seconds_per_second": round(slope[0], 2),
        "minutes_per_track": round(seconds / 60, 1),
        "gigabytes_per_track": round(gigabytes, 1),
        "core_hours": round(TRACKS * seconds / 3600, 1),
    }


if __name__ == "__main__":
    main()
