"""What students write in chapter 2, and what they must be told."""

WRONG_ANSWERS = {
    "sdr": [
        (
            """
def sdr(reference, estimate):
    signal = (reference**2).sum(axis=(-2, -1))
    distortion = ((reference - estimate) ** 2).sum(axis=(-2, -1))
    return 20 * np.log10((signal + DELTA) / (distortion + DELTA))
""",
            r"20 log10, but energies are squares already",
        ),
        (
            """
def sdr(reference, estimate):
    signal = (reference**2).sum()
    distortion = ((reference - estimate) ** 2).sum()
    return 10 * np.log10((signal + DELTA) / (distortion + DELTA))
""",
            r"must return \(2,\): sum over channels and samples, the last two axes",
        ),
        (
            """
def sdr(reference, estimate):
    signal = (reference**2).sum(axis=(-2, -1))
    distortion = ((reference - estimate) ** 2).sum(axis=(-2, -1))
    return 10 * np.log10(signal / distortion)
""",
            r"Looks like: DELTA is missing",
        ),
        (
            """
def sdr(reference, estimate):
    signal = (reference**2).sum(axis=(-2, -1))
    distortion = ((reference - estimate) ** 2).sum(axis=(-2, -1))
    return 10 * np.log((signal + DELTA) / (distortion + DELTA))
""",
            r"the natural logarithm, where the one to base 10 is wanted",
        ),
        (
            """
def sdr(reference, estimate):
    estimate -= reference
    return 10 * np.log10(((reference**2).sum((-2, -1)) + DELTA) / ((estimate**2).sum((-2, -1)) + DELTA))
""",
            r"the argument `estimate` was changed",
        ),
    ],
    "volumes": [
        (
            """
half, twice, nothing = 10 * np.log10(2), 0, 0
""",
            r"the error has half the amplitude, and what energy is that",
        ),
        (
            """
half, twice, nothing = 20 * np.log10(2), 0, -np.inf
""",
            r"silence is not infinitely bad",
        ),
        (
            """
half, twice, nothing = -20 * np.log10(2), 0, 0
""",
            r"the error is smaller than the signal, so the SDR is above 0 dB",
        ),
        (
            """
half, twice, nothing = 20 * np.log10(2), -20 * np.log10(2), 0
""",
            r"twice is .*put g = 2 into the formula",
        ),
        ("half, twice, nothing = 13.9, 0, 0", r"base 10, not the natural one"),
    ],
    "si_sdr": [
        (
            """
def si_sdr(reference, estimate):
    alpha = (estimate * reference).sum((-2, -1), keepdims=True) / (estimate**2).sum((-2, -1), keepdims=True)
    target = alpha * reference
    return 10 * np.log10((target**2).sum((-2, -1)) / ((target - estimate) ** 2).sum((-2, -1)))
""",
            r"alpha is divided by the energy of the estimate",
        ),
        (
            """
def si_sdr(reference, estimate):
    alpha = (estimate * reference).sum((-2, -1), keepdims=True) / (reference**2).sum((-2, -1), keepdims=True)
    return 10 * np.log10((reference**2).sum((-2, -1)) / ((alpha * reference - estimate) ** 2).sum((-2, -1)))
""",
            r"the signal's energy is that of s, but must be that of alpha s",
        ),
        (
            """
def si_sdr(reference, estimate):
    return 10 * np.log10((reference**2).sum((-2, -1)) / ((reference - estimate) ** 2).sum((-2, -1)))
""",
            r"this is the SDR: alpha is missing",
        ),
        (
            """
def si_sdr(reference, estimate):
    alpha = (estimate * reference).sum(-1, keepdims=True) / (reference**2).sum(-1, keepdims=True)
    target = alpha * reference
    return 10 * np.log10((target**2).sum((-2, -1)) / ((target - estimate) ** 2).sum((-2, -1)))
""",
            r"every channel has an alpha of its own",
        ),
    ],
    "floor": [
        (
            """
def floor(n, g):
    return -10 * np.log10((g - 1) ** 2 + n * g**2)
""",
            r"one is the source itself: n - 1",
        ),
        (
            """
def floor(n, g):
    return -10 * np.log10((abs(g - 1) + (n - 1) * abs(g)) ** 2)
""",
            r"their energies add up",
        ),
        (
            """
def floor(n, g):
    return -10 * np.log10((n - 1) * g**2)
""",
            r"what is missing of the source itself, \(g - 1\) s, is forgotten",
        ),
        (
            """
def floor(n, g):
    return -10 * np.log((g - 1) ** 2 + (n - 1) * g**2)
""",
            r"the natural logarithm, where the one to base 10 is wanted",
        ),
    ],
    "median_sdr": [
        (
            """
def median_sdr(reference, estimate, rate):
    return 10 * np.log10((reference**2).sum() / ((reference - estimate) ** 2).sum())
""",
            r"the global SDR, where each second should have its own",
        ),
        (
            """
def median_sdr(reference, estimate, rate):
    ratios = []
    for start in range(0, reference.shape[-1] - rate + 1, rate):
        s, s_hat = reference[:, start : start + rate], estimate[:, start : start + rate]
        ratios.append(10 * np.log10((s**2).sum() / ((s - s_hat) ** 2).sum()))
    return np.median(ratios)
""",
            r"silent seconds count as minus infinity",
        ),
        (
            """
def median_sdr(reference, estimate, rate):
    ratios = []
    for start in range(0, reference.shape[-1], rate):
        s, s_hat = reference[:, start : start + rate], estimate[:, start : start + rate]
        if s.any():
            ratios.append(10 * np.log10((s**2).sum() / ((s - s_hat) ** 2).sum()))
    return np.median(ratios)
""",
            r"what is left at the end counts as a second",
        ),
        (
            """
def median_sdr(reference, estimate, rate):
    ratios = []
    for start in range(0, reference.shape[-1] - rate + 1, rate):
        s, s_hat = reference[:, start : start + rate], estimate[:, start : start + rate]
        if s.any():
            ratios.append(10 * np.log10((s**2).sum() / ((s - s_hat) ** 2).sum()))
    return np.mean(ratios)
""",
            r"the mean of the seconds, where the median is wanted",
        ),
    ],
}
