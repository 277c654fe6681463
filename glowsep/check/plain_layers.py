"""The contract of a plain layer, one that is not a bijection, checked method by method."""

import math

import numpy as np

from glowsep.check.hints import gradient_candidates
from glowsep.check.loss import LinearLoss
from glowsep.check.report import Report
from glowsep.check.subject import Subject
from glowsep.check.verdict import GRADIENT, CheckError

REPEATED_ALONE = 1e-10  # products of another size may add up in another order
FINER = 1e-7  # a step so small that it hardly ever crosses a kink, too inaccurate for anything else


def check_plain(layer, x, extra, rng, at_most):
    """``forward(x, tape) -> y`` and ``backward(dy, tape) -> dx``; see ``glowsep.check.layer``."""
    subject, report = Subject(layer, np.float64), Report()
    tape = subject.tape()
    y = subject.call("forward", x, tape, *extra)
    subject.expect_array("forward", "y", y, np.shape(y), x.dtype)
    loss, frames = LinearLoss(y.shape, rng), math.prod(x.shape[2:])

    def outputs():
        return subject.part.forward(x, [], *extra), np.zeros(len(x))

    _check_items(subject, x, y, extra)
    by_x = loss.by_items(loss.jacobians(outputs, x), x.shape)
    dx = subject.call("backward", loss.a, tape)
    subject.expect_array("backward", "dx", dx, x.shape, x.dtype)
    candidates = gradient_candidates(*by_x, len(x), frames)
    try:
        report.input_gradient = subject.compare("backward", "dx", dx, sum(by_x), GRADIENT, candidates)
    except CheckError as error:
        finer = loss.by_items(loss.jacobians(outputs, x, FINER), x.shape)
        if np.allclose(dx, sum(finer), rtol=1e-4, atol=1e-4):
            raise CheckError(f"{error} Some x is at a kink, as at 0 in a ReLU: move x away from it.") from None
        raise
    subject.expect_popped("backward", tape)
    gradients = subject.gradients()
    report.parameter_gradients = subject.compare_parameters(loss, outputs, gradients, at_most, rng, frames)

    # Last in, first out: another pass on the same tape, above the first, must not disturb it.
    tape = subject.tape()
    subject.part.forward(x, tape, *extra)
    elsewhere = subject.part.forward(0.5 * x + 1, tape, *extra)
    subject.part.backward(elsewhere, tape)
    again = subject.call("backward", loss.a, tape)
    subject.compare_again(dx, again, gradients, "called after another pass on the same tape")
    subject.expect_popped("backward", tape)

    def backward(view):
        tape = []
        view.forward(x, tape, *extra)
        return view.backward(2 * loss.a, tape)

    subject.check_frozen(backward, dx)
    subject.expect_nothing_kept()
    _check_dtypes(layer, x, extra)
    return report


def _check_items(subject, x, y, extra):
    """The items of a batch do not see each other: the Jacobian by brute force counts on it."""
    for item in range(len(x)):
        one = slice(item, item + 1)
        alone = subject.part.forward(x[one], [], *(c[one] for c in extra))
        mixed = f"y of item {item} depends on the rest of the batch (expected: alone, got: in the batch); it"
        subject.compare("forward", mixed, y[one], alone, REPEATED_ALONE)


def _check_dtypes(layer, x, extra):
    """Both methods once more, in the dtype of the layer's own parameters (float32 if it has none)."""
    subject = Subject(layer)
    tape = subject.tape()
    dtype = subject.dtype
    y = subject.call("forward", x.astype(dtype), tape, *(c.astype(dtype) for c in extra))
    subject.expect_array("forward", "y", y, np.shape(y), dtype)
    subject.expect_array("backward", "dx", subject.call("backward", y, tape), x.shape, dtype)
    subject.gradients()
