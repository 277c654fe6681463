"""Being told to stop: by ``kill``, by a closed terminal, by a batch system. All are handled as Ctrl-C is."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

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

    A signal that is ignored stays ignored: nohup asks for that. A second one does not interrupt the cleaning up.
    """
    if threading.current_thread() is not threading.main_thread():  # Python delivers signals to that one only
        yield
        return
    numbers = [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]
    handled = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]

    def stop(number, frame):
        for each in handled:
            signal.signal(each, signal.SIG_IGN)
        raise Stopped(number)

    for number in handled:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in handled:
            signal.signal(number, signal.SIG_DFL)
