"""The checker finds each well-known mistake and names it; what is right passes."""

import numpy as np
import pytest

from glowsep import check
from glowsep.check.verdict import compare
from glowsep.layers import (
    ActNorm,
    AffineCoupling,
    Gate,
    GatedNetwork,
    InvertibleConv1x1,
    Parameters,
    Squeeze,
)

BATCH, CHANNELS, FRAMES, CONDITION_CHANNELS = 2, 4, 3, 3


def shaken(part, rng):
    """The part with every parameter moved: away from identities, zeros and rotations, where mistakes can hide."""
    for parameter in part.parameters().values():
        parameter += 0.3 * rng.standard_normal(parameter.shape)
    return part


def small(layer_class):
    rng = np.random.default_rng(1)
    sizes = {"hidden": 3, "layers": 1, "condition_channels": CONDITION_CHANNELS}
    layer = layer_class(CHANNELS, **(sizes if issubclass(layer_class, AffineCoupling) else {}))
    layer.initialised = True
    return shaken(layer, rng)


BROKEN = []


def says(method, *fragments):
    """Put a layer with one mistake on the list, together with what the checker must say of it."""

    def register(layer_class):
        name = layer_class.__name__
        BROKEN.append(pytest.param(layer_class, (f"{name}.{method}: ", *fragments), id=name))
        return layer_class

    return register


# Each mistake is one method of a right layer, overridden.


@says("forward", "the sign is flipped")
class FlippedSign(ActNorm):
    def forward(self, x, condition=None, tape=None):
        z, logdet = super().forward(x)
        return z, -logdet


@says("forward", "forgot to multiply by the number of frames (3)")
class NoFrames(ActNorm):
    def forward(self, x, condition=None, tape=None):
        z, logdet = super().forward(x)
        return z, logdet / FRAMES


@says("forward", "averaged over channels and frames (12), it must be summed")
class AveragedOverDimensions(ActNorm):
    def forward(self, x, condition=None, tape=None):
        z, logdet = super().forward(x)
        return z, logdet / (CHANNELS * FRAMES)


@says("forward", "divided by the batch (2)")
class DividedByBatch(ActNorm):
    def forward(self, x, condition=None, tape=None):
        z, logdet = super().forward(x)
        return z, logdet / BATCH


@says("forward", "summed over the batch")
class SummedOverBatch(AffineCoupling):
    def forward(self, x, condition=None, tape=None):
        z, logdet = super().forward(x, condition, tape)
        return z, np.full_like(logdet, logdet.sum())


@says("forward", "in nats")
class Bits(ActNorm):
    def forward(self, x, condition=None, tape=None):
        z, logdet = super().forward(x)
        return z, logdet / np.log(2)


@says("forward", "its logarithm is missing")
class NoLogarithm(InvertibleConv1x1):
    def forward(self, x, condition=None, tape=None):
        z, logdet = super().forward(x)
        return z, np.exp(logdet)


@says("forward", "the right answer times 0.7")
class WrongFactor(ActNorm):
    def forward(self, x, condition=None, tape=None):
        z, logdet = super().forward(x)
        return z, 0.7 * logdet


@says("forward", "logdet must be an array of shape (2,), but is a float64")
class ScalarLogdet(ActNorm):
    def forward(self, x, condition=None, tape=None):
        z, logdet = super().forward(x)
        return z, logdet.sum()


@says("forward", "logdet has shape (2, 1), but must have (2,)")
class LogdetShape(ActNorm):
    def forward(self, x, condition=None, tape=None):
        z, logdet = super().forward(x)
        return z, logdet[:, None]


@says("forward", "must return a pair, but returned an array of shape (2, 4, 3)")
class NoLogdet(ActNorm):
    def forward(self, x, condition=None, tape=None):
        return super().forward(x)[0]


@says("forward", "no bijection")
class DropsChannel(ActNorm):
    def forward(self, x, condition=None, tape=None):
        z, logdet = super().forward(x)
        return z[:, 1:], logdet


@says("forward", "z of item 0 depends on the rest of the batch")
class MixesItems(ActNorm):
    def forward(self, x, condition=None, tape=None):
        z, logdet = super().forward(x)
        z[:1] += z[1:2].sum(axis=0)
        return z, logdet

    def inverse(self, z, condition=None, tape=None):
        z = z.copy()
        z[:1] -= z[1:2].sum(axis=0)
        return super().inverse(z)


@says("forward", "z of item 1 depends on the rest of the batch")
class SumsUpItems(ActNorm):
    def forward(self, x, condition=None, tape=None):
        z, logdet = super().forward(x)
        return np.cumsum(z, axis=0), logdet

    def inverse(self, z, condition=None, tape=None):
        return super().inverse(np.diff(z, axis=0, prepend=0 * z[:1]))


@says("inverse", "the input of the last forward came back")
class RemembersInput(ActNorm):
    def forward(self, x, condition=None, tape=None):
        self.kept = x.copy()
        return super().forward(x)

    def inverse(self, z, condition=None, tape=None):
        return self.kept


@says("inverse", "nothing is undone")
class InverseDoesNothing(ActNorm):
    def inverse(self, z, condition=None, tape=None):
        return z.copy()


@says("inverse", "the inverse of z is wrong at index")
class InverseForgetsBias(ActNorm):
    def inverse(self, z, condition=None, tape=None):
        return z * np.exp(-self.log_scale)[:, None]


@says("inverse", "argument number 1 was changed")
class InverseChangesArgument(ActNorm):
    def inverse(self, z, condition=None, tape=None):
        z -= self.bias[:, None]
        return z * np.exp(-self.log_scale)[:, None]


@says("forward", "the call changed the parameter 'bias'")
class ForwardChangesParameter(ActNorm):
    def forward(self, x, condition=None, tape=None):
        self.bias += 0.1
        return super().forward(x)


@says("backward", "what was given came back, nothing is rebuilt")
class ReturnsGivenOutput(ActNorm):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        dx, _ = super().backward(dz, dlogdet, z)
        return dx, z


@says("backward", "x, rebuilt from the other side, is wrong at index (1, 2, 0)")
class WrongRebuiltInput(ActNorm):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        dx, x = super().backward(dz, dlogdet, z)
        x[1, 2, 0] += 1e-6
        return dx, x


@says("backward", "dz itself came back")
class GradientCameBack(ActNorm):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        _, x = super().backward(dz, dlogdet, z)
        return dz, x


@says("backward", "multiplied by the Jacobian, not by its transpose")
class NotTransposed(InvertibleConv1x1):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        _, x = super().backward(dz, dlogdet, z)
        return self._mix(self.W, dz), x


@says("backward", "the gradient of 'bias'", "the sign is flipped")
class NegativeGradient(ActNorm):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        result = super().backward(dz, dlogdet, z)
        self.dbias = -self.dbias
        return result


@says("backward", "the gradient of 'W'", "the part through z is transposed")
class OuterProductTransposed(InvertibleConv1x1):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        result = super().backward(dz, dlogdet, z)
        super().backward(dz, 0 * dlogdet, z)
        through_z = self.dW
        super().backward(0 * dz, dlogdet, z)
        self.dW = self.dW + through_z.swapaxes(1, 2)
        return result


@says("backward", "the gradient of 'W'", "the log-det's part is transposed")
class InverseNotTransposed(InvertibleConv1x1):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        result = super().backward(dz, dlogdet, z)
        super().backward(0 * dz, dlogdet, z)
        through_logdet = self.dW
        super().backward(dz, 0 * dlogdet, z)
        self.dW = self.dW + through_logdet.swapaxes(1, 2)
        return result


@says("backward", "the gradient of 'W'", "the matrix is transposed")
class GradientTransposed(InvertibleConv1x1):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        result = super().backward(dz, dlogdet, z)
        self.dW = self.dW.swapaxes(1, 2)
        return result


@says("backward", "the gradient of 'log_scale'", "dlogdet is ignored")
class ForgottenLogdet(ActNorm):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        return super().backward(dz, 0 * dlogdet, z)


@says("backward", "dx", "dlogdet is ignored")
class ForgottenLogdetInInput(AffineCoupling):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        return super().backward(dz, 0 * dlogdet, z, condition, tape)


@says("backward", "the gradient of 'log_scale'", "the log-det's part has the wrong sign")
class LogdetPartNegative(ActNorm):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        return super().backward(dz, -dlogdet, z)


@says("backward", "the gradient of 'log_scale'", "the log-det's part was not multiplied by the number of frames (3)")
class LogdetPartWithoutFrames(ActNorm):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        return super().backward(dz, dlogdet / FRAMES, z)


@says("backward", "the gradient of 'log_scale'", "the log-det's part is averaged over the batch (2)")
class LogdetPartAveraged(ActNorm):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        return super().backward(dz, dlogdet / BATCH, z)


@says("backward", "the gradient of 'bias'", "averaged over the batch (2)")
class AveragedGradient(ActNorm):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        result = super().backward(dz, dlogdet, z)
        self.dbias = self.dbias / BATCH
        return result


@says("backward", "the gradient of 'bias' is not set (None)")
class NoGradient(ActNorm):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        result = super().backward(dz, dlogdet, z)
        self.dbias = None
        return result


@says("backward", "the gradient of 'bias'", "zero everywhere")
class ZeroGradient(ActNorm):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        result = super().backward(dz, dlogdet, z)
        self.dbias = np.zeros_like(self.bias)
        return result


@says("backward", "the gradient of 'bias'", "not finite")
class NanGradient(ActNorm):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        result = super().backward(dz, dlogdet, z)
        self.dbias[1] = np.nan
        return result


@says("backward", "the gradient of 'bias' has shape (4, 1), but must have (4,)")
class GradientShape(ActNorm):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        result = super().backward(dz, dlogdet, z)
        self.dbias = self.dbias[:, None]
        return result


@says("backward", "the gradient of 'W' is wrong at index (0, 2, 1)")
class OneWrongEntry(InvertibleConv1x1):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        result = super().backward(dz, dlogdet, z)
        self.dW[0, 2, 1] *= 1.001
        return result


@says("backward", "called a second time", "accumulated")
class Accumulated(ActNorm):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        before = 0 if self.dbias is None else self.dbias
        result = super().backward(dz, dlogdet, z)
        self.dbias = before + self.dbias
        return result


@says("backward", "called after forward on another input, from which something was kept")
class KeepsInput(ActNorm):
    def forward(self, x, condition=None, tape=None):
        self.kept = x.copy()
        return super().forward(x)

    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        result = super().backward(dz, dlogdet, z)
        self.dlog_scale = (result[0] * self.kept).sum(axis=(0, 2)) + FRAMES * dlogdet.sum()
        return result


@says("parameters", "'log_scale' is a copy")
class CopiedParameters(ActNorm):
    def parameters(self):
        return {name: array.copy() for name, array in super().parameters().items()}


@says("gradients", "'bias' is on one side only")
class OtherGradientNames(ActNorm):
    def gradients(self):
        return {"log_scale": self.dlog_scale, "shift": self.dbias}


@says("frozen().backward", "the gradient of 'log_scale' was set, but the parameters are frozen here")
class FrozenInNameOnly(ActNorm):
    def frozen(self):
        return self


@says("frozen().backward", "must return a pair, but returned an array")
class FrozenReturnsOne(ActNorm):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        dx, x = super().backward(dz, dlogdet, z)
        return dx if self.is_frozen else (dx, x)


@says("frozen", "the view's 'log_scale' is a copy, but must be the very same array")
class FrozenCopy(ActNorm):
    def frozen(self):
        view = super().frozen()
        view.log_scale = view.log_scale.copy()
        return view


@says("inverse", "takes no tape; give it the last argument `tape=None`")
class InverseWithoutTape(ActNorm):
    def inverse(self, z, condition=None):
        return super().inverse(z)


@says("backward", "entries on the tape, but must pop what was appended")
class LeavesOnTheTape(ActNorm):
    def forward(self, x, condition=None, tape=None):
        if tape is not None:
            tape.append(x)
        return super().forward(x)


@says("backward", "pops more from the tape than was appended")
class PopsTooMuch(ActNorm):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        if tape is not None:
            tape.pop()
        return super().backward(dz, dlogdet, z)


@says("backward", "dx, called with a tape, is wrong")
class KeepsWhatTheTapeShould(AffineCoupling):
    def forward(self, x, condition=None, tape=None):
        self.kept = []
        return super().forward(x, condition, self.kept)

    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        return super().backward(dz, dlogdet, z, condition, None if tape is None else list(self.kept))


@says("backward_inverse", "the gradient of 'bias' was changed, but the parameters are frozen here")
class InverseGradientThawed(ActNorm):
    def backward_inverse(self, dx, x, condition=None, tape=None):
        self.dbias = np.ones_like(self.bias)
        return super().backward_inverse(dx, x)


@says("backward_inverse", "the gradient through forward, not through inverse")
class ThroughForward(ActNorm):
    def backward_inverse(self, dx, x, condition=None, tape=None):
        _, z = super().backward_inverse(dx, x)
        return dx * np.exp(self.log_scale)[:, None], z


@says("backward_inverse", "multiplied by the Jacobian, not by its transpose")
class BackwardInverseNotTransposed(InvertibleConv1x1):
    def backward_inverse(self, dx, x, condition=None, tape=None):
        _, z = super().backward_inverse(dx, x)
        return self._mix(self._inverse(x), dx), z


@says("backward_inverse", "dx itself came back")
class InverseGradientCameBack(ActNorm):
    def backward_inverse(self, dx, x, condition=None, tape=None):
        _, z = super().backward_inverse(dx, x)
        return dx.copy(), z


@says("backward_inverse", "z, rebuilt from the other side, is wrong")
class WrongRebuiltLatent(ActNorm):
    def backward_inverse(self, dx, x, condition=None, tape=None):
        dz, z = super().backward_inverse(dx, x)
        return dz, z + self.bias[:, None]


@says("forward", "z is float64, but must be float32")
class Doubles(ActNorm):
    def forward(self, x, condition=None, tape=None):
        z, logdet = super().forward(x)
        return z * np.float64(1), logdet


@says("backward", "the gradient of 'bias' is float64, but must be float32")
class DoubleGradient(ActNorm):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        result = super().backward(dz, dlogdet, z)
        self.dbias = self.dbias if self.is_frozen else self.dbias * np.float64(1)
        return result


@pytest.mark.parametrize("layer_class, fragments", BROKEN)
def test_every_mistake_is_found_and_named(layer_class, fragments):
    rng = np.random.default_rng(2)
    x = rng.standard_normal((BATCH, CHANNELS, FRAMES))
    conditional = issubclass(layer_class, AffineCoupling)
    condition = rng.standard_normal((BATCH, CONDITION_CHANNELS)) if conditional else None
    with pytest.raises(check.CheckError) as caught:
        check.layer(small(layer_class), x, condition)
    for fragment in fragments:
        assert fragment in str(caught.value)
    assert "; or " not in str(caught.value)  # one cause, not a list to choose from


def test_the_message_gives_index_expected_and_got():
    """Of a bias's gradient halved: 1 expected of each entry by hand, 0.5 got."""

    def half(x):
        return np.array([1.0, 1.0, 0.5])

    with pytest.raises(check.CheckError, match=r"at index \(2,\): expected 1, got 0\.5 \(relative error 0\.5\)"):
        check.gradient(np.sum, half, np.arange(3.0))


def test_a_single_number_is_wrong_without_an_index():
    with pytest.raises(check.CheckError, match=r"the sum is wrong: expected 1, got 2"):
        compare("forward", "the sum", np.array(2.0), np.array(1.0), 1e-6)


def test_the_layer_itself_is_left_as_it_is():
    rng = np.random.default_rng(3)
    layer = ActNorm(CHANNELS)
    check.layer(layer, 2 + 3 * rng.standard_normal((BATCH, CHANNELS, FRAMES)))
    assert not layer.initialised
    assert not np.any(layer.log_scale)
    assert layer.dbias is None
    assert layer.bias.dtype == np.float32


def test_one_wrong_entry_of_a_large_parameter_is_found_along_the_random_direction():
    class OneWrong(InvertibleConv1x1):
        def backward(self, dz, dlogdet, z, condition=None, tape=None):
            result = super().backward(dz, dlogdet, z)
            self.dW[0, 5, 7] += 1
            return result

    rng = np.random.default_rng(4)
    with pytest.raises(check.CheckError, match="'W' is wrong along a random direction"):
        check.layer(OneWrong(8), rng.standard_normal((1, 8, 2)), at_most=4)


def test_no_cause_is_named_where_none_explains_the_error():
    """With one item and one frame, dividing by their number changes nothing: that is no explanation."""

    class SlightlyWrong(ActNorm):
        def backward(self, dz, dlogdet, z, condition=None, tape=None):
            result = super().backward(dz, dlogdet, z)
            self.dlog_scale[2] += 3e-6 * np.abs(self.dlog_scale).max()
            return result

    x = np.random.default_rng(12).standard_normal((1, CHANNELS, 1))
    with pytest.raises(check.CheckError, match=r"'log_scale' is wrong at index \(2,\)") as caught:
        check.layer(small(SlightlyWrong), x)
    assert "Looks like" not in str(caught.value)


def test_a_layer_without_parameters_is_checked_too():
    class Rolled(Squeeze):
        def backward_inverse(self, dx, x, condition=None, tape=None):
            dz, z = super().backward_inverse(dx, x)
            return np.roll(dz, 1, axis=1), z

    x = np.random.default_rng(5).standard_normal((1, 2, 4))
    check.layer(Squeeze(2), x)
    with pytest.raises(check.CheckError, match="Rolled.backward_inverse: dz is wrong"):
        check.layer(Rolled(2), x)


def test_the_report_states_what_was_measured():
    """An error of a known size, small enough to pass, is what the report says."""

    class Slightly(ActNorm):
        def backward(self, dz, dlogdet, z, condition=None, tape=None):
            result = super().backward(dz, dlogdet, z)
            if not self.is_frozen:
                self.dbias = self.dbias * (1 + 3e-7)
            return result

    x = np.random.default_rng(6).standard_normal((BATCH, CHANNELS, FRAMES))
    report = check.layer(small(Slightly), x)
    assert report.parameter_gradients["bias"] == pytest.approx(3e-7, rel=1e-3)
    assert report.gradient == report.parameter_gradients["bias"]
    assert report.parameter_gradients["log_scale"] < 1e-10


# What is not invertible.


def network():
    rng = np.random.default_rng(7)
    return shaken(GatedNetwork(2, 3, 4, 2, 3, 2, CONDITION_CHANNELS, rng), rng)


def network_inputs():
    rng = np.random.default_rng(8)
    return rng.standard_normal((BATCH, 2, FRAMES)), rng.standard_normal((BATCH, CONDITION_CHANNELS))


def test_a_right_network_passes():
    report = check.layer(network(), *network_inputs())
    assert len(report.parameter_gradients) > 10
    assert 0 < report.gradient < 1e-9


@pytest.mark.parametrize(
    "break_it, fragment",
    [
        (lambda part, dx: -dx, "backward: dx is wrong at index"),
        (lambda part, dx: dx / BATCH, "averaged over the batch (2)"),
        (lambda part, dx: dx[:1], "dx has shape (1, 2, 3), but must have (2, 2, 3)"),
        (lambda part, dx: dx.astype(np.float32), "dx is float32, but must be float64"),
        (lambda part, dx: setattr(part.input, "dW", None) or dx, "the gradient of 'input.W' is not set (None)"),
        (lambda part, dx: setattr(part.output, "db", part.output.db / FRAMES) or dx, "averaged over the frames (3)"),
    ],
)
def test_a_broken_network_is_found(break_it, fragment):
    class Broken(GatedNetwork):
        def backward(self, dy, tape):
            return break_it(self, super().backward(dy, tape))

    broken = network()
    broken.__class__ = Broken
    with pytest.raises(check.CheckError) as caught:
        check.layer(broken, *network_inputs())
    assert fragment in str(caught.value)


class Peeks(Gate):
    """Reads the tape without popping."""

    def backward(self, dg, tape):
        return super().backward(dg, list(tape))


class FirstInFirstOut(Gate):
    def backward(self, dg, tape):
        return super().backward(dg, [tape.pop(0)])


class KeepsTheLatest(Gate):
    """Nothing of the latest pass may be used: another one may have come between."""

    def forward(self, x, tape):
        g = super().forward(x, tape)
        self.latest = tape[-1]
        return g

    def backward(self, dg, tape):
        tape.pop()
        return super().backward(dg, [self.latest])


class PopsTwice(Gate):
    def backward(self, dg, tape):
        result = super().backward(dg, tape)
        tape.pop()
        return result


class UsesUpItsInput(Gate):
    def forward(self, x, tape):
        x *= 0.5
        return super().forward(x, tape)


class Scale(Parameters):
    """y = w x, channel by channel: right, but for what a subclass changes."""

    parameter_names = ("w",)

    def __init__(self, channels):
        self.w, self.dw = np.ones(channels), None

    def forward(self, x, tape):
        tape.append(x)
        return self.w[:, None] * x

    def backward(self, dy, tape):
        x = tape.pop()
        if not self.is_frozen:
            self.dw = (dy * x).sum(axis=(0, 2))
        return self.w[:, None] * dy


class NeverThawed(Scale):
    def backward(self, dy, tape):
        self.dw = (dy * tape[-1]).sum(axis=(0, 2))
        return self.w[:, None] * dy + 0 * tape.pop()


class NoGradientYet(Scale):
    def __init__(self, channels):
        self.w = np.ones(channels)


class NotListed(Scale):
    parameter_names = ()


class Remembers(Scale):
    def forward(self, x, tape):
        self.last_input = x
        return super().forward(x, tape)


class SeesTheBatch(Scale):
    def forward(self, x, tape):
        return super().forward(x - x.mean(axis=0), tape)

    def backward(self, dy, tape):
        dx = super().backward(dy, tape)
        return dx - dx.mean(axis=0)


class MatrixTransposed(Parameters):
    """y = W x, with the outer product the wrong way round."""

    parameter_names = ("W",)

    def __init__(self, channels):
        self.W, self.dW = np.random.default_rng(3).standard_normal((channels, channels)), None

    def forward(self, x, tape):
        tape.append(x)
        return self.W @ x

    def backward(self, dy, tape):
        x = tape.pop()
        self.dW = np.einsum("bit,bjt->ij", x, dy)
        return self.W.T @ dy


class Rectifier(Parameters):
    def forward(self, x, tape):
        tape.append(x > 0)
        return np.maximum(x, 0)

    def backward(self, dy, tape):
        return dy * tape.pop()


@pytest.mark.parametrize("seed", range(3))
def test_no_data_of_the_caller_is_the_loss_itself(seed):
    """Were the loss's weights x, as with the same seed for both, a transposed gradient would be right by symmetry."""
    x = np.random.default_rng(seed).standard_normal((2, 4, 3))
    with pytest.raises(check.CheckError, match="'W'.*transposed"):
        check.layer(MatrixTransposed(4), x)


def test_a_kink_is_called_one():
    x = np.random.default_rng(8).standard_normal((2, 4, 3))
    assert check.layer(Rectifier(), x + 0.1 * np.sign(x)).gradient < 1e-6
    x[0, 0, 0] = 1e-3
    with pytest.raises(check.CheckError, match="Some x is at a kink"):
        check.layer(Rectifier(), x)


def test_names_in_a_string_are_refused_when_the_class_is_made():
    with pytest.raises(TypeError, match=r"Wrong: 'bias' is a string, expected a tuple of names: \('bias',\)"):

        class Wrong(Parameters):
            parameter_names = "bias"


@pytest.mark.parametrize(
    "layer, fragment",
    [
        (NeverThawed(4), "frozen().backward: the gradient of 'w' was set, but the parameters are frozen here"),
        (NoGradientYet(4), "gradients: 'NoGradientYet' object has no attribute 'dw'; set it in __init__"),
        (NotListed(4), "parameters: 'w' has a gradient, 'dw', but is not in parameter_names"),
        (Remembers(4), "forward: keeps an array in 'last_input', but nothing may be kept between calls"),
        (SeesTheBatch(4), "y of item 0 depends on the rest of the batch"),
        (Peeks(), "Peeks.backward: leaves 1 entry on the tape"),
        (FirstInFirstOut(), "dx, called after another pass on the same tape, is wrong"),
        (KeepsTheLatest(), "KeepsTheLatest.backward: dx"),
        (PopsTwice(), "pops more from the tape than was appended"),
        (UsesUpItsInput(), "argument number 1 was changed"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Parameters) else "",
)
def test_a_tape_used_wrongly_is_found(layer, fragment):
    with pytest.raises(check.CheckError) as caught:
        check.layer(layer, np.random.default_rng(8).standard_normal((2, 4, 3)))
    assert fragment in str(caught.value)


# Any function of one array.


def quadratic(W):
    return np.sum(W @ W)


def quadratic_gradient(W):
    ones = np.ones_like(W)
    return ones @ W.T + W.T @ ones


def test_a_right_gradient_passes_with_its_error():
    W = np.random.default_rng(9).standard_normal((3, 3))
    assert check.gradient(quadratic, quadratic_gradient, W) < 1e-9


@pytest.mark.parametrize(
    "wrong, fragment",
    [
        (lambda W: -quadratic_gradient(W), "the sign is flipped"),
        (lambda W: quadratic_gradient(W).T, "the matrix is transposed"),
        (lambda W: 2 * quadratic_gradient(W), "the right answer times 2"),
        (lambda W: 0 * W, "zero everywhere"),
        (lambda W: quadratic_gradient(W)[:2], "has shape (2, 3), but must have (3, 3)"),
    ],
)
def test_a_wrong_gradient_is_named(wrong, fragment):
    W = np.random.default_rng(9).standard_normal((3, 3))
    with pytest.raises(check.CheckError) as caught:
        check.gradient(quadratic, wrong, W)
    assert fragment in str(caught.value)


@pytest.mark.parametrize("scale", [1.0, 1e2, 1e4])
def test_differences_are_accurate_at_large_scales_too(scale):
    """Against derivatives known in closed form, well below what the checker tolerates."""
    x = scale * np.random.default_rng(10).uniform(0.5, 1, 20)
    assert check.gradient(lambda x: scale * np.sum(np.sin(x / scale)), lambda x: np.cos(x / scale), x) < 1e-10


def test_a_network_without_frames_is_checked_too():
    class Dense:
        """y = tanh(W x), of (batch, channels)."""

        def __init__(self, W):
            self.W, self.dW = W, None

        def parameters(self):
            return {"W": self.W}

        def gradients(self):
            return {"W": self.dW}

        def forward(self, x, tape):
            y = np.tanh(x @ self.W.T)
            tape.append((x, y))
            return y

        def backward(self, dy, tape):
            x, y = tape.pop()
            before = dy * (1 - y**2)
            self.dW = before.T @ x
            return before @ self.W

    rng = np.random.default_rng(11)
    report = check.layer(Dense(rng.standard_normal((3, 4))), rng.standard_normal((2, 4)))
    assert report.parameter_gradients["W"] < 1e-9
