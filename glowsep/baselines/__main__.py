"""``python -m glowsep.baselines DATASET``: learn the average spectra and the NMF dictionaries that evaluations use."""

import argparse
from pathlib import Path

import numpy as np

from glowsep.baselines import AverageSpectrum, PoissonNMF, solo_magnitudes
from glowsep.datasets import open_dataset


def main():
    parser = argparse.ArgumentParser(prog="python -m glowsep.baselines", description=__doc__.split(": ")[1])
    parser.add_argument("dataset", type=Path, metavar="DATASET", help="a data set with a training split")
    parser.add_argument("-o", "--output", type=Path, default=Path("data/baselines"), help="default: %(default)s")
    parser.add_argument("--every", type=int, default=15, help="learn from one frame of so many (%(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    rng = np.random.default_rng(arguments.seed)
    solos = solo_magnitudes(open_dataset(arguments.dataset, "train"), arguments.every, rng)
    arguments.output.mkdir(parents=True, exist_ok=True)
    AverageSpectrum.fit(solos).save(arguments.output / "average_spectrum.npz")
    PoissonNMF.fit(solos, rng).save(arguments.output / "nmf.npz")


if __name__ == "__main__":
    main()
