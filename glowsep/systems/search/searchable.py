"""What a search asks of a prior."""

from __future__ import annotations

from typing import Protocol

import numpy as np


class SearchablePrior(Protocol):
    r"""A density of magnitude spectrograms, with a generator from latents to magnitudes.

    `LatentSearch` needs ``generate``, ``backward_generate`` and, if it has a ``sigma`` of its own, ``at``;
    `AnnealedSearch` needs ``compress``, ``expand``, ``latent_of`` and ``denoise``; `ConstrainedLatentSearch` needs the
    same, but ``energy_gradient`` instead of ``denoise``. All need what their start needs
    (:mod:`glowsep.systems.search.starts`). Arrays are on the prior's device, and so is what comes back.
    Source: chapter 12.

    Attributes
    ----------
    mean, variance : (bins,)
        Of each bin of the domain :math:`u` below, in solo recordings.
    dictionary : (bins, components)
        An NMF dictionary of magnitudes.
    """

    mean: np.ndarray
    variance: np.ndarray
    dictionary: np.ndarray

    # From latents to magnitudes

    def at(self, sigma: float) -> SearchablePrior:
        """This prior with the latents of the noise level ``sigma``: what the next four methods are about."""
        ...

    def latent_shape(self, frames: int) -> tuple[int, ...]:
        """The shape of the latent of a magnitude of ``frames`` frames."""
        ...

    def latent_of(self, magnitude: np.ndarray) -> np.ndarray:
        """The latent that generates a magnitude (bins, frames), or the nearest there is."""
        ...

    def generate(self, latent: np.ndarray, tape: list | None = None) -> np.ndarray:
        """The magnitude (bins, frames) of a latent; appends to ``tape`` what `backward_generate` needs."""
        ...

    def backward_generate(self, dmagnitude: np.ndarray, tape: list) -> np.ndarray:
        """The gradient with respect to the latent, from that with respect to the magnitude; pops from ``tape``."""
        ...

    # Between magnitudes and the domain u in which noise is added

    def compress(self, magnitude: np.ndarray) -> np.ndarray:
        """Magnitudes to u, element by element."""
        ...

    def expand(self, u: np.ndarray) -> np.ndarray:
        """u back to magnitudes."""
        ...

    def denoise(self, u: np.ndarray, sigma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        r""":math:`E[u_0 \mid u]` of noisy u (batch, bins, frames) at levels ``sigma`` (batch,), and its log-density.

        Returns (batch, bins, frames) and (batch,), in nats.
        """
        ...

    def energy_gradient(self, u: np.ndarray, sigma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        r"""The gradient with respect to u of the latent's energy :math:`\tfrac12 \lVert z \rVert^2`, and that energy.

        ``u`` (batch, bins, frames) is at levels ``sigma`` (batch,). Returns (batch, bins, frames) and (batch,).
        """
        ...
