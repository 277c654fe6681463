"""What students write in chapter 8, and what they must be told."""

NETWORK_FORWARD = """
class GatedNetwork(glowsep.layers.GatedNetwork):
    def forward(self, x, tape, condition=None):
        self._require_condition(condition)
        hidden = self.input.forward(channels_outermost(x), tape)
        skip = array_module(x).zeros_like(hidden)
        for layer, (gate, split) in enumerate(zip(self.gates, self.splits, strict=True)):
            before = gate.forward(hidden, tape)
            if condition is not None:
                before += {condition}
            residual, further = halves(split.forward(self.gate.forward(before, tape), tape))
            {residual}
            skip += further
        return self.output.forward({read}, tape)
"""
RIGHT_FORWARD = {
    "condition": "self.conditions[layer].forward(condition[:, :, None], tape)",
    "residual": "hidden = hidden + residual",
    "read": "skip",
}

NETWORK_BACKWARD = """
class GatedNetwork(glowsep.layers.GatedNetwork):
    def backward(self, dy, tape):
        dskip = self.output.backward(channels_outermost(dy), tape)
        dhidden = np.zeros_like(dskip)
        for layer in {layers}:
            dbefore = self.gate.backward(self.splits[layer].backward(stacked(dhidden, {skip}), tape), tape)
            if self.conditions:
                self.conditions[layer].set_gradients({condition}, tape)
            dhidden = {residual}self.gates[layer].backward(dbefore, tape)
        return self.input.backward(dhidden, tape)
"""
RIGHT_BACKWARD = {
    "layers": "reversed(range(len(self.gates)))",
    "skip": "dskip",
    "condition": "frame_sums(dbefore)",
    "residual": "dhidden + ",
}

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

RECORDED_AGAIN = """
class AffineCoupling(glowsep.AffineCoupling):
    def _recorded_again(self, x_a, condition, network):
        {}
"""

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

WRONG_ANSWERS = {
    "coupling_bound": [
        ("limit = 60", r"the first half passes as it is"),
        ("limit = 1", r"all of them add up"),
        ("limit = np.exp(30)", r"that is the determinant"),
        ("limit = 15", r"how many numbers are scaled"),
    ],
    "coupling_log_scale_and_shift": [
        (
            LOG_SCALE_AND_SHIFT.format(**RIGHT_LOG_SCALE | {"result": "first, second"}),
            r"log_scale .*the network's output without the bound",
        ),
        (
            LOG_SCALE_AND_SHIFT.format(**RIGHT_LOG_SCALE | {"result": "self.bound * np.tanh(first), second"}),
            r"r was not divided by the bound before the tanh",
        ),
        (
            LOG_SCALE_AND_SHIFT.format(
                **RIGHT_LOG_SCALE | {"result": "self.bound * np.tanh(second / self.bound), first"}
            ),
            r"the halves of y are exchanged",
        ),
        (
            LOG_SCALE_AND_SHIFT.format(**RIGHT_LOG_SCALE | {"append": "tape.insert(0, (log_scale, shift))"}),
            r"is not on top of the tape",
        ),
        (
            LOG_SCALE_AND_SHIFT.format(**RIGHT_LOG_SCALE | {"append": ""}),
            r"the tape's length is 5, but must be 6",
        ),
        (LOG_SCALE_AND_SHIFT.format(**RIGHT_LOG_SCALE | {"tape": "tape"}), r"without a tape \(None\) it fails"),
    ],
    "network_forward": [
        (
            NETWORK_FORWARD.format(**RIGHT_FORWARD | {"read": "hidden"}),
            r"GatedNetwork\.forward: y .*forgot the skip paths",
        ),
        (NETWORK_FORWARD.format(**RIGHT_FORWARD | {"residual": "hidden = residual"}), r"forgot the residual path"),
        (NETWORK_FORWARD.format(**RIGHT_FORWARD | {"condition": "0"}), r"the condition is ignored"),
        (
            NETWORK_FORWARD.format(**RIGHT_FORWARD | {"residual": "hidden += residual"}),
            r"of the tape was changed after it had been appended",
        ),
    ],
    "network_backward": [
        (
            NETWORK_BACKWARD.format(**RIGHT_BACKWARD | {"residual": ""}),
            r"GatedNetwork\.backward: dx .*forgot the residual path",
        ),
        (NETWORK_BACKWARD.format(**RIGHT_BACKWARD | {"skip": "0 * dskip"}), r"dskip must enter every layer"),
        (
            NETWORK_BACKWARD.format(**RIGHT_BACKWARD | {"layers": "range(len(self.gates))"}),
            r"the layers are taken from first to last",
        ),
        (
            NETWORK_BACKWARD.format(**RIGHT_BACKWARD | {"condition": "dbefore"}),
            r"pop in exactly the reverse order of forward|the gradient of 'conditions",
        ),
    ],
    "coupling_forward": [
        (
            FORWARD.format(**RIGHT_VALUES | {"logdet": "log_scale.sum()"}),
            r"AffineCoupling\.forward: logdet must be an array of shape \(2,\)",
        ),
        (FORWARD.format(**RIGHT_VALUES | {"z_b": "(x_b + shift) * np.exp(log_scale)"}), r"the shift is scaled too"),
        (
            FORWARD.format(**RIGHT_VALUES | {"logdet": "-log_scale.sum(axis=(1, 2))"}),
            r"AffineCoupling\.forward: logdet .*the sign is flipped",
        ),
        (FORWARD.format(**RIGHT_VALUES | {"condition": "None"}), r"hand the condition on"),
        (FORWARD.format(**RIGHT_VALUES | {"tape": "None"}), r"the tape's length is 0"),
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
    "coupling_recorded_again": [
        (
            RECORDED_AGAIN.format("return [self._log_scale_and_shift(x_a, condition, network, [])]"),
            r"the tape's length is 1, but forward appends 6",
        ),
        (
            RECORDED_AGAIN.format("return self._log_scale_and_shift(x_a, condition, network, [])"),
            r"must return the tape, a list, but returns a tuple",
        ),
        (
            RECORDED_AGAIN.format(
                "of_network = []; pair = self._log_scale_and_shift(x_a, condition, network, of_network); "
                "return [pair] + of_network[:-1]"
            ),
            r"not in the order in which forward appends them",
        ),
        (
            RECORDED_AGAIN.format(
                "self.tape = getattr(self, 'tape', []); "
                "self._log_scale_and_shift(x_a, condition, network, self.tape); return self.tape"
            ),
            r"nothing may be kept between calls",
        ),
        (
            RECORDED_AGAIN.format(
                "tape = []; self._log_scale_and_shift(x_a, condition, self.network, tape); return tape"
            ),
            r"run the network that was handed over",
        ),
        (
            RECORDED_AGAIN.format("tape = []; self._log_scale_and_shift(x_a, None, network, tape); return tape"),
            r"hand the condition on",
        ),
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
            BACKWARD.format(**RIGHT_GRADIENTS | {"straight": ""}),
            r"AffineCoupling\.backward: dx .*dz_a is missing",
        ),
        (BACKWARD.format(**RIGHT_GRADIENTS | {"dlog_scale": "dx_b * x_b"}), r"dlogdet is missing in ds"),
        (
            BACKWARD.format(**RIGHT_GRADIENTS | {"tape": "self._recorded_again(z_a, condition, self.network)"}),
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
            r"the gradient of 'network\..*' is not set",
        ),
        (
            BACKWARD.format(
                **RIGHT_GRADIENTS | {"tape": "self._recorded_again(z_a, None, self.network) if tape is None else tape"}
            ),
            r"hand the condition on",
        ),
    ],
    "coupling_backward_inverse": [
        (
            BACKWARD_INVERSE.format(**RIGHT_INVERSE_GRADIENTS | {"ds": "dx_b * x_b"}),
            r"AffineCoupling\.backward_inverse: dz .*the minus sign of ds is missing",
        ),
        (
            BACKWARD_INVERSE.format(**RIGHT_INVERSE_GRADIENTS | {"straight": ""}),
            r"dx_a is missing: z_a goes straight through, too",
        ),
        (
            BACKWARD_INVERSE.format(**RIGHT_INVERSE_GRADIENTS | {"network": "self.network"}),
            r"was changed, but the parameters are frozen here",
        ),
        (
            BACKWARD_INVERSE.format(**RIGHT_INVERSE_GRADIENTS).replace("-dz_b, log_scale", "dz_b, log_scale"),
            r"the minus sign of dt is missing",
        ),
    ],
}
