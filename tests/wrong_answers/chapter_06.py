"""What students write in chapter 6, and what they must be told."""

WRONG_ANSWERS = {
    "actnorm_logdet": [
        (
            """
class ActNorm(glowsep.ActNorm):
    def _logdet(self, x):
        batch, _, frames = x.shape
        return array_module(x).full(batch, self.log_scale.sum(), dtype=x.dtype)
""",
            r"ActNorm\.forward: logdet .*forgot to multiply by the number of frames \(4\)",
        ),
        (
            """
class ActNorm(glowsep.ActNorm):
    def _logdet(self, x):
        batch, _, frames = x.shape
        return array_module(x).full(batch, frames * self.log_scale.mean(), dtype=x.dtype)
""",
            r"ActNorm\.forward: logdet .*averaged over the channels \(3\), it must be summed",
        ),
    ],
    "actnorm_initialise": [
        (
            """
class ActNorm(glowsep.ActNorm):
    def initialise(self, x):
        mean, deviation = x.mean(axis=(0, 2)), x.std(axis=(0, 2))
        self.log_scale[:] = -np.log(deviation)
        self.bias[:] = -mean / deviation
        self.initialised = np.array(True)
""",
            r"a constant channel must keep scale 1",
        ),
        (
            """
class ActNorm(glowsep.ActNorm):
    def initialise(self, x):
        mean, deviation = x.mean(axis=(0, 2)), x.std(axis=(0, 2))
        deviation = np.where(deviation > 1e-6 * (1 + np.abs(mean)), deviation, 1)
        self.log_scale[:] = -np.log(deviation)
        self.bias[:] = -mean
        self.initialised = np.array(True)
""",
            r"the bias comes after the scale",
        ),
        (
            """
class ActNorm(glowsep.ActNorm):
    def initialise(self, x):
        mean, deviation = x.mean(axis=(0, 2)), x.std(axis=(0, 2))
        deviation = np.where(deviation > 1e-6 * (1 + np.abs(mean)), deviation, 1)
        self.log_scale = -np.log(deviation)
        self.bias = -mean / deviation
        self.initialised = np.array(True)
""",
            r"write into the one that is there",
        ),
    ],
    "actnorm_forward": [
        (
            """
class ActNorm(glowsep.ActNorm):
    def forward(self, x, condition=None):
        z = x * array_module(x).exp(self.log_scale)[:, None] + self.bias[:, None]
        return z, self._logdet(x)
""",
            r"the first call must initialise",
        ),
        (
            """
class ActNorm(glowsep.ActNorm):
    def forward(self, x, condition=None):
        self.initialise(x)
        z = x * array_module(x).exp(self.log_scale)[:, None] + self.bias[:, None]
        return z, self._logdet(x)
""",
            r"initialised again",
        ),
        (
            """
class ActNorm(glowsep.ActNorm):
    def forward(self, x, condition=None):
        if not self.initialised:
            self.initialise(x)
        z = x * array_module(x).exp(self.log_scale)[:, None] + self.bias[:, None]
        return z, -self._logdet(x)
""",
            r"ActNorm\.forward: logdet .*the sign is flipped",
        ),
    ],
    "actnorm_inverse": [
        (
            """
class ActNorm(glowsep.ActNorm):
    def inverse(self, z, condition=None):
        return z * array_module(z).exp(-self.log_scale)[:, None] - self.bias[:, None]
""",
            r"ActNorm\.inverse: the inverse of z is wrong",
        ),
        (
            """
class ActNorm(glowsep.ActNorm):
    def inverse(self, z, condition=None):
        return (z - self.bias[:, None]) * array_module(z).exp(self.log_scale)[:, None]
""",
            r"ActNorm\.inverse: the inverse of z is wrong",
        ),
    ],
    "actnorm_backward_input": [
        (
            """
class ActNorm(glowsep.ActNorm):
    def backward_input(self, dz, dlogdet, z, condition=None, kept=None):
        return dz, self.inverse(z)
""",
            r"ActNorm\.backward: dx .*dz itself came back",
        ),
        (
            """
class ActNorm(glowsep.ActNorm):
    def backward_input(self, dz, dlogdet, z, condition=None, kept=None):
        return dz * array_module(z).exp(self.log_scale)[:, None], z
""",
            r"what was given came back, nothing is rebuilt",
        ),
    ],
    "actnorm_backward": [
        (
            """
class ActNorm(glowsep.ActNorm):
    def backward(self, dz, dlogdet, z, condition=None, kept=None):
        dx, x = self.backward_input(dz, dlogdet, z)
        self.dlog_scale = (dx * x).sum(axis=(0, 2)) + dlogdet.sum()
        self.dbias = dz.sum(axis=(0, 2))
        return dx, x
""",
            r"'log_scale' .*was not multiplied by the number of frames \(4\)",
        ),
        (
            """
class ActNorm(glowsep.ActNorm):
    def backward(self, dz, dlogdet, z, condition=None, kept=None):
        dx, x = self.backward_input(dz, dlogdet, z)
        self.dlog_scale = (dx * x).sum(axis=(0, 2))
        self.dbias = dz.sum(axis=(0, 2))
        return dx, x
""",
            r"'log_scale' .*dlogdet is ignored",
        ),
        (
            """
class ActNorm(glowsep.ActNorm):
    def backward(self, dz, dlogdet, z, condition=None, kept=None):
        dx, x = self.backward_input(dz, dlogdet, z)
        self.dlog_scale = (dx * x).sum(axis=(0, 2)) + z.shape[2] * dlogdet.sum()
        self.dbias = dz.mean(axis=(0, 2))
        return dx, x
""",
            r"'bias' .*averaged over batch and frames",
        ),
    ],
    "actnorm_backward_inverse": [
        (
            """
class ActNorm(glowsep.ActNorm):
    def backward_inverse(self, dx, x, condition=None):
        scale = array_module(x).exp(self.log_scale)[:, None]
        return dx * scale, x * scale + self.bias[:, None]
""",
            r"ActNorm\.backward_inverse: dz .*the gradient through forward, not through inverse",
        ),
        (
            """
class ActNorm(glowsep.ActNorm):
    def backward_inverse(self, dx, x, condition=None):
        scale = array_module(x).exp(self.log_scale)[:, None]
        return dx / scale, self.inverse(x)
""",
            r"ActNorm\.backward_inverse: z, rebuilt .* is wrong",
        ),
    ],
    "actnorm_volume": [
        ("difference = np.log(2)", r"the sign is not"),
        ("difference = 0", r"their log-dets differ"),
        ("difference = -1", r"in bits"),
    ],
}
