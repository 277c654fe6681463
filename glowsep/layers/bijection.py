"""What every bijection of the flow promises: the same four methods, and a log-determinant."""

from __future__ import annotations

import numpy as np

from glowsep.layers.parameters import Parameters


class Bijection(Parameters):
    r"""An invertible map :math:`z = f(x)` whose log-determinant is known (chapter 4).

    Subclasses write four methods, none with a flag and none keeping anything between calls:

    ==========================================  ==============================================================
    ``forward(x) -> z, logdet``                 data to latent; :math:`\log|\det \partial z/\partial x|`, (batch,)
    ``inverse(z) -> x``                         latent to data
    ``backward(dz, dlogdet, z) -> dx, x``       gradients through ``forward``; sets the parameters' gradients
    ``backward_inverse(dx, x) -> dz, z``        gradient through ``inverse``; the parameters are frozen
    ==========================================  ==============================================================

    All arrays are (batch, channels, frames), log-dets are sums over an item's dimensions in nats, and every method
    takes two more arguments. ``condition`` (batch, condition_channels) is for conditional layers; the others ignore it.
    ``tape`` is a list, and optional: a bijection can rebuild its input from its output, so memory does not have to grow
    with depth. Given a tape, ``forward`` and ``inverse`` append what is expensive to compute again, and ``backward``
    and ``backward_inverse`` pop it: faster, in more memory. What is on a tape may share memory with z and x; leave
    those as they are until it has been popped.

    Source: Kingma & Dhariwal 2018 ("Glow"), section 2; rebuilding inputs: Gomez et al. 2017 ("RevNet"); chapters 4 and
    5.

    Examples
    --------
    >>> class Double(Bijection):
    ...     def forward(self, x, condition=None, tape=None):
    ...         return 2 * x, np.full(len(x), np.log(2) * x[0].size)
    >>> Double().forward(np.ones((1, 2, 3)))[1].round(2)  # 6 log 2
    array([4.16])
    """

    def forward(
        self, x: np.ndarray, condition: np.ndarray | None = None, tape: list | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """z and the log-det, (batch,), in nats."""
        raise NotImplementedError(f"{type(self).__name__} has no forward of its own yet")

    def inverse(self, z: np.ndarray, condition: np.ndarray | None = None, tape: list | None = None) -> np.ndarray:
        """The x that ``forward`` takes to z."""
        raise NotImplementedError(f"{type(self).__name__} has no inverse of its own yet")

    def backward(
        self,
        dz: np.ndarray,
        dlogdet: np.ndarray,
        z: np.ndarray,
        condition: np.ndarray | None = None,
        tape: list | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """The gradient with respect to x, from those with respect to z and the log-det; and x, rebuilt from z."""
        raise NotImplementedError(f"{type(self).__name__} has no backward of its own yet")

    def backward_inverse(
        self, dx: np.ndarray, x: np.ndarray, condition: np.ndarray | None = None, tape: list | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The gradient with respect to z, from that with respect to x; and z, rebuilt from x."""
        raise NotImplementedError(f"{type(self).__name__} has no backward_inverse of its own yet")
