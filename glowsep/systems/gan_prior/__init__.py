"""GAN-prior: a generator per instrument, trained against a critic, and a search among its latents."""
