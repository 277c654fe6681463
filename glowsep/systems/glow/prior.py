"""A prior: what the magnitudes of one instrument look like, learnt from its solo recordings alone."""

from __future__ import annotations

import copy
import dataclasses
import os

import numpy as np

from glowsep.arrays.devices import to_device
from glowsep.arrays.integers import ceil_divide
from glowsep.arrays.library import array_module
from glowsep.errors import PriorError
from glowsep.learning.training import LearningCurve
from glowsep.learning.training_record import TrainingRecord
from glowsep.learning.weights import load_arrays, save_arrays
from glowsep.signals.phase import griffin_lim
from glowsep.signals.spectrogram import full_scale, number_of_frames, stft
from glowsep.systems.glow import train
from glowsep.systems.glow.config import NOISE_FEATURES, PriorConfig, read_config
from glowsep.systems.glow.fast.freeze import freeze
from glowsep.systems.glow.fast.fuse import fuse
from glowsep.systems.glow.fast.parallel import parallel
from glowsep.systems.glow.model import Glow
from glowsep.systems.glow.noise import add_noise, dithered, log_volume

#: What a prior measures in its recordings before it is trained: each bin's mean and variance, and an NMF dictionary.
STATISTICS = ("mean", "variance", "dictionary")


class Prior:
    r"""A Glow on the magnitude spectrograms of one instrument.

    The flow's domain is a compressed magnitude, :math:`u = c\, m^\alpha`, and the flow is trained on
    :math:`u + \sigma\varepsilon` for a whole range of noise levels :math:`\sigma`, which it is told: one network, a
    family of densities :math:`p_\sigma`, from nearly Gaussian to sharp. A search can walk down that family
    (:mod:`glowsep.systems.search`).

    Magnitudes are :math:`m = |X| / (\sum_n w_n / 2)`: a full-scale sine has magnitude 1. The Nyquist bin is left out:
    the flow sees ``window_length / 2`` bins.

    Sources: Zhu et al. 2022, section III-A (one Glow per instrument); Song & Ermon 2019, section 4 (noise levels);
    chapter 10.

    Parameters
    ----------
    name : str
        Of the instrument.
    config : PriorConfig
    rng : numpy.random.Generator, optional
        For the first weights.

    Examples
    --------
    >>> from glowsep.datasets.shipped import shipped
    >>> bass = Prior.load(shipped("priors") / "bass.npz")
    >>> bass.sample(0.5, np.random.default_rng(0), iterations=2).shape
    (11025,)
    """

    #: What its file of weights says that it holds.
    kind = "prior"

    def __init__(self, name: str, config: PriorConfig | None = None, rng: np.random.Generator | None = None):
        self.name = name
        self.config = PriorConfig() if config is None else config
        self.flow = parallel(fuse(Glow(self.config.glow, rng)))
        bins = self.config.glow.channels
        # These are on the device where the weights are too, and where everything is computed.
        self.mean, self.variance = np.zeros(bins, np.float32), np.ones(bins, np.float32)
        self.dictionary = np.full((bins, self.config.components), 1 / bins, np.float32)
        self.training = TrainingRecord()
        self.latent_sigma = self.config.sigma_min  # the noise level whose latents a latent search walks through

    # Between magnitudes and the flow's domain

    def magnitudes(self, waveform: np.ndarray) -> np.ndarray:
        """Magnitudes (..., bins, frames) of a waveform (..., samples) at the prior's rate; a full-scale sine has 1."""
        config = self.config
        spectrum = stft(waveform, config.window_length, config.hop)
        return array_module(waveform).abs(spectrum[..., :-1, :]) / full_scale(config.window_length)

    def compress(self, magnitude: np.ndarray) -> np.ndarray:
        r""":math:`u = c\, m^\alpha`."""
        return self.config.scale * magnitude**self.config.exponent

    def expand(self, u: np.ndarray) -> np.ndarray:
        """The magnitude that ``compress`` takes to u; what noise pushed below zero counts as silence."""
        return (array_module(u).maximum(u, 0) / self.config.scale) ** (1 / self.config.exponent)

    def expand_slope(self, u: np.ndarray) -> np.ndarray:
        r""":math:`\partial m / \partial u`, for the gradient through ``expand``."""
        relative = array_module(u).maximum(u, 0) / self.config.scale
        return relative ** (1 / self.config.exponent - 1) / (self.config.exponent * self.config.scale)

    # Densities

    def condition(self, sigma: np.ndarray) -> np.ndarray:
        r"""What the networks are told of the noise levels ``sigma`` (batch,): (batch, NOISE_FEATURES).

        :math:`\cos(\pi k \tau)` for k = 0, 1, ..., with :math:`\tau` = 0 at the lowest level, 1 at the highest,
        logarithmic between.
        """
        xp = array_module(sigma)
        lowest, highest = np.log(self.config.sigma_min), np.log(self.config.sigma_max)
        position = (xp.log(sigma) - lowest) / (highest - lowest)
        return xp.cos(np.pi * position[:, None] * xp.arange(NOISE_FEATURES)).astype(np.float32)

    def standardise(self, u: np.ndarray, sigma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        r"""Each bin of noisy u (batch, bins, frames) to mean 0 and variance 1, whatever its noise level.

        .. math:: \bar u = \frac{u - \mu}{d}, \qquad d = \sqrt{v + \sigma^2}

        with the mean :math:`\mu` and variance :math:`v` of the bin in solo recordings. So the flow starts from what an
        average spectrum knows, and learns the rest. Returns :math:`\bar u` and :math:`d` (batch, bins, 1).
        """
        deviation = self.deviation(sigma)
        return (u - self.mean[..., None]) / deviation, deviation

    def restore(self, standard: np.ndarray, sigma: np.ndarray) -> np.ndarray:
        """The u that ``standardise`` took to ``standard``."""
        return standard * self.deviation(sigma) + self.mean[..., None]

    def deviation(self, sigma: np.ndarray) -> np.ndarray:
        r"""Every bin's standard deviation :math:`\sqrt{v + \sigma^2}` at the noise levels: (batch, bins, 1)."""
        return array_module(sigma).sqrt(self.variance + sigma[:, None] ** 2)[:, :, None]

    def noisy_log_prob(self, u: np.ndarray, sigma: np.ndarray) -> np.ndarray:
        r""":math:`\log p_\sigma(u)` of noisy u (batch, bins, frames): (batch,), in nats."""
        standard, deviation = self.standardise(u, sigma)
        return self.flow.log_prob(standard, self.condition(sigma)) - log_volume(u, deviation)

    def score(self, u: np.ndarray, sigma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        r"""The score :math:`\nabla_u \log p_\sigma(u)` of noisy u (batch, bins, frames), and ``noisy_log_prob``."""
        standard, deviation = self.standardise(u, sigma)
        score, log_prob = self.flow.log_prob_gradient(standard, self.condition(sigma))
        return score / deviation, log_prob - log_volume(u, deviation)

    def denoise(self, u: np.ndarray, sigma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        r"""The mean of all clean spectrograms that the noisy u may come from.

        .. math:: E[u_0 \mid u] = u + \sigma^2 \nabla_u \log p_\sigma(u)

        Tweedie's formula (Efron 2011, equation 1.4): if you know the density of noisy data, you can remove the noise.
        Returns that mean (batch, bins, frames), and :math:`\log p_\sigma(u)` (batch,).
        """
        score, log_prob = self.score(u, sigma)
        return u + sigma[:, None, None] ** 2 * score, log_prob

    def energy_gradient(self, u: np.ndarray, sigma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        r"""The gradient :math:`J^\top z` of a latent's energy with respect to u (batch, bins, frames), and that energy.

        .. math:: E = \tfrac12 \lVert z \rVert^2, \qquad z = f_\sigma(u), \qquad dE = z^\top J\, du

        with the Jacobian :math:`J = \partial z / \partial u`. It is minus the score without the log-det's part: how
        unlikely the latent is, and not how far the flow stretches the space around it. The energy is (batch,), in nats.
        """
        standard, deviation = self.standardise(u, sigma)
        flow, condition, tape = self.flow.frozen(), self.condition(sigma), []
        z, logdet = flow.forward(standard, condition, tape)
        energy = 0.5 * (z * z).sum(axis=(1, 2))  # first: backward may compute in the memory of what it is given
        gradient, _ = flow.backward(z, array_module(z).zeros_like(logdet), z, condition, tape)
        return gradient / deviation, energy

    def log_prob(self, waveform: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
        r"""Log-density of the magnitudes of solo waveforms, in nats per dimension.

        .. math::

            \frac{1}{D} \Big( \log p_{\sigma}(u + \sigma\varepsilon)
                + \sum \log \Big|\frac{\partial u}{\partial m}\Big| \Big),
            \qquad \frac{\partial u}{\partial m} = c\, \alpha\, m^{\alpha - 1}

        at the lowest level :math:`\sigma`, whose noise is the dither that makes a density of digital audio finite.
        Counting the change of variables makes priors of different domains comparable (Theis et al. 2016, section 3.1).

        Parameters
        ----------
        waveform : (batch, samples)
            At the prior's rate.
        rng : numpy.random.Generator, optional
            For dither and noise; seed 0 if none is given.

        Returns
        -------
        (batch,) in nats per dimension
        """
        xp = array_module(waveform)
        rng = np.random.default_rng(0) if rng is None else rng
        # Silence is appended before the dither, not after it: a magnitude of exactly zero has no density.
        blocks = self.whole_frames(number_of_frames(waveform.shape[1], self.config.hop))
        missing = (blocks - 1) * self.config.hop - waveform.shape[1]
        magnitude = self.magnitudes(dithered(xp.pad(waveform, ((0, 0), (0, missing))), rng))
        u = self.compress(magnitude)
        sigma = xp.full(len(u), self.config.sigma_min, u.dtype)
        log_prob = self.noisy_log_prob(add_noise(u, sigma, rng), sigma)
        slope = self.config.scale * self.config.exponent * magnitude ** (self.config.exponent - 1)
        return (log_prob + xp.log(slope).sum(axis=(1, 2))) / u[0].size

    def whole_blocks(self, magnitude: np.ndarray) -> np.ndarray:
        """Magnitudes with silent frames appended, to a multiple of the flow's squeeze factor."""
        missing = self.whole_frames(magnitude.shape[-1]) - magnitude.shape[-1]
        widths = [(0, 0)] * (magnitude.ndim - 1) + [(0, missing)]
        return array_module(magnitude).pad(magnitude, widths)

    def whole_frames(self, frames: int) -> int:
        """The number of frames, raised to a multiple of the flow's squeeze factor."""
        return ceil_divide(frames, self.config.glow.squeeze) * self.config.glow.squeeze

    # Between latents and magnitudes, at one noise level: what the latent search walks through

    def at(self, sigma: float) -> Prior:
        r"""This prior with the latents of another noise level, :math:`z = f_\sigma(u)`; a view of the same weights.

        Raises
        ------
        ValueError
            If the prior has not been trained at that level.
        """
        if not self.config.sigma_min <= sigma <= self.config.sigma_max:
            trained = f"{self.config.sigma_min:g} to {self.config.sigma_max:g}"
            raise ValueError(f"sigma is {sigma:g}, but the prior {self.name!r} was trained at levels from {trained}")
        prior = copy.copy(self)
        prior.latent_sigma = sigma
        return prior

    def latent_shape(self, frames: int) -> tuple[int, int]:
        """The shape of the latent of a magnitude of ``frames`` frames."""
        factor = self.config.glow.squeeze
        return factor * self.config.glow.channels, frames // factor

    def generate(self, latent: np.ndarray, tape: list | None = None) -> np.ndarray:
        """The magnitude (bins, frames) that a latent stands for: flow inverse, bins' statistics, ``expand``.

        ``tape`` is a list to record for ``backward_generate``.
        """
        sigma = self.latent_levels(latent)
        standard = self.flow.inverse(latent[None], self.condition(sigma), tape)
        if tape is not None:
            tape.append(standard)
        return self.expand(self.restore(standard, sigma))[0]

    def backward_generate(self, dmagnitude: np.ndarray, tape: list) -> np.ndarray:
        """The gradient of a loss with respect to the latent, from that with respect to the magnitude."""
        standard = tape.pop()
        sigma = self.latent_levels(standard)
        u = self.restore(standard, sigma)
        dstandard = dmagnitude[None] * self.expand_slope(u) * self.deviation(sigma)
        return self.flow.backward_inverse(dstandard, standard, self.condition(sigma), tape)[0][0]

    def latent_of(self, magnitude: np.ndarray) -> np.ndarray:
        """The latent (squeeze · bins, frames / squeeze) that generates ``magnitude`` (bins, frames)."""
        sigma = self.latent_levels(magnitude)
        standard, _ = self.standardise(self.compress(magnitude)[None], sigma)
        return self.flow.forward(standard, self.condition(sigma))[0][0]

    def latent_levels(self, like: np.ndarray) -> np.ndarray:
        """The noise level of the latents, for a batch of one: (1,), on the device of ``like``."""
        return array_module(like).full(1, self.latent_sigma, np.float32)

    # Sampling

    def sample_magnitudes(
        self, batch: int, frames: int, rng: np.random.Generator, temperature: float = 0.7
    ) -> np.ndarray:
        """Draw magnitudes (batch, bins, frames) at the lowest noise level."""
        sigma = array_module(self.mean).full(batch, self.config.sigma_min, np.float32)
        standard = self.flow.sample(batch, self.whole_frames(frames), rng, temperature, self.condition(sigma))
        return self.expand(self.restore(standard, sigma))[:, :, :frames]

    def sample(
        self, seconds: float, rng: np.random.Generator, temperature: float = 0.7, iterations: int = 60
    ) -> np.ndarray:
        """Draw a waveform (samples,): magnitudes from the flow, phases by Griffin and Lim's iterations.

        Raises
        ------
        ValueError
            If ``seconds`` or ``temperature`` is not above 0.
        """
        for name, value in {"seconds": seconds, "temperature": temperature}.items():
            if not value > 0:
                raise ValueError(f"{name} is {value}, but must be above 0")
        config = self.config
        samples = int(np.ceil(seconds * config.rate))
        magnitude = self.sample_magnitudes(1, number_of_frames(samples, config.hop), rng, temperature)[0]
        with_nyquist = array_module(magnitude).pad(magnitude, ((0, 1), (0, 0))) * full_scale(config.window_length)
        waveform = griffin_lim(with_nyquist, iterations, rng, window_length=config.window_length, hop=config.hop)
        return waveform[:samples]

    # Files

    def save(self, path: str | os.PathLike, precision: type[np.floating] = np.float32) -> None:
        """Write configuration and weights to ``path`` (.npz), whole or not at all, in ``precision``.

        Raises
        ------
        PriorError
            If the folder is missing, not writable or full.
        """
        weights = {name: array.astype(precision) for name, array in self.flow.parameters().items()}
        header = {"name": self.name, "config": dataclasses.asdict(self.config)}
        header |= {"training": self.training.as_header()}
        save_arrays(path, self.kind, header, weights | self.flow.state() | self.statistics())

    def frozen(self) -> Prior:
        """This prior for a search, its flow frozen (``fast.freeze``): the same weights, which must not change.

        Raises
        ------
        ValueError
            If the prior is untrained.
        """
        prior = copy.copy(self)
        prior.flow = freeze(self.flow)
        return prior

    def to(self, device: str) -> Prior:
        """Move weights and statistics to ``device``, "cpu" or "cuda", and return this prior.

        Raises
        ------
        ValueError
            For another device, or if CuPy or an NVIDIA GPU is missing.
        """
        weights = self.flow.parameters() | self.flow.state()
        # Flags stay on the host: every step asks for them, and to ask a device is to wait for it.
        self.flow.load({name: a if a.dtype == bool else to_device(a, device) for name, a in weights.items()})
        for name, array in self.statistics().items():
            setattr(self, name, to_device(array, device))
        return self

    def fit(
        self,
        solo: np.ndarray,
        validation: np.ndarray | None = None,
        config: train.TrainingConfig | None = None,
        checkpoint: str | os.PathLike | None = None,
        progress: bool = True,
    ) -> LearningCurve:
        """Train this prior in place on solo recordings, see :func:`glowsep.systems.glow.train.fit`: a LearningCurve."""
        return train.fit(self, solo, validation, config, checkpoint, progress)

    def __repr__(self):
        config = self.config
        domain = f"{config.rate} Hz, window {config.window_length}, hop {config.hop}"
        trained = "" if self.flow.initialised else "untrained, "
        return f"{type(self).__name__}({self.name!r}, {trained}{domain}, {self.flow!r})"

    @property
    def parameter_count(self) -> int:
        """How many numbers it has learnt or measured: the flow's weights, and the statistics."""
        return sum(array.size for array in (self.flow.parameters() | self.statistics()).values())

    def statistics(self) -> dict[str, np.ndarray]:
        """What is measured rather than trained, by name, as the weights file holds it."""
        return {name: getattr(self, name) for name in STATISTICS}

    @classmethod
    def load(cls, path: str | os.PathLike) -> Prior:
        """The prior that ``save`` wrote to ``path``.

        Raises
        ------
        PriorError
            If the file is missing, damaged, of a newer format, holds a pickle, or does not describe a prior.
        """
        header, arrays = load_arrays(path, cls.kind)
        try:
            config = read_config(header["config"])
            prior = cls(header["name"], config)
            prior.training = TrainingRecord.from_header(header)
            weights = {n: a.astype(np.float32) if a.dtype.kind == "f" else a for n, a in arrays.items()}
            for statistic, own in prior.statistics().items():
                if weights[statistic].shape != own.shape:
                    raise ValueError(f"{statistic!r} is of {weights[statistic].shape}, not of {own.shape}")
                setattr(prior, statistic, weights.pop(statistic))
            prior.flow.load(weights)
        except (KeyError, TypeError, ValueError) as error:
            raise PriorError(f"{path}: does not describe a {cls.kind} ({error}); fetch or train it again") from None
        return prior
