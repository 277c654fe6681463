"""What students write in chapter 8, and what they must be told."""

WRONG_ANSWERS = {
    "coupling_bound": [
        ("limit = 60", r"the first half passes as it is"),
        ("limit = 1", r"all of them add up"),
    ],
    "coupling_log_scale_and_shift": [
        (
            """
class AffineCoupling(glowsep.AffineCoupling):
    def _log_scale_and_shift(self, x_a, condition):
        y, cache = self.network.forward(x_a, condition)
        half = y.shape[1] // 2
        return y[:, :half], y[:, half:], cache
""",
            r"log_scale .*the network's output without the bound",
        ),
        (
            """
class AffineCoupling(glowsep.AffineCoupling):
    def _log_scale_and_shift(self, x_a, condition):
        y, cache = self.network.forward(x_a, condition)
        half = y.shape[1] // 2
        return self.bound * np.tanh(y[:, :half]), y[:, half:], cache
""",
            r"r was not divided by the bound before the tanh",
        ),
        (
            """
class AffineCoupling(glowsep.AffineCoupling):
    def _log_scale_and_shift(self, x_a, condition):
        y, cache = self.network.forward(x_a, condition)
        half = y.shape[1] // 2
        return self.bound * np.tanh(y[:, half:] / self.bound), y[:, :half], cache
""",
            r"the halves of y are exchanged",
        ),
    ],
    "network_forward": [
        (
            """
class GatedNetwork(glowsep.layers.gated_network.GatedNetwork):
    def forward(self, x, condition=None):
        xp = array_module(x)
        x = xp.ascontiguousarray(x.swapaxes(0, 1))
        condition = self._columned(condition, x)
        hidden = self.input.forward(x)
        skip = xp.zeros_like(hidden)
        hiddens, activations = [], []
        for layer, (gate, split) in enumerate(zip(self.gates, self.splits, strict=True)):
            hiddens.append(hidden)
            before = gate.forward(hidden)
            if condition is not None:
                before += self.conditions[layer].forward(condition)
            activation = tanh_and_sigmoid(before)
            activations.append(activation)
            residual_and_skip = split.forward(activation[0] * activation[1])
            hidden = hidden + residual_and_skip[: len(hidden)]
        y = self.output.forward(hidden)
        return y.swapaxes(0, 1), (x, condition, hiddens, activations, skip)
""",
            r"GatedNetwork\.forward: y .*forgot the skip paths",
        ),
        (
            """
class GatedNetwork(glowsep.layers.gated_network.GatedNetwork):
    def forward(self, x, condition=None):
        xp = array_module(x)
        x = xp.ascontiguousarray(x.swapaxes(0, 1))
        condition = self._columned(condition, x)
        hidden = self.input.forward(x)
        skip = xp.zeros_like(hidden)
        hiddens, activations = [], []
        for layer, (gate, split) in enumerate(zip(self.gates, self.splits, strict=True)):
            hiddens.append(hidden)
            before = gate.forward(hidden)
            if condition is not None:
                before += self.conditions[layer].forward(condition)
            activation = tanh_and_sigmoid(before)
            activations.append(activation)
            residual_and_skip = split.forward(activation[0] * activation[1])
            hidden = residual_and_skip[: len(hidden)]
            skip += residual_and_skip[len(hidden) :]
        y = self.output.forward(skip)
        return y.swapaxes(0, 1), (x, condition, hiddens, activations, skip)
""",
            r"forgot the residual path",
        ),
        (
            """
class GatedNetwork(glowsep.layers.gated_network.GatedNetwork):
    def forward(self, x, condition=None):
        xp = array_module(x)
        x = xp.ascontiguousarray(x.swapaxes(0, 1))
        condition = self._columned(condition, x)
        hidden = self.input.forward(x)
        skip = xp.zeros_like(hidden)
        hiddens, activations = [], []
        for gate, split in zip(self.gates, self.splits, strict=True):
            hiddens.append(hidden)
            activation = tanh_and_sigmoid(gate.forward(hidden))
            activations.append(activation)
            residual_and_skip = split.forward(activation[0] * activation[1])
            hidden = hidden + residual_and_skip[: len(hidden)]
            skip += residual_and_skip[len(hidden) :]
        y = self.output.forward(skip)
        return y.swapaxes(0, 1), (x, condition, hiddens, activations, skip)
""",
            r"the condition is ignored",
        ),
    ],
    "network_backward": [
        (
            """
class GatedNetwork(glowsep.layers.gated_network.GatedNetwork):
    def _backpropagate(self, dy, cache):
        x, condition, hiddens, activations, skip = cache
        doutput = np.ascontiguousarray(dy.swapaxes(0, 1))
        dskip = self.output.backward_input(doutput)
        dhidden = np.zeros_like(dskip)
        dgates, dsplits = [], []
        for gate, split, activation in zip(self.gates[::-1], self.splits[::-1], activations[::-1], strict=True):
            dsplit = np.concatenate([dhidden, dskip])
            dgate = tanh_and_sigmoid_backward(split.backward_input(dsplit), activation)
            dhidden = gate.backward_input(dgate)
            dgates.insert(0, dgate)
            dsplits.insert(0, dsplit)
        self.dcondition = None if condition is None else self._condition_gradient(dgates)
        dx = self.input.backward_input(dhidden)
        return dx.swapaxes(0, 1), (dhidden, dgates, dsplits, doutput)
""",
            r"GatedNetwork\.backward: dx .*forgot the residual path",
        ),
        (
            """
class GatedNetwork(glowsep.layers.gated_network.GatedNetwork):
    def _backpropagate(self, dy, cache):
        x, condition, hiddens, activations, skip = cache
        doutput = np.ascontiguousarray(dy.swapaxes(0, 1))
        dskip = self.output.backward_input(doutput)
        dhidden = np.zeros_like(dskip)
        dgates, dsplits = [], []
        for gate, split, activation in zip(self.gates[::-1], self.splits[::-1], activations[::-1], strict=True):
            dsplit = np.concatenate([dhidden, np.zeros_like(dskip)])
            dgate = tanh_and_sigmoid_backward(split.backward_input(dsplit), activation)
            dhidden = dhidden + gate.backward_input(dgate)
            dgates.insert(0, dgate)
            dsplits.insert(0, dsplit)
        self.dcondition = None if condition is None else self._condition_gradient(dgates)
        dx = self.input.backward_input(dhidden)
        return dx.swapaxes(0, 1), (dhidden, dgates, dsplits, doutput)
""",
            r"dskip must enter every layer",
        ),
        (
            """
class GatedNetwork(glowsep.layers.gated_network.GatedNetwork):
    def _backpropagate(self, dy, cache):
        x, condition, hiddens, activations, skip = cache
        doutput = np.ascontiguousarray(dy.swapaxes(0, 1))
        dskip = self.output.backward_input(doutput)
        dhidden = np.zeros_like(dskip)
        dgates, dsplits = [], []
        for gate, split, activation in zip(self.gates[::-1], self.splits[::-1], activations[::-1], strict=True):
            dsplit = np.concatenate([dhidden, dskip])
            dgate = tanh_and_sigmoid_backward(split.backward_input(dsplit), activation)
            dhidden = dhidden + gate.backward_input(dgate)
            dgates.append(dgate)
            dsplits.append(dsplit)
        self.dcondition = None if condition is None else self._condition_gradient(dgates)
        dx = self.input.backward_input(dhidden)
        return dx.swapaxes(0, 1), (dhidden, dgates, dsplits, doutput)
""",
            r"the lists must be in the order of the layers",
        ),
    ],
    "coupling_forward_keeping": [
        (
            """
class AffineCoupling(glowsep.AffineCoupling):
    def forward_keeping(self, x, condition=None):
        x_a, x_b = self._halves(x)
        log_scale, shift, cache = self._log_scale_and_shift(x_a, condition)
        z_b = x_b * array_module(x).exp(log_scale) + shift
        return self._joined(x_a, z_b), log_scale.sum(), (log_scale, shift, cache)
""",
            r"AffineCoupling\.forward: logdet must be an array of shape \(2,\)",
        ),
        (
            """
class AffineCoupling(glowsep.AffineCoupling):
    def forward_keeping(self, x, condition=None):
        x_a, x_b = self._halves(x)
        log_scale, shift, cache = self._log_scale_and_shift(x_a, condition)
        z_b = (x_b + shift) * array_module(x).exp(log_scale)
        return self._joined(x_a, z_b), log_scale.sum(axis=(1, 2)), (log_scale, shift, cache)
""",
            r"the shift is scaled too",
        ),
        (
            """
class AffineCoupling(glowsep.AffineCoupling):
    def forward_keeping(self, x, condition=None):
        x_a, x_b = self._halves(x)
        log_scale, shift, cache = self._log_scale_and_shift(x_a, condition)
        z_b = x_b * array_module(x).exp(log_scale) + shift
        return self._joined(x_a, z_b), -log_scale.sum(axis=(1, 2)), (log_scale, shift, cache)
""",
            r"AffineCoupling\.forward: logdet .*the sign is flipped",
        ),
    ],
    "coupling_forward": [
        (
            """
class AffineCoupling(glowsep.AffineCoupling):
    def forward(self, x, condition=None):
        return self.forward_keeping(x, condition)
""",
            r"must return a pair",
        ),
        (
            """
class AffineCoupling(glowsep.AffineCoupling):
    def forward(self, x, condition=None):
        return self.forward_keeping(x)[:2]
""",
            r"hand the condition on",
        ),
    ],
    "coupling_inverse_keeping": [
        (
            """
class AffineCoupling(glowsep.AffineCoupling):
    def inverse_keeping(self, z, condition=None):
        z_a, z_b = self._halves(z)
        log_scale, shift, cache = self._log_scale_and_shift(z_a, condition)
        x_b = z_b * array_module(z).exp(-log_scale) - shift
        return self._joined(z_a, x_b), (log_scale, shift, cache)
""",
            r"AffineCoupling\.inverse_keeping: x .*undone in the wrong order",
        ),
        (
            """
class AffineCoupling(glowsep.AffineCoupling):
    def inverse_keeping(self, z, condition=None):
        z_a, z_b = self._halves(z)
        log_scale, shift, cache = self._log_scale_and_shift(z_a, condition)
        x_b = (z_b - shift) * array_module(z).exp(log_scale)
        return self._joined(z_a, x_b), (log_scale, shift, cache)
""",
            r"scaled by exp\(s\) once more",
        ),
    ],
    "coupling_inverse": [
        (
            """
class AffineCoupling(glowsep.AffineCoupling):
    def inverse(self, z, condition=None):
        return self.inverse_keeping(z, condition)
""",
            r"must return x alone",
        ),
        (
            """
class AffineCoupling(glowsep.AffineCoupling):
    def inverse(self, z, condition=None):
        return self.forward(z, condition)[0]
""",
            r"this is forward once more",
        ),
    ],
    "coupling_network_gradient": [
        (
            """
class AffineCoupling(glowsep.AffineCoupling):
    def _network_gradient(self, dlog_scale, dshift, log_scale):
        return self._joined(dlog_scale, dshift)
""",
            r"the derivative of the tanh is missing",
        ),
        (
            """
class AffineCoupling(glowsep.AffineCoupling):
    def _network_gradient(self, dlog_scale, dshift, log_scale):
        return self._joined(dlog_scale * (1 - log_scale**2), dshift)
""",
            r"tanh\(r / B\) is s / B",
        ),
    ],
    "coupling_gradients": [
        (
            """
class AffineCoupling(glowsep.AffineCoupling):
    def _backward(self, dz, dlogdet, z, condition, kept, network_backward):
        z_a, z_b = self._halves(z)
        dz_a, dz_b = self._halves(dz)
        log_scale, shift, cache = self._log_scale_and_shift(z_a, condition) if kept is None else kept
        scale = array_module(z).exp(log_scale)
        x_b = (z_b - shift) / scale
        dx_b = dz_b * scale
        dlog_scale = dx_b * x_b + dlogdet[:, None, None]
        dx_a = network_backward(self._network_gradient(dlog_scale, dz_b, log_scale), cache)
        return self._joined(dx_a, dx_b), self._joined(z_a, x_b)
""",
            r"AffineCoupling\.backward: dx .*dz_a is missing",
        ),
        (
            """
class AffineCoupling(glowsep.AffineCoupling):
    def _backward(self, dz, dlogdet, z, condition, kept, network_backward):
        z_a, z_b = self._halves(z)
        dz_a, dz_b = self._halves(dz)
        log_scale, shift, cache = self._log_scale_and_shift(z_a, condition) if kept is None else kept
        scale = array_module(z).exp(log_scale)
        x_b = (z_b - shift) / scale
        dx_b = dz_b * scale
        dx_a = dz_a + network_backward(self._network_gradient(dx_b * x_b, dz_b, log_scale), cache)
        return self._joined(dx_a, dx_b), self._joined(z_a, x_b)
""",
            r"dlogdet is missing in ds",
        ),
    ],
    "coupling_backward": [
        (
            """
class AffineCoupling(glowsep.AffineCoupling):
    def backward(self, dz, dlogdet, z, condition=None, kept=None):
        return self._backward(dz, dlogdet, z, condition, kept, self.network.backward_input)
""",
            r"the gradient of 'network\..*' is not set",
        ),
        (
            """
class AffineCoupling(glowsep.AffineCoupling):
    def backward(self, dz, dlogdet, z, condition=None, kept=None):
        return self._backward(dz, dlogdet, z, None, kept, self.network.backward)
""",
            r"hand the condition on",
        ),
    ],
    "coupling_backward_inverse": [
        (
            """
class AffineCoupling(glowsep.AffineCoupling):
    def backward_inverse(self, dx, x, condition=None, kept=None):
        x_a, x_b = self._halves(x)
        dx_a, dx_b = self._halves(dx)
        log_scale, shift, cache = self._log_scale_and_shift(x_a, condition) if kept is None else kept
        scale = array_module(x).exp(log_scale)
        dz_b = dx_b / scale
        dz_a = dx_a + self.network.backward_input(self._network_gradient(dx_b * x_b, -dz_b, log_scale), cache)
        return self._joined(dz_a, dz_b), self._joined(x_a, x_b * scale + shift)
""",
            r"AffineCoupling\.backward_inverse: dz .*the minus sign of ds is missing",
        ),
        (
            """
class AffineCoupling(glowsep.AffineCoupling):
    def backward_inverse(self, dx, x, condition=None, kept=None):
        x_a, x_b = self._halves(x)
        dx_a, dx_b = self._halves(dx)
        log_scale, shift, cache = self._log_scale_and_shift(x_a, condition) if kept is None else kept
        scale = array_module(x).exp(log_scale)
        dz_b = dx_b / scale
        dz_a = self.network.backward_input(self._network_gradient(-dx_b * x_b, -dz_b, log_scale), cache)
        return self._joined(dz_a, dz_b), self._joined(x_a, x_b * scale + shift)
""",
            r"dx_a is missing: z_a goes straight through, too",
        ),
        (
            """
class AffineCoupling(glowsep.AffineCoupling):
    def backward_inverse(self, dx, x, condition=None, kept=None):
        x_a, x_b = self._halves(x)
        dx_a, dx_b = self._halves(dx)
        log_scale, shift, cache = self._log_scale_and_shift(x_a, condition) if kept is None else kept
        scale = array_module(x).exp(log_scale)
        dz_b = dx_b / scale
        dz_a = dx_a + self.network.backward(self._network_gradient(-dx_b * x_b, -dz_b, log_scale), cache)
        return self._joined(dz_a, dz_b), self._joined(x_a, x_b * scale + shift)
""",
            r"was changed, but the parameters are frozen here",
        ),
    ],
}
