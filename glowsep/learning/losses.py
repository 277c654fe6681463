"""How well a sum of magnitudes explains a mixture's: minus log-likelihoods, each with its gradient."""

import numpy as np

from glowsep.arrays.library import array_module

#: Of the order of one 16-bit step: keeps the logarithm and the quotient of a silent bin finite.
SILENCE = 1e-5


def kullback_leibler(x: np.ndarray, m: np.ndarray) -> np.ndarray:
    r"""Generalised Kullback-Leibler divergence of x from m, an array of no dimensions.

    .. math:: D(x, m) = \sum \Big( x \log\frac{x}{m} - x + m \Big), \qquad 0 \log 0 = 0

    Up to a constant it is minus the log-likelihood of x as Poisson counts of mean m.
    Source: Lee & Seung 2001, section 2; chapter 3.

    Parameters
    ----------
    x, m : arrays of one shape
        Not negative; m above 0 wherever x is.

    Examples
    --------
    >>> float(kullback_leibler(np.array([2.0, 0.0]), np.array([2.0, 3.0])))
    3.0
    """
    xp = array_module(x)
    return (x * xp.log(xp.where(x > 0, x, 1) / xp.where(x > 0, m, 1)) - x + m).sum()


def poisson(mixture: np.ndarray, total: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""`kullback_leibler` of the mixture's magnitudes x from the generated sum m, ``SILENCE`` added to both.

    .. math:: \frac{\partial D}{\partial m} = 1 - \frac{x}{m}

    Loud bins may err by more than quiet ones. Source: Virtanen 2007, section II-A; Zhu et al. 2022, equation 4;
    chapter 12.

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
    x, m = mixture + SILENCE, total + SILENCE
    return kullback_leibler(x, m), 1 - x / m


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
