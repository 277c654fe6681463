"""Poisson NMF: a dictionary of spectra per instrument, and their activations."""
