"""One instrument's generator, and what it hears: all that a separation needs of a training."""

from __future__ import annotations

import dataclasses
import os

import numpy as np

from glowsep.arrays.devices import on_device_of, to_device
from glowsep.arrays.integers import ceil_divide
from glowsep.arrays.library import array_module
from glowsep.errors import PriorError
from glowsep.layers import Chain
from glowsep.learning.training_record import TrainingRecord
from glowsep.learning.weights import load_arrays, save_arrays
from glowsep.signals.phase import griffin_lim
from glowsep.signals.spectrogram import stft
from glowsep.systems.gan_prior.model import FORMS, GANConfig, generator
from glowsep.systems.gan_prior.spectra import LogMagnitudes, WaveformSpectra

KIND = "GAN prior"


class GAN:
    r"""The generator of one instrument, :math:`x = G(z)`, with what leads from x to spectra.

    A spectrogram is 128 frames long and a waveform 16,384 samples, which are the same second (1.024 s at 16 kHz).
    Source: Donahue et al. 2019, sections 3.1 and 3.2.

    Parameters
    ----------
    name : str
        Of the instrument.
    config : GANConfig
    rng : numpy.random.Generator, optional
        For the first weights.

    Attributes
    ----------
    generator : glowsep.layers.Chain
        From z (batch, latent) to x (batch, 1, …).
    spectra : glowsep.layers.Parameters
        From x to spectra (batch, components, bins, frames): magnitudes, or the real and the imaginary part.
    training : glowsep.learning.training_record.TrainingRecord
        The hours of audio and the core-minutes that its training took.

    Examples
    --------
    >>> gan = GAN("bass", GANConfig(channels=1))
    >>> gan.sample(0.5, np.random.default_rng(0), iterations=2).shape
    (8000,)
    """

    def __init__(self, name: str, config: GANConfig | None = None, rng: np.random.Generator | None = None):
        self.name, self.config = name, GANConfig() if config is None else config
        self.generator = generator(self.config, np.random.default_rng(0) if rng is None else rng)
        if self.config.form == "spectrogram":
            bins = self.bins
            self.spectra = LogMagnitudes(np.zeros(bins, np.float32), np.ones(bins, np.float32))
        else:
            self.spectra = WaveformSpectra(self.config.window_length, self.config.hop)

        self.training = TrainingRecord()

    @property
    def parameter_count(self) -> int:
        """Numbers that were learnt, or measured in the recordings; without the critic, which only training needs."""
        return sum(array.size for array in self.weights().values())

    @property
    def rate(self) -> int:
        """The rate of all that it hears and makes, in Hz."""
        return self.config.rate

    @property
    def bins(self) -> int:
        """Bins of its spectra: the Nyquist bin is left out."""
        return self.config.window_length // 2

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of an excerpt: its one channel, and the axes of the generator's form."""
        return (1, *FORMS[self.config.form].largest)

    @property
    def frames(self) -> int:
        """Frames of an excerpt's spectrum."""
        return self.shape[-1] if self.config.form == "spectrogram" else self.shape[-1] // self.config.hop

    # From recordings to what the generator makes

    @property
    def excerpt_length(self) -> int:
        """Samples of a recording that `encode` needs; at its edges a spectrogram leaves out windows that are cut."""
        if self.config.form == "waveform":
            return self.frames * self.config.hop
        return (self.frames - 1) * self.config.hop + self.config.window_length

    def magnitudes(self, waveforms: np.ndarray) -> np.ndarray:
        """Magnitudes (batch, bins, frames) of excerpts (batch, excerpt_length), from windows that lie inside them."""
        config = self.config
        before = config.window_length // (2 * config.hop)
        spectrum = stft(waveforms, config.window_length, config.hop)[:, :-1, before : before + self.frames]
        return array_module(waveforms).abs(spectrum)

    def encode(self, waveforms: np.ndarray) -> np.ndarray:
        """x (batch, 1, …) of excerpts of recordings (batch, excerpt_length)."""
        if self.config.form == "waveform":
            return waveforms[:, None]
        return self.spectra.encode(self.magnitudes(waveforms))[:, None]

    # What a search walks through

    def frozen(self) -> Chain:
        """From latents (batch, latent) to spectra (batch, components, bins, frames), for a search."""
        return Chain(self.generator, self.spectra).frozen()

    # Sampling

    def latents(self, batch: int, rng: np.random.Generator, scale: float = 1.0) -> np.ndarray:
        """Random latents (batch, latent), uniform from -scale to scale, where the weights are."""
        z = rng.uniform(-scale, scale, (batch, self.config.latent)).astype(np.float32)
        return on_device_of(z, next(iter(self.generator.parameters().values())))

    def sample_spectra(self, batch: int, rng: np.random.Generator, temperature: float = 1.0) -> np.ndarray:
        """Draw spectra (batch, components, bins, frames)."""
        return self.frozen().forward(self.latents(batch, rng, temperature), [])

    def sample(
        self, seconds: float, rng: np.random.Generator, temperature: float = 1.0, iterations: int = 60
    ) -> np.ndarray:
        """Draw a waveform (samples,): as many excerpts as it takes, one after the other.

        A spectrogram has no phases: those are found by Griffin and Lim's iterations.

        Raises
        ------
        ValueError
            If ``seconds`` or ``temperature`` is not above 0.
        """
        for name, value in {"seconds": seconds, "temperature": temperature}.items():
            if not value > 0:
                raise ValueError(f"{name} is {value}, but must be above 0")
        config, samples = self.config, int(np.ceil(seconds * self.rate))
        batch = ceil_divide(samples, self.frames * config.hop)
        if config.form == "waveform":
            return self.generator.frozen().forward(self.latents(batch, rng, temperature), []).reshape(-1)[:samples]
        blocks = self.sample_spectra(batch, rng, temperature)[:, 0]
        magnitude = one_after_another(blocks)
        with_nyquist = array_module(magnitude).pad(magnitude, ((0, 1), (0, 1)))
        return griffin_lim(with_nyquist, iterations, rng, window_length=config.window_length, hop=config.hop)[:samples]

    # Files

    def weights(self) -> dict[str, np.ndarray]:
        """The generator's parameters and the statistics of what it hears, by name."""
        return self.generator.parameters() | self.spectra.state()

    def to(self, device: str) -> GAN:
        """Move all weights to ``device``, "cpu" or "cuda", and return this GAN.

        Raises
        ------
        ValueError
            For another device, or if CuPy or an NVIDIA GPU is missing.
        """
        for part in (self.generator, self.spectra):
            part.load({name: to_device(array, device) for name, array in (part.parameters() | part.state()).items()})
        return self

    def save(self, path: str | os.PathLike, precision: type[np.floating] = np.float32) -> None:
        """Write configuration and weights to ``path`` (.npz), whole or not at all; the weights in ``precision``.

        Raises
        ------
        PriorError
            If the folder is missing, not writable or full.
        """
        weights = {name: array.astype(precision) for name, array in self.generator.parameters().items()}
        header = {"name": self.name, "config": dataclasses.asdict(self.config), "training": self.training.as_header()}
        save_arrays(path, KIND, header, weights | self.spectra.state())

    @classmethod
    def load(cls, path: str | os.PathLike) -> GAN:
        """The GAN that ``save`` wrote to ``path``.

        Raises
        ------
        PriorError
            If the file is missing, damaged, of a newer format, holds a pickle, or holds something else.
        """
        header, arrays = load_arrays(path, KIND)
        try:
            gan = cls(header["name"], GANConfig(**header["config"]))
            weights = {name: array.astype(np.float32) for name, array in arrays.items()}
            gan.spectra.load({name: weights.pop(name) for name in gan.spectra.state()})
            gan.generator.load(weights)
            gan.training = TrainingRecord.from_header(header)
        except (KeyError, TypeError, ValueError) as error:
            raise PriorError(f"{path}: does not describe a GAN prior ({error}); train it again") from None
        return gan

    def __repr__(self) -> str:
        return f"GAN({self.name!r}, {self.config.form}, {self.rate} Hz, generator {self.generator!r})"


def one_after_another(blocks: np.ndarray) -> np.ndarray:
    """Blocks (blocks, …, frames), one after the other in time: (…, blocks · frames)."""
    xp = array_module(blocks)
    return xp.moveaxis(blocks, 0, -2).reshape(*blocks.shape[1:-1], -1)
