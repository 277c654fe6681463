"""What a separation loses to an inverted channel, to panning, to an offset, to rumble and in a quiet passage.

    python tests/benchmarks/robustness.py data/freedoom4 --json data/results/robustness.json --searched 3

SDR in dB of songs of the validation split, of what can be heard: without what is below 20 Hz in stems and references.
"Before" are the same systems, with the same weights, if they listen as version 0.1 did: to the plain mean of the
channels, with one mask for all of them, nothing left out, and one level for the whole song.

Each searched song takes twenty searches: some two minutes of one core for six seconds of it. The table is saved after
each song.
"""

import argparse
import json
import sys
from itertools import islice
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the repository: it need not be installed

from glowsep import ConstrainedLatentSearch, separate
from glowsep.arrays.files import write_text
from glowsep.datasets import open_dataset
from glowsep.datasets.shipped import shipped
from glowsep.metrics import sdr
from glowsep.signals.masks import MASK_EXPONENT, share_out
from glowsep.signals.mid import RATE
from glowsep.signals.resampling import resample
from glowsep.signals.spectrogram import stft
from glowsep.systems.glow.instglow import load_priors
from glowsep.systems.glow.passages import level_gain
from glowsep.systems.glow.separate import masked
from glowsep.systems.nmf.model import PoissonNMF
from glowsep.systems.nmf.separate import joint_masks

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


def glow_before(mixture, rate, priors):
    """The estimates of the same search if it hears the plain mean of the channels, at one level."""
    plain = mixture.mean(axis=0, keepdims=True)
    gain = level_gain([(plain[:, start : start + rate] ** 2).mean() for start in range(0, plain.shape[1], rate)])
    (magnitude,) = priors[0].magnitudes(gain * resample(plain, rate, priors[0].config.rate))
    frozen = [prior.frozen() for prior in priors]
    found = SEARCH(priors[0].whole_blocks(magnitude), frozen, np.random.default_rng(0), None)
    return masked(mixture, rate, found.magnitudes[:, :, : magnitude.shape[1]], MASK_EXPONENT, priors)


def nmf_before(mixture, rate, nmf):
    """The same for NMF, which asks for no level."""
    window = nmf.window_length, nmf.hop
    magnitude = np.abs(stft(resample(mixture.mean(axis=0), rate, RATE), *window))
    masks = joint_masks(magnitude, nmf.dictionaries, nmf.iterations, nmf.exponent)
    return share_out(mixture, rate, masks, RATE, *window)


def all_play(track):
    """Whether every source plays in a track; a silent one has no score that says anything."""
    power = (np.stack(list(track.sources.values())) ** 2).mean(axis=(1, 2))
    return bool((power > 1e-4 * power.sum()).all())


def above_20_hz(waveform, rate):
    """Without what cannot be heard."""
    spectrum = np.fft.rfft(waveform)
    spectrum[..., np.fft.rfftfreq(waveform.shape[-1], 1 / rate) < 20] = 0
    return np.fft.irfft(spectrum, waveform.shape[-1])


def table(scores, **about):
    """What is saved: every condition's scores, each the mean over the songs."""
    rows = []
    for condition, found in scores.items():
        now, before = (
            {system: float(np.mean(of[column])) for system, of in found.items()} for column in ("now", "before")
        )
        rows.append({"condition": condition, "sdr": now, "before": before})
    return about | {"rows": rows}


def main():
    """Score every condition with both systems, now and before, and save the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--seconds", type=float, default=6.0, help="of each song's beginning (default: %(default)s)")
    parser.add_argument(
        "--songs", type=int, metavar="N", help="the first N of the split in which all play (default: all)"
    )
    parser.add_argument("--searched", type=int, default=1, metavar="N", help="of these, by glowsep (default: 1)")
    parser.add_argument("--json", type=Path, required=True, help="where to save the table")
    arguments = parser.parse_args()

    priors, nmf = load_priors([shipped("priors")]), PoissonNMF.load()
    systems = {
        "instglow": {
            "now": lambda mixture, rate: separate(mixture, priors, rate, SEARCH).estimates,
            "before": lambda mixture, rate: glow_before(mixture, rate, priors),
        },
        "nmf": {"now": nmf.separate, "before": lambda mixture, rate: nmf_before(mixture, rate, nmf)},
    }
    dataset = open_dataset(arguments.dataset, "validation")
    tracks = (track.excerpt(0, arguments.seconds) for track in dataset)
    scores = {}
    for number, track in enumerate(islice(filter(all_play, tracks), arguments.songs), 1):
        mono = np.stack([track.sources[prior.name] for prior in priors])
        for condition, (sources, added, scored) in conditions(mono, track.rate).items():
            mixture = (sources.sum(axis=0) + added).astype(np.float32)
            reference = above_20_hz(sources[..., scored], track.rate)
            for system, methods in systems.items():
                if system == "instglow" and number > arguments.searched:
                    continue
                for now, method in methods.items():
                    estimates = above_20_hz(method(mixture, track.rate)[..., scored], track.rate)
                    found = scores.setdefault(condition, {}).setdefault(system, {}).setdefault(now, [])
                    found.append(float(sdr(reference, estimates).mean()))
            print(track.name, condition, scores[condition], flush=True)
        about = {"dataset": arguments.dataset.name, "songs": number, "searched": min(number, arguments.searched)}
        saved = table(scores, **about, seconds=arguments.seconds)
        write_text(arguments.json, json.dumps(saved, indent=1) + "\n")


if __name__ == "__main__":
    main()
