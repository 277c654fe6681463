"""Keeping freed memory for the next step, which wants as much again."""

import ctypes


def keep_freed_memory() -> None:
    """Ask the C library to keep freed memory: the next step of a training or a search wants as much again.

    Memory that was given back to the system returns page by page, which takes longer than the arithmetic of an
    element-wise operation. Call this only in a process of our own, such as the command line's; in notebooks, glibc's
    environment variables ``MALLOC_MMAP_THRESHOLD_=33554432 MALLOC_TRIM_THRESHOLD_=4294967296 MALLOC_ARENA_MAX=1`` do
    the same. It does nothing if the C library is not glibc (Linux).
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # macOS, Windows: no such function
        return
    trim_threshold, mmap_threshold, arena_max = -1, -3, -8  # M_TRIM_THRESHOLD, … of malloc.h
    mallopt(mmap_threshold, 2**25)  # the most it allows: larger arrays still come from the system, and go back
    mallopt(trim_threshold, 2**31 - 1)
    mallopt(arena_max, 1)  # one heap for all threads: what one has freed, another may take
