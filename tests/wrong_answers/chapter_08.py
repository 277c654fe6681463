"""What students write in chapter 8, and what they must be told."""

LOG_SCALE_AND_SHIFT = """
class AffineCoupling(glowsep.AffineCoupling):
    def _log_scale_and_shift(self, x_a, condition, network, tape):
        tape = {tape}
        first, second = halves(network.forward(x_a, {network_tape}, condition))
        log_scale, shift = {result}
        {append}
        return log_scale, shift
"""
RIGHT_LOG_SCALE = {
    "tape": "[] if tape is None else tape",
    "network_tape": "tape",
    "result": "self.bound * np.tanh(first / self.bound), second",
    "append": "tape.append((log_scale, shift))",
}

FORWARD = """
class AffineCoupling(glowsep.AffineCoupling):
    def forward(self, x, condition=None, tape=None):
        x_a, x_b = self.halves(x)
        log_scale, shift = self._log_scale_and_shift(x_a, {condition}, self.network, {tape})
        return stacked(x_a, {z_b}), {logdet}
"""
RIGHT_VALUES = {
    "condition": "condition",
    "tape": "tape",
    "z_b": "x_b * np.exp(log_scale) + shift",
    "logdet": "log_scale.sum(axis=(1, 2))",
}

INVERSE = """
class AffineCoupling(glowsep.AffineCoupling):
    def inverse(self, z, condition=None, tape=None):
        z_a, z_b = self.halves(z)
        log_scale, shift = self._log_scale_and_shift(z_a, condition, {network}, tape)
        return {result}
"""
RIGHT_INVERSE = {
    "network": "self.network.frozen()",
    "result": "stacked(z_a, (z_b - shift) * np.exp(-log_scale))",
}

TAPE_COST = """
def cost_of(couplings, convolutions, tape):
    n = couplings * convolutions
    return {memory}, {products}


def needs_tape(layer):
    return {{"ActNorm": {coupling}, "ReLU": True, "InvertibleConv1x1": False, "GatedNetwork": {network}}}[layer]
"""
RIGHT_TAPE_COST = {
    "memory": "couplings * tape, tape",
    "products": "3 * n, 4 * n",
    "coupling": "False",
    "network": "True",
}

NETWORK_GRADIENT = """
class AffineCoupling(glowsep.AffineCoupling):
    def _network_gradient(self, dlog_scale, dshift, log_scale):
        return {}
"""

BACKWARD = """
class AffineCoupling(glowsep.AffineCoupling):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        z_a, z_b = self.halves(z)
        dz_a, dz_b = self.halves(dz)
        tape = {tape}
        log_scale, shift = tape.pop()
        scale = np.exp(log_scale)
        x_b = (z_b - shift) / scale
        dx_b = dz_b * scale
        dlog_scale = {dlog_scale}
        dx_a = {straight}{network}.backward(self._network_gradient(dlog_scale, dz_b, log_scale), tape)
        return stacked(dx_a, dx_b), stacked(z_a, x_b)
"""
RIGHT_GRADIENTS = {
    "tape": "self._recorded_again(z_a, condition, self.network) if tape is None else tape",
    "dlog_scale": "dx_b * x_b + dlogdet[:, None, None]",
    "straight": "dz_a + ",
    "network": "self.network",
}

BACKWARD_INVERSE = """
class AffineCoupling(glowsep.AffineCoupling):
    def backward_inverse(self, dx, x, condition=None, tape=None):
        x_a, x_b = self.halves(x)
        dx_a, dx_b = self.halves(dx)
        network = {network}
        tape = self._recorded_again(x_a, condition, network) if tape is None else tape
        log_scale, shift = tape.pop()
        scale = np.exp(log_scale)
        dz_b = dx_b / scale
        dz_a = {straight}network.backward(self._network_gradient({ds}, -dz_b, log_scale), tape)
        return stacked(dz_a, dz_b), stacked(x_a, x_b * scale + shift)
"""
RIGHT_INVERSE_GRADIENTS = {
    "network": "self.network.frozen()",
    "straight": "dx_a + ",
    "ds": "-dx_b * x_b",
}

PERMUTED_FLOW = """
def flow_forward(x, couplings, orders):
    total = np.zeros(len(x))
    for coupling, order in zip(couplings, orders):
        x, logdet = coupling.forward({permuted})
        total = {total}
    return x, total


def flow_inverse(z, couplings, orders):
    for coupling, order in {pairs}:
        z = {undone}
    return z
"""
RIGHT_FLOW = {
    "permuted": "x[:, order]",
    "total": "total + logdet",
    "pairs": "zip(couplings[::-1], orders[::-1])",
    "undone": "coupling.inverse(z)[:, np.argsort(order)]",
}

REACH = """
def reach(channels, orders):
    half = channels // 2
    depends = np.eye(channels, dtype={dtype})
    for order in orders:
        {permuted}
        {coupled}
    return depends
"""
RIGHT_REACH = {
    "dtype": "bool",
    "permuted": "depends = depends[order]",
    "coupled": "depends[half:] |= depends[:half].any(axis=0)",
}

WRONG_ANSWERS = {
    "coupling_bound": [
        ("limit = 60", r"the first half passes as it is"),
        ("limit = 1", r"all of them add up"),
        ("limit = np.exp(30)", r"that is the determinant"),
        ("limit = 15", r"how many numbers are scaled"),
        ("limit = np.inf", r"B is finite"),
    ],
    "coupling_forward": [
        (FORWARD.format(**RIGHT_VALUES | {"condition": "None"}), r"hand the condition on"),
    ],
    "coupling_inverse": [
        (
            INVERSE.format(**RIGHT_INVERSE | {"result": "stacked(z_a, z_b * np.exp(-log_scale) - shift)"}),
            r"AffineCoupling\.inverse: x .*undone in the wrong order",
        ),
        (
            INVERSE.format(**RIGHT_INVERSE | {"result": "stacked(z_a, (z_b - shift) * np.exp(log_scale))"}),
            r"scaled by exp\(s\) once more",
        ),
        (
            INVERSE.format(**RIGHT_INVERSE | {"result": "z_a, (z_b - shift) * np.exp(-log_scale)"}),
            r"must return x alone",
        ),
        (INVERSE.format(**RIGHT_INVERSE | {"network": "self.network"}), r"ask self\.network\.frozen\(\)"),
    ],
    "coupling_network_gradient": [
        (NETWORK_GRADIENT.format("stacked(dlog_scale, dshift)"), r"the derivative of the tanh is missing"),
        (NETWORK_GRADIENT.format("stacked(dlog_scale * (1 - log_scale**2), dshift)"), r"tanh\(r / B\) is s / B"),
        (NETWORK_GRADIENT.format("stacked(dlog_scale * (1 - np.tanh(log_scale) ** 2), dshift)"), r"no tanh is needed"),
        (
            NETWORK_GRADIENT.format("stacked(dshift, dlog_scale * (1 - (log_scale / self.bound) ** 2))"),
            r"dr and dt in the wrong order",
        ),
        (NETWORK_GRADIENT.format("dlog_scale * (1 - (log_scale / self.bound) ** 2)"), r"has shape \(2, 2, 4\), but"),
    ],
    "coupling_backward": [
        (
            BACKWARD.format(
                **RIGHT_GRADIENTS | {"tape": "self._recorded_again(z_a, None, self.network) if tape is None else tape"}
            ),
            r"hand the condition on",
        ),
    ],
    "shortfall": [
        ("def shortfall(sigma):\n    return np.log(sigma) - 0.5 * (sigma**2 - 1)", r"the sign is flipped"),
        ("def shortfall(sigma):\n    return 0.5 * (sigma**2 - 1)", r"log sigma is missing"),
        ("def shortfall(sigma):\n    return 0.5 * sigma**2 - np.log(sigma)", r"must be averaged: its mean is 1/2"),
        ("def shortfall(sigma):\n    return 0.5 * (1 / sigma**2 - 1) + np.log(sigma)", r"two Gaussians are exchanged"),
        ("def shortfall(sigma):\n    return 0.5 * (sigma**2 - 1) - np.log(sigma**2)", r"the logarithm of the variance"),
    ],
    "reach": [
        (REACH.format(**RIGHT_REACH | {"permuted": "pass"}), r"the permutations are missing"),
        (
            REACH.format(**RIGHT_REACH | {"coupled": "depends[half:] = depends[:half].any(axis=0)"}),
            r"keeps what it depends on",
        ),
        (
            REACH.format(**RIGHT_REACH | {"coupled": "depends[:half] |= depends[half:].any(axis=0)"}),
            r"the halves are exchanged",
        ),
        (REACH.format(**RIGHT_REACH | {"permuted": "depends = depends[:, order]"}), r"the columns are permuted"),
        (REACH.format(**RIGHT_REACH | {"dtype": "int"}), r"must return booleans"),
    ],
    "tape_cost": [
        (
            TAPE_COST.format(memory="tape, tape", products="n, 2 * n", coupling="True", network="True"),
            r"the entries of \*all\* couplings",
        ),
    ],
    "couplings_needed": [
        ("with_swaps, with_rolls, with_nothing = 2, 8, np.inf", r"with_swaps is 2: after two couplings"),
        ("with_swaps, with_rolls, with_nothing = 3, 2, np.inf", r"one roll takes only one channel"),
        ("with_swaps, with_rolls, with_nothing = 3, 8, 8", r"which channels does the first half ever see"),
        ("with_swaps, with_rolls, with_nothing = 3, 4, np.inf", r"has no False left"),
        ("with_swaps, with_rolls, with_nothing = 1, 8, np.inf", r"every number is above 1"),
        ("with_swaps, with_rolls, with_nothing = 3, 7.5, np.inf", r"whole numbers"),
    ],
}

#: With the points that are left, and what is said of the part that is wrong.
PARTLY_RIGHT = {
    "tape_cost": [
        (
            TAPE_COST.format(**RIGHT_TAPE_COST | {"memory": "tape, tape"}),
            2,
            r"the memory: .*the entries of \*all\* couplings",
        ),
        (
            TAPE_COST.format(**RIGHT_TAPE_COST | {"memory": "couplings * tape, 0"}),
            2,
            r"backward still fills one for its own coupling",
        ),
        (
            TAPE_COST.format(**RIGHT_TAPE_COST | {"products": "2 * n, 3 * n"}),
            2,
            r"the products: .*one product forward and two backward",
        ),
        (
            TAPE_COST.format(**RIGHT_TAPE_COST | {"products": "3 * n, 6 * n"}),
            2,
            r"one product more per convolution",
        ),
        (
            TAPE_COST.format(**RIGHT_TAPE_COST | {"coupling": "True"}),
            2,
            r"the layers: ActNorm throws nothing away",
        ),
        (
            TAPE_COST.format(**RIGHT_TAPE_COST | {"network": "False"}),
            2,
            r"the layers: GatedNetwork throws something away",
        ),
    ],
    "coupling_log_scale_and_shift": [
        (
            LOG_SCALE_AND_SHIFT.format(**RIGHT_LOG_SCALE | {"result": "first, second"}),
            1,
            r"log_scale .*the network's output without the bound",
        ),
        (
            LOG_SCALE_AND_SHIFT.format(**RIGHT_LOG_SCALE | {"result": "self.bound * np.tanh(first), second"}),
            1,
            r"r was not divided by the bound before the tanh",
        ),
        (
            LOG_SCALE_AND_SHIFT.format(
                **RIGHT_LOG_SCALE | {"result": "self.bound * np.tanh(second / self.bound), first"}
            ),
            1,
            r"the halves of y are exchanged",
        ),
        (
            LOG_SCALE_AND_SHIFT.format(**RIGHT_LOG_SCALE | {"append": "tape.insert(0, (log_scale, shift))"}),
            1,
            r"is not on top of the tape",
        ),
        (
            LOG_SCALE_AND_SHIFT.format(**RIGHT_LOG_SCALE | {"append": ""}),
            1,
            r"the tape's length is 5, but must be 6",
        ),
        (
            LOG_SCALE_AND_SHIFT.format(**RIGHT_LOG_SCALE | {"tape": "tape"}),
            1,
            r"without a tape \(None\) it fails",
        ),
    ],
    "coupling_forward": [
        (
            FORWARD.format(**RIGHT_VALUES | {"logdet": "log_scale.sum()"}),
            1,
            r"AffineCoupling\.forward: logdet must be an array of shape \(2,\)",
        ),
        (
            FORWARD.format(**RIGHT_VALUES | {"z_b": "(x_b + shift) * np.exp(log_scale)"}),
            1,
            r"the shift is scaled too",
        ),
        (
            FORWARD.format(**RIGHT_VALUES | {"logdet": "-log_scale.sum(axis=(1, 2))"}),
            1,
            r"AffineCoupling\.forward: logdet .*the sign is flipped",
        ),
        (
            FORWARD.format(**RIGHT_VALUES | {"tape": "None"}),
            1,
            r"the tape's length is 0",
        ),
    ],
    "coupling_backward": [
        (
            BACKWARD.format(**RIGHT_GRADIENTS | {"straight": ""}),
            2,
            r"AffineCoupling\.backward: dx .*dz_a is missing",
        ),
        (
            BACKWARD.format(**RIGHT_GRADIENTS | {"dlog_scale": "dx_b * x_b"}),
            1,
            r"dlogdet is missing in ds",
        ),
        (
            BACKWARD.format(**RIGHT_GRADIENTS | {"tape": "self._recorded_again(z_a, condition, self.network)"}),
            2,
            r"leaves \d+ entries on the tape",
        ),
        (
            BACKWARD.format(
                **RIGHT_GRADIENTS
                | {
                    "tape": "self._recorded_again(z_a, condition, self.network.frozen())",
                    "network": "self.network.frozen()",
                }
            ),
            2,
            r"the gradient of 'network\..*' is not set",
        ),
    ],
    "coupling_backward_inverse": [
        (
            BACKWARD_INVERSE.format(**RIGHT_INVERSE_GRADIENTS | {"ds": "dx_b * x_b"}),
            1,
            r"AffineCoupling\.backward_inverse: dz .*the minus sign of ds is missing",
        ),
        (
            BACKWARD_INVERSE.format(**RIGHT_INVERSE_GRADIENTS | {"straight": ""}),
            1,
            r"dx_a is missing: z_a goes straight through, too",
        ),
        (
            BACKWARD_INVERSE.format(**RIGHT_INVERSE_GRADIENTS | {"network": "self.network"}),
            1,
            r"was changed, but the parameters are frozen here",
        ),
        (
            BACKWARD_INVERSE.format(**RIGHT_INVERSE_GRADIENTS).replace("-dz_b, log_scale", "dz_b, log_scale"),
            1,
            r"the minus sign of dt is missing",
        ),
    ],
    "permuted_flow": [
        (
            PERMUTED_FLOW.format(**RIGHT_FLOW | {"permuted": "x"}),
            1,
            r"flow_forward: z .*the permutations are missing",
        ),
        (
            PERMUTED_FLOW.format(**RIGHT_FLOW | {"total": "logdet"}),
            2,
            r"only the last coupling's log-det",
        ),
        (
            PERMUTED_FLOW.format(**RIGHT_FLOW | {"undone": "coupling.inverse(z)[:, order]"}),
            2,
            r"flow_inverse: x .*permuted once more by order",
        ),
        (
            PERMUTED_FLOW.format(**RIGHT_FLOW | {"undone": "coupling.inverse(z[:, np.argsort(order)])"}),
            2,
            r"undone before the coupling",
        ),
        (
            PERMUTED_FLOW.format(**RIGHT_FLOW | {"pairs": "zip(couplings, orders)"}),
            2,
            r"what came last must be undone first",
        ),
        (
            PERMUTED_FLOW.format(**RIGHT_FLOW | {"undone": "coupling.inverse(z)[:, np.argsrt(order)]"}),
            2,
            r"the inverse: AttributeError: .*\(in the line `z = coupling\.inverse.*argsrt\(order\)\]`\)",
        ),
    ],
}
