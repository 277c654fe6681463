"""What a separation loses to an inverted channel, to panning, to an offset, to rumble and in a quiet passage.

    python tests/benchmarks/robustness.py data/freedoom4 --json data/results/robustness.json --seconds 6

SDR in dB of songs of the validation split, of what can be heard: without what is below 20 Hz in stems and references.
``--before FILE`` takes the scores of an older version, as this script wrote them there, into a column of their own.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the repository: it need not be installed

from glowsep import ConstrainedLatentSearch, separate
from glowsep.arrays.files import write_text
from glowsep.datasets import open_dataset
from glowsep.datasets.shipped import shipped
from glowsep.metrics import sdr
from glowsep.systems.glow.instglow import load_priors
from glowsep.systems.nmf.model import PoissonNMF

SONGS = ("freedoom1_e1m1", "freedoom1_e3m6", "freedoom2_runnin")
SEARCHED = SONGS[:1]  # a search takes a hundred times as long as NMF
SEARCH = ConstrainedLatentSearch()
RIGHT_INVERTED = np.float32([[1], [-1]])


def panned(sources, positions):
    """Mono ``sources`` (sources, 1, samples) in stereo, at ``positions`` from 0, left, to 1, right; constant power."""
    angles = np.array(positions) * np.pi / 2
    gains = np.sqrt(2) * np.stack([np.cos(angles), np.sin(angles)], axis=1)[:, :, None]
    return (gains * sources).astype(np.float32)


def in_the_middle(sources):
    """The same in both channels, to the last bit."""
    return np.repeat(sources, 2, axis=1)


def one_inverted(sources, position):
    """One instrument out of phase between the channels."""
    stereo = in_the_middle(sources)
    stereo[position] *= RIGHT_INVERTED
    return stereo


def half_quieter(sources, decibels):
    """The first half of the excerpt at another level."""
    gain = np.ones(sources.shape[-1], np.float32)
    gain[: len(gain) // 2] = 10 ** (-decibels / 20)
    return gain * sources


def conditions(sources, rate):
    """Name to the sources (sources, channels, samples), what is added to their sum, and the samples to score."""
    samples = sources.shape[-1]
    everything, first_half = slice(None), slice(samples // 2)
    rumble = 0.02 * np.sin(2 * np.pi * 12 * np.arange(samples) / rate)
    return {
        "mono, as it is": (sources, 0, everything),
        "right channel inverted": (RIGHT_INVERTED * in_the_middle(sources), 0, everything),
        "only the guitar out of phase": (one_inverted(sources, 2), 0, everything),
        "instruments panned far apart": (panned(sources, (0, 1 / 3, 2 / 3, 1)), 0, everything),
        "instruments panned half as far": (panned(sources, (1 / 4, 5 / 12, 7 / 12, 3 / 4)), 0, everything),
        "offset of 0.01": (sources, 0.01, everything),
        "12 Hz, amplitude 0.02": (sources, rumble, everything),
        "quiet half, 0 dB": (sources, 0, first_half),
        "quiet half, −30 dB": (half_quieter(sources, 30), 0, first_half),
        "quiet half, −40 dB": (half_quieter(sources, 40), 0, first_half),
    }


def above_20_hz(waveform, rate):
    """Without what cannot be heard."""
    spectrum = np.fft.rfft(waveform)
    spectrum[..., np.fft.rfftfreq(waveform.shape[-1], 1 / rate) < 20] = 0
    return np.fft.irfft(spectrum, waveform.shape[-1])


def main():
    """Score every condition with both systems, and save the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--seconds", type=float, default=6.0, help="of each song's beginning (default: %(default)s)")
    parser.add_argument("--json", type=Path, required=True, help="where to save the table")
    parser.add_argument("--before", type=Path, help="what this script wrote with an older version")
    arguments = parser.parse_args()

    priors, nmf = load_priors([shipped("priors")]), PoissonNMF.load()
    systems = {
        "instglow": lambda mixture, rate: separate(mixture, priors, rate, SEARCH).estimates,
        "nmf": nmf.separate,
    }
    before = json.loads(arguments.before.read_text(encoding="utf-8")) if arguments.before else {"rows": []}
    scores_before = {row["condition"]: row["sdr"] for row in before["rows"]}
    scores = {}
    for song in SONGS:
        track = open_dataset(arguments.dataset, "validation").load(song).excerpt(0, arguments.seconds)
        mono = np.stack([track.sources[prior.name] for prior in priors])
        for name, (sources, added, scored) in conditions(mono, track.rate).items():
            mixture = (sources.sum(axis=0) + added).astype(np.float32)
            for system, method in systems.items():
                if system == "instglow" and song not in SEARCHED:
                    continue
                parts = [above_20_hz(part[..., scored], track.rate) for part in (sources, method(mixture, track.rate))]
                scores.setdefault(name, {}).setdefault(system, []).append(float(sdr(*parts).mean()))
            print(song, name, scores[name], flush=True)
    rows = []
    for name, found in scores.items():
        row = {"condition": name, "sdr": {system: float(np.mean(values)) for system, values in found.items()}}
        rows.append(row | ({"before": scores_before[name]} if name in scores_before else {}))
    table = {
        "dataset": arguments.dataset.name,
        "songs": len(SONGS),
        "searched": len(SEARCHED),
        "seconds": arguments.seconds,
        "rows": rows,
    }
    write_text(arguments.json, json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
