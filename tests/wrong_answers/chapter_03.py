"""Mistakes that learners make in chapter 3, each with what the check must say of it."""

POISSON = """
def poisson(mixture, total):
    xp = array_module(mixture)
    x, m = mixture + SILENCE, total + SILENCE
    return {}
"""

UPDATE_ACTIVATIONS = """
def update_activations(V, W, H):
    return {}
"""

UPDATE_DICTIONARY = """
def update_dictionary(V, W, H):
    return {}
"""

FITTED_ALONE = """
def joint_parts(V, dictionaries, iterations):
    xp = array_module(V)
    return xp.stack([W @ activations(V, W, iterations) for W in dictionaries])
"""

WHOLE_MODEL = """
def joint_parts(V, dictionaries, iterations):
    xp = array_module(V)
    W = xp.concatenate(list(dictionaries), axis=1)
    return xp.stack([W @ activations(V, W, iterations)] * len(dictionaries))
"""

MASKS = """
def joint_parts(V, dictionaries, iterations):
    xp = array_module(V)
    H = activations(V, xp.concatenate(list(dictionaries), axis=1), iterations)
    ends = np.cumsum([W.shape[1] for W in dictionaries])[:-1].tolist()
    return ratio_masks(xp.stack([W @ part for W, part in zip(dictionaries, xp.split(H, ends))]))
"""

REVERSED = """
def joint_parts(V, dictionaries, iterations):
    xp = array_module(V)
    H = activations(V, xp.concatenate(list(dictionaries), axis=1), iterations)
    ends = np.cumsum([W.shape[1] for W in dictionaries])[:-1].tolist()
    return xp.stack([W @ part for W, part in zip(dictionaries, xp.split(H, ends))][::-1])
"""

WRONG_ANSWERS = {
    "poisson": [
        (POISSON.format("-(x * xp.log(x / m) - x + m).sum(), x / m - 1"), "sign is flipped"),
        (POISSON.format("(x * xp.log(x / m)).sum(), -x / m"), r"the terms - x \+ m are missing"),
        (POISSON.format("(x * xp.log(x / m) - x + m).mean(), (1 - x / m) / x.size"), "averaged over the bins"),
    ],
    "louder": [
        ("poisson_factor = gaussian_factor = 10", "gaussian_factor is 10"),
        ("poisson_factor, gaussian_factor = 10 * np.log(10), 100", "poisson_factor is 23"),
        ("poisson_factor = gaussian_factor = 100", "poisson_factor is 100"),
        ("poisson_factor, gaussian_factor = 10, 20", "gaussian_factor is 20"),
    ],
    "update_activations": [
        (UPDATE_ACTIVATIONS.format("H * (W.T @ (V / (W @ H + TINY)))"), r"the division by W\^T 1.* is missing"),
        (
            UPDATE_ACTIVATIONS.format("H * (W @ (V / (W @ H + TINY))) / (W.sum(axis=0)[:, None] + TINY)"),
            "W is not transposed",
        ),
        (UPDATE_ACTIVATIONS.format("H * (W.T @ (V / (W @ H + TINY))) / W.sum(axis=0)"), "must be a column"),
        (UPDATE_ACTIVATIONS.format("H * (W.T @ V) / (W.T @ (W @ H) + TINY)"), "rule for the squared error"),
        (UPDATE_ACTIVATIONS.format("H * (W.T @ (V / (W @ H))) / W.sum(axis=0)[:, None]"), "a division by zero"),
    ],
    "update_dictionary": [
        (UPDATE_DICTIONARY.format("W * ((V / (W @ H + TINY)) @ H.T)"), r"the division by 1 H\^T.* is missing"),
        (UPDATE_DICTIONARY.format("W * ((V / (W @ H + TINY)) @ H) / (H.sum(axis=1) + TINY)"), "H is not transposed"),
        (UPDATE_DICTIONARY.format("W * ((V / (W @ H + TINY)) @ H.T) / H.sum(axis=0)"), "summed over its components"),
        (UPDATE_DICTIONARY.format("W * ((V / (W @ H)) @ H.T) / H.sum(axis=1)"), "a division by zero"),
    ],
    "joint_parts": [
        (FITTED_ALONE, "fitted to the mixture by itself"),
        (WHOLE_MODEL, "each dictionary has its own rows of H"),
        (MASKS, "the parts themselves are asked for"),
        (REVERSED, "handed out from the wrong end"),
    ],
    "same_dictionary": [  # one number: it may be either instrument's whole, or no share
        ("mask_of_each = 1", "gives both the same share"),
        ("mask_of_each = 0", "gives both the same share"),
        ("mask_of_each = 2", "it lies between 0 and 1"),
        ("mask_of_each = np.array([0.5, 0.5])", "must be one real number"),
    ],
}

#: With the points that are left, and what is said of the part that is wrong.
PARTLY_RIGHT = {
    "poisson": [
        (
            POISSON.format("(x * xp.log(x / m) - x + m).sum(), 1 - m / x"),
            1,
            "upside down",
        ),
        (
            POISSON.format("(x * xp.log(x / m) - x + m).sum(), xp.log(x / m)"),
            1,
            "gradient with respect to x",
        ),
    ],
}

# Solutions that are the package's own functions, statement for statement.
PACKAGE = {"joint_parts": "glowsep.learning.nmf"}
