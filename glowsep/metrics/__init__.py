"""How good is a separation? Scores in decibels, chapter 13."""

from glowsep.metrics.bss_eval import BSSEval, bss_eval, bss_eval_museval
from glowsep.metrics.sdr import remove_mean, sdr, si_sdr

__all__ = ["BSSEval", "bss_eval", "bss_eval_museval", "remove_mean", "sdr", "si_sdr"]
