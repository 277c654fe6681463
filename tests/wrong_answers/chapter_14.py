"""What students write in chapter 14, and what they must be told."""

WRONG_ANSWERS = {
    "array_module": [
        (
            """
def array_module(array):
    return np
""",
            r"an array on the device belongs to cupy",
        ),
        (
            """
def array_module(array):
    return sys.modules.get("cupy", np)
""",
            r"ask the array, not the machine",
        ),
        (
            """
def array_module(array):
    return sys.modules["cupy"] if type(array).__module__.startswith("cupy") else np if hasattr(array, "dtype") else None
""",
            r"numbers and lists are NumPy's business",
        ),
        (
            """
def array_module(array):
    return sys.modules["cupy"] if type(array).__module__.startswith("cupy") else np
""",
            r"only the library cupy itself counts",
        ),
    ],
    "on_device_of": [
        (
            """
def on_device_of(array, other):
    return array_module(other).asarray(array)
""",
            r"from device to host: .* only to_host leads back",
        ),
        (
            """
def on_device_of(array, other):
    return array if array_module(array) is np else to_host(array)
""",
            r"the result is not where the other is",
        ),
        (
            """
def on_device_of(array, other):
    return to_device(array, "cuda")
""",
            r"the result is not where the other is",
        ),
        (
            """
def on_device_of(array, other):
    return to_host(array)
""",
            r"the array was on the host and the other on the device",
        ),
    ],
    "centroid": [
        (
            """
def centroid(magnitude, rate):
    frequencies = np.arange(len(magnitude)) * rate / (2 * len(magnitude))
    total = magnitude.sum(axis=0)
    return (frequencies[:, None] * magnitude).sum(axis=0) / array_module(magnitude).where(total > 0, total, 1)
""",
            r"Make new arrays with xp, not with np",
        ),
        (
            """
def centroid(magnitude, rate):
    xp = array_module(magnitude)
    frequencies = xp.arange(len(magnitude)) * rate / (2 * len(magnitude))
    total = magnitude.sum(axis=0)
    return (frequencies[:, None] * magnitude).sum(axis=0) / xp.where(total > 0, total, 1)
""",
            r"integers times float32 give float64",
        ),
        (
            """
def centroid(magnitude, rate):
    xp = array_module(magnitude)
    frequencies = xp.arange(len(magnitude), dtype=magnitude.dtype) * (rate / (2 * len(magnitude)))
    result = xp.zeros(magnitude.shape[1], magnitude.dtype)
    for frame in range(magnitude.shape[1]):
        total = float(magnitude[:, frame].sum())
        if total > 0:
            result[frame] = (frequencies * magnitude[:, frame]).sum() / total
    return result
""",
            r"transfers to the host: float\(\), int\(\)",
        ),
        (
            """
def centroid(magnitude, rate):
    xp = array_module(magnitude)
    frequencies = xp.arange(len(magnitude), dtype=magnitude.dtype) * (rate / (2 * len(magnitude)))
    total = magnitude.sum(axis=0)
    return xp.where(total > 0, (frequencies[:, None] * magnitude).sum(axis=0) / total, 0)
""",
            r"0 / 0 in a silent frame",
        ),
    ],
    "multiplications": [
        (
            """
def multiplications(config):
    channels, hidden = config.squeeze * config.channels, config.hidden
    kept = (channels + 1) // 2
    gates = config.layers * (config.kernel + 1) * 2 * hidden**2
    return config.steps * (channels * config.group_size + kept * hidden + gates + hidden * 2 * (channels - kept))
""",
            r"only frames / squeeze squeezed frames",
        ),
        (
            """
def multiplications(config):
    channels, hidden = config.squeeze * config.channels, config.hidden
    kept = (channels + 1) // 2
    gates = config.layers * (config.kernel + 1) * 2 * hidden**2
    one = channels * config.group_size + kept * hidden + gates + hidden * 2 * (channels - kept)
    return one / config.squeeze
""",
            r"every one of the steps",
        ),
        (
            """
def multiplications(config):
    channels, hidden = config.squeeze * config.channels, config.hidden
    kept = (channels + 1) // 2
    gates = config.layers * (config.kernel + 1) * 2 * hidden**2
    one = channels**2 + kept * hidden + gates + hidden * 2 * (channels - kept)
    return config.steps * one / config.squeeze
""",
            r"compare term by term",
        ),
        (
            """
def multiplications(config):
    channels, hidden = config.squeeze * config.channels, config.hidden
    kept = (channels + 1) // 2
    gates = config.layers * (config.kernel + 1) * 2 * hidden**2
    one = channels * config.group_size + kept * hidden + gates + hidden * 2 * (channels - kept)
    return 2 * config.steps * one / config.squeeze
""",
            r"a multiplication and its addition count as one",
        ),
    ],
    "gradients_in_shares": [
        (
            """
def gradients_in_shares(flow, x, number):
    for share in np.array_split(x, number):
        tape = []
        z, logdet = flow.forward(share, None, tape)
        flow.backward(z, -np.ones_like(logdet), z, None, tape)
    return flow.gradients()
""",
            r"the last share's gradients alone: backward assigns them",
        ),
        (
            """
def gradients_in_shares(flow, x, number):
    total = {}
    for share in np.array_split(x, number):
        tape = []
        z, logdet = flow.forward(share, None, tape)
        flow.backward(z, -np.ones_like(logdet), z, None, tape)
        for name, gradient in flow.gradients().items():
            total[name] = total.get(name, 0) + gradient / number
    return total
""",
            r"the mean over the shares: the loss is a sum",
        ),
        (
            """
def gradients_in_shares(flow, x, number):
    total, tape = {}, []
    forward = [flow.forward(share, None, tape) for share in np.array_split(x, number)]
    for z, logdet in forward:
        flow.backward(z, -np.ones_like(logdet), z, None, tape)
        for name, gradient in flow.gradients().items():
            total[name] = total.get(name, 0) + gradient
    return total
""",
            r"does each share have a tape of its own",
        ),
        (
            """
def gradients_in_shares(flow, x, number):
    total = {}
    for share in np.array_split(x, number):
        tape = []
        z, logdet = flow.forward(share, None, tape)
        flow.backward(-z, np.ones_like(logdet), z, None, tape)
        for name, gradient in flow.gradients().items():
            total[name] = total.get(name, 0) + gradient
    return total
""",
            r"the sign is flipped",
        ),
    ],
    "three_limits": [
        ('limit = "memory"\nnumbers = 312500', r"a launch takes longer"),
        ('limit = "launch"\nnumbers = 625000', r"read \*and\* written"),
        ('limit = "launch"\nnumbers = 2.5e6', r"those are bytes"),
        ('limit = "arithmetic"\nnumbers = 312500', r"not the arithmetic"),
    ],
}

# Solutions that are the package's own functions, statement for statement.
PACKAGE = {"array_module": "glowsep.arrays.library", "on_device_of": "glowsep.arrays.devices"}
