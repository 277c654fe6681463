"""What students write in chapter 6, and what they must be told."""

WRONG_ANSWERS = {
    "actnorm_logdet": [
        (
            """
def actnorm_logdet(x, log_scale):
    batch, _, frames = x.shape
    return array_module(x).full(batch, log_scale.sum(), dtype=x.dtype)
""",
            r"actnorm_logdet: the log-det .*forgot to multiply by the number of frames \(4\)",
        ),
        (
            """
def actnorm_logdet(x, log_scale):
    batch, _, frames = x.shape
    return array_module(x).full(batch, frames * log_scale.mean(), dtype=x.dtype)
""",
            r"actnorm_logdet: the log-det .*averaged over the channels \(3\), it must be summed",
        ),
        (
            """
def actnorm_logdet(x, log_scale):
    batch, _, frames = x.shape
    return array_module(x).full(batch, -frames * log_scale.sum(), dtype=x.dtype)
""",
            r"actnorm_logdet: the log-det .*the sign is flipped",
        ),
        (
            """
def actnorm_logdet(x, log_scale):
    return x.shape[2] * log_scale.sum()
""",
            r"actnorm_logdet: the log-det must be an array of shape \(2,\)",
        ),
        (
            """
def actnorm_logdet(x, log_scale):
    return np.full(len(x), x.shape[2] * np.exp(log_scale).sum(), dtype=x.dtype)
""",
            r"actnorm_logdet: the log-det .*exp\(s\) is summed",
        ),
        (
            """
def actnorm_logdet(x, log_scale):
    return np.full(len(x), x.shape[1] * log_scale.sum(), dtype=x.dtype)
""",
            r"the factor is the number of channels",
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
        self.initialised[...] = True
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
        self.initialised[...] = True
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
        self.initialised[...] = True
""",
            r"write into the one that is there",
        ),
        (
            """
class ActNorm(glowsep.ActNorm):
    def initialise(self, x):
        mean, deviation = x.mean(axis=(0, 2)), x.std(axis=(0, 2))
        deviation = np.where(deviation > 1e-6 * (1 + np.abs(mean)), deviation, 1)
        self.log_scale[:] = np.log(deviation)
        self.bias[:] = -mean / deviation
        self.initialised[...] = True
""",
            r"is it e\^s that multiplies, with s = -log\(deviation\)",
        ),
        (
            """
class ActNorm(glowsep.ActNorm):
    def initialise(self, x):
        mean, deviation = x.mean(axis=(0, 2)), x.std(axis=(0, 2))
        deviation = np.where(deviation > 0, deviation, 1)
        self.log_scale[:] = -np.log(deviation)
        self.bias[:] = -mean / deviation
        self.initialised[...] = True
""",
            r"a constant channel must keep scale 1",
        ),
        (
            """
class ActNorm(glowsep.ActNorm):
    def initialise(self, x):
        mean, deviation = x.mean(axis=(0, 2)), x.std(axis=(0, 2))
        deviation = np.where(deviation > 1e-6, deviation, 1)
        self.log_scale[:] = -np.log(deviation)
        self.bias[:] = -mean / deviation
        self.initialised[...] = True
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
        self.bias[:] = -mean / deviation
        self.initialised = True
""",
            r"initialised is a new array",
        ),
        (
            """
class ActNorm(glowsep.ActNorm):
    def initialise(self, x):
        mean, deviation = x.mean(axis=(0, 2)), x.std(axis=(0, 2))
        constant = deviation <= 1e-6 * (1 + np.abs(mean))
        self.log_scale[:] = np.where(constant, 0, -np.log(np.where(constant, 1, deviation)))
        self.bias[:] = np.where(constant, 0, -mean / np.where(constant, 1, deviation))
        self.initialised[...] = True
""",
            r"a constant channel still gets mean 0",
        ),
    ],
    "actnorm_forward": [
        (
            """
class ActNorm(glowsep.ActNorm):
    def forward(self, x, condition=None, tape=None):
        if not self.initialised:
            self.initialise(x)
        return x * self._scale(x) + self.bias[:, None]
""",
            r"ActNorm\.forward: must return two things, z and logdet, but returns an array",
        ),
    ],
    "actnorm_inverse": [
        (
            """
class ActNorm(glowsep.ActNorm):
    def inverse(self, z, condition=None, tape=None):
        return z * array_module(z).exp(-self.log_scale)[:, None] - self.bias[:, None]
""",
            r"ActNorm\.inverse: x is wrong.*undone in the wrong order",
        ),
        (
            """
class ActNorm(glowsep.ActNorm):
    def inverse(self, z, condition=None, tape=None):
        return (z - self.bias[:, None]) * self._scale(z)
""",
            r"scaled by e\^s once more",
        ),
        (
            """
class ActNorm(glowsep.ActNorm):
    def inverse(self, z, condition=None, tape=None):
        return (z + self.bias[:, None]) / self._scale(z)
""",
            r"the bias was added, not taken away",
        ),
        (
            """
class ActNorm(glowsep.ActNorm):
    def inverse(self, z, condition=None, tape=None):
        z -= self.bias[:, None]
        return z / self._scale(z)
""",
            r"the argument `z` was changed",
        ),
    ],
    "actnorm_backward_inverse": [
        (
            """
class ActNorm(glowsep.ActNorm):
    def backward_inverse(self, dx, x, condition=None, tape=None):
        return x * self._scale(x) + self.bias[:, None], dx / self._scale(x)
""",
            r"dz and z are exchanged",
        ),
    ],
    "actnorm_volume": [
        ("difference = np.log(2)", r"the sign is not"),
        ("difference = 0", r"their log-dets differ"),
        ("difference = -1", r"in bits"),
        ("difference = -np.log10(2)", r"nats are natural logarithms"),
        ("difference = 0.69", r"the sign is not"),
        ("difference = -0.3", r"nats are natural logarithms"),
    ],
}

#: With the points that are left, and what is said of the part that is wrong.
PARTLY_RIGHT = {
    "actnorm_forward": [
        (
            """
class ActNorm(glowsep.ActNorm):
    def forward(self, x, condition=None, tape=None):
        self.initialise(x)
        z = x * self._scale(x) + self.bias[:, None]
        return z, array_module(x).full(len(x), x.shape[2] * self.log_scale.sum(), dtype=x.dtype)
""",
            1,
            r"initialised again",
        ),
        (
            """
class ActNorm(glowsep.ActNorm):
    def forward(self, x, condition=None, tape=None):
        z = x * self._scale(x) + self.bias[:, None]
        return z, array_module(x).full(len(x), x.shape[2] * self.log_scale.sum(), dtype=x.dtype)
""",
            1,
            r"the first call must initialise",
        ),
        (
            """
class ActNorm(glowsep.ActNorm):
    def forward(self, x, condition=None, tape=None):
        if not self.initialised:
            self.initialise(x)
        z = x * self._scale(x) + self.bias[:, None]
        return z, -array_module(x).full(len(x), x.shape[2] * self.log_scale.sum(), dtype=x.dtype)
""",
            1,
            r"ActNorm\.forward: logdet .*the sign is flipped",
        ),
    ],
    "actnorm_backward": [
        (
            """
class ActNorm(glowsep.ActNorm):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        dx, x = dz, self.inverse(z)
        if not self.is_frozen:
            self.dlog_scale = (dx * x).sum(axis=(0, 2)) + z.shape[2] * dlogdet.sum()
            self.dbias = dz.sum(axis=(0, 2))
        return dx, x
""",
            2,
            r"ActNorm\.backward: dx .*dz itself came back",
        ),
        (
            """
class ActNorm(glowsep.ActNorm):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        dx, x = dz * self._scale(z), self.inverse(z)
        if not self.is_frozen:
            self.dlog_scale = (dx * x).sum(axis=(0, 2)) + 4 * dlogdet.sum()
            self.dbias = dz.sum(axis=(0, 2))
        return dx, x
""",
            2,
            r"the number of frames is a fixed 4: read it from z\.shape\.\n",
        ),
        (
            """
class ActNorm(glowsep.ActNorm):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        dx, x = dz * self._scale(z), z
        if not self.is_frozen:
            self.dlog_scale = (dx * x).sum(axis=(0, 2)) + z.shape[2] * dlogdet.sum()
            self.dbias = dz.sum(axis=(0, 2))
        return dx, x
""",
            2,
            r"what was given came back, nothing is rebuilt",
        ),
        (
            """
class ActNorm(glowsep.ActNorm):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        dx, x = dz * self._scale(z), self.inverse(z)
        if not self.is_frozen:
            self.dlog_scale = (dx * x).sum(axis=(0, 2)) + dlogdet.sum()
            self.dbias = dz.sum(axis=(0, 2))
        return dx, x
""",
            2,
            r"the gradients: .*dlog_scale .*was not multiplied by the number of frames \(4\)",
        ),
        (
            """
class ActNorm(glowsep.ActNorm):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        dx, x = dz * self._scale(z), self.inverse(z)
        if not self.is_frozen:
            self.dlog_scale = (dx * x).sum(axis=(0, 2))
            self.dbias = dz.sum(axis=(0, 2))
        return dx, x
""",
            2,
            r"the gradients: .*dlog_scale .*dlogdet is ignored",
        ),
        (
            """
class ActNorm(glowsep.ActNorm):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        dx, x = dz * self._scale(z), self.inverse(z)
        if not self.is_frozen:
            self.dlog_scale = (dx * x).sum(axis=(0, 2)) + z.shape[2] * dlogdet.sum()
            self.dbias = dz.mean(axis=(0, 2))
        return dx, x
""",
            2,
            r"the gradients: .*dbias .*averaged over batch and frames",
        ),
        (
            """
class ActNorm(glowsep.ActNorm):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        dx, x = dz * self._scale(z), self.inverse(z)
        self.dlog_scale = (dx * x).sum(axis=(0, 2)) + z.shape[2] * dlogdet.sum()
        self.dbias = dz.sum(axis=(0, 2))
        return dx, x
""",
            2,
            r"frozen here: look at self\.is_frozen first",
        ),
        (
            """
class ActNorm(glowsep.ActNorm):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        dx, x = dz * self._scale(z), self.inverse(z)
        if not self.is_frozen:
            self.dlog_scale = (dz * x).sum(axis=(0, 2)) + z.shape[2] * dlogdet.sum()
            self.dbias = dz.sum(axis=(0, 2))
        return dx, x
""",
            2,
            r"the gradients: .*dlog_scale .*it holds dz \* x",
        ),
        (
            """
class ActNorm(glowsep.ActNorm):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        dx, x = dz * self._scale(z), self.inverse(z)
        if not self.is_frozen:
            self.dlog_scale[:] = (dx * x).sum(axis=(0, 2)) + z.shape[2] * dlogdet.sum()
            self.dbias[:] = dz.sum(axis=(0, 2))
        return dx, x
""",
            2,
            r"the gradients: .*does not support item assignment; .*make a new array",
        ),
        (
            """
class ActNorm(glowsep.ActNorm):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        dx, x = dz * self._scale(z), self.inverse(z)
        if not self.is_frozen:
            self.dlog_scale += (dx * x).sum(axis=(0, 2)) + z.shape[2] * dlogdet.sum()
            self.dbias += dz.sum(axis=(0, 2))
        return dx, x
""",
            2,
            r"the gradients: .*NoneType.*make a new array",
        ),
        (
            """
class ActNorm(glowsep.ActNorm):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        dx, x = dz * self._scale(z), self.inverse(z)
        if not self.is_frozen:
            self.dlog_scale = (dx * x).sum(axis=(0, 2)) + z.shape[2] * dlogdet.sum()
            self.dbias = dz.sum(axis=(0, 2))
        return x, dx
""",
            1,
            r"dx and x are exchanged",
        ),
        (
            """
class ActNorm(glowsep.ActNorm):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        dx, x = dz * self._scale(z), self.inverse(z)
        if self.is_frozen:
            return dx
        self.dlog_scale = (dx * x).sum(axis=(0, 2)) + z.shape[2] * dlogdet.sum()
        self.dbias = dz.sum(axis=(0, 2))
        return dx, x
""",
            2,
            r"the gradients: ActNorm\.frozen\(\)\.backward: must return a pair",
        ),
    ],
    "actnorm_backward_inverse": [
        (
            """
class ActNorm(glowsep.ActNorm):
    def backward_inverse(self, dx, x, condition=None, tape=None):
        scale = self._scale(x)
        return dx * scale, x * scale + self.bias[:, None]
""",
            1,
            r"ActNorm\.backward_inverse: dz .*the gradient through forward, not through inverse",
        ),
        (
            """
class ActNorm(glowsep.ActNorm):
    def backward_inverse(self, dx, x, condition=None, tape=None):
        scale = self._scale(x)
        return dx / scale, self.inverse(x)
""",
            1,
            r"ActNorm\.backward_inverse: z, rebuilt .* is wrong",
        ),
        (
            """
class ActNorm(glowsep.ActNorm):
    def backward_inverse(self, dx, x, condition=None, tape=None):
        dz = dx / self._scale(x)
        self.dbias = -dz.sum(axis=(0, 2))
        return dz, x * self._scale(x) + self.bias[:, None]
""",
            1,
            r"was changed, but the parameters are frozen here",
        ),
        (
            """
class ActNorm(glowsep.ActNorm):
    def backward_inverse(self, dx, x, condition=None, tape=None):
        z, _ = self.forward(x)
        return dx, z
""",
            1,
            r"ActNorm\.backward_inverse: dz .*dx itself came back",
        ),
    ],
}
