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
            r"powers of quiet sources vanish, and all look silent",
        ),
    ],
}

# Solutions that are the package's own functions, statement for statement.
PACKAGE = {
    "stft": "glowsep.signals.spectrogram",
    "overlap_add": "glowsep.signals.spectrogram",
    "ratio_masks": "glowsep.signals.masks",
}
