"""The contract of a bijection, checked method by method."""

from dataclasses import dataclass, field

import numpy as np

from glowsep.check.hints import gradient_candidates, logdet_candidates
from glowsep.check.loss import LinearLoss
from glowsep.check.subject import REPEATED, Subject
from glowsep.check.verdict import GRADIENT

ROUND_TRIP = 1e-10
LOGDET = 1e-9


@dataclass
class Report:
    """The worst relative error of each kind that ``layer`` measured, all of them within its tolerances."""

    round_trip: float = 0.0
    logdet: float = 0.0
    input_gradient: float = 0.0
    inverse_gradient: float = 0.0
    condition_gradient: float = 0.0
    parameter_gradients: dict = field(default_factory=dict)

    @property
    def gradient(self):
        """The worst of all gradients."""
        others = self.input_gradient, self.inverse_gradient, self.condition_gradient
        return max(*others, *self.parameter_gradients.values())


def layer(layer, x, condition=None, rng=None, at_most=64):
    r"""Hold a bijection against the whole contract of ``glowsep.layers``.

    In float64, and on a copy: the layer is left as it is. One that initialises itself from data does so, in
    the copy, from ``x``. The loss is a random linear one, :math:`\sum a z + \sum b \log|\det|`. Verified are

    - ``inverse`` undoes ``forward``; ``backward`` and ``backward_inverse`` rebuild their input;
    - the log-det of every item equals that of its Jacobian, found by brute force;
    - the gradients by input, condition and parameters, and through the inverse, equal central differences;
      ``backward_input``, where there is one, says the same as ``backward``;
    - shapes and dtypes, in the dtype of the layer's own parameters too;
    - nothing is kept between calls: no gradient accumulates, no argument or parameter changes, the items of a
      batch do not see each other, and a frozen method leaves the parameters' gradients alone.

    Parameters
    ----------
    layer : Bijection
        Or any object with its methods.
    x : (batch, channels, frames)
        A NumPy array, and a small one: the Jacobian has (channels · frames)² entries an item. Two items or more
        see more mistakes than one.
    condition : (batch, condition_channels), optional
    rng : numpy.random.Generator, optional
        For the loss; seed 0 where none is given.
    at_most : int
        Of a larger parameter only so many entries are tried, and one random direction through all of them.

    Returns
    -------
    Report
        The worst relative errors: at most 1e-10 for the round trip, 1e-9 for the log-det, 1e-6 for gradients.

    Raises
    ------
    CheckError
        At the first broken promise, in words.

    Source: chapter 5; for each layer, its own chapter.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    extra = () if condition is None else (condition.astype(np.float64),)
    x = x.astype(np.float64)
    subject = Subject(layer, np.float64)
    subject.part.forward(x, *extra)

    report = Report()
    z = _check_values(subject, x, extra, report)
    _check_backward(subject, x, z, extra, rng, at_most, report)
    _check_backward_inverse(subject, x, z, extra, rng, report)
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
        mixed = f"z of item {item} depends on the rest of the batch: alone, it is another; it"
        subject.compare("forward", mixed, z[one], alone, ROUND_TRIP)
    return z


def _check_backward(subject, x, z, extra, rng, at_most, report):
    """``backward``, ``backward_input`` and the log-det, against the brute-force Jacobian."""
    batch, channels, frames = x.shape
    loss = LinearLoss(z.shape, rng)

    def outputs():
        return subject.part.forward(x, *extra)

    jacobian = loss.jacobians(outputs, x)
    logdet = np.linalg.slogdet(jacobian[:, :-1])[1]
    candidates = logdet_candidates(logdet, channels, frames)
    report.logdet = subject.compare("forward", "logdet", outputs()[1], logdet, LOGDET, candidates, small=1.0)

    by_x = loss.by_items(jacobian, x.shape)
    by_condition = [loss.by_items(loss.jacobians(outputs, c), c.shape) for c in extra]
    forward_mode = np.einsum("boi,bi->bo", jacobian[:, :-1], loss.a.reshape(batch, -1)).reshape(x.shape)
    candidates = gradient_candidates(*by_x, batch, frames) + [
        ("dz itself came back", loss.a.reshape(x.shape)),
        ("multiplied by the Jacobian, not by its transpose", forward_mode + by_x[1]),
    ]

    def check(method, dx, rebuilt):
        report.round_trip = max(report.round_trip, _check_rebuilt(subject, method, "x", rebuilt, x, z))
        subject.expect_array(method, "dx", dx, x.shape, x.dtype)
        error = subject.compare(method, "dx", dx, sum(by_x), GRADIENT, candidates)
        report.input_gradient = max(report.input_gradient, error)
        for parts in by_condition:
            error = subject.compare_condition(method, parts, frames)
            report.condition_gradient = max(report.condition_gradient, error)

    outputs()
    dx, rebuilt = subject.call_for_two("backward", loss.a, loss.b, z, *extra)
    gradients = subject.gradients()
    check("backward", dx, rebuilt)
    _check_steady(subject, loss, z, extra, dx, gradients)
    report.parameter_gradients = subject.compare_parameters(loss, outputs, gradients, at_most, rng, frames)
    if hasattr(subject.part, "backward_input"):
        check("backward_input", *subject.call_frozen("backward_input", loss.a, loss.b, z, *extra))


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
    by_condition = [loss.by_items(loss.jacobians(outputs, c), c.shape) for c in extra]
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
    for parts in by_condition:
        error = subject.compare_condition(method, parts, frames)
        report.condition_gradient = max(report.condition_gradient, error)
    again, _ = subject.call_frozen(method, loss.a, x, *extra)
    subject.compare(method, "dz, called a second time,", again, dz, REPEATED)


def _check_rebuilt(subject, method, name, rebuilt, expected, given):
    """The second array that a backward method returns: its input rebuilt from the output it was given."""
    what = f"{name}, rebuilt from the other side,"
    subject.expect_array(method, what, rebuilt, expected.shape, expected.dtype)
    same = [("what was given came back, nothing is rebuilt", given.reshape(expected.shape))]
    return subject.compare(method, what, rebuilt, expected, ROUND_TRIP, same)


def _check_dtypes(layer, x, extra):
    """All four methods once more, in the dtype of the layer's own parameters (float32 where it has none)."""
    subject = Subject(layer)
    dtype = next((array.dtype for array in subject.parameters.values()), np.dtype(np.float32))
    x, extra = x.astype(dtype), tuple(c.astype(dtype) for c in extra)
    subject.part.forward(x, *extra)
    z, logdet = subject.call("forward", x, *extra)
    returned = {
        "forward": (z, logdet),
        "inverse": (subject.call("inverse", z, *extra),),
        "backward": subject.call("backward", z, logdet, z, *extra),
        "backward_inverse": subject.call("backward_inverse", x, x, *extra),
    }
    for method, arrays in returned.items():
        for position, array in enumerate(arrays):
            what = f"the returned array number {position + 1}"
            subject.expect_array(method, what, array, np.shape(array), dtype)
    subject.gradients()
