"""Work in a process of its own: what it costs is its own too, and what it held is gone when it ends."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

from glowsep.errors import GlowsepError

KILLED = -9  # the exit code of what SIGKILL has ended: Windows has no such signal


def in_own_process(function: Callable, *arguments: Any) -> Any:
    """``function(*arguments)``, computed by a fresh Python that holds nothing else.

    What the function raises is raised here. If this process is interrupted or killed, the other one ends with it.

    Parameters
    ----------
    function : callable
        Of a module that can be imported: it is found there by its name.
    arguments
        They and the result go from one process to the other, pickled.

    Raises
    ------
    MemoryError
        If the system killed the process, as Linux does where memory runs out.
    GlowsepError
        If it ended in another way before it had an answer.

    Examples
    --------
    >>> in_own_process(os.getpid) == os.getpid()
    False
    """
    fresh = multiprocessing.get_context("spawn")  # a fork would begin with all that this process holds
    here, there = fresh.Pipe(duplex=False)
    process = fresh.Process(target=_answer, args=(there, function, arguments), daemon=True)
    process.start()
    there.close()
    try:
        returned, answer = here.recv()
    except EOFError:
        process.join()
        if process.exitcode == KILLED:
            raise MemoryError from None
        ended = f"a process of its own for {function.__name__} ended with status {process.exitcode}"
        raise GlowsepError(f"{ended}; give the command again") from None
    except BaseException:  # Ctrl-C, above all: nobody waits for the answer any more
        process.terminate()
        raise
    finally:
        process.join()
        here.close()
    if not returned:
        raise answer
    return answer


def _answer(there, function, arguments):
    """In the other process: send what the function returns or raises."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches both processes, and the first one ends this one
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what is open is closed
    threading.Thread(target=_end_with_the_other, daemon=True).start()
    try:
        answer = True, function(*arguments)
    except Exception as error:
        answer = False, error
    there.send(answer)


def _end_with_the_other():
    """Nobody waits for an answer once the process that asked is gone."""
    multiprocessing.parent_process().join()
    os._exit(1)
