"""Sound and spectrogram: audio files, the STFT, masks, phase."""
