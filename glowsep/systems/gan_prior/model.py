"""SpecGAN and WaveGAN: a generator, from a latent vector to a second of sound, and the critic that it is trained by."""

from dataclasses import dataclass

import numpy as np

from glowsep.arrays.integers import require_whole
from glowsep.layers import (
    Chain,
    LeakyReLU,
    Linear,
    PhaseShuffle,
    ReLU,
    Reshape,
    StridedConvolution,
    Tanh,
    TransposedConvolution,
)


@dataclass(frozen=True)
class Form:
    """What a network works on: the axes of its arrays, and how a layer makes them longer or shorter.

    Attributes
    ----------
    smallest : tuple of int
        The lengths of the axes in the middle of the network.
    kernel, stride : tuple of int
        Of every convolution.
    shuffled : bool
        Whether the critic's layers shift their outputs at random, see `glowsep.layers.PhaseShuffle`.

    Examples
    --------
    >>> FORMS["spectrogram"].largest, FORMS["waveform"].largest
    ((128, 128), (16384,))
    """

    smallest: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    shuffled: bool

    @property
    def largest(self) -> tuple[int, ...]:
        """The lengths of the axes at the end of the network: those of an excerpt."""
        return tuple(n * s**LAYERS for n, s in zip(self.smallest, self.stride, strict=True))


#: Convolutions of a network; the channels double, or halve, from each to the next.
LAYERS = 5

#: SpecGAN's log-magnitudes (bins, frames), and WaveGAN's samples: the same networks, their two axes laid out as one.
FORMS = {
    "spectrogram": Form(smallest=(4, 4), kernel=(5, 5), stride=(2, 2), shuffled=False),
    "waveform": Form(smallest=(16,), kernel=(25,), stride=(4,), shuffled=True),
}


@dataclass(frozen=True)
class GANConfig:
    """The size of the networks, and what they hear. Saved in their file of weights.

    Attributes
    ----------
    form : {"spectrogram", "waveform"}
        SpecGAN or WaveGAN.
    channels : int
        At the network's wide end; 16 times as many in its middle. The published networks have 64.
    latent : int
        Dimensions of the latent vector.
    rate : int
        Hz. Everything else is resampled.
    window_length, hop : int
        Of the STFT, in samples.

    Raises
    ------
    ValueError
        If the form is unknown, a number is not a whole one or below 1, or the window of a spectrogram does not have as
        many bins as the generator makes.

    Examples
    --------
    >>> GANConfig.published().channels
    64
    """

    form: str = "spectrogram"
    channels: int = 8
    latent: int = 100
    rate: int = 16_000
    window_length: int = 256
    hop: int = 128

    def __post_init__(self):
        if self.form not in FORMS:
            raise ValueError(f"form is {self.form!r}, expected one of {', '.join(FORMS)}")
        require_whole(1, channels=self.channels, latent=self.latent, rate=self.rate)
        require_whole(1, window_length=self.window_length, hop=self.hop)
        if self.form == "spectrogram" and self.window_length // 2 != (bins := FORMS[self.form].largest[0]):
            raise ValueError(f"window_length is {self.window_length}, but must be {2 * bins}: {bins} bins are made")

    @classmethod
    def published(cls, form: str = "spectrogram") -> "GANConfig":
        """The size that was published: 19 million parameters for the generator, 17 million for the critic."""
        return cls(form, channels=64)

    @property
    def widths(self) -> list[int]:
        """The channels between the convolutions, from the wide end of the network to its middle: 1, d, 2 d, … 16 d."""
        return [1] + [self.channels * 2**layer for layer in range(LAYERS)]


def generator(config: GANConfig, rng: np.random.Generator, dtype: type[np.floating] = np.float32) -> Chain:
    r"""From a latent vector z (batch, latent) to an excerpt (batch, 1, …) in [-1, 1].

    A linear layer makes the smallest array. Then :data:`LAYERS` transposed convolutions, each with half as many
    channels as the one before, make every axis ``stride`` times as long; a ReLU is between any two, and tanh at the
    end. Source: Donahue et al. 2019, tables 4 (SpecGAN) and 2 (WaveGAN).

    Examples
    --------
    >>> import numpy as np
    >>> network = generator(GANConfig(channels=1), np.random.default_rng(0))
    >>> network.forward(np.zeros((2, 100), np.float32), []).shape
    (2, 1, 128, 128)
    """
    form, options = FORMS[config.form], {"rng": rng, "dtype": dtype}
    *widths, widest = config.widths
    layers = [
        Linear(config.latent, widest * int(np.prod(form.smallest)), **options),
        Reshape(widest, *form.smallest),
    ]
    inputs = widest
    for outputs in reversed(widths):
        layers += [
            ReLU(),
            TransposedConvolution(inputs, outputs, form.kernel, form.stride, padding="same", **options),
        ]
        inputs = outputs
    return Chain(*layers, Tanh())


def critic(config: GANConfig, rng: np.random.Generator, dtype: type[np.floating] = np.float32) -> Chain:
    r"""From an excerpt (batch, 1, …) to a score (batch, 1): high for what sounds like the recordings.

    The generator backwards: :data:`LAYERS` convolutions, each with twice as many channels as the one before, make every
    axis ``stride`` times shorter; a leaky ReLU follows each, and a linear layer makes one number of what is left. There
    is no normalisation: items must not know of each other, for the gradient penalty asks for the slope of each. Source:
    Donahue et al. 2019, tables 5 (SpecGAN) and 3 (WaveGAN); Gulrajani et al. 2017, section 4.

    Examples
    --------
    >>> import numpy as np
    >>> network = critic(GANConfig("waveform", channels=1), np.random.default_rng(0))
    >>> network.forward(np.zeros((2, 1, 16384), np.float32), []).shape
    (2, 1)
    """
    form, options = FORMS[config.form], {"rng": rng, "dtype": dtype}
    layers = []
    for inputs, outputs in zip(config.widths[:-1], config.widths[1:], strict=True):
        layers += [
            StridedConvolution(inputs, outputs, form.kernel, form.stride, padding="same", **options),
            LeakyReLU(0.2),
        ]
        if form.shuffled and outputs != config.widths[-1]:
            layers.append(PhaseShuffle(2))
    return Chain(*layers, Reshape(-1), Linear(config.widths[-1] * int(np.prod(form.smallest)), 1, **options))


def shuffled(network: Chain, batch: int, rng: np.random.Generator) -> Chain:
    """A critic whose phase shuffles have drawn their shifts for a batch: the same layers, with the same parameters."""
    return Chain(*(layer.drawn(batch, rng) if isinstance(layer, PhaseShuffle) else layer for layer in network.layers))
