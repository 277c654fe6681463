"""The contract of a bijection, checked method by method."""

import numpy as np

from glowsep.check.hints import gradient_candidates, logdet_candidates
from glowsep.check.loss import LinearLoss
from glowsep.check.report import Report
from glowsep.check.subject import REPEATED, Subject
from glowsep.check.verdict import GRADIENT

ROUND_TRIP = 1e-10
LOGDET = 1e-9


def check_bijection(layer, x, extra, rng, at_most):
    """All four methods of a bijection; see ``glowsep.check.layer``."""
    subject, report = Subject(layer, np.float64), Report()
    subject.part.forward(x, *extra)
    z = _check_values(subject, x, extra, report)
    _check_backward(subject, x, z, extra, rng, at_most, report)
    _check_backward_inverse(subject, x, z, extra, rng, report)
    _check_tape(subject, x, z, extra, rng)
    subject.expect_nothing_kept()
    _check_dtypes(layer, x, extra)
    return report


def _check_values(subject, x, extra, report):
    """``forward`` and ``inverse``: shapes, round trip, items that do not see each other. Returns ``z``."""
    z, logdet = subject.call_for_two("forward", x, *extra)
    subject.expect_array("forward", "z", z, np.shape(z), x.dtype)
    subject.expect_array("forward", "logdet", logdet, (len(x),), x.dtype)
    if z[0].size != x[0].size:
        subject.fail("forward", f"turns {x[0].size} numbers an item into {z[0].size}: no bijection can")

    elsewhere = 0.5 * x + 1
    subject.part.forward(elsewhere, *extra)
    rebuilt = subject.call("inverse", z, *extra)
    subject.expect_array("inverse", "x", rebuilt, x.shape, x.dtype)
    candidates = [
        ("nothing is undone: z itself came back", z.reshape(x.shape)),
        ("the input of the last forward came back, whatever z is: nothing may be kept between calls", elsewhere),
    ]
    report.round_trip = subject.compare("inverse", "the inverse of z", rebuilt, x, ROUND_TRIP, candidates)

    for item in range(len(x)):
        one = slice(item, item + 1)
        alone, _ = subject.part.forward(x[one], *(c[one] for c in extra))
        mixed = f"z of item {item} depends on the rest of the batch (expected: alone, got: in the batch); it"
        subject.compare("forward", mixed, z[one], alone, ROUND_TRIP)
    return z


def _check_backward(subject, x, z, extra, rng, at_most, report):
    """``backward`` and the log-det, against the brute-force Jacobian."""
    batch, channels, frames = x.shape
    loss = LinearLoss(z.shape, rng)

    def outputs():
        return subject.part.forward(x, *extra)

    jacobian = loss.jacobians(outputs, x)
    logdet = np.linalg.slogdet(jacobian[:, :-1])[1]
    candidates = logdet_candidates(logdet, channels, frames)
    report.logdet = subject.compare("forward", "logdet", outputs()[1], logdet, LOGDET, candidates, small=1.0)

    by_x = loss.by_items(jacobian, x.shape)
    forward_mode = np.einsum("boi,bi->bo", jacobian[:, :-1], loss.a.reshape(batch, -1)).reshape(x.shape)
    candidates = gradient_candidates(*by_x, batch, frames) + [
        ("dz itself came back", loss.a.reshape(x.shape)),
        ("multiplied by the Jacobian, not by its transpose", forward_mode + by_x[1]),
    ]

    outputs()
    dx, rebuilt = subject.call_for_two("backward", loss.a, loss.b, z, *extra)
    gradients = subject.gradients()
    report.round_trip = max(report.round_trip, _check_rebuilt(subject, "backward", "x", rebuilt, x, z))
    subject.expect_array("backward", "dx", dx, x.shape, x.dtype)
    report.input_gradient = subject.compare("backward", "dx", dx, sum(by_x), GRADIENT, candidates)
    _check_steady(subject, loss, z, extra, dx, gradients)
    report.parameter_gradients = subject.compare_parameters(loss, outputs, gradients, at_most, rng, frames)

    def backward(view):
        result = view.backward(2 * loss.a, 2 * loss.b, z, *extra)
        subject.expect_two("frozen().backward", result)
        return result[0]

    subject.check_frozen(backward, dx)


def _check_steady(subject, loss, z, extra, dx, gradients):
    """``backward`` again, which must give the same whatever was called in between."""

    def compare(when):
        again, _ = subject.call_for_two("backward", loss.a, loss.b, z, *extra)
        subject.compare_again(dx, again, gradients, when)

    compare("called a second time")
    elsewhere = 0.5 * z + 1
    subject.part.forward(subject.part.inverse(elsewhere, *extra), *extra)
    compare("called after forward on another input, from which something was kept")
    subject.part.backward(2 * loss.a, -loss.b, elsewhere, *extra)
    compare("called after backward on another input, from which something was kept")


def _check_backward_inverse(subject, x, z, extra, rng, report):
    """``backward_inverse``, against the brute-force Jacobian of ``inverse``; the log-det has no part in this."""
    method, frames = "backward_inverse", x.shape[2]
    loss = LinearLoss(x.shape, rng)

    def outputs():
        return subject.part.inverse(z, *extra), np.zeros(len(x))

    jacobian = loss.jacobians(outputs, z)
    by_z = loss.by_items(jacobian, z.shape)
    forwards, _ = subject.part.backward(loss.a.reshape(z.shape), np.zeros(len(x)), z, *extra)
    forward_mode = np.einsum("boi,bi->bo", jacobian[:, :-1], loss.a.reshape(len(x), -1)).reshape(z.shape)
    candidates = gradient_candidates(*by_z, len(x), frames) + [
        ("dx itself came back", loss.a.reshape(z.shape)),
        ("the gradient through forward, not through inverse", forwards.reshape(z.shape)),
        ("multiplied by the Jacobian, not by its transpose", forward_mode),
    ]

    dz, rebuilt = subject.call_frozen(method, loss.a, x, *extra)
    report.round_trip = max(report.round_trip, _check_rebuilt(subject, method, "z", rebuilt, z, x))
    subject.expect_array(method, "dz", dz, z.shape, z.dtype)
    report.inverse_gradient = subject.compare(method, "dz", dz, sum(by_z), GRADIENT, candidates)
    again, _ = subject.call_frozen(method, loss.a, x, *extra)
    subject.compare(method, "dz, called a second time,", again, dz, REPEATED)


def _check_rebuilt(subject, method, name, rebuilt, expected, given):
    """The second array that a backward method returns: its input rebuilt from the output it was given."""
    what = f"{name}, rebuilt from the other side,"
    subject.expect_array(method, what, rebuilt, expected.shape, expected.dtype)
    same = [("what was given came back, nothing is rebuilt", given.reshape(expected.shape))]
    return subject.compare(method, what, rebuilt, expected, ROUND_TRIP, same)


def _check_tape(subject, x, z, extra, rng):
    """All four methods once more, with a tape: the same results, and everything popped that was appended.

    Last in, first out: another pass on the same tape, above the first, must not disturb it.
    """
    for method in ("forward", "inverse", "backward", "backward_inverse"):
        subject.expect_argument(method, "tape")
    loss, elsewhere = LinearLoss(z.shape, rng), 0.5 * x + 1

    dx, _ = subject.part.backward(loss.a, loss.b, z, *extra)
    gradients, tape = subject.gradients(), subject.tape()
    subject.call("forward", x, *extra, tape=tape)
    above, _ = subject.part.forward(elsewhere, *extra, tape=tape)
    subject.part.backward(loss.a, loss.b, above, *extra, tape=tape)
    again, rebuilt = subject.call_for_two("backward", loss.a, loss.b, z, *extra, tape=tape)
    subject.compare_again(dx, again, gradients, "called with a tape", ROUND_TRIP)
    _check_rebuilt(subject, "backward", "x", rebuilt, x, z)
    subject.expect_popped("backward", tape)

    dx = loss.a.reshape(x.shape)
    dz, _ = subject.part.backward_inverse(dx, x, *extra)
    tape = subject.tape("backward_inverse")
    subject.call("inverse", z, *extra, tape=tape)
    below = subject.part.inverse(0.5 * z + 1, *extra, tape=tape)
    subject.part.backward_inverse(dx, below, *extra, tape=tape)
    again, rebuilt = subject.call_frozen("backward_inverse", dx, x, *extra, tape=tape)
    subject.compare("backward_inverse", "dz, called with a tape,", again, dz, ROUND_TRIP)
    _check_rebuilt(subject, "backward_inverse", "z", rebuilt, z, x)
    subject.expect_popped("backward_inverse", tape)


def _check_dtypes(layer, x, extra):
    """All four methods once more, in the dtype of the layer's own parameters (float32 if it has none)."""
    subject = Subject(layer)
    dtype = subject.dtype
    x, extra = x.astype(dtype), tuple(c.astype(dtype) for c in extra)
    subject.part.forward(x, *extra)
    z, logdet = subject.call("forward", x, *extra)
    returned = {
        "forward": (("z", z), ("logdet", logdet)),
        "inverse": (("x", subject.call("inverse", z, *extra)),),
        "backward": zip(("dx", "x"), subject.call("backward", z, logdet, z, *extra), strict=True),
        "backward_inverse": zip(("dz", "z"), subject.call("backward_inverse", x, x, *extra), strict=True),
    }
    for method, arrays in returned.items():
        for name, array in arrays:
            subject.expect_array(method, name, array, np.shape(array), dtype)
    subject.gradients()
