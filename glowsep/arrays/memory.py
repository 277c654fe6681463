"""Main memory: keeping what is freed for the next step, which wants as much again; and how much was held at most."""

import ctypes
import sys
from pathlib import Path


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


def peak_memory() -> int | None:
    """The most main memory that this process has held at once, in bytes; None where the system does not say.

    All of it counts: arrays, and Python with its libraries. What a GPU holds does not.

    Examples
    --------
    >>> peak = peak_memory()
    >>> peak is None or peak > 10_000_000
    True
    """
    status = Path("/proc/self/status")
    if status.exists():  # Linux: what getrusage says includes the process that started this one
        return 1024 * int(status.read_text(encoding="ascii", errors="replace").split("VmHWM:")[1].split()[0])
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak  # in bytes on macOS only
