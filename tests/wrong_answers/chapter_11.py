"""What students write in chapter 11, and what they must be told."""

WRONG_ANSWERS = {
    "log_prob_table": [
        (
            """
def log_prob_table(solos, priors):
    return np.array([[prior.log_prob(w).mean() for w in solos.values()] for prior in priors.values()])
""",
            r"transposed: rows are solos, columns priors",
        ),
        (
            """
def log_prob_table(solos, priors):
    return np.array([[prior.log_prob(w).sum() for prior in priors.values()] for w in solos.values()])
""",
            r"summed over the songs: take the mean",
        ),
        (
            """
def log_prob_table(solos, priors):
    return np.array([[prior.log_prob(w[0]) for prior in priors.values()] for w in solos.values()])
""",
            r"log_prob wants \(songs, samples\)",
        ),
        (
            """
def log_prob_table(solos, priors):
    return np.array([[np.median(prior.log_prob(w)) for prior in priors.values()] for w in solos.values()])
""",
            r"some entry is not the mean of log_prob",
        ),
    ],
    "posterior": [
        (
            """
def posterior(log_prob, dimensions):
    density = np.exp(dimensions * log_prob)
    return density / density.sum(axis=-1, keepdims=True)
""",
            r"exp overflows .* subtract the largest",
        ),
        (
            """
def posterior(log_prob, dimensions):
    relative = np.exp(log_prob - log_prob.max(axis=-1, keepdims=True))
    return relative / relative.sum(axis=-1, keepdims=True)
""",
            r"multiply by the number of dimensions",
        ),
        (
            """
def posterior(log_prob, dimensions):
    relative = np.exp(dimensions * (log_prob - log_prob.max()))
    return relative / relative.sum()
""",
            r"do not sum to one over the priors",
        ),
        (
            """
def posterior(log_prob, dimensions):
    log_prob *= dimensions
    relative = np.exp(log_prob - log_prob.max(axis=-1, keepdims=True))
    return relative / relative.sum(axis=-1, keepdims=True)
""",
            r"the argument `log_prob` was changed",
        ),
    ],
    "mean_log_prob": [
        (
            """
def mean_log_prob(mean, deviation, data_mean, data_deviation):
    return -0.5 * math.log(2 * math.pi * deviation**2) - 0.5 * ((data_mean - mean) / deviation) ** 2
""",
            r"its spread s² is missing",
        ),
        (
            """
def mean_log_prob(mean, deviation, data_mean, data_deviation):
    square = (data_mean - mean) ** 2 + data_deviation**2
    return -0.5 * math.log(2 * math.pi) - 0.5 * square / deviation**2
""",
            r"the term -log σ is missing",
        ),
        (
            """
def mean_log_prob(mean, deviation, data_mean, data_deviation):
    square = (data_mean - mean) ** 2 + data_deviation**2
    return -0.5 * math.log(2 * math.pi) - math.log10(deviation) - 0.5 * square / deviation**2
""",
            r"not the one to base 10",
        ),
        (
            """
def mean_log_prob(mean, deviation, data_mean, data_deviation):
    square = (data_mean - mean) ** 2 + data_deviation**2
    return -math.log(deviation) - 0.5 * square / deviation**2
""",
            r"the normal's constant, .* is missing",
        ),
    ],
    "mode_gap": [  # one number: these are the halves of the answer that are easily missed
        ("mode_gap = 1.0", r"the density has half of it in its exponent"),
        ("mode_gap = 0.5 * math.log(2 * math.pi)", r"it cancels in the difference"),
        ("mode_gap = -0.5", r"so the gap is positive"),
        ("mode_gap = 0.25", r"the gap is the mean of z²/2 per dimension"),
    ],
}
