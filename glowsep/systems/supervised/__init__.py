"""What systems share that are trained on mixtures: random mixtures, training on them, and waveforms piece by piece."""
