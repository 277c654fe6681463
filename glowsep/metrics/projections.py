"""BSS Eval version 4: what kinds of error an estimate makes, second by second.

An estimate is split by three projections, each onto a space that contains the one before:

    s                      the reference itself
    own  = P_j s_hat       what delayed copies of its own reference explain: forgives a wrong filter or gain
    full = P_all s_hat     what delayed copies of all references explain: forgives leakage from other sources too

    s_hat = s + (own - s) + (full - own) + (s_hat - full)
                spatial      interference   artefacts

"Delayed copies" are filters of 512 taps, found by least squares over the whole signal: the normal equations
``G c = b``, where G holds the references' correlations at every pair of delays. A correlation depends only on the
difference of the delays, so each block of G is Toeplitz, and one FFT gives all of its entries.
"""

from dataclasses import dataclass, fields

import numpy as np
import scipy
from numpy.lib.stride_tricks import sliding_window_view

TAPS = 512


@dataclass(frozen=True)
class BSSEval:
    """The four ratios of every source in every frame, in decibels; NaN for an undefined ratio.

    Attributes
    ----------
    sdr : array (sources, frames)
        Signal to distortion: all errors together.
    isr : array (sources, frames)
        Image to spatial distortion: wrong filters, wrong position between the loudspeakers.
    sir : array (sources, frames)
        Signal to interference: how much of the other sources is left.
    sar : array (sources, frames)
        Signal to artefacts: what no reference explains.

    Examples
    --------
    >>> scores = BSSEval(*(np.array([[1.0, 3.0, np.nan]]) for _ in range(4)))
    >>> scores.median()["sdr"], scores.skipped()
    (array([2.]), array([1]))
    """

    sdr: np.ndarray
    isr: np.ndarray
    sir: np.ndarray
    sar: np.ndarray

    def median(self) -> dict[str, np.ndarray]:
        """Each ratio's median over the frames in which it is defined: dict of name to array (sources,)."""
        return {field.name: _median_over_frames(getattr(self, field.name)) for field in fields(self)}

    def skipped(self) -> np.ndarray:
        """The number of frames of each source that the SDR's median leaves out: array (sources,) of integers."""
        return np.isnan(self.sdr).sum(axis=1)


def bss_eval(references: np.ndarray, estimates: np.ndarray, rate: int) -> BSSEval:
    """BSS Eval version 4 in frames of one second.

    ``SDR = |s|^2 / |s_hat - s|^2``, ``ISR = |s|^2 / |own - s|^2``, ``SIR = |own|^2 / |full - own|^2`` and ``SAR =
    |full|^2 / |s_hat - full|^2``, in decibels, with the projections defined at the top of this module. The filters are
    those of the whole signal, the energies those of the frame. Frames do not overlap, an incomplete frame at the end is
    dropped, and a signal shorter than a second is one frame.

    A frame in which a reference is silent has no score *for that source* (NaN); see `bss_eval_museval` for museval's
    rule. Ratios that would be infinite are NaN as well.

    Source: Vincent, Gribonval & Févotte 2006; Stöter, Liutkus & Ito 2018 (version 4); chapter 13.

    Parameters
    ----------
    references, estimates : array (sources, channels, samples)
    rate : int
        Samples per second.

    Returns
    -------
    BSSEval

    Raises
    ------
    ValueError
        If the shapes differ or are not (sources, channels, samples) with at least one sample.

    Examples
    --------
    >>> references = np.random.default_rng(0).standard_normal((2, 1, 16000))
    >>> scores = bss_eval(references, references + 0.1 * references[::-1], 8000)
    >>> scores.sdr.shape, scores.median()["sdr"].round()
    ((2, 2), array([20., 20.]))
    """
    references, estimates = np.asarray(references, np.float64), np.asarray(estimates, np.float64)
    if references.shape != estimates.shape:
        raise ValueError(f"estimates have shape {estimates.shape}, expected that of the references, {references.shape}")
    if references.ndim != 3 or references.size == 0:
        raise ValueError(f"audio has shape {references.shape}, expected (sources, channels, samples), all non-zero")

    own_filters, full_filters = _projection_filters(references, estimates)
    ratios = [
        _frame_ratios(references[..., frame], estimates[..., frame], own_filters, full_filters)
        for frame in _frames(references.shape[-1], rate)
    ]
    return BSSEval(*np.stack(ratios, axis=-1))


def bss_eval_museval(references: np.ndarray, estimates: np.ndarray, rate: int) -> BSSEval:
    """BSS Eval version 4 with museval's rule for silence.

    A frame in which *any* reference or *any* estimate is silent counts for no source at all: a source's score depends
    on when the others pause. Published MUSDB18 tables use this rule.

    Source: Stöter, Liutkus & Ito 2018; chapter 13. Parameters, Returns and Raises are those of `bss_eval`.
    """
    scores = bss_eval(references, estimates, rate)
    everything = np.concatenate([references, estimates])
    frames = _frames(everything.shape[-1], rate)
    silent = np.array([_is_silent(everything[..., frame]).any() for frame in frames])
    return BSSEval(*(np.where(silent, np.nan, getattr(scores, field.name)) for field in fields(scores)))


def _frames(samples, rate):
    """Slices of one second each; one of the whole signal if it is shorter."""
    if samples < rate:
        return [slice(0, samples)]
    return [slice(start, start + rate) for start in range(0, samples - rate + 1, rate)]


def _is_silent(audio):
    """For every source, whether each of its samples is zero: (sources, channels, samples) -> (sources,)."""
    return ~np.any(audio, axis=(1, 2))


def _projection_filters(references, estimates):
    """The least-squares filters from references to estimates.

    Returns ``own`` (sources, channels in, channels out, taps), from each source's own channels, and ``full``
    (sources * channels in, sources * channels out, taps), from the channels of all sources.
    """
    sources, channels, samples = references.shape
    inputs, outputs = references.reshape(-1, samples), estimates.reshape(-1, samples)

    gram = _toeplitz(_correlations(inputs, inputs))
    explained = _correlations(inputs, outputs)[..., TAPS - 1 :]

    full = _solve(gram, explained)
    parts = [slice(source * channels, (source + 1) * channels) for source in range(sources)]
    own = np.stack([_solve(gram[part, part], explained[part, part]) for part in parts])
    return own, full


def _correlations(left, right):
    """``sum_t left_p[t] right_q[t + lag]`` (left, right, lags), at lags from 1 - TAPS to TAPS - 1."""
    length = scipy.fft.next_fast_len(left.shape[-1] + TAPS - 1, real=True)  # long enough for every lag: no wrap-around
    lags = np.arange(1 - TAPS, TAPS)
    left_spectra = [scipy.fft.rfft(signal, length) for signal in left]
    result = np.empty((len(left), len(right), lags.size))
    for q, signal in enumerate(right):
        spectrum = scipy.fft.rfft(signal, length)
        for p, left_spectrum in enumerate(left_spectra):
            result[p, q] = scipy.fft.irfft(left_spectrum.conj() * spectrum, length)[lags]
    return result


def _toeplitz(correlations):
    """Inner products ``G[p, q, i, j] = <s_p delayed by i, s_q delayed by j>``: the correlation at lag i - j.

    Each row is the same list of correlations, read from one step further on: a view, not a copy.
    """
    return sliding_window_view(correlations[..., ::-1], TAPS, axis=-1)[..., ::-1, :]


def _solve(gram, explained):
    """The filters c of ``G c = b``; ``explained``, b, and the result are (inputs, outputs, taps)."""
    inputs, outputs, taps = explained.shape
    matrix = gram.transpose(0, 2, 1, 3).reshape(inputs * taps, inputs * taps)
    right_side = explained.transpose(0, 2, 1).reshape(inputs * taps, outputs)
    solution = scipy.linalg.cho_solve(_cholesky(matrix), right_side)
    return solution.reshape(inputs, taps, outputs).transpose(0, 2, 1)


def _cholesky(gram):
    """The Cholesky factor of ``gram`` plus a ridge just large enough to make it positive definite.

    The first ridge is museval's, and only gives a silent reference the filter zero. More is needed if references repeat
    each other, such as the two channels of a mono recording, or leave a part of the band empty: then rounding leaves
    eigenvalues below zero.
    """
    rounding = np.finfo(float).eps
    ridge = rounding
    while True:
        try:
            return scipy.linalg.cho_factor(gram + np.diag(np.full(len(gram), ridge)))
        except scipy.linalg.LinAlgError:
            ridge = max(10 * ridge, rounding * np.trace(gram))


def _frame_ratios(references, estimates, own_filters, full_filters):
    """SDR, ISR, SIR and SAR of one frame: array (4, sources)."""
    samples = references.shape[-1]
    length = samples + TAPS - 1  # a filtered frame rings on
    transform = scipy.fft.next_fast_len(length, real=True)

    spectra = scipy.fft.rfft(references, transform)
    own = np.einsum("scf,scdf->sdf", spectra, scipy.fft.rfft(own_filters, transform))
    full = np.einsum("pf,pqf->qf", spectra.reshape(-1, spectra.shape[-1]), scipy.fft.rfft(full_filters, transform))
    own = scipy.fft.irfft(own, transform)[..., :length]
    full = scipy.fft.irfft(full.reshape(own.shape[:2] + (-1,)), transform)[..., :length]

    ringing = [(0, 0), (0, 0), (0, TAPS - 1)]
    references, estimates = np.pad(references, ringing), np.pad(estimates, ringing)
    ratios = [
        _ratio(references, estimates - references),
        _ratio(references, own - references),
        _ratio(own, full - own),
        _ratio(full, estimates - full),
    ]
    return np.where(_is_silent(references), np.nan, ratios)


def _ratio(signal, error):
    """Energy ratio per source in decibels, NaN if it is not finite."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = 10 * np.log10((signal**2).sum(axis=(1, 2)) / (error**2).sum(axis=(1, 2)))
    return np.where(np.isfinite(ratio), ratio, np.nan)


def _median_over_frames(ratio):
    """``nanmedian`` along the frames, and NaN without a warning if no frame counts."""
    return np.array([np.median(row[~np.isnan(row)]) if not np.isnan(row).all() else np.nan for row in ratio])
