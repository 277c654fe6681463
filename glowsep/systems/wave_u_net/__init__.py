"""Wave-U-Net: a U-Net of one-dimensional convolutions, waveform in, waveforms out."""
