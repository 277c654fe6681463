"""Adam, clipping by the global norm, and learning rates that change with the step (chapter 10).

The optimiser knows nothing of layers: it is given a dict of named arrays and walks them downhill in place.
So the same class trains a prior (the parameters of a ``Glow``) and searches its latents (``{"z": z}``,
chapter 12).
"""

import math

from glowsep.arrays.library import array_module


def clip_by_global_norm(gradients, maximum):
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
        When ``maximum`` is not above 0.

    References
    ----------
    Pascanu, Mikolov & Bengio 2013, algorithm 1, in the convention of PyTorch's ``clip_grad_norm_``;
    chapter 10.
    """
    if not maximum > 0:
        raise ValueError(f"maximum is {maximum}, but must be above 0")
    # Summed where the arrays are: one transfer for all of them when they lie on a GPU.
    norm = math.sqrt(float(sum(array_module(g).vdot(g, g) for g in gradients.values())))
    factor = maximum / (norm + 1e-6)
    if math.isfinite(norm) and factor < 1:
        for gradient in gradients.values():
            gradient *= factor
    return norm
