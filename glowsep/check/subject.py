"""What is under check: a copy of a layer or network whose every call is watched."""

import copy
import inspect

import numpy as np

from glowsep.check.hints import gradient_candidates
from glowsep.check.stencils import along
from glowsep.check.verdict import GRADIENT, compare, described, expect_array, fail

# What the same call may differ by when it is made again: nothing, but for the order in which threads add.
REPEATED = 1e-13


class Subject:
    """A copy of ``part``, its parameters in ``dtype`` (by default their own); the part itself stays as it is."""

    def __init__(self, part, dtype=None):
        self.name = type(part).__name__
        parameters = self._named(part, "parameters")
        for name, array in part.parameters().items():
            if not np.may_share_memory(array, parameters[name]):
                self.fail("parameters", f"{name!r} is a copy, but must be the live array itself")
        self._named(part, "gradients")
        self._require_listed(part, parameters)
        # deepcopy looks its memo up before it copies: the copy gets these arrays in place of the originals.
        memo = {id(array): array.astype(dtype or array.dtype) for array in parameters.values()}
        self.part = copy.deepcopy(part, memo)
        self.parameters = self.part.parameters()
        self.arrays_at_first = {name for name, value in vars(self.part).items() if isinstance(value, np.ndarray)}

    def fail(self, method, message):
        fail(f"{self.name}.{method}", message)

    def _named(self, part, method):
        """What ``parameters`` or ``gradients`` returns, or a sentence about the attribute that is missing."""
        try:
            return getattr(part, method)()
        except AttributeError as error:
            self.fail(method, f"{error}; set it in __init__: the array itself, or None for a gradient")

    def _require_listed(self, part, parameters):
        """Refuse an array with a gradient beside it that is not listed: no optimiser would ever move it."""
        for name, value in vars(part).items():
            if isinstance(value, np.ndarray) and hasattr(part, f"d{name}") and name not in parameters:
                self.fail("parameters", f"{name!r} has a gradient, 'd{name}', but is not in parameter_names")

    @property
    def dtype(self):
        """The dtype of the parameters; float32 if there are none."""
        return next((array.dtype for array in self.parameters.values()), np.dtype(np.float32))

    def call(self, method, *arguments, **keywords):
        """Call, and see that neither the arguments nor the parameters have changed."""
        arrays = [argument for argument in arguments if isinstance(argument, np.ndarray)]
        arguments_before = [array.copy() for array in arrays]
        parameters_before = copies(self.parameters)
        result = getattr(self.part, method)(*arguments, **keywords)
        for position, (array, before) in enumerate(zip(arrays, arguments_before, strict=True)):
            if not np.array_equal(array, before, equal_nan=True):
                self.fail(method, f"argument number {position + 1} was changed, but must stay as it is")
        for name, before in parameters_before.items():
            if not np.array_equal(self.parameters[name], before, equal_nan=True):
                self.fail(method, f"the call changed the parameter {name!r}, but only an optimiser may")
        return result

    def call_for_two(self, method, *arguments, **keywords):
        result = self.call(method, *arguments, **keywords)
        self.expect_two(method, result)
        return result

    def expect_two(self, method, result):
        """See that a method has returned a pair."""
        if not (isinstance(result, tuple) and len(result) == 2):
            self.fail(method, f"must return a pair, but returned {described(result)}")

    def call_frozen(self, method, *arguments, **keywords):
        """Call a method that must leave the parameters' gradients as they are."""
        before = copies(self.part.gradients())
        result = self.call(method, *arguments, **keywords)
        for name, gradient in self.part.gradients().items():
            if not np.array_equal(gradient, before[name], equal_nan=True):
                self.fail(method, f"the gradient of {name!r} was changed, but the parameters are frozen here")
        return result

    def check_frozen(self, backward, dx):
        """See that the frozen view, if there is one, has the same arrays, and its ``backward`` sets no gradients here.

        ``backward`` is called with the view: it must return twice ``dx``.
        """
        if not hasattr(self.part, "frozen"):
            return
        view = self.part.frozen()
        for name, array in view.parameters().items():
            if array is not self.parameters[name]:
                self.fail("frozen", f"the view's {name!r} is a copy, but must be the very same array")
        before = view.gradients()
        got = backward(view)
        self.expect_array("frozen().backward", "dx", got, dx.shape, dx.dtype)
        self.compare("frozen().backward", "dx", got, 2 * dx, REPEATED)
        for name, gradient in view.gradients().items():
            if gradient is not before[name]:
                self.fail(
                    "frozen().backward",
                    f"the gradient of {name!r} was set, but the parameters are frozen here: "
                    "look at self.is_frozen first",
                )

    def expect_nothing_kept(self):
        """See that no call has left an array in an attribute, but for parameters, their gradients and state."""
        part = self.part
        known = {*part.parameters(), *(f"d{name}" for name in part.parameters()), *getattr(part, "state_names", ())}
        for name, value in vars(part).items():
            if isinstance(value, np.ndarray) and name not in known and name not in self.arrays_at_first:
                self.fail("forward", f"keeps an array in {name!r}, but nothing may be kept between calls: use the tape")

    def tape(self, method="backward"):
        """An empty tape for ``method`` to pop from."""
        return Tape(f"{self.name}.{method}")

    def expect_argument(self, method, name):
        """See that a method takes an argument."""
        if name not in inspect.signature(getattr(self.part, method)).parameters:
            self.fail(method, f"takes no {name}; give it the last argument `{name}=None`, which it may ignore")

    def expect_popped(self, method, tape):
        """See that everything that was appended to a tape has been popped, and nothing else."""
        if len(tape):
            entries = "1 entry" if len(tape) == 1 else f"{len(tape)} entries"
            self.fail(method, f"leaves {entries} on the tape, but must pop what was appended")

    def gradients(self, method="backward"):
        """Copies of the gradients that ``method`` has set, each in its parameter's shape and dtype."""
        gradients = self.part.gradients()
        if gradients.keys() != self.parameters.keys():
            wrong = sorted(gradients.keys() ^ self.parameters.keys())
            self.fail("gradients", f"must have the names of parameters(), {wrong[0]!r} is on one side only")
        for name, parameter in self.parameters.items():
            what = f"the gradient of {name!r}"
            self.expect_array(method, what, gradients[name], parameter.shape, parameter.dtype)
        return copies(gradients)

    def expect_array(self, method, what, array, shape, dtype):
        expect_array(f"{self.name}.{method}", what, array, shape, dtype)

    def compare(self, method, what, *arguments, **options):
        return compare(f"{self.name}.{method}", what, *arguments, **options)

    def compare_again(self, dx, dx_again, gradients, when, tolerance=REPEATED):
        """See that a repeated ``backward`` has given the same."""
        self.compare("backward", f"dx, {when},", dx_again, dx, tolerance)
        for name, gradient in self.gradients().items():
            doubled = [("accumulated: it must be assigned, not added to the last one", 2 * gradients[name])]
            what = f"the gradient of {name!r}, {when},"
            self.compare("backward", what, gradient, gradients[name], tolerance, doubled)

    def compare_parameters(self, loss, function, gradients, at_most, rng, frames):
        """The relative error of every parameter's gradient."""
        errors = {}
        for name, parameter in self.parameters.items():
            tried, through_z, through_logdet = loss.by_parameter(function, parameter, at_most, rng)
            errors[name] = self.compare(
                "backward",
                f"the gradient of {name!r}",
                along(tried, gradients[name]),
                through_z + through_logdet,
                GRADIENT,
                gradient_candidates(through_z, through_logdet, len(loss.a), frames),
                labels=[label for label, _ in tried],
            )
        return errors


class Tape(list):
    """A tape that says who pops too much."""

    def __init__(self, method):
        super().__init__()
        self.method = method

    def pop(self, *place):
        if not self:
            fail(self.method, "pops more from the tape than was appended")
        return super().pop(*place)


def copies(arrays):
    return {name: None if array is None else array.copy() for name, array in arrays.items()}
