"""Being told to stop: by ``kill``, by a closed terminal, by a batch system. All are handled as Ctrl-C is."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import soundfile

#: SIGTERM: kill, shutdown, Slurm. SIGHUP: the terminal was closed. SIGBREAK: its window, on Windows. SIGXCPU: the time
#: that a batch system allows is over.
SIGNALS = ("SIGTERM", "SIGHUP", "SIGBREAK", "SIGXCPU")


class Stopped(KeyboardInterrupt):
    """A signal asks the program to end; ``number`` says which."""

    def __init__(self, number: int):
        super().__init__(number)
        self.number = number


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Raise `Stopped` in the ``with`` block when one of `SIGNALS` comes, so that whatever is half-written is removed.

    A signal that is ignored stays ignored: nohup asks for that. A second one does not interrupt the cleaning up. One
    that comes while libsndfile calls back is raised a moment later, for there an exception would be lost.
    """
    if threading.current_thread() is not threading.main_thread():  # Python delivers signals to that one only
        yield
        return
    numbers = [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]
    handled = {number: signal.SIG_DFL for number in numbers if signal.getsignal(number) is signal.SIG_DFL}
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        handled[signal.SIGINT] = signal.default_int_handler

    def stop(number, frame):
        if is_called_from_libsndfile(frame):
            threading.Timer(0.01, signal.raise_signal, [number]).start()
            return
        for each in handled:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt if number == signal.SIGINT else Stopped(number)

    for number in handled:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, earlier in handled.items():
            signal.signal(number, earlier)


def is_called_from_libsndfile(frame: FrameType | None) -> bool:
    """Whether a frame runs for libsndfile, which asks Python for the bytes of a file: an exception is lost there."""
    while frame is not None:
        if frame.f_code.co_filename == soundfile.__file__ and frame.f_code.co_name.startswith("vio_"):
            return True
        frame = frame.f_back
    return False
