"""Which array library an array belongs to, and moving between them: the only module that knows CuPy's name."""

import ctypes


def keep_freed_memory():
    """Ask the C library to keep memory that is freed: the next step of a training or a search wants as much again.

    Given back to the system, it comes anew page by page, which takes longer than the arithmetic of an element-wise
    operation. For a process that is ours alone, as the command line's; in notebooks, glibc's environment variables
    ``MALLOC_MMAP_THRESHOLD_=33554432 MALLOC_TRIM_THRESHOLD_=4294967296 MALLOC_ARENA_MAX=1`` do the same. Does nothing
    where the C library is another than glibc (Linux).
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # macOS, Windows: no such function
        return
    trim_threshold, mmap_threshold, arena_max = -1, -3, -8  # M_TRIM_THRESHOLD, … of malloc.h
    mallopt(mmap_threshold, 2**25)  # the most it allows: larger arrays still come from the system, and go back
    mallopt(trim_threshold, 2**31 - 1)
    mallopt(arena_max, 1)  # one heap for all threads: what one has freed, another may take
