"""The contract of a plain layer, one that is not a bijection, checked method by method."""

import math

import numpy as np

from glowsep.check.hints import gradient_candidates
from glowsep.check.loss import LinearLoss
from glowsep.check.report import Report
from glowsep.check.subject import REPEATED, Subject, Tape
from glowsep.check.verdict import GRADIENT


def check_plain(layer, x, extra, rng, at_most):
    """``forward(x, tape) -> y`` and ``backward(dy, tape) -> dx``; see ``glowsep.check.layer``."""
    subject, report = Subject(layer, np.float64), Report()
    tape = Tape()
    y = subject.call("forward", x, tape, *extra)
    subject.expect_array("forward", "y", y, np.shape(y), x.dtype)
    loss, frames = LinearLoss(y.shape, rng), math.prod(x.shape[2:])

    def outputs():
        return subject.part.forward(x, [], *extra), np.zeros(len(x))

    by_x = loss.by_items(loss.jacobians(outputs, x), x.shape)
    dx = subject.call("backward", loss.a, tape)
    subject.expect_array("backward", "dx", dx, x.shape, x.dtype)
    candidates = gradient_candidates(*by_x, len(x), frames)
    report.input_gradient = subject.compare("backward", "dx", dx, sum(by_x), GRADIENT, candidates)
    subject.expect_popped("backward", tape)
    gradients = subject.gradients()
    report.parameter_gradients = subject.compare_parameters(loss, outputs, gradients, at_most, rng, frames)

    # Last in, first out: another pass on the same tape, above the first, must not disturb it.
    tape = Tape()
    subject.part.forward(x, tape, *extra)
    elsewhere = subject.part.forward(0.5 * x + 1, tape, *extra)
    subject.part.backward(elsewhere, tape)
    again = subject.call("backward", loss.a, tape)
    subject.compare_again(dx, again, gradients, "called after another pass on the same tape")
    subject.expect_popped("backward", tape)

    if frozen := subject.frozen():
        tape = Tape()
        frozen.part.forward(x, tape, *extra)
        what = "dx, from the frozen view,"
        frozen.compare("backward", what, frozen.call_frozen("backward", loss.a, tape), dx, REPEATED)
        frozen.expect_popped("backward", tape)
    _check_dtypes(layer, x, extra)
    return report


def _check_dtypes(layer, x, extra):
    """Both methods once more, in the dtype of the layer's own parameters (float32 if it has none)."""
    subject, tape = Subject(layer), Tape()
    dtype = subject.dtype
    y = subject.call("forward", x.astype(dtype), tape, *(c.astype(dtype) for c in extra))
    subject.expect_array("forward", "y", y, np.shape(y), dtype)
    subject.expect_array("backward", "dx", subject.call("backward", y, tape), x.shape, dtype)
    subject.gradients()
