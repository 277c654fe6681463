"""The README's picture: a mixture, the instruments in it, and what the shipped priors find of them.

python tests/benchmarks/picture.py data/freedoom4/test/freedoom2_doom --start 10 -o data/picture.png
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the repository: it need not be installed

from glowsep import separate
from glowsep.datasets import open_dataset
from glowsep.datasets.shipped import shipped
from glowsep.evaluate import score
from glowsep.show import spectrograms
from glowsep.systems.glow.instglow import load_priors


def main():
    """Separate an excerpt of a track, and draw truth and estimates."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("track", type=Path, help="a track's folder in a data set")
    parser.add_argument("-o", "--out", type=Path, required=True, help="the picture to write")
    parser.add_argument("--priors", type=Path, default=shipped("priors"), help="their folder (default: data/priors)")
    parser.add_argument("--start", type=float, default=0.0, help="in seconds (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=5.0, help="default: %(default)s")
    arguments = parser.parse_args()

    dataset = open_dataset(arguments.track.parent.parent, arguments.track.parent.name)
    track = dataset.load(arguments.track.name).excerpt(arguments.start, arguments.seconds)
    prior_of = {prior.name: prior for prior in load_priors([arguments.priors])}
    estimates = separate(track.mixture, [prior_of[source] for source in track.sources], track.rate).estimates
    scores = score(track, estimates).sources
    print(scores)
    truth = {source: waveform.mean(axis=0) for source, waveform in track.sources.items()}
    found = {
        f"found {source}: {scores[source]['sdr']:.1f} dB".replace("-", "−"): estimate.mean(axis=0)
        for source, estimate in zip(track.sources, estimates, strict=True)
    }
    panels = {"the mixture": track.mixture.mean(axis=0), **truth, "": None, **found}
    spectrograms(panels, track.rate, arguments.out, columns=1 + len(truth))


if __name__ == "__main__":
    main()
