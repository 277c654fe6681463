"""Music source separation with generative flows, every gradient by hand."""
