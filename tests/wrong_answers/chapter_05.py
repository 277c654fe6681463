"""Mistakes that learners make in chapter 5, each with what the check must say of it."""

SCALE = """
def scale_and_shift_backward(dy, x, s):
    return {}
"""

LINEAR = """
def linear_backward(dy, W, x):
    return {}
"""

DIFFERENCES = """
def central_differences(function, x, h):
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        step = np.zeros(x.shape)
        step[index] = h
        gradient[index] = {}
    return gradient
"""

MOVED_FOR_GOOD = """
def central_differences(function, x, h):
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        x[index] += h
        above = function(x)
        x[index] -= h
        gradient[index] = (above - function(x)) / h
        x[index] -= h
    return gradient
"""

COLUMNS = """
def columns(x, shifts):
    inputs, batch, frames = x.shape
    reach = max(abs(shift) for shift in shifts)
    padded = np.pad(x, [(0, 0), (0, 0), (reach, reach)])
    return {}
"""

COLUMNS_BACKWARD = """
def columns_backward(dcolumns, shifts, shape):
    inputs, batch, frames = shape
    reach = max(abs(shift) for shift in shifts)
    dpadded = np.zeros((inputs, batch, frames + 2 * reach))
    for dpiece, shift in zip(dcolumns.reshape(len(shifts), *shape), shifts):
        dpadded[:, :, reach {} shift : reach {} shift + frames] {} dpiece
    return dpadded[:, :, reach : reach + frames]
"""

ROLLED_BACK = """
def columns_backward(dcolumns, shifts, shape):
    pieces = dcolumns.reshape(len(shifts), *shape)
    return sum(np.roll(piece, shift, axis=2) for piece, shift in zip(pieces, shifts))
"""

ADDED_IN_PLACE = """
def columns_backward(dcolumns, shifts, shape):
    return dcolumns.reshape(len(shifts), *shape).sum(axis=0)
"""

GATE = """
class Gate(Parameters):
    def forward(self, x, tape):
        a, b = halves(x)
        tanh, sigmoid = np.tanh(a), 1 / (1 + np.exp(-b))
        tape.append((tanh, sigmoid))
        return tanh * sigmoid

    def backward(self, dg, tape):
        tanh, sigmoid = {}
        return stacked({})
"""

GATE_THAT_REMEMBERS = """
class Gate(Parameters):
    def forward(self, x, tape):
        a, b = halves(x)
        self.tanh, self.sigmoid = np.tanh(a), 1 / (1 + np.exp(-b))
        {}
        return self.tanh * self.sigmoid

    def backward(self, dg, tape):
        {}
        da = dg * self.sigmoid * (1 - self.tanh * self.tanh)
        return stacked(da, dg * self.tanh * self.sigmoid * (1 - self.sigmoid))
"""

GATE_WITHOUT_A_WAY_BACK = """
class Gate(Parameters):
    def forward(self, x, tape):
        a, b = halves(x)
        tanh, sigmoid = np.tanh(a), 1 / (1 + np.exp(-b))
        tape.append((tanh, sigmoid))
        return tanh * sigmoid

    def backward(self, dg, tape):
        raise NotImplementedError
"""

DA = "dg * sigmoid * (1 - tanh * tanh)"
DB = "dg * tanh * sigmoid * (1 - sigmoid)"

RESIDUAL = """
def residual_backward(dy, x, W, U):
    tanh = np.tanh(W @ x)
    return {}
"""

WRONG_ANSWERS = {
    "linear_backward": [
        (LINEAR.format("W @ dy, dy @ x.T"), "W must be transposed"),
        (LINEAR.format("W.T @ dy, dy * x"), "multiplied entry by entry"),
    ],
    "central_differences": [
        (DIFFERENCES.format("(function(x + step) - function(x)) / h"), "a forward difference"),
        (DIFFERENCES.format("(function(x + step) - function(x - step)) / h"), "2 h apart"),
        (DIFFERENCES.format("(function(x + step) - function(x - step)) / 2 * h"), r"brackets around 2 \* h"),
        (MOVED_FOR_GOOD, "the argument `x` was changed"),
    ],
    "best_step": [  # of three letters two are wrong
        ('best_step = "a"', r"1 \+ 1e-8 is 1 in float32"),
        ('best_step = "b"', "the rounding error eps / h"),
        ('best_step = "d"', "one of the letters a, b, c, in quotation marks"),
        ("best_step = 5e-3", "one of the letters a, b, c, in quotation marks"),
    ],
    "columns": [
        (
            COLUMNS.format(
                "np.concatenate([padded[:, :, reach - shift : reach - shift + frames] for shift in shifts])"
                ".reshape(-1, batch * frames)"
            ),
            "shifted in the wrong direction",
        ),
        (
            COLUMNS.format(
                "np.concatenate([np.roll(x, -shift, axis=2) for shift in shifts]).reshape(-1, batch * frames)"
            ),
            "comes in at the other",
        ),
        (
            COLUMNS.format(
                "np.stack([padded[:, :, reach + shift : reach + shift + frames] for shift in shifts], axis=1)"
                ".reshape(-1, batch * frames)"
            ),
            r"in the order \(inputs, shifts\)",
        ),
        (
            COLUMNS.format(
                "np.concatenate([padded[:, :, reach + shift : reach + shift + frames] for shift in shifts])"
                ".swapaxes(1, 2).reshape(-1, batch * frames)"
            ),
            "batch and frames have changed places",
        ),
    ],
    "columns_backward": [
        (COLUMNS_BACKWARD.format("-", "-", "+="), "shifted in the wrong direction"),
        (COLUMNS_BACKWARD.format("+", "+", "="), "each shift overwrites the ones before it"),
        (ROLLED_BACK, "comes in at the other"),
        (ADDED_IN_PLACE, "the shifts are forgotten"),
    ],
    "gate": [
        (GATE_THAT_REMEMBERS.format("", ""), "nothing is on the tape"),
    ],
    "residual_backward": [
        (RESIDUAL.format("W.T @ ((U.T @ dy) * (1 - tanh * tanh))"), "the shortcut is forgotten"),
        (RESIDUAL.format("dy + W.T @ (U.T @ dy)"), "the slope of tanh is missing"),
        (RESIDUAL.format("dy + W @ ((U @ dy) * (1 - tanh * tanh))"), "W and U are not transposed"),
        (RESIDUAL.format("dy"), "only the shortcut is there"),
    ],
}

#: With the points that are left, and what is said of the part that is wrong.
PARTLY_RIGHT = {
    "scale_and_shift_backward": [
        (
            SCALE.format("s[:, None] * dy, (dy * x).sum(axis=2), dy.sum(axis=2)"),
            1,
            r"ds has shape \(2, 3\).*sum over both",
        ),
        (
            SCALE.format("s[:, None] * dy, dy.sum(axis=(0, 2)), dy.sum(axis=(0, 2))"),
            1,
            "ds is wrong.*x is missing",
        ),
        (
            SCALE.format("s[:, None] * dy, (dy * x).mean(axis=(0, 2)), dy.mean(axis=(0, 2))"),
            1,
            "averaged over batch and frames",
        ),
        (
            SCALE.format("dy, (dy * x).sum(axis=(0, 2)), dy.sum(axis=(0, 2))"),
            1,
            "dx is wrong.*dy itself came back",
        ),
        (  # right for the two items of the visible test: a hidden one takes this part's point, and no other
            SCALE.format("s[:, None] * dy, 2 * (dy * x).sum(axis=2).mean(axis=0), dy.sum(axis=(0, 2))"),
            1,
            r"^visible tests passed\nds and db: scale_and_shift_backward: ds is wrong",
        ),
    ],
    "linear_backward": [
        (
            LINEAR.format("W.T @ dy, x @ dy.T"),
            1,
            "dW is wrong.*the matrix is transposed",
        ),
        (
            LINEAR.format("W.T @ dy, dy @ x.T / x.shape[1]"),
            1,
            "averaged over the columns",
        ),
    ],
    "gate": [
        (
            GATE_WITHOUT_A_WAY_BACK,
            1,
            "^forward: right\nbackward: `Gate.backward` is not answered yet: .*\n1 of 3 points$",
        ),
        (
            GATE.format("tape.pop()", "dg * sigmoid, dg * tanh"),
            1,
            "the slope of tanh",
        ),
        (
            GATE.format("tape.pop()", "dg * (1 - tanh * tanh), " + DB),
            1,
            r"the factor sigmoid\(b\) is missing",
        ),
        (
            GATE.format("tape.pop()", DA + ", dg * sigmoid * (1 - sigmoid)"),
            1,
            r"the factor tanh\(a\) is missing",
        ),
        (
            GATE.format("tape.pop()", DB + ", " + DA),
            1,
            "have changed places",
        ),
        (
            GATE.format("tape[-1]", DA + ", " + DB),
            1,
            "leaves 1 entry on the tape",
        ),
        (
            GATE.format("tape.pop(0)", DA + ", " + DB),
            1,
            "called after another pass on the same tape",
        ),
        (
            GATE_THAT_REMEMBERS.format("tape.append(x)", "tape.pop()"),
            1,
            "belongs on the tape, not on the layer",
        ),
    ],
}
