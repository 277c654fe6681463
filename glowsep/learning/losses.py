"""How far one array is from another, each measure with its gradient.

`poisson` and `gaussian` say how well a sum of magnitudes explains a mixture's, as minus log-likelihoods.
`mean_absolute` and `mean_square` say how far estimated waveforms are from the true ones.
"""

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


def mean_absolute(target: np.ndarray, estimate: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""The mean absolute error ("L1") :math:`\frac1N \sum |\hat s - s|` and its gradient, the error's sign over N.

    An error counts as much as it is large, so a few large ones do not outweigh all others. Source: Défossez et al.
    2019, section 4.3.

    Parameters
    ----------
    target, estimate : arrays of the same shape

    Returns
    -------
    loss : array of no dimensions
    gradient : array of their shape
        With respect to ``estimate``; 0 where there is no error.

    Examples
    --------
    >>> loss, gradient = mean_absolute(np.array([0.0, 0.0]), np.array([3.0, -1.0]))
    >>> float(loss), gradient
    (2.0, array([ 0.5, -0.5]))
    """
    xp = array_module(estimate)
    error = _error(target, estimate)
    gradient = xp.sign(error)
    gradient /= error.size
    return xp.abs(error, out=error).mean(), gradient


def mean_square(target: np.ndarray, estimate: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""The mean square error :math:`\frac1N \sum (\hat s - s)^2` and its gradient, the error times 2/N.

    Arguments and results are those of `mean_absolute`. Source: Stoller et al. 2018, section 4.2.

    Examples
    --------
    >>> loss, gradient = mean_square(np.array([0.0, 0.0]), np.array([3.0, -1.0]))
    >>> float(loss), gradient
    (5.0, array([ 3., -1.]))
    """
    error = _error(target, estimate)
    return (error * error).mean(), error * (2 / error.size)


def _error(target, estimate):
    """The estimate minus the target, with the estimate's order in memory: it suits the layers that made it."""
    return array_module(estimate).subtract(estimate, target, out=array_module(estimate).empty_like(estimate))
