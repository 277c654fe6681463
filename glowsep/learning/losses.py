"""How well a sum of magnitudes explains a mixture's: minus log-likelihoods, each with its gradient."""

from glowsep.arrays.library import array_module

#: Of the order of one 16-bit step: keeps the logarithm and the quotient of a silent bin finite.
SILENCE = 1e-5


def poisson(mixture, total):
    r"""Generalised Kullback-Leibler divergence of the mixture's magnitudes x from the generated sum m.

    .. math:: D(x, m) = \sum \Big( x \log\frac{x}{m} - x + m \Big), \qquad
              \frac{\partial D}{\partial m} = 1 - \frac{x}{m}

    Up to a constant it is minus the log-likelihood of x as Poisson counts of mean m: loud bins may err by more.

    Parameters
    ----------
    mixture, total : (bins, frames)
        Magnitudes, not negative.

    Returns
    -------
    divergence : array of no dimensions
    gradient : (bins, frames)
        By ``total``.

    References
    ----------
    Virtanen 2007, section II-A; Zhu et al. 2022, equation 4; chapter 12.
    """
    xp = array_module(mixture)
    x, m = mixture + SILENCE, total + SILENCE
    return (x * xp.log(x / m) - x + m).sum(), 1 - x / m


def gaussian(mixture, total):
    r"""Half the squared error, :math:`\frac12 \sum (m - x)^2`: every bin may err by as much. See ``poisson``."""
    error = total - mixture
    return 0.5 * (error * error).sum(), error
