"""Adam, the optimiser (chapter 10).

It knows nothing of layers: it is given a dict of named arrays and moves them downhill in place. So the same class
trains a prior (the parameters of a ``Glow``) and searches its latents (``{"z": z}``, chapter 12).
"""

import math

import numpy as np

from glowsep.arrays.devices import on_device_of
from glowsep.arrays.library import array_module, fused


class Adam:
    r"""Adam: each number steps by its gradient's running mean over the root of its running square.

    With gradient :math:`g` at step :math:`t = 1, 2, \dots`:

    .. math::

        m &\leftarrow \beta_1 m + (1 - \beta_1) g, \qquad
        v \leftarrow \beta_2 v + (1 - \beta_2) g^2 \\
        \theta &\leftarrow \theta
            - \eta \, \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \epsilon}

    The divisions by :math:`1 - \beta^t` undo the bias of means that start at zero.

    Parameters
    ----------
    parameters : dict of str to array
        The live arrays (NumPy or CuPy); ``step`` changes them in place.
    learning_rate : float
        :math:`\eta`, unless ``step`` is given another.
    beta1, beta2 : float
        How slowly the running mean and the running square forget, in [0, 1).
    epsilon : float
        Keeps a parameter whose gradient was always zero from dividing by zero.

    Raises
    ------
    ValueError
        For a learning rate or epsilon below 0, or a beta outside [0, 1).

    Source: Kingma & Ba 2015, algorithm 1; chapter 10.

    Examples
    --------
    >>> x = np.array([3.0])
    >>> adam = Adam({"x": x}, learning_rate=0.1)
    >>> for _ in range(200):
    ...     adam.step({"x": 2 * x})  # the gradient of x ** 2
    >>> bool(abs(x[0]) < 0.1)
    True
    """

    def __init__(
        self,
        parameters: dict[str, np.ndarray],
        learning_rate: float = 1e-4,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
    ):
        for name, value in (("learning_rate", learning_rate), ("epsilon", epsilon)):
            if value < 0:
                raise ValueError(f"{name} is {value}, but must be at least 0")
        for name, value in (("beta1", beta1), ("beta2", beta2)):
            if not 0 <= value < 1:
                raise ValueError(f"{name} is {value}, but must lie in [0, 1)")
        self.parameters = dict(parameters)
        self.learning_rate = learning_rate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.steps = 0
        self.mean = {name: array_module(p).zeros_like(p) for name, p in self.parameters.items()}
        self.square = {name: array_module(p).zeros_like(p) for name, p in self.parameters.items()}

    def step(self, gradients: dict[str, np.ndarray], learning_rate: float | None = None) -> None:
        """Move every parameter one step downhill, in place.

        Parameters
        ----------
        gradients : dict of str to array
            The gradient of the loss with respect to every parameter, under the same names. They are left as they are.
        learning_rate : float, optional
            For this step only, as a schedule gives it; by default the optimiser's own.

        Raises
        ------
        ValueError
            If a gradient is missing, unknown, or not of its parameter's shape. Nothing has moved then.
        """
        self._require_matching(gradients)
        self.steps += 1
        rate = float(self.learning_rate if learning_rate is None else learning_rate)
        # Both divisions by 1 - beta^t as two numbers: the order of computation at the end of the paper's section 2.
        square_bias_root = math.sqrt(1 - self.beta2**self.steps)
        step_size = rate * square_bias_root / (1 - self.beta1**self.steps)
        epsilon = self.epsilon * square_bias_root
        for name, parameter in self.parameters.items():
            moments = self.mean[name], self.square[name]
            adam_update(parameter, gradients[name], *moments, self.beta1, self.beta2, step_size, epsilon)

    def state(self) -> dict[str, np.ndarray]:
        """Everything but the parameters that the next step depends on, as a flat dict of arrays.

        Returns
        -------
        dict of str to array
            ``"steps"`` and, for each parameter, ``"mean.<name>"`` and ``"square.<name>"``: copies, on the
            parameters' device. With these and the parameters themselves, a run continues bit for bit.
        """
        moments = {name: moment.copy() for name, moment in self._moments().items()}
        return {"steps": np.array(self.steps), **moments}

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        """Continue where ``state`` was taken.

        Parameters
        ----------
        state : dict of str to array
            As ``state()`` gave it; on any device, as a checkpoint gives it back in main memory.

        Raises
        ------
        ValueError
            If an array is missing, unknown, or of another shape or dtype. Nothing is loaded then.
        """
        moments = self._moments()
        different = sorted(state.keys() ^ {"steps", *moments})
        if different:
            raise ValueError(f"the state is of other parameters: {different[0]!r} is on one side only")
        for name, moment in moments.items():
            seen, expected = (f"{array.dtype} {array.shape}" for array in (state[name], moment))
            if seen != expected:
                raise ValueError(f"{name!r} in the state is {seen}, expected {expected}")
        self.steps = int(state["steps"])
        for name, moment in moments.items():
            moment[...] = on_device_of(state[name], moment)

    def _moments(self):
        """The live running means and squares under the names they are saved by."""
        return {
            **{f"mean.{name}": mean for name, mean in self.mean.items()},
            **{f"square.{name}": square for name, square in self.square.items()},
        }

    def _require_matching(self, gradients):
        if gradients.keys() != self.parameters.keys():
            different = sorted(gradients.keys() ^ self.parameters.keys())
            raise ValueError(f"the gradients are of other parameters: {different[0]!r} is on one side only")
        for name, parameter in self.parameters.items():
            shape = getattr(gradients[name], "shape", None)
            if shape != parameter.shape:
                raise ValueError(f"the gradient with respect to {name!r} is {shape}, but must be {parameter.shape}")


@fused
def adam_update(parameter, gradient, mean, square, beta1, beta2, step_size, epsilon):
    """Adam's three equations on arrays of one shape, in place (Kingma & Ba 2015, end of section 2).

    The divisions by 1 - beta^t are in ``step_size`` and ``epsilon``.
    """
    xp = array_module(parameter)
    mean += (1 - beta1) * (gradient - mean)
    square += (1 - beta2) * (gradient * gradient - square)
    parameter -= step_size * mean / (xp.sqrt(square) + epsilon)
