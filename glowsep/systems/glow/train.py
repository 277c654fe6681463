"""Training a prior: maximum likelihood on solo recordings, by Adam."""

import dataclasses
import json
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tqdm import tqdm

from glowsep.arrays.devices import on_device_of
from glowsep.arrays.library import array_module
from glowsep.errors import PriorError
from glowsep.learning.adam import Adam
from glowsep.learning.clipping import clip_by_global_norm
from glowsep.learning.nmf import learn_dictionary
from glowsep.learning.schedules import WarmupCosine
from glowsep.learning.weights import load_arrays, save_arrays
from glowsep.systems.glow.model import standard_normal_log_prob
from glowsep.systems.glow.noise import add_noise, channels_outermost, dithered
from glowsep.systems.glow.prior import STATISTICS, log_volume


@dataclass(frozen=True)
class TrainingConfig:
    """How a prior is trained. Saved in its checkpoints and its weights file.

    Attributes
    ----------
    steps, batch, frames : int
        Adam's steps; spectrogram excerpts a step, and frames an excerpt.
    learning_rate, warmup, clip : float, int, float
        Highest learning rate, the steps until it is reached, and the gradients' largest global norm.
    gain_db, equaliser_db : float
        Augmentation: the standard deviation of a gain, and of a smooth filter curve, both in dB.
    validate_every : int
        Steps between validation losses (and checkpoints).
    seed : int
    """

    steps: int = 8000
    batch: int = 16
    frames: int = 64
    learning_rate: float = 1e-3
    warmup: int = 200
    clip: float = 1.0
    gain_db: float = 6.0
    equaliser_db: float = 4.0
    validate_every: int = 250
    seed: int = 0


@dataclass
class LearningCurve:
    """Negative log-likelihoods in nats per dimension: one training loss a step, one validation loss now and then."""

    training: list = field(default_factory=list)
    validation: list = field(default_factory=list)  # (step, loss) pairs
    seconds: float = 0.0


def fit(prior, solo, validation=None, config=None, checkpoint=None, progress=True):
    r"""Train ``prior`` in place to a small negative log-likelihood of noisy solo spectrograms.

    .. math:: -\frac{1}{BD} \sum_{b=1}^{B} \log p_{\sigma_b}(u_b + \sigma_b \varepsilon_b), \qquad
              \log \sigma_b \sim \mathcal{U}, \quad \varepsilon_b \sim \mathcal{N}(0, I)

    The randomness of step k is a function of (seed, k) alone. So a run that was killed, and resumed from its
    checkpoint, ends at the same weights to the last bit (on one CPU, with one number of threads).

    Parameters
    ----------
    prior : glowsep.Prior
    solo, validation : (samples,)
        Solo recordings at the prior's rate, one after the other (see ``without_silence``).
    config : TrainingConfig
    checkpoint : path, optional
        Written at every validation; read first where it exists.
    progress : bool
        Show a progress bar.

    Returns
    -------
    LearningCurve

    Raises
    ------
    ValueError
        Where the recordings are silent, or shorter than two excerpts (for validation: than one).
    PriorError
        Where the checkpoint is damaged, of another prior, or of another configuration.

    References
    ----------
    Zhu et al. 2022, section III; Song & Ermon 2019, section 4; chapter 10.
    """
    config = TrainingConfig() if config is None else config
    excerpt = excerpt_length(prior.config, config.frames)
    require_recordings("the recordings", solo, 2 * excerpt + 1)
    if validation is not None:
        require_recordings("the validation recordings", validation, excerpt + 1)
    parameters = prior.flow.parameters()
    adam, curve = Adam(parameters), LearningCurve()
    if checkpoint is not None and Path(checkpoint).exists():
        load_checkpoint(checkpoint, prior, adam, curve, config)
    else:
        measure(prior, solo, config)
    schedule = WarmupCosine(config.learning_rate, config.warmup, config.steps)
    bar = tqdm(total=config.steps, initial=adam.steps, desc=prior.name, disable=not progress, unit="step")
    started = time.monotonic() - curve.seconds
    while adam.steps < config.steps:
        step = adam.steps
        rng = np.random.default_rng([config.seed, step])
        loss = training_step(prior, adam, random_batch(prior, solo, config, rng), config, schedule(step), rng)
        curve.training.append(loss)
        if adam.steps % config.validate_every == 0 or adam.steps == config.steps:
            if validation is not None:
                curve.validation.append((adam.steps, validation_loss(prior, validation, config)))
            curve.seconds = time.monotonic() - started
            if checkpoint is not None:
                save_checkpoint(checkpoint, prior, adam, curve, config)
        bar.update()
        bar.set_postfix_str(f"{np.mean(curve.training[-100:]):.3f} nats/dim", refresh=False)
    bar.close()
    return curve


def training_step(prior, adam, u, config, learning_rate, rng):
    """One step of Adam on the excerpts u (batch, bins, frames): their loss in nats per dimension."""
    noise = on_device_of(random_noise_levels(prior.config, len(u), rng), u)
    noisy, condition = add_noise(u, noise, rng), prior.condition(noise)
    standard, deviation = prior.standardise(noisy, noise)
    z, logdet, kept = prior.flow.forward_keeping(standard, condition)
    log_prob = standard_normal_log_prob(z) + logdet - log_volume(u, deviation)
    dimensions = u.size  # of the whole batch: the loss is a mean over items and dimensions
    dlogdet = array_module(u).full(len(u), -1 / dimensions, u.dtype)
    prior.flow.backward(z / dimensions, dlogdet, z, condition, kept)
    gradients = prior.flow.gradients()
    clip_by_global_norm(gradients, config.clip)
    adam.step(gradients, learning_rate)
    return float(-log_prob.sum() / dimensions)


def measure(prior, solo, config, batches=40):
    """Set the prior's statistics: mean and variance of every bin as training hears them, and a dictionary."""
    first, second = 0, 0
    for number in range(batches):
        u = random_batch(prior, solo, config, np.random.default_rng([config.seed, 2**32 - 1, number]))
        first, second = first + u.mean(axis=(0, 2)) / batches, second + (u**2).mean(axis=(0, 2)) / batches
    prior.mean, prior.variance = first, second - first**2
    prior.dictionary = measure_dictionary(prior, solo, config)


def measure_dictionary(prior, solo, config, batches=160, every=4, iterations=60):
    """An NMF dictionary (bins, components) of frames from all over the recordings, each in its own colour."""
    plain, rng = dataclasses.replace(config, gain_db=0, equaliser_db=0), np.random.default_rng([config.seed, 2**32 - 2])
    # Only one frame in a few, for neighbours are alike: a dictionary learns more from more music.
    drawn = [random_batch(prior, solo, plain, rng)[:, :, ::every].swapaxes(0, 1) for _ in range(batches)]
    magnitudes = prior.expand(array_module(drawn[0]).concatenate(drawn, axis=1))
    frames = magnitudes.reshape(prior.config.glow.channels, -1)
    return learn_dictionary(frames, prior.config.components, iterations, rng)


def require_recordings(name, waveform, samples):
    """Refuse recordings (samples,) that are too short to draw excerpts from, or silent."""
    if len(waveform) < samples:
        raise ValueError(f"{name} have {len(waveform)} samples, but at least {samples} are wanted")
    if not waveform.any():
        raise ValueError(f"{name} are silent, but an instrument must be heard to be learnt")


# Batches


def random_batch(prior, solo, config, rng):
    """Random excerpts of the recordings (samples,), augmented: u (batch, bins, frames), where the prior lies.

    Channels outermost in memory.
    """
    length, edge = excerpt_length(prior.config, config.frames), edge_frames(prior.config)
    starts = rng.integers(0, len(solo) - length, config.batch)
    excerpts = on_device_of(np.stack([solo[start : start + length] for start in starts]), prior.mean)
    magnitude = prior.magnitudes(dithered(excerpts, rng))[:, :, edge : edge + config.frames]
    decibels = on_device_of(random_equalisers(config, magnitude.shape[1], rng), magnitude)
    return channels_outermost(prior.compress(magnitude * 10 ** (decibels[:, :, None] / 20)))


def edge_frames(config):
    """Frames at each edge of an excerpt whose windows reach beyond it: half a window, in hops.

    They are drawn and cut off. In the middle of a song no window is half empty, so a prior should not hear any.
    """
    return -(-config.window_length // (2 * config.hop))


def excerpt_length(config, frames):
    """Samples of which the STFT has ``frames`` frames between two edges."""
    return (frames + 2 * edge_frames(config) - 1) * config.hop


def random_equalisers(config, bins, rng, curves=6):
    r"""Smooth random filter curves in dB, (batch, bins): a random gain and ``curves`` cosines over log-frequency.

    A sound font, a microphone and a room colour an instrument: a prior that has heard one colour only mistrusts
    the same instrument in another.
    """
    position = np.log1p(np.arange(bins)) / np.log(bins)
    cosines = np.cos(np.pi * np.arange(1, curves + 1)[:, None] * position)
    weights = rng.standard_normal((config.batch, curves)) * config.equaliser_db * np.sqrt(2 / curves)
    gain = config.gain_db * rng.standard_normal((config.batch, 1))
    return (gain + weights @ cosines).astype(np.float32)


def random_noise_levels(config, count, rng):
    """Noise levels, uniform in their logarithm between the quietest and the loudest: (count,).

    One in each of ``count`` equal parts of the range: every batch hears all of it, and its loss scatters less.
    """
    position = (np.arange(count) + rng.random(count)) / count
    return (config.quietest ** (1 - position) * config.loudest**position).astype(np.float32)


def without_silence(waveform, rate, threshold_db=-60, longest=0.5):
    """The waveform (samples,) with every pause of more than ``longest`` seconds cut to that length.

    A pause is a run of blocks of 10 ms whose root mean square lies ``threshold_db`` under the whole waveform's peak.
    Half a second of each stays: how a note dies away belongs to the instrument.
    """
    block = rate // 100
    blocks = waveform[: len(waveform) // block * block].reshape(-1, block)
    silent = np.sqrt((blocks**2).mean(axis=1)) <= 10 ** (threshold_db / 20) * np.abs(waveform).max(initial=0)
    index = np.arange(len(blocks))
    since_sound = index - np.maximum.accumulate(np.where(silent, -1, index))
    return blocks[~silent | (since_sound * block <= longest * rate)].reshape(-1)


def validation_loss(prior, validation, config, batches=4):
    """The loss on fixed excerpts with fixed noise, without augmentation: nats per dimension."""
    plain = dataclasses.replace(config, gain_db=0, equaliser_db=0)
    losses = []
    for number in range(batches):
        rng = np.random.default_rng([2**32 - 1, number])
        u = random_batch(prior, validation, plain, rng)
        noise = on_device_of(random_noise_levels(prior.config, len(u), rng), u)
        losses.append(-prior.noisy_log_prob(add_noise(u, noise, rng), noise).mean() / u[0].size)
    return float(array_module(losses[0]).stack(losses).mean())


# Checkpoints


def save_checkpoint(path, prior, adam, curve, config):
    """Everything a killed run needs to go on as if nothing had happened."""
    header = {
        "prior": dataclasses.asdict(prior.config), "training": dataclasses.asdict(config), "name": prior.name,
        "curve": dataclasses.asdict(curve),
    }  # fmt: skip
    weights = prior.flow.parameters() | prior.flow.state() | prior.statistics()
    arrays = {f"flow.{name}": array for name, array in weights.items()}
    save_arrays(path, "checkpoint", header, arrays | {f"adam.{name}": array for name, array in adam.state().items()})


def load_checkpoint(path, prior, adam, curve, config):
    """Take prior, optimiser and curve back to where ``save_checkpoint`` left them.

    Raises
    ------
    PriorError
        Where the file is damaged, or was written by a run with another configuration.
    """
    header, arrays = load_arrays(path, "checkpoint")
    if header.get("name") != prior.name:
        raise PriorError(f"{path}: the checkpoint of {header.get('name')!r}, not of {prior.name!r}; name another file")
    wanted = {"prior": prior.config, "training": config}
    for key, value in wanted.items():
        if header.get(key) != json.loads(json.dumps(dataclasses.asdict(value))):
            raise PriorError(f"{path}: the checkpoint of another {key} configuration; remove it, or train as it says")
    weights = {name.removeprefix("flow."): a for name, a in arrays.items() if name.startswith("flow.")}
    for statistic in STATISTICS:
        setattr(prior, statistic, on_device_of(weights.pop(statistic), prior.mean))
    for name, live in prior.flow.parameters().items():
        live[...] = on_device_of(weights[name], live)  # into the arrays that the optimiser holds
    prior.flow.load(weights | prior.flow.parameters())
    moments = {name.removeprefix("adam."): a for name, a in arrays.items() if name.startswith("adam.")}
    adam.load_state({name: a if name == "steps" else on_device_of(a, prior.mean) for name, a in moments.items()})
    curve.training[:], curve.validation[:] = header["curve"]["training"], map(tuple, header["curve"]["validation"])
    curve.seconds = header["curve"]["seconds"]
