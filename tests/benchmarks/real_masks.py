"""Is an oracle's ratio mask the best mask? Mean SDR of masks made from the true sources, with the mixture's phase.

    python tests/benchmarks/real_masks.py data/freedoom4 --json data/results/real_masks.json

Rows: the ratio masks of magnitude and of power, which are the ceilings of the tables; and in every bin the real number
m for which m X is nearest to the source's spectrum, once among the numbers from 0 to 1 and once among all.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the repository: it need not be installed

from glowsep.arrays.files import write_text
from glowsep.datasets import open_dataset
from glowsep.metrics import sdr
from glowsep.signals.masks import mask_waveform, ratio_masks
from glowsep.signals.mid import HOP, RATE, WINDOW_LENGTH
from glowsep.signals.spectrogram import stft


def best_real_masks(spectra, mixture_spectrum):
    """The real number m of every bin that minimises ``|S - m X|^2``: Re(S conj(X)) / |X|^2, and 0 where X is 0."""
    power = np.abs(mixture_spectrum) ** 2
    return np.real(spectra * mixture_spectrum.conj()) / np.where(power > 0, power, 1)


def masks_of_truth(spectra, mixture_spectrum):
    """By title: masks (sources, bins, frames) that know the true spectra (sources, bins, frames)."""
    best = best_real_masks(spectra, mixture_spectrum)
    return {
        "ratio of magnitudes": ratio_masks(np.abs(spectra), 1.0),
        "ratio of powers": ratio_masks(np.abs(spectra), 2.0),
        "best real mask from 0 to 1": np.clip(best, 0, 1),
        "best real mask": best,
    }


def mean_scores(dataset):
    """SDR in dB by title and source, the mean over all tracks of a data set whose tracks are mono and of the rate."""
    scores = {}
    for track in dataset:
        if track.rate != RATE or len(track.mixture) != 1:
            raise SystemExit(
                f"{track.name}: expected one channel at {RATE} Hz, got {len(track.mixture)} at {track.rate}"
            )
        references = np.stack(list(track.sources.values()))
        spectra, mixture_spectrum = (stft(x[..., 0, :], WINDOW_LENGTH, HOP) for x in (references, track.mixture))
        for title, masks in masks_of_truth(spectra, mixture_spectrum).items():
            estimates = mask_waveform(track.mixture, RATE, masks, RATE, WINDOW_LENGTH, HOP)
            scores.setdefault(title, []).append(sdr(references, estimates))
    return {title: dict(zip(track.sources, np.mean(rows, axis=0), strict=True)) for title, rows in scores.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", help="folder of a data set, such as data/freedoom4")
    parser.add_argument("--json", help="file to write the scores to")
    arguments = parser.parse_args()
    scores = mean_scores(open_dataset(arguments.dataset, "test"))
    for title, of_source in scores.items():
        row = {**of_source, "mean": np.mean(list(of_source.values()))}
        print(f"{title:28}" + "  ".join(f"{name} {value:5.2f}" for name, value in row.items()))
        scores[title] = {name: round(float(value), 4) for name, value in row.items()}
    if arguments.json:
        write_text(arguments.json, json.dumps({"sdr": scores}, indent=2) + "\n")


if __name__ == "__main__":
    main()
