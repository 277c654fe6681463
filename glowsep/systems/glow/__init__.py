"""instGlow: a Glow per instrument, and a search among their latents."""
