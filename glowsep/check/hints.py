"""From the pattern of an error to its likely cause.

A candidate is a sentence and the array that this very mistake would have given. If what came equals it,
the sentence is the hint.
"""

import numpy as np


def explain(got, expected, candidates):
    """The causes of all candidates that equal ``got``, else the factor between got and expected, else nothing."""
    if not np.all(np.isfinite(got)):
        return " It is not finite: look for a division by zero, a log of 0 or an overflowing exp."
    if not np.any(got):
        return " It is zero everywhere: never assigned?"
    # A cause leaves next to nothing of the error unexplained.
    unexplained = 0.01 * np.abs(got - expected).max()
    causes = [sentence for sentence, candidate in candidates if np.abs(got - candidate).max() < unexplained]
    if not causes and got.size > 1:
        factor = np.vdot(expected, got) / max(np.vdot(expected, expected), 1e-300)
        if np.abs(got - factor * expected).max() < unexplained:
            causes = [f"the right answer times {factor:.6g}"]
    return f" Looks like: {'; or '.join(causes)}." if causes else ""


def logdet_candidates(logdet, channels, frames):
    """What well-known mistakes make of the right log-dets (batch,) of items of (channels, frames)."""
    batch = len(logdet)
    return [
        ("the sign is flipped (the log-det of the inverse)", -logdet),
        ("in bits, it must be in nats (the natural logarithm)", logdet / np.log(2)),
        ("the determinant, its logarithm is missing", np.exp(np.minimum(logdet, 700))),
        ("summed over the batch, every item must have its own", np.full(batch, logdet.sum())),
        ("averaged over the batch, every item must have its own", np.full(batch, logdet.mean())),
        (f"forgot to multiply by the number of frames ({frames})", logdet / frames),
        (f"multiplied by the number of frames ({frames}) once too often", logdet * frames),
        (f"divided by the batch ({batch})", logdet / batch),
        (f"averaged over the channels ({channels}), it must be summed", logdet / channels),
        (f"averaged over channels and frames ({channels * frames}), it must be summed", logdet / (channels * frames)),
    ]


def gradient_candidates(through_z, through_logdet, batch, frames):
    """What well-known mistakes make of a gradient, given its part through ``z`` and that through the log-det."""
    a, b = through_z, through_logdet
    candidates = [
        ("the sign is flipped", -a - b),
        (f"averaged over the batch ({batch}), it must be summed", (a + b) / batch),
        (f"averaged over the frames ({frames}), it must be summed", (a + b) / frames),
        (f"averaged over batch and frames ({batch * frames}), it must be summed", (a + b) / (batch * frames)),
    ]
    # Differences of what does not change at all are rounding errors.
    has_logdet = np.abs(b).max(initial=0.0) > 1e-9 * np.abs(a).max(initial=0.0)
    if has_logdet:
        candidates += [
            ("dlogdet is ignored, but the log-det depends on this too", a),
            ("dz is ignored, only the log-det's part is there", b),
            ("the log-det's part has the wrong sign", a - b),
            ("the log-det's part is taken twice", a + 2 * b),
            (f"the log-det's part was not multiplied by the number of frames ({frames})", a + b / frames),
            (f"the log-det's part is averaged over the batch ({batch}), it must be summed", a + b / batch),
        ]
    if a.ndim >= 2 and a.shape[-1] == a.shape[-2]:
        a_transposed, b_transposed = a.swapaxes(-1, -2), b.swapaxes(-1, -2)
        candidates += [("the matrix is transposed", a_transposed + b_transposed)]
        if has_logdet:
            candidates += [
                ("the part through z is transposed (the outer product in the wrong order)", a_transposed + b),
                ("the log-det's part is transposed (it is the inverse's transpose)", a + b_transposed),
            ]
    return candidates
