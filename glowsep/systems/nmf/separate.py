"""Poisson NMF: every instrument has a dictionary of spectra, and a sound is a non-negative mixture of them."""

from dataclasses import dataclass

import numpy as np

from glowsep.learning.nmf import activations, learn_dictionary
from glowsep.learning.weights import load_arrays, save_arrays
from glowsep.signals.masks import ratio_masks, share
from glowsep.signals.mid import mid_magnitude, places

KIND = "dictionary set"


@dataclass(frozen=True)
class PoissonNMF:
    """Separates by dictionaries of spectra learnt from each instrument alone.

    The magnitudes are taken for Poisson counts with mean ``W H``: dictionary times activations. Dictionaries are
    learnt on solo recordings; in a mixture all of them together explain ``V ~ [W_1 W_2 ...] H``, and the mask of a
    source is its part's share, ``(W_i H_i)^p / sum_j (W_j H_j)^p``. Call it with a `glowsep.datasets.Track`.

    Attributes
    ----------
    names : tuple of str
        The instruments.
    dictionaries : numpy.ndarray, (instruments, bins, components)
        Each component sums to one over the bins.
    iterations : int
        Of the activations' updates on a mixture.
    exponent : float
        p, of the masks.

    Notes
    -----
    Source: Lee & Seung 2001 (the updates); Smaragdis, Raj & Shashanka 2007 (dictionaries of solo recordings);
    chapter 3.
    """

    names: tuple[str, ...]
    dictionaries: np.ndarray
    iterations: int
    exponent: float

    @classmethod
    def fit(cls, solos, rng, components=32, learning_iterations=60, iterations=30, exponent=1.5):
        """Learn a dictionary for each instrument.

        The defaults were the best on Freedoom-4's validation tracks. Few iterations on the mixture are better than
        many: with time the dictionaries learn to explain each other's instruments.

        Parameters
        ----------
        solos : dict of str to numpy.ndarray, (bins, frames)
            Magnitudes of the instruments alone, as `glowsep.datasets.solos.solo_magnitudes` gives them.
        rng : numpy.random.Generator
            Draws the first dictionaries and activations.
        components : int
            Spectra in a dictionary.
        learning_iterations : int
            Of dictionary and activations together, on the solo recordings.
        iterations, exponent
            See the attributes.
        """
        dictionaries = [learn_dictionary(V, components, learning_iterations, rng) for V in solos.values()]
        return cls(tuple(solos), np.stack(dictionaries), iterations, exponent)

    def __call__(self, track):
        """Estimates (sources, channels, samples) of a track's sources, in their order, from its mixture alone."""
        magnitude = mid_magnitude(track.mixture, track.rate)
        return share(track.mixture, track.rate, self.masks(magnitude, list(track.sources)))

    def masks(self, magnitude, names):
        """Masks (sources, bins, frames) for a mixture's magnitude (bins, frames)."""
        dictionaries = self.dictionaries[places(names, self.names)].astype(magnitude.dtype)
        H = activations(magnitude, np.concatenate(dictionaries, axis=1), self.iterations)
        parts = np.split(H, len(names))
        return ratio_masks(np.stack([W @ H for W, H in zip(dictionaries, parts, strict=True)]), self.exponent)

    def save(self, path):
        """Write everything to one ``.npz`` file, whole or not at all."""
        header = {"names": self.names, "iterations": self.iterations, "exponent": self.exponent}
        save_arrays(path, KIND, header, {"dictionaries": self.dictionaries})

    @classmethod
    def load(cls, path):
        """Read what `save` wrote; raises `glowsep.errors.PriorError` for any other file."""
        header, arrays = load_arrays(path, KIND)
        return cls(tuple(header["names"]), arrays["dictionaries"], header["iterations"], header["exponent"])
