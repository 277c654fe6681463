"""NumPy or CuPy: whose array is this, moving it, cores and threads, writing a file whole or not at all."""
