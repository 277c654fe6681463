"""What a prior hears: its configuration, and how a file holds it."""

from dataclasses import dataclass, field

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
        Of the STFT, in samples.
    exponent, scale : float
        The flow's domain: u = scale · magnitude ** exponent.
    sigma_min, sigma_max : float
        The range of noise levels, standard deviations in the flow's domain.
    components : int
        Spectra in the dictionary that a search starts from.
    glow : GlowConfig

    Examples
    --------
    >>> PriorConfig().window_length
    1024
    """

    rate: int = 22050
    window_length: int = 1024
    hop: int = 256
    exponent: float = 0.5
    scale: float = 10.0
    sigma_min: float = 0.03
    sigma_max: float = 0.5
    components: int = 16
    glow: GlowConfig = field(
        default_factory=lambda: GlowConfig(channels=512, steps=8, condition_channels=NOISE_FEATURES)
    )


def read_config(saved: dict) -> PriorConfig:
    """The PriorConfig that a file of weights holds as a dict, older files included."""
    renamed = {"quietest": "sigma_min", "loudest": "sigma_max"}  # in files written before version 0.2
    fields = {renamed.get(name, name): value for name, value in saved.items()}
    return PriorConfig(**fields | {"glow": GlowConfig(**fields["glow"])})
