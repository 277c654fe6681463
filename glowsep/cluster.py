"""More than one machine: independent tasks, one per track or prior, on the workers of a Dask cluster.

A task is a function of this package and its plain arguments. All that it reads and writes is on a file system that
the machines share, under the same paths; so what runs on a worker is what would have run here.
"""

import ctypes
import hashlib
import logging
import platform
import socket
import sys
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from glowsep.arrays.printing import one_line
from glowsep.errors import ClusterError, GlowsepError, how_to_install

if TYPE_CHECKING:
    from distributed import Client

#: Seconds within which a scheduler must answer.
PATIENCE = 10

#: Seconds between two looks at whether a running task is still wanted.
INTERVAL = 0.5

#: Seconds without a worker until a line says so, and between that line and the next.
GRACE, REMINDER = 5, 60


class _Unwanted(BaseException):
    """Nobody waits for this task's result any more."""


@contextmanager
def connected(address: str) -> "Iterator[Client]":
    """A Dask client for as long as the ``with`` block lasts. After it, none of its tasks goes on running.

    Parameters
    ----------
    address : str
        The scheduler's, such as ``tcp://login1:8786``. Anyone who can reach the scheduler can run code as you.

    Yields
    ------
    distributed.Client

    Raises
    ------
    ClusterError
        If Dask is not installed, no scheduler answers or it is lost, or its versions differ from those here.
    """
    try:
        import distributed
    except ImportError:
        raise ClusterError(f"a scheduler needs Dask: {how_to_install('cluster')}") from None
    for logger in ("distributed", "distributed.client"):
        logging.getLogger(logger).setLevel(logging.CRITICAL)  # what goes wrong is said once, by ClusterError
    warnings.simplefilter("ignore", distributed.versions.VersionMismatchWarning)
    try:
        client = distributed.Client(address, timeout=PATIENCE)
    except (OSError, ValueError, RuntimeError) as error:
        raise ClusterError(f"{address}: no Dask scheduler answers ({error}); start one with: dask scheduler") from None
    try:
        with client:
            of = client.get_versions()
            here, there = (of[side]["packages"]["distributed"] for side in ("client", "scheduler"))
            if here != there:
                raise ClusterError(f"{address}: its distributed is {there}, but {here} here; {_SAME_ENVIRONMENT}")
            yield client
    except (distributed.comm.CommClosedError, distributed.TimeoutError):
        raise ClusterError(f"{address}: {_LOST}") from None


def results(
    client: "Client", function: Callable, tasks: dict[str, tuple], unit: str = "task", quiet: bool = False
) -> Iterator[tuple[str, Any]]:
    """Call ``function(*arguments)`` on the workers, for every task at once, and yield each result as it comes.

    A task whose worker is lost goes to another one; Dask gives up when that has happened more often than its setting
    ``distributed.scheduler.allowed-failures`` allows (3). A task that raises is not tried again.

    Parameters
    ----------
    client : distributed.Client
        See `connected`.
    function : callable
        From a module that the workers can import.
    tasks : dict of str to tuple
        The arguments, by the task's name (a track, a source).
    unit : str
        What the progress bar calls a task. It shows how many workers there are and how many tasks are done.
    quiet : bool
        No progress bar.

    Yields
    ------
    name : str
    result
        In the order in which the tasks end.

    Raises
    ------
    ClusterError
        If a task raises, cannot be run, or its workers were lost too often: names the task.
    """
    from distributed import as_completed

    run = uuid.uuid4().hex  # to Dask, tasks with one key are one task: it would return the result of an earlier run
    name_of = {
        client.submit(_task, function, arguments, versions(), key=f"{name}-{run}"): name
        for name, arguments in tasks.items()
    }
    with _saying_that_nobody_works(client), tqdm(total=len(tasks), unit=unit, disable=quiet) as bar:
        bar.set_description(f"{len(client.nthreads())} workers")
        for future in as_completed(name_of):
            name = name_of[future]
            result = _result(future, name)
            bar.set_description(f"{len(client.nthreads())} workers")
            bar.set_postfix_str(one_line(name), refresh=False)
            bar.update()
            yield name, result


@contextmanager
def _saying_that_nobody_works(client):
    """Say that there is no worker, after `GRACE` seconds and again every `REMINDER` for as long as that is so."""
    over = threading.Event()

    def watch():
        next_line = time.monotonic() + GRACE
        while not over.wait(INTERVAL):
            try:
                if client.nthreads():
                    next_line = time.monotonic() + GRACE
                    continue
            except Exception:  # the scheduler is lost: the wait for results reports it
                return
            if time.monotonic() >= next_line:
                address = client.scheduler.address
                tqdm.write(f"glowsep: {address}: 0 workers; waiting (dask worker {address} starts one)", sys.stderr)
                sys.stderr.flush()
                next_line = time.monotonic() + REMINDER

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join(PATIENCE)


def require_visible(path: str | Path) -> None:
    """Refuse, on a worker, a path that is not there.

    Raises
    ------
    ClusterError
        Names the path, the machine and the remedy.
    """
    if not Path(path).exists():
        raise ClusterError(
            f"{path}: {socket.gethostname()} does not see it; put it on a file system that all machines share, "
            "under one path"
        )


@cache
def versions() -> dict[str, str]:
    """What the numbers depend on, by name. glowsep's own version is a digest of its source.

    Read once per process: so a worker that was started before an edit is found out.
    """
    source = sorted(Path(__file__).parent.rglob("*.py"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in source)).hexdigest()
    libraries = {name: metadata.version(name) for name in ("numpy", "scipy", "soundfile", "distributed")}
    return {"Python": platform.python_version(), **libraries, "glowsep": digest[:12]}


_LOST = "the scheduler was stopped or lost; start it, and give the command again"
_SAME_ENVIRONMENT = "start scheduler and workers again, from the environment and the repository used here"


def _task(function, arguments, wanted):
    """On a worker: the function's result, for as long as somebody wants it."""
    for name, version in versions().items():
        if version != wanted[name]:
            machine = socket.gethostname()
            raise ClusterError(f"{machine} has {name} {version}, expected {wanted[name]}; {_SAME_ENVIRONMENT}")
    # SciPy's parts are loaded before the task may be stopped: an import that was stopped halfway cannot be done again
    # in this process.
    import scipy.fft
    import scipy.linalg
    import scipy.signal  # noqa: F401

    with _stopped_when_unwanted():
        return function(*arguments)


@contextmanager
def _stopped_when_unwanted():
    """Raise `_Unwanted` in this thread once the task is cancelled, or its client is gone.

    Dask never interrupts a function that runs. An exception does, and cleans up on its way.
    """
    from distributed import get_worker

    worker, thread, over = get_worker(), threading.get_ident(), threading.Event()
    key = worker.get_current_task()

    def watch():
        while not over.wait(INTERVAL):
            task = worker.state.tasks.get(key)
            if task is None or task.state == "cancelled":
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(_Unwanted))
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()  # so that nothing is raised in this thread after it went on to another task


def _result(future, name):
    """What a finished task returned, or a `ClusterError` that says why it returned nothing."""
    from distributed import KilledWorker

    if future.status == "finished":
        return future.result()
    if future.status in ("cancelled", "lost"):
        raise ClusterError(f"{name}: {_LOST}")
    error = future.exception()
    if isinstance(error, KilledWorker):
        raise ClusterError(
            f"{name}: its worker was lost {error.allowed_failures + 1} times, the last was {error.last_worker.address};"
            " see the workers' logs, and give each more memory"
        ) from None
    if isinstance(error, ImportError) or "deserialization" in str(error):  # the latter is how a scheduler says it
        raise ClusterError(
            f"{name}: scheduler or workers cannot import what it needs ({error}); install glowsep there with "
            f"pip install -e '.[cluster]' in the repository, and {_SAME_ENVIRONMENT}"
        ) from None
    what = error if isinstance(error, GlowsepError | ValueError) else f"{type(error).__name__}: {error}"
    raise ClusterError(f"{name}: {what}") from error
