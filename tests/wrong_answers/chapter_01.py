"""What students write in chapter 1, and what they must be told."""

WRONG_ANSWERS = {
    "dft": [
        (
            """
def dft(frame):
    length = len(frame)
    f, m = np.arange(length // 2 + 1), np.arange(length)
    return np.exp(2j * np.pi * np.outer(f, m) / length) @ frame
""",
            r"dft: X is wrong .*the sign in the exponent is flipped",
        ),
        (
            """
def dft(frame):
    length = len(frame)
    f, m = np.arange(length), np.arange(length)
    return np.exp(-2j * np.pi * np.outer(f, m) / length) @ frame
""",
            r"returns 16 bins; for a real frame .* keep bins 0 to 16 / 2",
        ),
        (
            """
def dft(frame):
    length = len(frame)
    f, m = np.arange(length // 2 + 1), np.arange(length)
    return np.exp(-1j * np.pi * np.outer(f, m) / length) @ frame
""",
            r"pi f m / L in the exponent instead of 2 pi f m / L",
        ),
        (
            """
def dft(frame):
    length = len(frame)
    f, m = np.arange(length // 2 + 1), np.arange(length)
    return np.exp(-2j * np.pi * np.outer(f, m) / length) @ frame / length
""",
            r"divided by L; here the inverse transform does that",
        ),
    ],
    "decibels": [
        (
            """
half = 10 * np.log10(1 / 2)
ratio = 10 ** (-60 / 20)
""",
            r"that is the level of half the power",
        ),
        (
            """
half = 20 * np.log10(1 / 2)
ratio = 10 ** (-60 / 10)
""",
            r"that is the ratio of the powers",
        ),
        (
            """
half = 20 * np.log(1 / 2)
ratio = 10 ** (-60 / 20)
""",
            r"the one to base 10, not the natural one",
        ),
        (
            """
half = 20 * np.log10(2)
ratio = 10 ** (-60 / 20)
""",
            r"what is below the reference has a level below 0 dB",
        ),
        ("half, ratio = -13.9, 0.001", r"the one to base 10, not the natural one"),
        ("half, ratio = -6, 1000", r"between 0 and 1"),
        ("half, ratio = -6, 0.01", r"20 log10\(ratio\) must be -60"),
    ],
    "stft": [
        (
            """
def stft(waveform, window_length=1024, hop=256):
    window = hann(window_length, hop, waveform)
    frames = number_of_frames(len(waveform), hop)
    padded = np.pad(waveform, (0, frames * hop + window_length))
    cut = np.lib.stride_tricks.sliding_window_view(padded, window_length, axis=-1)[::hop][:frames]
    return np.fft.rfft(window * cut).T
""",
            r"frame 0 starts at sample 0, but must be centred there",
        ),
        (
            """
def stft(waveform, window_length=1024, hop=256):
    padded = np.pad(waveform, window_length // 2)
    cut = np.lib.stride_tricks.sliding_window_view(padded, window_length, axis=-1)[::hop]
    return np.fft.rfft(cut).T
""",
            r"the window is missing",
        ),
        (
            """
def stft(waveform, window_length=1024, hop=256):
    window = hann(window_length, hop, waveform)
    padded = np.pad(waveform, window_length // 2)
    cut = np.lib.stride_tricks.sliding_window_view(padded, window_length, axis=-1)[::hop]
    return np.fft.rfft(window * cut)
""",
            r"returns \(frames, bins\) .* transpose it",
        ),
        (
            """
def stft(waveform, window_length=1024, hop=256):
    padded_length = (number_of_frames(len(waveform), hop) - 1) * hop + window_length
    before = window_length // 2
    padded = np.pad(waveform, (before, padded_length - before - len(waveform)))
    cut = np.lib.stride_tricks.sliding_window_view(padded, window_length, axis=-1)[::hop]
    return np.fft.rfft(np.hanning(window_length) * cut).T
""",
            r"the window is np.hanning's",
        ),
        (
            """
def stft(waveform, window_length=1024, hop=256):
    window = hann(window_length, hop, waveform)
    padded = np.pad(waveform, window_length // 2, mode="reflect")
    cut = np.lib.stride_tricks.sliding_window_view(padded, window_length, axis=-1)[::hop]
    return np.fft.rfft(window * cut).T
""",
            r"the edges are reflected",
        ),
        (
            """
def stft(waveform, window_length=1024, hop=256):
    window = hann(window_length, hop, np.zeros(0))
    padded_length = (number_of_frames(len(waveform), hop) - 1) * hop + window_length
    before = window_length // 2
    padded = np.pad(waveform, (before, padded_length - before - len(waveform)))
    cut = np.lib.stride_tricks.sliding_window_view(padded, window_length, axis=-1)[::hop]
    return np.fft.rfft(window * cut).T
""",
            r"must give complex64: which array here is of float64",
        ),
        (
            """
def stft(waveform, window_length=1024, hop=256):
    window = hann(window_length, hop, waveform)
    padded = np.pad(waveform, window_length // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, window_length)[::hop]
    return np.fft.rfft(window * frames).T
""",
            r"enough padding after the end",
        ),
        (
            """
def stft(waveform, window_length=1024, hop=256):
    window = hann(window_length, hop, waveform)
    padded = np.pad(waveform, (window_length // 2, 2 * window_length))
    frames = np.lib.stride_tricks.sliding_window_view(padded, window_length)[::hop]
    return np.fft.rfft(window * frames).T
""",
            r"more padding after the end than the last frame needs",
        ),
        (
            """
def stft(waveform, window_length=1024, hop=256):
    window = hann(window_length, hop, waveform)
    padded = np.pad(waveform, (window_length // 2, 2 * window_length))
    frames = np.lib.stride_tricks.sliding_window_view(padded, window_length)[::hop]
    return np.fft.rfft(window * frames, axis=0).T
""",
            r"taken along the samples of a frame",
        ),
    ],
    "overlap_add": [
        (
            """
def overlap_add(frames, hop):
    return frames.reshape(*frames.shape[:-2], -1)
""",
            r"5 frames of 8 became 40 samples: they are laid end to end",
        ),
        (
            """
def overlap_add(frames, hop):
    *batch, count, window_length = frames.shape
    total = np.zeros((*batch, (count - 1) * hop + window_length))
    for t in range(count):
        total[..., t * hop : t * hop + window_length] = frames[..., t, :]
    return total
""",
            r"each frame overwrites the one before",
        ),
        (
            """
def overlap_add(frames, hop):
    *batch, count, window_length = frames.shape
    total = np.zeros((*batch, (count - 1) * hop + window_length))
    for t in range(count):
        total[..., t * hop : t * hop + window_length] += frames[..., t, :] * hop / window_length
    return total
""",
            r"a sum is wanted, not a mean",
        ),
        (
            """
def overlap_add(frames, hop):
    *batch, count, window_length = frames.shape
    total = np.zeros((*batch, count * hop + window_length))
    for t in range(count):
        total[..., t * hop : t * hop + window_length] += frames[..., t, :]
    return total
""",
            r"the last frame starts at \(frames - 1\) \* hop",
        ),
    ],
    "ratio_masks": [
        (
            """
def ratio_masks(magnitudes, exponent=1.0):
    powers = magnitudes**exponent
    return powers / powers.sum(axis=0)
""",
            r"where all sources are silent the masks are not finite",
        ),
        (
            """
def ratio_masks(magnitudes, exponent=1.0):
    powers = (magnitudes + 1e-300) ** exponent
    return powers / powers.sum()
""",
            r"each bin is shared out for itself: sum over axis 0",
        ),
        (
            """
def ratio_masks(magnitudes, exponent=1.0):
    powers = magnitudes**exponent
    total = powers.sum(axis=0)
    return np.where(total > 0, powers / np.where(total > 0, total, 1), 1 / len(magnitudes))
""",
            r"powers of weak sources vanish, and all look silent",
        ),
        (
            """
def ratio_masks(magnitudes, exponent=1.0):
    powers = magnitudes**exponent
    return powers / (powers.sum(axis=0) + 1e-12)
""",
            r"something small added to the sum keeps NaN away, but makes the masks 0",
        ),
        (
            """
def ratio_masks(magnitudes, exponent=1.0):
    highest = magnitudes.max(axis=0)
    relative = np.where(highest > 0, magnitudes / np.where(highest > 0, highest, 1), 1)
    return relative**exponent / relative.sum(axis=0) ** exponent
""",
            r"the sum is raised to the power",
        ),
        (
            """
def ratio_masks(magnitudes, exponent=1.0):
    highest = magnitudes.max(axis=0)
    relative = magnitudes / np.where(highest > 0, highest, 1)
    with np.errstate(all="ignore"):
        return np.where(highest > 0, relative**exponent / (relative**exponent).sum(axis=0), 1).astype(magnitudes.dtype)
""",
            r"the masks are 1 each, but must add up to 1",
        ),
        (
            """
def ratio_masks(magnitudes, exponent=1.0):
    powers = (magnitudes / magnitudes.max()) ** exponent
    total = powers.sum(axis=0)
    return np.where(total > 0, powers / np.where(total > 0, total, 1), 1 / len(magnitudes))
""",
            r"divide each bin by its own strongest source",
        ),
    ],
}

# Solutions that are the package's own functions, statement for statement.
PACKAGE = {
    "stft": "glowsep.signals.spectrogram",
    "overlap_add": "glowsep.signals.spectrogram",
    "ratio_masks": "glowsep.signals.masks",
}
