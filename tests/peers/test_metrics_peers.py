"""Scores against the field's own programs: museval (BSS Eval v4) and mir_eval (BSS Eval v3)."""

import warnings

import mir_eval
import museval
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.signal import butter, sosfilt

from glowsep.metrics import bss_eval, bss_eval_museval

RATE = 4000
NAMES = ("sdr", "isr", "sir", "sar")


def museval_scores(references, estimates):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scores = museval.evaluate(references.transpose(0, 2, 1), estimates.transpose(0, 2, 1), win=RATE, hop=RATE)
    return [np.where(np.isfinite(ratio), ratio, np.nan) for ratio in scores]


def audio(kind, channels, samples, seed):
    """References and estimates (2, channels, samples) that leak, are filtered and hold noise."""
    rng = np.random.default_rng(seed)
    references = rng.standard_normal((2, channels, samples))
    if kind == "dull":  # above a tenth of the band only what rounding to 16 bits leaves: badly conditioned
        references = np.round(2**12 * sosfilt(butter(6, 0.1, output="sos"), references)) / 2**12
    if kind == "mono":
        references[:] = references[:, :1]
    noise = rng.standard_normal(references.shape) * references.std()
    delayed = np.roll(references, 3, axis=-1)
    return references, references + 0.2 * delayed + 0.3 * references.mean(axis=0) + 0.1 * noise


@pytest.mark.parametrize("kind", ["white", "dull", "mono"])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("samples", [RATE - 100, 3 * RATE + 123])
def test_bss_eval_equals_museval(kind, channels, samples):
    references, estimates = audio(kind, channels, samples, seed=samples)
    ours = bss_eval(references, estimates, RATE)
    for name, theirs in zip(NAMES, museval_scores(references, estimates), strict=True):
        assert_allclose(getattr(ours, name), theirs, atol=1e-6, err_msg=name)


def test_the_rule_of_silence_is_musevals():
    references, estimates = audio("white", 2, 5 * RATE, seed=0)
    references[0, :, :RATE] = 0
    estimates[1, :, 3 * RATE : 4 * RATE] = 0
    ours = bss_eval_museval(references, estimates, RATE)
    for name, theirs in zip(NAMES, museval_scores(references, estimates), strict=True):
        assert np.isnan(theirs).any()
        assert_allclose(getattr(ours, name), theirs, atol=1e-6, err_msg=name)


def test_over_a_whole_signal_bss_eval_equals_mir_evals_image_version():
    references, estimates = audio("white", 2, RATE, seed=1)
    ours = bss_eval(references, estimates, RATE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        *theirs, _ = mir_eval.separation.bss_eval_images(
            references.transpose(0, 2, 1), estimates.transpose(0, 2, 1), compute_permutation=False
        )
    for name, ratio in zip(NAMES, theirs, strict=True):
        assert_allclose(getattr(ours, name)[:, 0], ratio, atol=1e-6, err_msg=name)
