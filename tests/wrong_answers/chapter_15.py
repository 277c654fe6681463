"""What students write in chapter 15, and what they must be told."""

WRONG_ANSWERS = {
    "karplus_strong": [
        (
            """
def karplus_strong(noise, samples, rho):
    N = len(noise)
    string = np.zeros(samples)
    string[:N] = noise
    for n in range(N, samples):
        string[n] = rho * (string[n - N] + (string[n - N - 1] if n > N else 0))
    return string
""",
            r"(the string grows louder|y\[N\] is)",
        ),
        (
            """
def karplus_strong(noise, samples, rho):
    N = len(noise)
    string = np.zeros(samples)
    string[:N] = noise
    for n in range(N, samples):
        string[n] = rho / 2 * (string[n - N] + string[n - N + 1])
    return string
""",
            r"(y\[N\] is .* counts as 0|N and N \+ 1 samples back)",
        ),
        (
            """
def karplus_strong(noise, samples, rho):
    string = list(noise)
    for n in range(len(noise), samples):
        string.append(rho / 2 * (string[n - len(noise)] + string[n - len(noise) - 1]))
    return np.array(string)
""",
            r"in Python, index -1 is the last element",
        ),
        (
            """
def karplus_strong(noise, samples, rho):
    N = len(noise)
    string = np.zeros(samples)
    string[:N] = noise
    for n in range(N, samples):
        string[n] = (string[n - N] + (string[n - N - 1] if n > N else 0)) / 2
    return string
""",
            r"rho is missing: this string never fades",
        ),
    ],
    "level_gain": [
        (
            """
def level_gain(powers):
    powers = np.asarray(powers)
    return LEVEL / max(QUIETEST, float(np.sqrt(powers.mean()))) if powers.any() else 1.0
""",
            r"the pauses have pulled the level down",
        ),
        (
            """
def level_gain(powers):
    powers = np.asarray(powers)
    playing = powers[powers > 1e-4 * powers.max()]
    return LEVEL / max(QUIETEST, float(np.sqrt(playing).mean())) if len(playing) else 1.0
""",
            r"not a mean of the roots",
        ),
        (
            """
def level_gain(powers):
    powers = np.asarray(powers)
    playing = powers[powers > 1e-4 * powers.max()]
    return LEVEL / float(np.sqrt(playing.mean())) if len(playing) else 1.0
""",
            r"quieter than QUIETEST must not be raised further",
        ),
        (
            """
def level_gain(powers):
    powers = np.asarray(powers)
    playing = powers[powers > 1e-4 * powers.max()]
    return float(LEVEL / max(QUIETEST, playing.mean())) if len(playing) else 1.0
""",
            r"the powers are mean squares: the level is their root",
        ),
    ],
    "joined": [
        (
            """
def joined(segments, hop, overlap):
    fade = np.arange(overlap) / overlap
    for old, new in zip(segments, segments[1:]):
        new[:overlap] = fade * new[:overlap] + (1 - fade) * old[hop : hop + overlap]
    return np.concatenate([*(segment[:hop] for segment in segments), segments[-1][hop:]])
""",
            r"the segments given were changed",
        ),
        (
            """
def joined(segments, hop, overlap):
    return np.concatenate(segments)
""",
            r"segment k begins at k \* hop, so neighbours overlap",
        ),
        (
            """
def joined(segments, hop, overlap):
    song = np.zeros((len(segments) - 1) * hop + len(segments[-1]))
    for k, segment in enumerate(segments):
        song[k * hop : k * hop + len(segment)] += segment
    return song
""",
            r"the two fades must add up to one",
        ),
        (
            """
def joined(segments, hop, overlap):
    fade = np.arange(overlap) / overlap
    song = segments[0].copy()
    for k, segment in enumerate(segments[1:], 1):
        song = np.concatenate([song[: k * hop], segment])
        old = segments[k - 1][hop : hop + overlap]
        song[k * hop : k * hop + overlap] = (1 - fade) * segment[:overlap] + fade * old
    return song
""",
            r"the \*new\* one fades in",
        ),
        (
            """
def joined(segments, hop, overlap):
    fade = np.arange(overlap) / overlap
    song = np.zeros((len(segments) - 1) * hop + len(segments[-1]))
    for k, segment in enumerate(segments):
        if k:
            segment[:overlap] = fade * segment[:overlap] + (1 - fade) * song[k * hop : k * hop + overlap]
        song[k * hop : k * hop + len(segment)] = segment
    return song
""",
            r"the segments given were changed",
        ),
    ],
    "must_agree": [
        ('must_agree = {"rate", "hop"}', r"another number of bins"),
        ('must_agree = {"rate", "window_length", "hop", "exponent", "scale"}', r"the sources meet as magnitudes"),
        ('must_agree = {"rate", "window_length", "hop", "components"}', r"dictionaries are put side by side"),
        ('must_agree = {"window_length", "hop"}', r"the same bin is another frequency"),
        ('must_agree = {"rate", "window_length"}', r"the same frame is another moment"),
        ('must_agree = {"rate", "window_length", "hop", "sigma_min"}', r"the search says its noise levels itself"),
        ('must_agree = ["rate", "window_length", "hop"]', r"must be a set of the names given"),
    ],
}

# Solutions that are the package's own functions, statement for statement.
PACKAGE = {"level_gain": "glowsep.systems.glow.passages"}
