"""What students write in chapter 10, and what they must be told."""

WRONG_ANSWERS = {
    "change_of_variables": [
        (
            """
def advantage(magnitude, one, other):
    def log_slope(exponent, scale):
        return np.log(scale * exponent) + (exponent - 1) * np.log(magnitude)

    return (log_slope(*one) - log_slope(*other)).mean()
""",
            r"the sign is turned round",
        ),
        (
            """
def advantage(magnitude, one, other):
    def log_slope(exponent, scale):
        return np.log(scale * exponent) + (exponent - 1) * np.log(magnitude)

    return (log_slope(*other) - log_slope(*one)).sum()
""",
            r"the sum over the entries",
        ),
        (
            """
def advantage(magnitude, one, other):
    def log_slope(exponent, scale):
        return np.log(scale) + (exponent - 1) * np.log(magnitude)

    return (log_slope(*other) - log_slope(*one)).mean()
""",
            r"the factor α of the slopes is missing",
        ),
        (
            """
def advantage(magnitude, one, other):
    def log_slope(exponent, scale):
        return np.log(scale * exponent) + 0 * magnitude

    return (log_slope(*other) - log_slope(*one)).mean()
""",
            r"the factor m\^\(α - 1\) of the slopes is missing",
        ),
        (
            """
def advantage(magnitude, one, other):
    def log_slope(exponent, scale):
        return np.log10(scale * exponent * magnitude ** (exponent - 1))

    return (log_slope(*other) - log_slope(*one)).mean()
""",
            r"the logarithm to the base 10",
        ),
    ],
    "negative_log_likelihood": [
        (
            """
def negative_log_likelihood(z, logdet):
    loss = -(standard_normal_log_prob(z) + logdet).sum() / z.size
    z /= z.size
    return loss, z, np.full(len(z), -1 / z.size)
""",
            r"the argument `z` was changed, but must stay as it is",
        ),
        (
            """
def negative_log_likelihood(z, logdet):
    loss = -(standard_normal_log_prob(z) + logdet).mean()
    return loss, z / len(z), np.full(len(z), -1 / len(z))
""",
            r"divided by the batch \(2\) only, but nats per DIMENSION",
        ),
        (
            """
def negative_log_likelihood(z, logdet):
    loss = (standard_normal_log_prob(z) + logdet).sum() / z.size
    return loss, -z / z.size, np.full(len(z), 1 / z.size)
""",
            r"sign is flipped, this is the log-likelihood",
        ),
    ],
    "nats_apart": [
        ("nats_apart = 0.02", r"still per dimension"),
        ("nats_apart = 0.02 * 512", r"times the number of dimensions"),
        ("nats_apart = (0.60 - 0.62) * 512 * 32", r"larger log-density: a positive number"),
        ("nats_apart = 0.02 * 512 * 32 / np.log(2)", r"this is in bits"),
    ],
    "denoise": [
        (
            """
class Prior(glowsep.Prior):
    def denoise(self, u, sigma):
        score, log_prob = self.score(u, sigma)
        return u + sigma**2 * score, log_prob
""",
            r"so give it two more axes",
        ),
        (
            """
class Prior(glowsep.Prior):
    def denoise(self, u, sigma):
        score, log_prob = self.score(u, sigma)
        return u + sigma[:, None, None] * score, log_prob
""",
            r"the formula has the variance σ²",
        ),
        (
            """
class Prior(glowsep.Prior):
    def denoise(self, u, sigma):
        score, log_prob = self.score(u, sigma)
        return u - sigma[:, None, None] ** 2 * score, log_prob
""",
            r"score points uphill, so add it",
        ),
        (
            """
class Prior(glowsep.Prior):
    def denoise(self, u, sigma):
        score, log_prob = self.score(u, sigma)
        return sigma[:, None, None] ** 2 * score, log_prob
""",
            r"only the correction: add it to the noisy u",
        ),
        (
            """
class Prior(glowsep.Prior):
    def denoise(self, u, sigma):
        score, log_prob = self.score(u, sigma)
        u += sigma[:, None, None] ** 2 * score
        return u, log_prob
""",
            r"the argument `u` was changed",
        ),
    ],
    "adam_step": [
        (
            """
def adam_step(parameter, gradient, mean, square, step, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
    mean *= beta1
    mean += (1 - beta1) * gradient
    square *= beta2
    square += (1 - beta2) * gradient**2
    root = np.sqrt(square / (1 - beta2**step))
    parameter -= learning_rate * mean / (1 - beta1**step) / (root + epsilon)
    return parameter, mean, square
""",
            r"the argument `parameter` was changed",
        ),
    ],
    "clip_by_global_norm": [
        (
            """
def clip_by_global_norm(gradients, maximum):
    norm = math.sqrt(float(sum((g * g).sum() for g in gradients.values())))
    for name in gradients:
        gradients[name] = gradients[name] * min(1, maximum / (norm + 1e-6))
    return norm
""",
            r"the dict holds new arrays",
        ),
        (
            """
def clip_by_global_norm(gradients, maximum):
    norm = math.sqrt(float(sum((g * g).sum() for g in gradients.values())))
    for gradient in gradients.values():
        gradient *= min(1, maximum / np.linalg.norm(gradient))
    return norm
""",
            r"one norm for all keeps the step's direction",
        ),
        (
            """
def clip_by_global_norm(gradients, maximum):
    norm = math.sqrt(float(sum((g * g).sum() for g in gradients.values())))
    for gradient in gradients.values():
        gradient *= maximum / (norm + 1e-6)
    return norm
""",
            r"below the maximum were scaled: the factor is at most 1",
        ),
        (
            """
def clip_by_global_norm(gradients, maximum):
    norm = math.sqrt(float(sum((g * g).sum() for g in gradients.values())))
    for gradient in gradients.values():
        gradient = gradient * min(1, maximum / (norm + 1e-6))
    return norm
""",
            r"nothing was scaled: write into the arrays",
        ),
        (
            """
def clip_by_global_norm(gradients, maximum):
    norm = math.sqrt(float(sum((g * g).sum() for g in gradients.values())))
    for gradient in gradients.values():
        gradient *= min(1, maximum / (norm + 1e-6))
    return norm
""",
            r"the norm is not finite, and yet something was scaled",
        ),
        (
            """
def clip_by_global_norm(gradients, maximum):
    norm = math.sqrt(float(sum((g * g).sum() for g in gradients.values())))
    if math.isfinite(norm):
        for gradient in gradients.values():
            gradient *= min(1, maximum / (norm + 1e-6))
    return norm
""",
            r"a maximum of 0.0 leaves nothing of any gradient",
        ),
    ],
    "warmup_stable_decay": [
        (
            """
class WarmupStableDecay(glowsep.learning.schedules.WarmupStableDecay):
    def __call__(self, step):
        fall = max(0.0, (self.total_steps - step) / self.decay_steps)
        return self.peak * min(1.0, (step + 1) / self.warmup_steps, fall)
""",
            r"with 0 warm-up steps there is a division by zero",
        ),
        (
            """
class WarmupStableDecay(glowsep.learning.schedules.WarmupStableDecay):
    def __call__(self, step):
        rise = step / self.warmup_steps if self.warmup_steps else 1.0
        fall = max(0.0, (self.total_steps - step) / self.decay_steps)
        return self.peak * min(1.0, rise, fall)
""",
            r"first rate is 0",
        ),
        (
            """
class WarmupStableDecay(glowsep.learning.schedules.WarmupStableDecay):
    def __call__(self, step):
        rise = (step + 1) / self.warmup_steps if self.warmup_steps else 1.0
        return self.peak * min(1.0, rise, (self.total_steps - step) / self.decay_steps)
""",
            r"negative, and would walk uphill",
        ),
        (
            """
class WarmupStableDecay(glowsep.learning.schedules.WarmupStableDecay):
    def __call__(self, step):
        rise = (step + 1) / self.warmup_steps if self.warmup_steps else 1.0
        fall = max(0.0, (self.total_steps - 1 - step) / self.decay_steps)
        return self.peak * min(1.0, rise, fall)
""",
            r"the fall begins from the peak",
        ),
        (
            """
class WarmupStableDecay(glowsep.learning.schedules.WarmupStableDecay):
    def __call__(self, step):
        rise = (step + 1) / self.warmup_steps if self.warmup_steps else 1.0
        return self.peak * rise if step < self.total_steps - self.decay_steps else 0.0
""",
            r"no higher",
        ),
    ],
}

#: With the points that are left, and what is said of the part that is wrong.
PARTLY_RIGHT = {
    "negative_log_likelihood": [
        (
            """
def negative_log_likelihood(z, logdet):
    loss = -(standard_normal_log_prob(z) + logdet).sum() / z.size
    return loss, z / z.size, np.full(len(z), 1 / z.size)
""",
            1,
            r"dlogdet .*sign is flipped",
        ),
        (
            """
def negative_log_likelihood(z, logdet):
    loss = -(standard_normal_log_prob(z) + logdet) / z.size
    return loss, z / z.size, np.full(len(z), -1 / z.size)
""",
            1,
            r"the loss must be one real number, .* is a sum or a mean missing",
        ),
        (
            """
def negative_log_likelihood(z, logdet):
    loss = -(standard_normal_log_prob(z) + logdet).sum() / z.size
    return loss, z, np.full(len(z), -1 / z.size)
""",
            1,
            r"dz .*not divided by the number of entries",
        ),
    ],
    "adam_step": [
        (
            """
def adam_step(parameter, gradient, mean, square, step, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
    mean = beta1 * mean + (1 - beta1) * gradient
    square = beta2 * square + (1 - beta2) * gradient**2
    return parameter - learning_rate * mean / (np.sqrt(square) + epsilon), mean, square
""",
            2,
            r"without the bias corrections",
        ),
        (
            """
def adam_step(parameter, gradient, mean, square, step, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
    mean = beta1 * mean + (1 - beta1) * gradient
    square = beta2 * square + (1 - beta2) * gradient**2
    root = np.sqrt(square / (1 - beta2**step) + epsilon)
    return parameter - learning_rate * mean / (1 - beta1**step) / root, mean, square
""",
            2,
            r"epsilon is under the root",
        ),
        (
            """
def adam_step(parameter, gradient, mean, square, step, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
    mean = beta1 * mean + (1 - beta1) * gradient
    square = beta2 * square + (1 - beta2) * mean**2
    root = np.sqrt(square / (1 - beta2**step))
    return parameter - learning_rate * mean / (1 - beta1**step) / (root + epsilon), mean, square
""",
            1,
            r"running square is wrong",
        ),
        (
            """
def adam_step(parameter, gradient, mean, square, step, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
    mean = beta1 * mean + (1 - beta1) * gradient
    square = beta2 * square + (1 - beta2) * gradient**2
    root = np.sqrt(square / (1 - beta2**step))
    return parameter + learning_rate * mean / (1 - beta1**step) / (root + epsilon), mean, square
""",
            2,
            r"it goes uphill",
        ),
    ],
}

PACKAGE = {"clip_by_global_norm": "glowsep.learning.clipping"}
