"""Mistakes that learners make in chapter 4, each with what the check must say of it."""

SHARE = """
def log_prob_of_share(m, mu):
    base = normal_log_prob(np.log(m / (1 - m)) - mu)
    return {}
"""

POLAR = """
def polar_logdet(x):
    r = np.sqrt((x**2).sum(axis=1))
    return {}
"""

CHAIN = """
def log_prob(layers, x):
    z, total = x, 0
    for layer in layers:
        z, logdet = layer.forward(z)
        total = total + logdet
    return {}
"""

AFFINE = """
def loss_and_gradient(x, mu, s):
    z = (x - mu) * np.exp(s)
    loss = (0.5 * z * z).mean() - s + 0.5 * np.log(2 * np.pi)
    return {}
"""

MOVED_IN_PLACE = """
def loss_and_gradient(x, mu, s):
    x -= mu
    x *= np.exp(s)
    return (0.5 * x * x).mean() - s + 0.5 * np.log(2 * np.pi), -np.exp(s) * x.mean(), (x * x).mean() - 1
"""

WRONG_ANSWERS = {
    "log_prob_of_share": [
        (SHARE.format("base"), r"log\|f'\(m\)\| is missing"),
        (SHARE.format("base + np.log(m) + np.log(1 - m)"), r"sign of log\|f'\(m\)\| is flipped"),
        (SHARE.format("base + 1 / (m * (1 - m))"), "its logarithm is missing"),
        (SHARE.format("base - np.log(m)"), r"that of -log\(1 - m\) is missing"),
        (SHARE.format("base - np.log10(m * (1 - m))"), "the logarithm to the base 10"),
        (
            SHARE.format("normal_log_prob(np.log10(m / (1 - m)) - mu) - np.log(m) - np.log(1 - m)"),
            "the logarithm to the base 10 in f",
        ),
    ],
    "millivolts": [
        ("log_density_per_millivolt = -30 + 20 * np.log(1000)", "the sign is flipped"),
        ("log_density_per_millivolt = -30 - np.log(1000)", "the change of one coordinate"),
        ("log_density_per_millivolt = -30", "a density is per unit"),
        ("log_density_per_millivolt = -30 - 20 * np.log10(1000)", "nats are natural logarithms"),
        ("log_density_per_millivolt = 108.2", "the sign is flipped"),
    ],
    "polar_logdet": [
        (POLAR.format("np.log(r)"), "the sign is flipped"),
        (POLAR.format("-np.log(r**2)"), "the square root is missing"),
        (POLAR.format("1 / r"), "its logarithm is missing"),
        (POLAR.format("-np.log10(r)"), "the logarithm to the base 10"),
        (POLAR.format("np.full(len(x), -np.log(r).sum())"), "every point must have its own"),
    ],
    "log_prob": [
        (CHAIN.format("standard_normal_log_prob(z)"), "the log-dets are missing"),
        (CHAIN.format("standard_normal_log_prob(z) + logdet"), "only the last layer's log-det"),
        (CHAIN.format("standard_normal_log_prob(z) - total"), "the log-dets are subtracted"),
        (CHAIN.format("(standard_normal_log_prob(z) + total) / x[0].size"), "divided by the number of dimensions"),
    ],
    "loss_and_gradient": [
        (AFFINE.format("loss + s, -np.exp(s) * z.mean(), (z * z).mean()"), "nothing keeps the flow from squeezing"),
        (AFFINE.format("loss + 2 * s, -np.exp(s) * z.mean(), (z * z).mean() + 1"), "is flipped: f' is exp"),
        (MOVED_IN_PLACE, "the argument `x` was changed"),
    ],
}

#: With the points that are left, and what is said of the part that is wrong.
PARTLY_RIGHT = {
    "loss_and_gradient": [
        (
            AFFINE.format("loss, -z.mean(), (z * z).mean() - 1"),
            1,
            r"the inner derivative exp\(s\) is missing",
        ),
        (
            AFFINE.format("loss, -np.exp(s) * z.mean(), (z * z).mean()"),
            1,
            "the 1 that comes from the log-det",
        ),
        (
            AFFINE.format("loss, -np.exp(s) * z.sum(), (z * z).sum() - x.size"),
            1,
            "averaged as the loss is",
        ),
        (
            AFFINE.format("loss, -np.exp(s) * z, z * z - 1"),
            1,
            "with respect to mu must be one real number.* mean missing",
        ),
    ],
}
