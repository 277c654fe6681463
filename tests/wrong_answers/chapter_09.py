"""What students write in chapter 9, and what they must be told."""

WRONG_ANSWERS = {
    "squeeze_shape": [
        ("shape = (1024, 128)", r"cannot make more numbers"),
        ("shape = (512, 64)", r"cannot lose numbers"),
        ("shape = (256, 256)", r"this is the inverse"),
        ("shape = (65536, 1)", r"multiplied by 2, the frames divided by 2"),
        ("shape = 1024 * 64", r"must be two numbers: \(channels, frames\)"),
    ],
    "squeeze_stack": [
        (
            """
class Squeeze(glowsep.Squeeze):
    def _stack(self, x):
        batch, channels, frames = x.shape
        if frames % self.factor:
            raise ValueError(f"{frames} frames are no multiple of {self.factor}")
        return x.reshape(batch, self.factor * channels, frames // self.factor)
""",
            r"Squeeze\._stack: z .*reshape alone",
        ),
        (
            """
class Squeeze(glowsep.Squeeze):
    def _stack(self, x):
        batch, channels, frames = x.shape
        if frames % self.factor:
            raise ValueError(f"{frames} frames are no multiple of {self.factor}")
        pairs = x.reshape(batch, channels, frames // self.factor, self.factor)
        return pairs.swapaxes(2, 3).reshape(batch, self.factor * channels, -1)
""",
            r"the channel is the outer index",
        ),
        (
            """
class Squeeze(glowsep.Squeeze):
    def _stack(self, x):
        frames = x.shape[2] // self.factor * self.factor
        return np.concatenate([x[:, :, k : frames : self.factor] for k in range(self.factor)], axis=1)
""",
            r"must be a ValueError",
        ),
        (
            """
class Squeeze(glowsep.Squeeze):
    def _stack(self, x):
        batch, channels, frames = x.shape
        if frames % self.factor:
            raise ValueError(f"{frames} frames are no multiple of {self.factor}")
        return np.concatenate(np.split(x, self.factor, axis=2), axis=1)
""",
            r"frames far apart are stacked, but they must be neighbours",
        ),
    ],
    "squeeze_unstack": [
        (
            """
class Squeeze(glowsep.Squeeze):
    def _unstack(self, z):
        batch, channels, frames = z.shape
        if channels % self.factor:
            raise ValueError(f"{channels} channels are no multiple of {self.factor}")
        return z.reshape(batch, channels // self.factor, self.factor * frames)
""",
            r"Squeeze\._unstack: x .*reshape alone",
        ),
        (
            """
class Squeeze(glowsep.Squeeze):
    def _unstack(self, z):
        batch, channels, frames = z.shape
        if channels % self.factor:
            raise ValueError(f"{channels} channels are no multiple of {self.factor}")
        return np.concatenate(np.split(z, self.factor, axis=1), axis=2)
""",
            r"their frames must alternate",
        ),
        (
            """
class Squeeze(glowsep.Squeeze):
    def _unstack(self, z):
        batch, channels, frames = z.shape
        if channels % self.factor:
            raise ValueError(f"{channels} channels are no multiple of {self.factor}")
        pieces = z.reshape(batch, channels // self.factor, self.factor, frames)
        return pieces.swapaxes(2, 3).reshape(batch, channels // self.factor, -1)
""",
            r"the channel is taken as the outer index",
        ),
        (
            """
class Squeeze(glowsep.Squeeze):
    def _unstack(self, z):
        pieces = np.stack(np.split(z, self.factor, axis=1), axis=3)
        return pieces.reshape(len(z), pieces.shape[1], -1)
""",
            r"the message must say what is wrong: the channels",
        ),
    ],
    "squeeze_forward": [
        (
            """
class Squeeze(glowsep.Squeeze):
    def forward(self, x, condition=None, tape=None):
        return self._stack(x), 0
""",
            r"logdet must be an array of shape \(2,\)",
        ),
        (
            """
class Squeeze(glowsep.Squeeze):
    def forward(self, x, condition=None, tape=None):
        return self._stack(x), np.full(len(x), x[0].size * np.log(self.factor))
""",
            r"nothing is stretched",
        ),
        (
            """
class Squeeze(glowsep.Squeeze):
    def forward(self, x, condition=None, tape=None):
        return self._stack(x)
""",
            r"must return two things, z and logdet, but returns an array",
        ),
        (
            """
class Squeeze(glowsep.Squeeze):
    def forward(self, x, condition=None, tape=None):
        return self._stack(x), np.zeros(len(x))
""",
            r"logdet is float64, but must be float32",
        ),
    ],
    "squeeze_inverse": [
        (
            """
class Squeeze(glowsep.Squeeze):
    def inverse(self, z, condition=None, tape=None):
        batch, channels, frames = z.shape
        return z.reshape(batch, channels // self.factor, self.factor * frames)
""",
            r"the frames were not put back in order",
        ),
        (
            """
class Squeeze(glowsep.Squeeze):
    def inverse(self, z, condition=None, tape=None):
        return z
""",
            r"Squeeze\.inverse: x has shape \(2, 6, 2\), but must have \(2, 3, 4\)",
        ),
        (
            """
class Squeeze(glowsep.Squeeze):
    def inverse(self, z, condition=None, tape=None):
        return self._unstack(z), np.zeros(len(z), z.dtype)
""",
            r"x must be an array of shape .*, but is a tuple",
        ),
        (
            """
class Squeeze(glowsep.Squeeze):
    def inverse(self, z, condition=None, tape=None):
        return self._stack(z)
""",
            r"Squeeze\.inverse: x has shape \(2, 12, 1\), but must have \(2, 3, 4\)",
        ),
    ],
    "squeeze_backward": [
        (
            """
class Squeeze(glowsep.Squeeze):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        x = self._unstack(z)
        return dz.reshape(x.shape), x
""",
            r"Squeeze\.backward: dx .*dz itself came back",
        ),
        (
            """
class Squeeze(glowsep.Squeeze):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        return self._unstack(dz), z
""",
            r"Squeeze\.backward: x, rebuilt from the other side, has shape",
        ),
        (
            """
class Squeeze(glowsep.Squeeze):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        return self._unstack(z), self._unstack(dz)
""",
            r"dx and x in the wrong order",
        ),
        (
            """
class Squeeze(glowsep.Squeeze):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        return self._unstack(dz)
""",
            r"must return two things, dx and x, but returns an array",
        ),
    ],
    "squeeze_backward_inverse": [
        (
            """
class Squeeze(glowsep.Squeeze):
    def backward_inverse(self, dx, x, condition=None, tape=None):
        z = self._stack(x)
        return dx.reshape(z.shape), z
""",
            r"Squeeze\.backward_inverse: dz .*dx itself came back",
        ),
        (
            """
class Squeeze(glowsep.Squeeze):
    def backward_inverse(self, dx, x, condition=None, tape=None):
        return self._stack(dx), x
""",
            r"Squeeze\.backward_inverse: z, rebuilt from the other side, has shape",
        ),
        (
            """
class Squeeze(glowsep.Squeeze):
    def backward_inverse(self, dx, x, condition=None, tape=None):
        return self._stack(x), self._stack(dx)
""",
            r"dz and z in the wrong order",
        ),
        (
            """
class Squeeze(glowsep.Squeeze):
    def backward_inverse(self, dx, x, condition=None, tape=None):
        return self._stack(dx)
""",
            r"must return two things, dz and z, but returns an array",
        ),
    ],
    "glow_forward": [
        (
            """
class Glow(glowsep.Glow):
    def forward(self, x, condition=None, tape=None):
        z, logdet = x, 0
        for layer in reversed(self.layers):
            z, layer_logdet = layer.forward(z, condition, tape)
            logdet = logdet + layer_logdet
        return z, logdet
""",
            r"the first layer's turn is first",
        ),
    ],
    "glow_log_prob": [
        (
            """
class Glow(glowsep.Glow):
    def log_prob(self, x, condition=None, tape=None):
        z, logdet = self.forward(x, condition)
        return standard_normal_log_prob(z)
""",
            r"this is the density of z, not that of x",
        ),
        (
            """
class Glow(glowsep.Glow):
    def log_prob(self, x, condition=None, tape=None):
        z, logdet = self.forward(x, condition)
        return standard_normal_log_prob(z) - logdet
""",
            r"the log-det must be added",
        ),
        (
            """
class Glow(glowsep.Glow):
    def log_prob(self, x, condition=None, tape=None):
        z, logdet = self.forward(x, condition)
        return (standard_normal_log_prob(z) + logdet) / z[0].size
""",
            r"divided by the number of dimensions, it must be summed",
        ),
        (
            """
class Glow(glowsep.Glow):
    def log_prob(self, x, condition=None, tape=None):
        z, logdet = self.forward(x, condition)
        return (standard_normal_log_prob(z) + logdet).sum()
""",
            r"log_prob must be an array of shape \(3,\)",
        ),
    ],
    "glow_backward": [
        (
            """
class Glow(glowsep.Glow):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        for layer in self.layers:
            dz, z = layer.backward(dz, dlogdet, z, condition, tape)
        return dz, z
""",
            r"the last layer's turn is first",
        ),
    ],
}

#: With the points that are left, and what is said of the part that is wrong.
PARTLY_RIGHT = {
    "glow_forward": [
        (
            """
class Glow(glowsep.Glow):
    def forward(self, x, condition=None, tape=None):
        z = x
        for layer in self.layers:
            z, logdet = layer.forward(z, condition, tape)
        return z, logdet
""",
            1,
            r"only the last layer's; all of them must be summed",
        ),
        (
            """
class Glow(glowsep.Glow):
    def forward(self, x, condition=None, tape=None):
        z, logdet = x, 0
        for layer in self.layers:
            z, layer_logdet = layer.forward(z, condition, tape)
            logdet = logdet + layer_logdet
        return z, logdet / len(self.layers)
""",
            1,
            r"averaged over the layers",
        ),
        (
            """
class Glow(glowsep.Glow):
    def forward(self, x, condition=None, tape=None):
        z, logdet = x, 0
        for layer in self.layers:
            z, layer_logdet = layer.forward(z, condition)
            logdet = logdet + layer_logdet
        return z, logdet
""",
            1,
            r"Glow\.backward: pops more from the tape than was appended",
        ),
    ],
    "glow_backward": [
        (
            """
class Glow(glowsep.Glow):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        for layer in reversed(self.layers):
            dz, _ = layer.backward(dz, dlogdet, z, condition, tape)
        return dz, self.inverse(z)
""",
            1,
            r"every layer was given the flow's output z",
        ),
        (
            """
class Glow(glowsep.Glow):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        for layer in reversed(self.layers):
            dz, z = layer.backward(dz, dlogdet, z, condition)
        return dz, z
""",
            2,
            r"Glow\.backward: leaves \d+ entries on the tape",
        ),
        (
            """
class Glow(glowsep.Glow):
    def backward(self, dz, dlogdet, z, condition=None, tape=None):
        for layer in reversed(self.layers):
            dz, z = layer.backward(dz, 0 * dlogdet, z, condition, tape)
        return dz, z
""",
            1,
            r"dlogdet does not reach the layers",
        ),
    ],
}
