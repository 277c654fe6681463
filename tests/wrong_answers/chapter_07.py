"""What students write in chapter 7, and what they must be told."""

WRONG_ANSWERS = {
    "conv_groups": [
        ("saving = 2048**2 / 4**2", r"every group has its own"),
        ("saving = 4", r"goes with its square"),
        ("saving = 1 / 512", r"the share that is left"),
        ("saving = 2048 / 4**2", r"count the entries of the full matrix"),
    ],
    "conv_logdet": [
        (
            """
class InvertibleConv1x1(glowsep.InvertibleConv1x1):
    def _logdet(self, x):
        xp = array_module(x)
        return xp.full(len(x), xp.linalg.slogdet(self.W)[1].sum(), dtype=x.dtype)
""",
            r"forgot to multiply by the number of frames \(3\)",
        ),
        (
            """
class InvertibleConv1x1(glowsep.InvertibleConv1x1):
    def _logdet(self, x):
        xp = array_module(x)
        batch, _, frames = x.shape
        return xp.full(batch, frames * xp.log(xp.linalg.det(self.W)).sum(), dtype=x.dtype)
""",
            r"a determinant may be negative",
        ),
        (
            """
class InvertibleConv1x1(glowsep.InvertibleConv1x1):
    def _logdet(self, x):
        xp = array_module(x)
        batch, _, frames = x.shape
        return xp.full(batch, frames * xp.log(xp.abs(xp.linalg.det(self.W))).sum(), dtype=x.dtype)
""",
            r"the determinant of a large matrix overflows",
        ),
        (
            """
class InvertibleConv1x1(glowsep.InvertibleConv1x1):
    def _logdet(self, x):
        xp = array_module(x)
        return xp.full(len(x), -x.shape[2] * xp.linalg.slogdet(self.W)[1].sum(), dtype=x.dtype)
""",
            r"the sign is flipped",
        ),
    ],
    "conv_forward": [
        (
            """
class InvertibleConv1x1(glowsep.InvertibleConv1x1):
    def forward(self, x, condition=None, tape=None):
        return self._mix(self.W.swapaxes(1, 2), x), self._logdet(x)
""",
            r"InvertibleConv1x1\.forward: z .*W is transposed",
        ),
        (
            """
class InvertibleConv1x1(glowsep.InvertibleConv1x1):
    def forward(self, x, condition=None, tape=None):
        batch, channels, frames = x.shape
        groups, size, _ = self.W.shape
        grouped = x.reshape(batch, groups, size, frames)
        return (self.W @ grouped).reshape(x.shape), self._logdet(x)
""",
            r"the groups are neighbouring channels",
        ),
        (
            """
class InvertibleConv1x1(glowsep.InvertibleConv1x1):
    def forward(self, x, condition=None, tape=None):
        return self._mix(self.W, x)
""",
            r"must return two things, z and logdet, but returns an array",
        ),
        (
            """
class InvertibleConv1x1(glowsep.InvertibleConv1x1):
    def forward(self, x, condition=None, tape=None):
        return self._mix(self._inverse(x), x), self._logdet(x)
""",
            r"multiplied by the inverse of W",
        ),
    ],
    "conv_inverse": [
        (
            """
class InvertibleConv1x1(glowsep.InvertibleConv1x1):
    def inverse(self, z, condition=None, tape=None):
        return self._mix(self.W.swapaxes(1, 2), z)
""",
            r"that undoes a rotation, but W does not stay one",
        ),
        (
            """
class InvertibleConv1x1(glowsep.InvertibleConv1x1):
    def inverse(self, z, condition=None, tape=None):
        return self._mix(self.W, z)
""",
            r"W once more, not its inverse",
        ),
        (
            """
class InvertibleConv1x1(glowsep.InvertibleConv1x1):
    def inverse(self, z, condition=None, tape=None):
        return self._mix(self._inverse(z).swapaxes(1, 2), z)
""",
            r"the inverse is transposed",
        ),
        (
            """
class InvertibleConv1x1(glowsep.InvertibleConv1x1):
    def inverse(self, z, condition=None, tape=None):
        return self._mix(self._inverse(z), z), -self._logdet(z)
""",
            r"x must be an array of shape .*, but is a tuple",
        ),
    ],
    "logdet_gradient": [
        (
            """
def logdet_gradient(W):
    return np.linalg.inv(W)
""",
            r"the matrix is transposed",
        ),
        (
            """
def logdet_gradient(W):
    return -np.linalg.inv(W).T
""",
            r"the sign is flipped",
        ),
        (
            """
def logdet_gradient(W):
    return np.linalg.det(W) * np.linalg.inv(W).T
""",
            r"that is the gradient of det W",
        ),
        (
            """
def logdet_gradient(W):
    return W.T
""",
            r"transposed, but not inverted",
        ),
    ],
    "plu_logdet": [
        (
            """
class InvertibleConv1x1PLU(glowsep.InvertibleConv1x1PLU):
    def _logdet(self, x):
        return array_module(x).full(len(x), self.log_diagonal.sum(), dtype=x.dtype)
""",
            r"forgot to multiply by the number of frames \(3\)",
        ),
        (
            """
class InvertibleConv1x1PLU(glowsep.InvertibleConv1x1PLU):
    def _logdet(self, x):
        batch, _, frames = x.shape
        return array_module(x).full(batch, -frames * self.log_diagonal.sum(), dtype=x.dtype)
""",
            r"the sign is flipped",
        ),
        (
            """
class InvertibleConv1x1PLU(glowsep.InvertibleConv1x1PLU):
    def _logdet(self, x):
        batch, _, frames = x.shape
        return array_module(x).full(batch, frames * self.log_diagonal.mean(), dtype=x.dtype)
""",
            r"averaged over the channels \(4\), it must be summed",
        ),
        (
            """
class InvertibleConv1x1PLU(glowsep.InvertibleConv1x1PLU):
    def _logdet(self, x):
        return np.full(len(x), x.shape[2] * float(self.log_diagonal.sum()))
""",
            r"logdet is float64, but must be float32",
        ),
    ],
}

#: With the points that are left, and what is said of the part that is wrong.
PARTLY_RIGHT = {
    "conv_backward": [
        (
            """
class InvertibleConv1x1(glowsep.InvertibleConv1x1):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        dx, x = self._mix(self.W, dz), self.inverse(z)
        if not self.is_frozen:
            self.dW = self._outer_products(dz, x) + z.shape[2] * dlogdet.sum() * self._inverse(z).swapaxes(1, 2)
        return dx, x
""",
            2,
            r"dx .*multiplied by the Jacobian, not by its transpose",
        ),
        (
            """
class InvertibleConv1x1(glowsep.InvertibleConv1x1):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        dx, x = self._mix(self.W.swapaxes(1, 2), dz), z
        if not self.is_frozen:
            self.dW = self._outer_products(dz, x) + z.shape[2] * dlogdet.sum() * self._inverse(z).swapaxes(1, 2)
        return dx, x
""",
            2,
            r"what was given came back, nothing is rebuilt",
        ),
        (
            """
class InvertibleConv1x1(glowsep.InvertibleConv1x1):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        dx, x = self._mix(self.W.swapaxes(1, 2), dz), self.inverse(z)
        if not self.is_frozen:
            self.dW = self._outer_products(dz, x) + z.shape[2] * dlogdet.sum() * self._inverse(z)
        return dx, x
""",
            2,
            r"dW: .*the log-det's part is transposed",
        ),
        (
            """
class InvertibleConv1x1(glowsep.InvertibleConv1x1):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        dx, x = self._mix(self.W.swapaxes(1, 2), dz), self.inverse(z)
        if not self.is_frozen:
            self.dW = self._outer_products(x, dz) + z.shape[2] * dlogdet.sum() * self._inverse(z).swapaxes(1, 2)
        return dx, x
""",
            2,
            r"dW: .*the outer product in the wrong order",
        ),
        (
            """
class InvertibleConv1x1(glowsep.InvertibleConv1x1):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        dx, x = self._mix(self.W.swapaxes(1, 2), dz), self.inverse(z)
        if not self.is_frozen:
            self.dW = self._outer_products(dz, x) + dlogdet.sum() * self._inverse(z).swapaxes(1, 2)
        return dx, x
""",
            2,
            r"dW: .*was not multiplied by the number of frames \(3\)",
        ),
        (
            """
class InvertibleConv1x1(glowsep.InvertibleConv1x1):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        dx, x = self._mix(self.W.swapaxes(1, 2), dz), self.inverse(z)
        self.dW = self._outer_products(dz, x) + z.shape[2] * dlogdet.sum() * self._inverse(z).swapaxes(1, 2)
        return dx, x
""",
            2,
            r"frozen here: look at self\.is_frozen first",
        ),
        (
            """
class InvertibleConv1x1(glowsep.InvertibleConv1x1):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        W_inverse = np.linalg.inv(self.W)
        x = self._mix(W_inverse, z)
        if not self.is_frozen:
            self.dW = self._outer_products(dz, x) + z.shape[2] * dlogdet.sum() * W_inverse.swapaxes(1, 2)
        return x, self._mix(self.W.swapaxes(1, 2), dz)
""",
            1,
            r"dx and x are exchanged",
        ),
        (
            """
class InvertibleConv1x1(glowsep.InvertibleConv1x1):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        W_inverse = np.linalg.inv(self.W)
        x = self._mix(W_inverse, z)
        if not self.is_frozen:
            self.dW[:] = self._outer_products(dz, x) + z.shape[2] * dlogdet.sum() * W_inverse.swapaxes(1, 2)
        return self._mix(self.W.swapaxes(1, 2), dz), x
""",
            2,
            r"dW: .*does not support item assignment; .*make a new array",
        ),
        (
            """
class InvertibleConv1x1(glowsep.InvertibleConv1x1):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        x = z
        if not self.is_frozen:
            through_logdet = z.shape[2] * dlogdet.sum() * np.linalg.inv(self.W).swapaxes(1, 2)
            self.dW = self._outer_products(dz, x) + through_logdet
        return self._mix(self.W.swapaxes(1, 2), dz), x
""",
            2,
            r"nothing is rebuilt",
        ),
    ],
    "conv_backward_inverse": [
        (
            """
class InvertibleConv1x1(glowsep.InvertibleConv1x1):
    def backward_inverse(self, dx, x, condition=None, tape=None):
        return self._mix(self._inverse(x), dx), self._mix(self.W, x)
""",
            1,
            r"backward_inverse: dz .*multiplied by the Jacobian, not by its transpose",
        ),
        (
            """
class InvertibleConv1x1(glowsep.InvertibleConv1x1):
    def backward_inverse(self, dx, x, condition=None, tape=None):
        return self._mix(self.W.swapaxes(1, 2), dx), self._mix(self.W, x)
""",
            1,
            r"backward_inverse: dz .*the gradient through forward, not through inverse",
        ),
        (
            """
class InvertibleConv1x1(glowsep.InvertibleConv1x1):
    def backward_inverse(self, dx, x, condition=None, tape=None):
        return self._mix(self._inverse(x).swapaxes(1, 2), dx), x
""",
            1,
            r"what was given came back, nothing is rebuilt",
        ),
        (
            """
class InvertibleConv1x1(glowsep.InvertibleConv1x1):
    def backward_inverse(self, dx, x, condition=None, tape=None):
        dz, z = self._mix(self._inverse(x).swapaxes(1, 2), dx), self._mix(self.W, x)
        self.dW = -self._outer_products(dz, x)
        return dz, z
""",
            1,
            r"was changed, but the parameters are frozen here",
        ),
    ],
    "plu_backward": [
        (
            """
class InvertibleConv1x1PLU(glowsep.InvertibleConv1x1PLU):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        xp = array_module(z)
        dx, x = self._mix(self.W.swapaxes(1, 2), dz), self.inverse(z)
        lower, upper = self._triangles()
        dW = self._outer_products(dz, x)
        dupper = (self.P @ lower).swapaxes(1, 2) @ dW
        self.dL = xp.tril(self.P.swapaxes(1, 2) @ dW @ upper.swapaxes(1, 2), -1)
        self.dU = xp.triu(dupper, 1)
        self.dlog_diagonal = self._diagonal(dupper) + z.shape[2] * dlogdet.sum()
        return dx, x
""",
            2,
            r"s is its logarithm, so multiply by the diagonal of V",
        ),
        (
            """
class InvertibleConv1x1PLU(glowsep.InvertibleConv1x1PLU):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        dx, x = self._mix(self.W.swapaxes(1, 2), dz), self.inverse(z)
        lower, upper = self._triangles()
        dW = self._outer_products(dz, x)
        dupper = (self.P @ lower).swapaxes(1, 2) @ dW
        self.dL = self.P.swapaxes(1, 2) @ dW @ upper.swapaxes(1, 2)
        self.dU = dupper
        self.dlog_diagonal = self._diagonal(dupper) * self._diagonal(upper) + z.shape[2] * dlogdet.sum()
        return dx, x
""",
            2,
            r"dL must be zero but below the diagonal",
        ),
        (
            """
class InvertibleConv1x1PLU(glowsep.InvertibleConv1x1PLU):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        xp = array_module(z)
        dx, x = self._mix(self.W.swapaxes(1, 2), dz), self.inverse(z)
        lower, upper = self._triangles()
        dW = self._outer_products(dz, x)
        dupper = (self.P @ lower).swapaxes(1, 2) @ dW
        self.dL = xp.tril(dW @ upper.swapaxes(1, 2), -1)
        self.dU = xp.triu(dupper, 1)
        self.dlog_diagonal = self._diagonal(dupper) * self._diagonal(upper) + z.shape[2] * dlogdet.sum()
        return dx, x
""",
            2,
            r"P's transpose is missing",
        ),
        (
            """
class InvertibleConv1x1PLU(glowsep.InvertibleConv1x1PLU):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        xp = array_module(z)
        dx, x = self._mix(self.W.swapaxes(1, 2), dz), self.inverse(z)
        lower, upper = self._triangles()
        dW = self._outer_products(dz, x)
        dupper = (self.P @ lower).swapaxes(1, 2) @ dW
        self.dL = xp.tril(self.P.swapaxes(1, 2) @ dW @ upper.swapaxes(1, 2), -1)
        self.dU = xp.triu(dupper, 1)
        self.dlog_diagonal = self._diagonal(dupper) * self._diagonal(upper)
        return dx, x
""",
            2,
            r"dlog_diagonal .*the log-det's part is missing",
        ),
        (
            """
class InvertibleConv1x1PLU(glowsep.InvertibleConv1x1PLU):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        xp = array_module(z)
        dx, x = self._mix(self.W.swapaxes(1, 2), dz), self.inverse(z)
        lower, upper = self._triangles()
        dW = self._outer_products(dz, x)
        dupper = (self.P @ lower).swapaxes(1, 2) @ dW
        self.dL = xp.tril(self.P.swapaxes(1, 2) @ dW @ upper.swapaxes(1, 2), -1)
        self.dU = xp.triu(dupper, 1)
        self.dlog_diagonal = self._diagonal(dupper) * self._diagonal(upper) + z.shape[2] * dlogdet.sum()
        return dx, x
""",
            2,
            r"frozen here: look at self\.is_frozen first",
        ),
    ],
}
