r"""How well generated sources explain a mixture: four losses on logarithms of spectra, and their gradient.

Of a spectrum S the losses see :math:`L = \log(1 + |S|^2)`, at three resolutions: the second and the third are means
over squares of 2×2 and 4×4 bins and frames. x is the mixture, :math:`s_i` are the sources, and m is their sum.

==================  ======  =========================================================================================
frequency           0.8     the sum over frames of :math:`\sum_f \log(1 + |X_{ft}|) / \sum_f \log(1 + |M_{ft}|)`
multi-resolution    0.3     the sum over all resolutions, bins and frames of :math:`|L_x - L_m|`
exclusion           0.4     the mean `overlap` of the edges of any two sources
inclusion           0.1     minus the overlap of the edges of x and m
==================  ======  =========================================================================================

The first falls as the sum gets louder, without an end; the second, which weighs far more, holds it. Source:
Narayanaswamy et al. 2020, section 3.2, and the code that was released with it (the weights, and the form of every loss
for a batch of one; it also brings every generated source to one peak, where here the mixture is brought to one level);
Zhang et al. 2018 (exclusion of edges).
"""

import itertools
from dataclasses import dataclass

import numpy as np

from glowsep.arrays.library import array_module

WEIGHTS = {"frequency": 0.8, "multi-resolution": 0.3, "exclusion": 0.4, "inclusion": 0.1}

#: Resolutions of a spectrum, each half of the one before.
LEVELS = 3

#: Keeps roots and quotients of silence finite.
TINY = 1e-12
#: What a bin adds to its frame's loudness at least, as in the released code.
QUIET = 1e-6


class SeparationLoss:
    """The four losses of sources against one mixture.

    Parameters
    ----------
    mixture : (blocks, components, bins, frames)
        Its spectrum; components are one, a magnitude, or two, the real and the imaginary part. The number of bins and
        of frames is a multiple of 4.
    weights : dict of str to float
        By loss, as in `WEIGHTS`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> sources = rng.random((2, 1, 1, 8, 8))
    >>> terms, gradient = SeparationLoss(sources.sum(axis=0))(sources)
    >>> terms["frequency"].round(6), terms["multi-resolution"], gradient.shape
    (array([8.]), array([0.]), (2, 1, 1, 8, 8))
    """

    def __init__(self, mixture: np.ndarray, weights: dict[str, float] = WEIGHTS):
        self.weights = weights
        self.pyramid = pyramid(log_power(mixture))
        self.edges = edges(self.pyramid)
        self.loudness = loudness(magnitude(mixture))

    def __call__(self, sources: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """The losses of every block, and the gradient of their weighted sum over all blocks.

        Parameters
        ----------
        sources : (sources, blocks, components, bins, frames)

        Returns
        -------
        terms : dict of str to (blocks,)
            Before they are weighted.
        gradient : of the sources' shape
        """
        xp = array_module(sources)
        total = sources.sum(axis=0)
        own = pyramid(log_power(sources))
        of_total = pyramid(log_power(total))
        terms, dtotal, dsources = {}, [xp.zeros_like(level) for level in of_total], [xp.zeros_like(s) for s in own]

        terms["frequency"], dmagnitude = self._frequency(magnitude(total))
        terms["multi-resolution"] = 0
        for level, (x, m) in enumerate(zip(self.pyramid, of_total, strict=True)):
            terms["multi-resolution"] = terms["multi-resolution"] + abs(m - x).sum(axis=(-2, -1))
            dtotal[level] += self.weights["multi-resolution"] * xp.sign(m - x)

        same, (_, dedges) = overlap(self.edges, edges(of_total))
        terms["inclusion"] = -same
        add_edges(dtotal, dedges, -self.weights["inclusion"])

        outlines = edges(own)
        pairs = list(itertools.combinations(range(len(sources)), 2))
        terms["exclusion"] = xp.zeros_like(same)
        for i, j in pairs:
            shared, gradients = overlap(*([edge.of(k) for edge in outlines] for k in (i, j)))
            terms["exclusion"] += shared / len(pairs)
            for k, gradient in zip((i, j), gradients, strict=True):
                add_edges([level[k] for level in dsources], gradient, self.weights["exclusion"] / len(pairs))

        dtotal = 2 * total * (collapse(dtotal) / (1 + (total**2).sum(axis=-3)))[..., None, :, :]
        dtotal += self.weights["frequency"] * total * (dmagnitude / magnitude(total))[..., None, :, :]
        return terms, dtotal + 2 * sources * (collapse(dsources) / (1 + (sources**2).sum(axis=-3)))[..., None, :, :]

    def _frequency(self, m):
        """The loss of every block, and its gradient with respect to the sum's magnitude (blocks, bins, frames)."""
        own = loudness(m)
        return (self.loudness / own).sum(axis=-1), -(self.loudness / own**2)[..., None, :] / (1 + m)


def log_power(spectrum: np.ndarray) -> np.ndarray:
    """L of a spectrum (…, components, bins, frames): (…, bins, frames)."""
    return array_module(spectrum).log1p((spectrum**2).sum(axis=-3))


def magnitude(spectrum: np.ndarray) -> np.ndarray:
    """The magnitude of a spectrum (…, components, bins, frames): (…, bins, frames), above 0."""
    return array_module(spectrum).sqrt((spectrum**2).sum(axis=-3) + TINY)


def loudness(m: np.ndarray) -> np.ndarray:
    """Of every frame of magnitudes (…, bins, frames): (…, frames)."""
    return array_module(m).log1p(m).sum(axis=-2) + QUIET * m.shape[-2]


def pyramid(L: np.ndarray) -> list[np.ndarray]:
    """L (…, bins, frames) at all resolutions, the finest first."""
    levels = [L]
    for _ in range(LEVELS - 1):
        *others, bins, frames = levels[-1].shape
        levels.append(levels[-1].reshape(*others, bins // 2, 2, frames // 2, 2).mean(axis=(-3, -1)))
    return levels


def collapse(gradients: list[np.ndarray]) -> np.ndarray:
    """The way back of `pyramid`: every mean gives its four bins a quarter of its gradient."""
    *finer, total = gradients
    for gradient in reversed(finer):
        total = gradient + total.repeat(2, axis=-2).repeat(2, axis=-1) / 4
    return total


@dataclass
class Edges:
    """Differences u of neighbours along one axis, at one resolution; their mean size, and how much of an edge each is.

    Attributes
    ----------
    level, axis : int
    u : (…, bins, frames)
    size : (…, 1, 1)
        The mean of \\|u\\|.
    edge : of the shape of u
        tanh(u / 2)
    """

    level: int
    axis: int
    u: np.ndarray
    size: np.ndarray
    edge: np.ndarray

    def of(self, source: int) -> "Edges":
        """Those of one source, if the first axis counts the sources."""
        return Edges(self.level, self.axis, self.u[source], self.size[source], self.edge[source])


def edges(levels: list[np.ndarray]) -> list[Edges]:
    """The edges of a pyramid, along both axes of every level."""
    found = []
    for level, L in enumerate(levels):
        for axis, u in ((-2, L[..., 1:, :] - L[..., :-1, :]), (-1, L[..., 1:] - L[..., :-1])):
            size = abs(u).mean(axis=(-2, -1), keepdims=True) + TINY
            found.append(Edges(level, axis, u, size, array_module(u).tanh(u / 2)))
    return found


def overlap(first: list[Edges], second: list[Edges]) -> tuple[np.ndarray, tuple[list, list]]:
    r"""How far two spectra have their edges in the same places, and its gradient.

    .. math:: \frac1{2 \cdot 3} \sum_{\text{levels, axes}} \Big(\operatorname{mean}\big(
              \tanh^2\tfrac{u}{2}\, \tanh^2\tfrac{\alpha v}{2}\big)\Big)^{1/4}, \qquad
              \alpha = \frac{2 \operatorname{mean}|u|}{\operatorname{mean}|v|}

    for the differences u and v of neighbours in the two: :math:`\alpha` makes up for a difference in level.

    Parameters
    ----------
    first, second : list of Edges
        Of arrays (blocks, bins, frames).

    Returns
    -------
    overlap : (blocks,)
    gradients : two lists of Edges
        With the gradients with respect to the u of either in place of u.
    """
    total, dfirst, dsecond = 0, [], []
    for a, b in zip(first, second, strict=True):
        xp, u, v, p = array_module(a.u), a.u, b.u, a.edge
        alpha = 2 * a.size / b.size
        q = xp.tanh(alpha / 2 * v)
        pp, qq = p * p, q * q
        mean = inner(pp, qq) / u[0].size + TINY
        root = mean**0.25
        total = total + root[..., 0, 0] / (2 * LEVELS)
        dboth = root / mean / (4 * u[0].size * 2 * LEVELS)  # of a product p² q²
        du = dboth * p * qq * (1 - pp)
        dw = dboth * pp * q * (1 - qq)  # of w = alpha v
        dalpha = inner(dw, v)
        du += (dalpha * 2 / b.size / u[0].size) * xp.sign(u)
        dw *= alpha
        dv = dw - (dalpha * alpha / b.size / v[0].size) * xp.sign(v)
        dfirst.append(Edges(a.level, a.axis, du, None, None))
        dsecond.append(Edges(b.level, b.axis, dv, None, None))
    return total, (dfirst, dsecond)


def inner(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The inner product of a and b (blocks, bins, frames) in every block: (blocks, 1, 1)."""
    return array_module(a).einsum("bft,bft->b", a, b)[:, None, None]


def add_edges(dlevels: list[np.ndarray], dedges: list[Edges], weight: float) -> None:
    """The way back of `edges`: add, in place, to the gradient of every level what its differences have to say."""
    for d in dedges:
        d.u *= weight
        gradient = dlevels[d.level]
        if d.axis == -2:
            gradient[..., 1:, :] += d.u
            gradient[..., :-1, :] -= d.u
        else:
            gradient[..., 1:] += d.u
            gradient[..., :-1] -= d.u
