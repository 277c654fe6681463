"""The average-spectrum mask: an equaliser for each instrument, the same in every frame; nothing is searched."""

from dataclasses import dataclass

import numpy as np

from glowsep.learning.weights import load_arrays, save_arrays
from glowsep.signals.masks import ratio_masks, share
from glowsep.signals.mid import mid_magnitude, places

KIND = "spectrum table"


@dataclass(frozen=True)
class AverageSpectrum:
    """Separates by each instrument's mean magnitude spectrum, ``mask_i = m_i^p / sum_j m_j^p`` in every frame.

    What a latent search must beat: its first step, from latents of zero, hardly knows more than this. Call it with a
    `glowsep.datasets.Track`. Chapter 13.

    Attributes
    ----------
    names : tuple of str
        The instruments.
    spectra : numpy.ndarray, (instruments, bins)
        Mean magnitudes.
    exponent : float
        p, of the masks.
    """

    names: tuple[str, ...]
    spectra: np.ndarray
    exponent: float

    @classmethod
    def fit(cls, solos, exponent=1.5):
        """Average the frames of each instrument.

        Parameters
        ----------
        solos : dict of str to numpy.ndarray, (bins, frames)
            Magnitudes of the instruments alone, as `glowsep.datasets.solos.solo_magnitudes` gives them.
        exponent : float
            p, of the masks; the default was the best on Freedoom-4's validation tracks.
        """
        return cls(tuple(solos), np.stack([frames.mean(axis=1) for frames in solos.values()]), exponent)

    def __call__(self, track):
        """Estimates (sources, channels, samples) of a track's sources, in their order, from its mixture alone."""
        magnitude = mid_magnitude(track.mixture, track.rate)
        return share(track.mixture, track.rate, self.masks(magnitude, list(track.sources)))

    def masks(self, magnitude, names):
        """Masks (sources, bins, frames) for a mixture's magnitude (bins, frames)."""
        spectra = self.spectra[places(names, self.names)]
        masks = ratio_masks(spectra[:, :, np.newaxis], self.exponent)
        return np.broadcast_to(masks, (len(names), *magnitude.shape))

    def save(self, path):
        """Write everything to one ``.npz`` file, whole or not at all."""
        save_arrays(path, KIND, {"names": self.names, "exponent": self.exponent}, {"spectra": self.spectra})

    @classmethod
    def load(cls, path):
        """Read what `save` wrote; raises `glowsep.errors.PriorError` for any other file."""
        header, arrays = load_arrays(path, KIND)
        return cls(tuple(header["names"]), arrays["spectra"], header["exponent"])
