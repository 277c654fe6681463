"""What students write in chapter 13, and what they must be told."""

WRONG_ANSWERS = {
    "unmasked": [
        (
            """
def unmasked(magnitudes, mixture, rate, config):
    waveform = mid(mixture, rate, config.rate)
    phase = phase_of(stft(waveform, config.window_length, config.hop))
    with_nyquist = np.pad(magnitudes, ((0, 0), (0, 1), (0, 0)))
    return istft(with_nyquist * phase, len(waveform), config.window_length, config.hop)
""",
            r"times the mid's amplitude.*divided by window_length / 4",
        ),
        (
            """
def unmasked(magnitudes, mixture, rate, config):
    waveform = mid(mixture, rate, config.rate)
    phase = phase_of(stft(waveform, config.window_length, config.hop))
    with_nyquist = np.pad(magnitudes, ((0, 0), (1, 0), (0, 0))) * full_scale(config.window_length)
    return istft(with_nyquist * phase, len(waveform), config.window_length, config.hop)
""",
            r"(the Nyquist bin \*behind\* the others|times the mid's amplitude)",
        ),
        (
            """
def unmasked(magnitudes, mixture, rate, config):
    waveform = mid(mixture, rate, config.rate)
    spectrum = stft(waveform, config.window_length, config.hop)
    masks = np.pad(magnitudes / magnitudes.sum(axis=0).clip(1e-9), ((0, 0), (0, 1), (0, 0)))
    return istft(masks * spectrum, len(waveform), config.window_length, config.hop)
""",
            r"times the mid's amplitude",
        ),
        (
            """
def unmasked(magnitudes, mixture, rate, config):
    waveform = mid(mixture, rate, config.rate)
    phase = phase_of(stft(waveform, config.window_length, config.hop))
    spectra = full_scale(config.window_length) * magnitudes * phase
    return istft(spectra, len(waveform), config.window_length, config.hop)
""",
            r"did you append the Nyquist bin's row of zeros",
        ),
    ],
    "why_the_same": [
        ('answer = "A"', r"not A: the level"),
        ('answer = "B"', r"not B: the magnitudes are scaled"),
        ('answer = "D"', r"not D: the scaling happens whatever the priors say"),
        ('answer = "the latent search"', r"one of the letters A, B, C, D, in quotation marks"),
    ],
    "paired_interval": [
        (
            """
def paired_interval(ours, theirs, rng, resamples=2000):
    size = resamples, len(ours)
    means = ours[rng.integers(len(ours), size=size)].mean(axis=1)
    means = means - theirs[rng.integers(len(ours), size=size)].mean(axis=1)
    return tuple(np.quantile(means, [0.025, 0.975]))
""",
            r"draw the same songs for both systems",
        ),
        (
            """
def paired_interval(ours, theirs, rng, resamples=2000):
    differences = theirs - ours
    drawn = rng.integers(len(differences), size=(resamples, len(differences)))
    return tuple(np.quantile(differences[drawn].mean(axis=1), [0.025, 0.975]))
""",
            r"the sign is turned round",
        ),
        (
            """
def paired_interval(ours, theirs, rng, resamples=2000):
    return tuple(np.quantile(ours - theirs, [0.025, 0.975]))
""",
            r"average over as many songs as there are in each resample",
        ),
        (
            """
def paired_interval(ours, theirs, rng, resamples=2000):
    differences = ours - theirs
    drawn = rng.integers(len(differences), size=(resamples, len(differences)))
    return np.quantile(differences[drawn].mean(axis=1), [0.975, 0.025])
""",
            r"give the quantile 0.025 first",
        ),
    ],
    "best_real_masks": [
        (
            """
def best_real_masks(spectra):
    powers = np.abs(spectra) ** 2
    return powers / powers.sum(axis=0).clip(1e-12)
""",
            r"leaves a smaller error than your mask",
        ),
        (
            """
def best_real_masks(spectra):
    mixture = spectra.sum(axis=0)
    power = np.abs(mixture) ** 2
    return np.clip(np.where(power > 0, (spectra * mixture.conj()).real / np.where(power > 0, power, 1), 0), 0, 1)
""",
            r"leaves a smaller error than your mask",
        ),
        (
            """
def best_real_masks(spectra):
    mixture = spectra.sum(axis=0)
    return np.where(mixture != 0, spectra / np.where(mixture != 0, mixture, 1), 0)
""",
            r"must be real: take the real part",
        ),
        (
            """
def best_real_masks(spectra):
    mixture = spectra.sum(axis=0)
    return (spectra * mixture.conj()).real / np.abs(mixture) ** 2
""",
            r"divide only where its power is above 0",
        ),
    ],
    "data_set_mean": [
        (
            """
def data_set_mean(scores):
    return float(np.nanmean(scores))
""",
            r"songs with more sources weigh more",
        ),
        (
            """
def data_set_mean(scores):
    return float(np.nan_to_num(scores).mean())
""",
            r"silence was counted as 0 dB",
        ),
        (
            """
def data_set_mean(scores):
    return float(scores.mean(axis=1).mean())
""",
            r"silent sources \(NaN\) must be left out",
        ),
        (
            """
def data_set_mean(scores):
    return np.mean([song[~np.isnan(song)].sum() / max(1, (~np.isnan(song)).sum()) for song in scores])
""",
            r"a song in which all is silent was counted as 0 dB",
        ),
    ],
}

# Solutions that are the package's own functions, statement for statement.
PACKAGE = {"unmasked": "glowsep.systems.glow.separate"}
