"""What a check has measured."""

from dataclasses import dataclass, field


@dataclass
class Report:
    """The worst relative error of each kind that ``layer`` measured, all of them within its tolerances.

    A plain layer has neither a round trip, nor a log-det, nor a gradient through an inverse: these stay 0.

    Examples
    --------
    >>> Report(input_gradient=1e-9, parameter_gradients={"W": 2e-9}).gradient
    2e-09
    """

    round_trip: float = 0.0
    logdet: float = 0.0
    input_gradient: float = 0.0
    inverse_gradient: float = 0.0
    parameter_gradients: dict = field(default_factory=dict)

    @property
    def gradient(self):
        """The worst of all gradients."""
        return max(self.input_gradient, self.inverse_gradient, *self.parameter_gradients.values())
