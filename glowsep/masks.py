"""Chapter 1: masks, the share of each time-frequency bin that belongs to each source."""

from glowsep.backend import array_module


def ratio_masks(magnitudes, exponent=1.0):
    r"""Each source's share of every bin; exponent 1 shares by magnitude, exponent 2 by power (Wiener).

    .. math:: m_i = \frac{s_i^p}{\sum_j s_j^p}

    Parameters
    ----------
    magnitudes : array, (sources, bins, frames)
        Non-negative. Any axes may follow the first.
    exponent : float
        ``p``, above 0.

    Returns
    -------
    array of the shape and dtype of ``magnitudes``
        In [0, 1]; they add up to one in every bin. Where all magnitudes are zero the shares are equal.

    Raises
    ------
    ValueError
        Where the exponent is not above 0.

    Notes
    -----
    Chapter 1; Liutkus & Badeau 2015, "Generalized Wiener filtering with fractional power spectrograms".
    """
    if not exponent > 0:
        raise ValueError(f"exponent is {exponent}, but must be above 0")
    xp = array_module(magnitudes)
    loudest = magnitudes.max(axis=0)
    # Relative to the loudest source no power can overflow, and the sum is at least one.
    relative = xp.where(loudest > 0, magnitudes / xp.where(loudest > 0, loudest, 1), 1)
    powers = relative**exponent
    return powers / powers.sum(axis=0)


def apply_masks(masks, mixture_spectrum):
    """Estimates' spectra ``m_i X``, with the mixture's phase: they add up to the mixture.

    Parameters
    ----------
    masks : array, (sources, bins, frames)
    mixture_spectrum : array, (..., bins, frames), complex
        One per channel, for instance; all channels share the masks.

    Returns
    -------
    array, (sources, ..., bins, frames), complex
    """
    xp = array_module(masks)
    between = tuple(range(1, mixture_spectrum.ndim - 1))
    return xp.expand_dims(masks, between) * mixture_spectrum
