"""How well a sum of magnitudes explains a mixture's: minus log-likelihoods, each with its gradient."""

import numpy as np

from glowsep.arrays.library import array_module

#: Of the order of one 16-bit step: keeps the logarithm and the quotient of a silent bin finite.
SILENCE = 1e-5


def poisson(mixture: np.ndarray, total: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Generalised Kullback-Leibler divergence of the mixture's magnitudes x from the generated sum m.

    .. math:: D(x, m) = \sum \Big( x \log\frac{x}{m} - x + m \Big), \qquad
              \frac{\partial D}{\partial m} = 1 - \frac{x}{m}

    Up to a constant it is minus the log-likelihood of x as Poisson counts of mean m: loud bins may err by more.
    Source: Lee & Seung 2001, section 2; Virtanen 2007, section II-A; Zhu et al. 2022, equation 4; chapters 3 and 12.

    Parameters
    ----------
    mixture, total : (bins, frames)
        Magnitudes, not negative.

    Returns
    -------
    divergence : array of no dimensions
    gradient : (bins, frames)
        With respect to ``total``.

    Examples
    --------
    >>> divergence, gradient = poisson(np.array([[1.0]]), np.array([[2.0]]))
    >>> round(float(gradient[0, 0]), 3)
    0.5
    """
    xp = array_module(mixture)
    x, m = mixture + SILENCE, total + SILENCE
    return (x * xp.log(x / m) - x + m).sum(), 1 - x / m


def gaussian(mixture: np.ndarray, total: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Half the squared error, :math:`\frac12 \sum (m - x)^2`, and its gradient: every bin may err by as much.

    Arguments and results are those of `poisson`. Source: Zhu et al. 2022, section III-B; chapter 12.

    Examples
    --------
    >>> divergence, gradient = gaussian(np.array([[1.0]]), np.array([[3.0]]))
    >>> float(divergence), float(gradient[0, 0])
    (2.0, 2.0)
    """
    error = total - mixture
    return 0.5 * (error * error).sum(), error
