"""How good is a separation? Scores in decibels (chapter 13)."""

from glowsep.metrics.projections import BSSEval, bss_eval, bss_eval_museval
from glowsep.metrics.ratios import remove_mean, sdr, si_sdr

__all__ = ["BSSEval", "bss_eval", "bss_eval_museval", "remove_mean", "sdr", "si_sdr"]
