"""Demucs, version 2: strided convolutions with skips around them, and a long short-term memory at the bottom."""
