r"""The losses of a Wasserstein GAN: a critic and a generator, who want the opposite of each other."""

import numpy as np

from glowsep.arrays.library import array_module


def critic_loss(real: np.ndarray, generated: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    r"""What a critic minimises: the mean score of what is generated minus that of what is real.

    .. math:: L = \frac{1}{B}\sum_i D(\tilde x_i) - \frac{1}{B}\sum_i D(x_i)

    With slopes of at most 1, which the penalty in `glowsep.learning.gradient_penalty` asks for, −L is an estimate from
    below of the distance between the two distributions. Source: Arjovsky et al. 2017, section 3; Gulrajani et al. 2017,
    equation 3.

    Parameters
    ----------
    real, generated : (batch, 1)
        The critic's scores D.

    Returns
    -------
    loss : array of no dimensions
    dreal, dgenerated : (batch, 1)
        Its gradients.

    Examples
    --------
    >>> loss, dreal, dgenerated = critic_loss(np.array([[3.0], [1.0]]), np.array([[0.5], [0.5]]))
    >>> float(loss), dreal.ravel(), dgenerated.ravel()
    (-1.5, array([-0.5, -0.5]), array([0.5, 0.5]))
    """
    xp = array_module(real)
    dreal = xp.full_like(real, -1 / real.size)
    return generated.mean() - real.mean(), dreal, xp.full_like(generated, 1 / generated.size)


def generator_loss(generated: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""What a generator minimises: minus the mean score, :math:`L = -\frac{1}{B}\sum_i D(\tilde x_i)`.

    Source: Arjovsky et al. 2017, section 3.

    Parameters
    ----------
    generated : (batch, 1)
        The critic's scores.

    Returns
    -------
    loss : array of no dimensions
    dgenerated : (batch, 1)
        Its gradient: what goes back through the frozen critic, to the generator.

    Examples
    --------
    >>> loss, dgenerated = generator_loss(np.array([[1.0], [3.0]]))
    >>> float(loss), dgenerated.ravel()
    (-2.0, array([-0.5, -0.5]))
    """
    return -generated.mean(), array_module(generated).full_like(generated, -1 / generated.size)
