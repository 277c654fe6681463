"""Is a process still running?"""

import os
import sys


def is_running(process: int) -> bool:
    """Whether a process of this number runs on this machine. If that cannot be known, it does.

    Examples
    --------
    >>> is_running(os.getpid())
    True
    """
    if sys.platform == "win32":
        return _is_running_on_windows(process)
    try:
        os.kill(process, 0)  # signal 0 does nothing but look whether there is somebody to send it to
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # it is another user's
        return True
    return True


def _is_running_on_windows(process):
    import ctypes

    query, no_such_process, still_active = 0x1000, 87, 259
    kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    kernel.OpenProcess.restype = ctypes.c_void_p
    handle = kernel.OpenProcess(query, False, process)
    if not handle:
        return ctypes.get_last_error() != no_such_process
    code = ctypes.c_ulong()
    known = kernel.GetExitCodeProcess(ctypes.c_void_p(handle), ctypes.byref(code))
    kernel.CloseHandle(ctypes.c_void_p(handle))
    return not known or code.value == still_active
