"""What a prior hears: its configuration, and how a file holds it."""

from dataclasses import dataclass, field

from glowsep.signals.mid import HOP, RATE, WINDOW_LENGTH
from glowsep.signals.spectrogram import require_window
from glowsep.systems.glow.model import GlowConfig

#: The number of cosines that tell the network its noise level.
NOISE_FEATURES = 8


@dataclass(frozen=True)
class PriorConfig:
    """What a prior hears. Saved in its weights file.

    Attributes
    ----------
    rate : int
        Hz. Everything else is resampled.
    window_length, hop : int
        Of the STFT, in samples: an even window, and a hop that divides it, at most a half of it.
    exponent, scale : float
        The flow's domain: u = scale · magnitude ** exponent.
    sigma_min, sigma_max : float
        The range of noise levels, standard deviations in the flow's domain.
    components : int
        Spectra in the dictionary that a search starts from.
    glow : GlowConfig
        Its channels are the bins, ``window_length / 2``.

    Raises
    ------
    ValueError
        If the window is odd, or the hop no half, third, quarter ... of it.

    Examples
    --------
    >>> PriorConfig().window_length, PriorConfig().glow.channels
    (4096, 2048)
    """

    rate: int = RATE
    window_length: int = WINDOW_LENGTH
    hop: int = HOP
    exponent: float = 0.5
    scale: float = 10.0
    sigma_min: float = 0.03
    sigma_max: float = 0.5
    components: int = 16
    glow: GlowConfig = field(
        default_factory=lambda: GlowConfig(
            channels=WINDOW_LENGTH // 2, squeeze=1, steps=8, condition_channels=NOISE_FEATURES
        )
    )

    def __post_init__(self):
        require_window(self.window_length, self.hop)


def read_config(saved: dict) -> PriorConfig:
    """The PriorConfig that a file of weights holds as a dict, older files included."""
    renamed = {"quietest": "sigma_min", "loudest": "sigma_max"}  # in files written before version 0.2
    fields = {renamed.get(name, name): value for name, value in saved.items()}
    return PriorConfig(**fields | {"glow": GlowConfig(**fields["glow"])})
