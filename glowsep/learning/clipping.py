"""Gradient clipping by the global norm (chapter 10)."""

import math

import numpy as np

from glowsep.arrays.library import array_module


def clip_by_global_norm(gradients: dict[str, np.ndarray], maximum: float) -> float:
    r"""Scale all gradients together, in place, so that their joint length is at most ``maximum``.

    .. math::

        n = \sqrt{\sum_i \lVert g_i \rVert^2}, \qquad
        g_i \leftarrow g_i \, \min\left(1, \frac{\textit{maximum}}{n + 10^{-6}}\right)

    One factor for all keeps the direction of the step; only its length is limited. A norm that is not finite
    is returned and scales nothing, so the caller can refuse the step.

    Parameters
    ----------
    gradients : dict of str to array
    maximum : float
        Above 0.

    Returns
    -------
    float
        The norm before clipping.

    Raises
    ------
    ValueError
        If ``maximum`` is not above 0.

    Examples
    --------
    >>> gradients = {"W": np.array([3.0]), "b": np.array([4.0])}
    >>> clip_by_global_norm(gradients, 1.0), gradients["W"].round(3)
    (5.0, array([0.6]))

    Source: Pascanu, Mikolov & Bengio 2013, algorithm 1, in the convention of PyTorch's ``clip_grad_norm_``; chapter 10.
    """
    if not maximum > 0:
        raise ValueError(f"maximum is {maximum}, but must be above 0")
    # Summed where the arrays are: one transfer for all of them if they are on a GPU.
    norm = math.sqrt(float(sum(array_module(g).vdot(g, g) for g in gradients.values())))
    factor = maximum / (norm + 1e-6)
    if math.isfinite(norm) and factor < 1:
        for gradient in gradients.values():
            gradient *= factor
    return norm
