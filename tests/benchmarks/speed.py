"""How long ten seconds of music take with the default settings and the shipped priors.

python tests/benchmarks/speed.py data/freedoom4/test/freedoom2_doom/mix.flac --json data/results/speed.json
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the repository: it need not be installed

from glowsep import separate
from glowsep.arrays.files import write_text
from glowsep.arrays.memory import keep_freed_memory
from glowsep.datasets.shipped import shipped
from glowsep.signals import audio
from glowsep.systems.glow.instglow import load_priors

SECONDS = 10


def main():
    """Separate the beginning of a song, print the time that it took, and save it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("song", type=Path)
    parser.add_argument("--json", type=Path, help="where to save it")
    arguments = parser.parse_args()
    keep_freed_memory()  # as the command line does
    priors = load_priors([shipped("priors")])
    waveform, rate = audio.read(arguments.song)
    excerpt = waveform[:, : SECONDS * rate]
    started = time.perf_counter()
    separate(excerpt, priors, rate)
    measured = {
        "audio_seconds": excerpt.shape[1] / rate,
        "sources": len(priors),
        "seconds": round(time.perf_counter() - started, 1),
        "processors": os.cpu_count(),
    }
    print(measured)
    if arguments.json:
        write_text(arguments.json, json.dumps(measured) + "\n")


if __name__ == "__main__":
    main()
