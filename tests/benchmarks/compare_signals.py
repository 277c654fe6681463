"""STFT and BSS Eval beside other people's, and a separation by stage; see compare.py."""

import cProfile
import importlib.util
import pstats
import time
from pathlib import Path

import numpy as np
from compare_steps import alternately
from scipy.signal import ShortTimeFFT, get_window

from glowsep import AnnealedSearch, istft, separate, stft
from glowsep.arrays.threads import blas
from glowsep.datasets.shipped import shipped
from glowsep.metrics import bss_eval
from glowsep.signals import audio
from glowsep.systems.glow.instglow import load_priors

RATE, LENGTH, HOP = 44_100, 1024, 256
AUDIO_SECONDS, BSS_SECONDS, SEPARATED_SECONDS = 60, 5, 10

#: What a separation is made of: a stage, and the functions whose time it is.
STAGES = {
    "resampling, STFT": [("resampling.py", "resample"), ("prior.py", "magnitudes")],
    "start: NMF on dictionaries": [("starts.py", "from_dictionaries")],
    "flow, forward": [("parallel.py", "forward")],
    "flow, backward": [("parallel.py", "backward")],
    "masks, inverse STFT": [("separate.py", "masked")],
}


def spectrograms(rounds):
    """STFT and back of a minute of stereo: median seconds by library, and each one's largest error on the way."""
    waveform = 0.1 * np.random.default_rng(0).standard_normal((2, AUDIO_SECONDS * RATE)).astype(np.float32)
    window = get_window("hann", LENGTH).astype(np.float32)
    scipy_stft = ShortTimeFFT(window, HOP, RATE)
    functions = {
        "ours": lambda: istft(stft(waveform, LENGTH, HOP), waveform.shape[1], LENGTH, HOP),
        "scipy": lambda: scipy_stft.istft(scipy_stft.stft(waveform), k1=waveform.shape[1]),
    }
    if importlib.util.find_spec("torch"):
        import torch

        tensor, hann = torch.tensor(waveform), torch.tensor(window)

        def torch_there_and_back():
            spectrum = torch.stft(tensor, LENGTH, HOP, window=hann, return_complex=True)
            return torch.istft(spectrum, LENGTH, HOP, window=hann, length=waveform.shape[1]).numpy()

        functions["torch"] = torch_there_and_back
    errors = {name: float(np.abs(function() - waveform).max()) for name, function in functions.items()}
    return {"seconds": medians(functions, rounds), "errors": errors, "audio_seconds": AUDIO_SECONDS}


def bss_evaluation(rounds):
    """BSS Eval of four stereo sources: median seconds here and in museval, and the largest difference in dB."""
    rate = RATE // 2
    rng = np.random.default_rng(0)
    references = rng.standard_normal((4, 2, BSS_SECONDS * rate))
    estimates = references + 0.2 * references.mean(axis=0) + 0.3 * rng.standard_normal(references.shape)
    functions, found = {"ours": lambda: bss_eval(references, estimates, rate)}, {"audio_seconds": BSS_SECONDS}
    if importlib.util.find_spec("museval"):
        import museval

        transposed = references.transpose(0, 2, 1), estimates.transpose(0, 2, 1)
        functions["museval"] = lambda: museval.evaluate(*transposed, win=rate, hop=rate)
        ours, theirs = functions["ours"](), functions["museval"]()
        pairs = zip((ours.sdr, ours.isr, ours.sir, ours.sar), theirs, strict=True)
        found["difference"] = float(max(abs(mine - other).max() for mine, other in pairs))
    return found | {"seconds": medians(functions, rounds)}


def medians(functions, rounds):
    return {name: float(np.median(seconds)) for name, seconds in alternately(functions, "cpu", rounds).items()}


def separation(song, device):
    """Seconds of a separation with the default settings and the shipped priors; and on one core, by stage.

    On more cores than one, the sources' stages run side by side, and their times do not add up.
    """
    priors = load_priors([shipped("priors")], device)
    waveform, rate = audio.read(song)
    excerpt = waveform[:, : SEPARATED_SECONDS * rate]
    separate(excerpt, priors, rate, search=AnnealedSearch(iterations=1))  # loads what is loaded when it is wanted
    started = time.perf_counter()
    separate(excerpt, priors, rate)
    seconds = time.perf_counter() - started
    started = time.perf_counter()
    with blas().limit(limits=1), cProfile.Profile() as profile:
        separate(excerpt, priors, rate)
    alone = time.perf_counter() - started
    spent = {(Path(file).name, name): values[3] for (file, _, name), values in pstats.Stats(profile).stats.items()}
    stages = {stage: sum(spent.get(function, 0) for function in functions) for stage, functions in STAGES.items()}
    stages["all else"] = alone - sum(stages.values())
    length = excerpt.shape[1] / rate
    return {"audio_seconds": length, "sources": len(priors), "seconds": seconds, "one_core": alone, "stages": stages}
