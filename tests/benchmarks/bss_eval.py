"""BSS Eval here and in museval, on the same noise: the largest difference and the ratio of the times.

Needs museval: ``pip install -e ".[peers]"``, then ``python tests/benchmarks/bss_eval.py``.
"""

import sys
import time
from pathlib import Path

import museval
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the repository: it need not be installed

from glowsep.metrics import bss_eval

RATE, SECONDS = 22_050, 5


def main():
    rng = np.random.default_rng(0)
    for channels in (1, 2):
        references = rng.standard_normal((4, channels, SECONDS * RATE))
        estimates = references + 0.2 * references.mean(axis=0) + 0.3 * rng.standard_normal(references.shape)
        started = time.process_time()
        ours = bss_eval(references, estimates, RATE)
        between = time.process_time()
        theirs = museval.evaluate(references.transpose(0, 2, 1), estimates.transpose(0, 2, 1), win=RATE, hop=RATE)
        ended = time.process_time()
        pairs = zip((ours.sdr, ours.isr, ours.sir, ours.sar), theirs, strict=True)
        difference = max(abs(mine - other).max() for mine, other in pairs)
        print(
            f"4 sources, {channels} channels: ours {between - started:.2f} s of CPU, museval {ended - between:.2f} s, "
            f"{(ended - between) / (between - started):.1f} times faster, largest difference {difference:.0e} dB"
        )


if __name__ == "__main__":
    main()
