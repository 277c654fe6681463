"""The results guide's picture: for each instrument a recording of it, and below it sounds that models of it have made.

    python tests/benchmarks/samples.py data/freedoom4/validation/freedoom1_e1m1 -o data/samples.png

The models are those that come with glowsep: instGlow's prior and GAN-prior's generator of the instrument, each drawn
from at its default temperature (0.7 and 1). All sounds are brought to one peak. ``--sounds``
writes what the picture shows to a folder, as WAV files to listen to.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the repository: it need not be installed

from glowsep.datasets import open_dataset
from glowsep.show import spectrograms
from glowsep.signals import audio
from glowsep.signals.resampling import resample
from glowsep.systems.registry import SYSTEMS

RATE = 22_050
MODELS = {"instGlow": "instglow", "GAN-prior": "gan_prior"}


def main():
    """Cut the recordings, draw from the models, and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("track", type=Path, help="a track's folder in a data set")
    parser.add_argument("-o", "--out", type=Path, required=True, help="the picture to write")
    parser.add_argument("--start", type=float, default=8.0, help="of the recordings, in seconds (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=4.0, help="of every sound (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument("--sounds", type=Path, help="a new folder for the sounds")
    arguments = parser.parse_args()

    dataset = open_dataset(arguments.track.parent.parent, arguments.track.parent.name)
    track = dataset.load(arguments.track.name).excerpt(arguments.start, arguments.seconds)
    sounds = {source: resample(waveform.mean(axis=0), track.rate, RATE) for source, waveform in track.sources.items()}
    for title, method in MODELS.items():
        for source in track.sources:
            model = SYSTEMS[method].load_source(SYSTEMS[method].shipped_weights() / f"{source}.npz")
            made = model.sample(arguments.seconds, np.random.default_rng(arguments.seed))
            sounds[f"{title}: {source}"] = resample(made, model.config.rate, RATE)
    levelled = {title: waveform / max(1e-9, np.abs(waveform).max()) / 2 for title, waveform in sounds.items()}
    spectrograms(levelled, RATE, arguments.out, columns=len(track.sources))
    if arguments.sounds:
        arguments.sounds.mkdir()
        for title, waveform in levelled.items():
            audio.write(arguments.sounds / f"{title.replace(': ', '-')}.wav", waveform[None], RATE)


if __name__ == "__main__":
    main()
