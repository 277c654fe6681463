"""More than one machine: the same numbers with a cluster as without, whatever happens to its workers."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from conftest import TINY
from threadpoolctl import threadpool_limits

from glowsep import cluster
from glowsep.cli import command_line, comparing, evaluate, main, train
from glowsep.datasets.shipped import shipped
from glowsep.errors import ClusterError
from glowsep.learning.training import save_checkpoint
from glowsep.learning.weights import load_arrays
from glowsep.systems.glow import instglow

REPOSITORY = Path(__file__).resolve().parents[1]
NOBODY = "tcp://127.0.0.1:1"  # a port that nobody listens at


def run(*arguments):
    return main([str(argument) for argument in arguments])


def one_thread():
    """As Dask's workers compute: sums over several threads differ in their last bit."""
    return threadpool_limits(1)


def files(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def scheduler():
    """The address of a scheduler with two workers, processes of their own. One loss of a worker is forgiven."""
    dask = pytest.importorskip("dask", reason="needs Dask: pip install -e '.[cluster]'")
    distributed = pytest.importorskip("distributed", reason="needs Dask: pip install -e '.[cluster]'")
    # What Dask sets for its workers gives way to what whoever runs the tests has set.
    others = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    with (
        mock.patch.dict(os.environ, others, clear=True),
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
        ) as local,
    ):
        yield local.scheduler_address


@pytest.fixture
def client(scheduler):
    with cluster.connected(scheduler) as client:
        yield client


@pytest.fixture
def refused(capsys):
    """Run a command that must be refused, and return its one line."""

    def run_refused(*arguments):
        assert run(*arguments) == 1
        said = capsys.readouterr()
        assert said.out == "" and said.err.startswith("glowsep: ") and len(said.err.splitlines()) == 1
        return said.err

    return run_refused


# Functions for the workers, which import this file to find them


def kill_this_worker():
    os.kill(os.getpid(), signal.SIGKILL)


def first_time(marker):
    """Whether nobody has been here before."""
    try:
        marker.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def evaluate_track_but_die_once(arguments, name):
    """The second track's worker dies after its work, before it can tell what it has found."""
    evaluations = evaluate.evaluate_track(arguments, name)
    if name == "test-second" and first_time(arguments.dataset / "died"):
        kill_this_worker()
    return evaluations


def train_tiny(arguments, source, path, shared):
    with mock.patch.object(instglow, "PriorConfig", lambda: TINY):
        return train.train_on_worker(arguments, source, path, shared)


def train_tiny_but_die_once(arguments, source, path, shared):
    """The worker that trains the drums dies at its first checkpoint, after 250 of 260 steps."""

    def save_and_die(*given):
        save_checkpoint(*given)
        if source == "drums" and first_time(arguments.datasets[0] / "died"):
            kill_this_worker()

    with mock.patch("glowsep.learning.training.save_checkpoint", save_and_die):
        return train_tiny(arguments, source, path, shared)


def count_and_raise(counts):
    with open(counts, "a") as file:
        file.write("once\n")
    raise RuntimeError("no such luck")


def threads():
    return os.environ["OMP_NUM_THREADS"]


# The same numbers


def evaluated(dataset, priors, baselines, report, *arguments):
    models = ["--priors", priors, "--baselines", baselines, "--iterations", 2]
    assert run("evaluate", dataset, *models, "--json", report, "--quiet", *arguments) == 0
    return report.read_bytes()


def test_scores_are_the_same_bytes_though_a_worker_is_killed(
    scheduler, dataset, priors, baselines, tmp_path, monkeypatch
):
    scored = partial(evaluated, dataset, priors, baselines, tmp_path / "scores.json")
    with one_thread():
        alone = scored()
    assert scored("--scheduler", scheduler) == alone
    monkeypatch.setattr(evaluate, "evaluate_track", evaluate_track_but_die_once)
    assert scored("--scheduler", scheduler) == alone
    assert (dataset / "died").exists()


def test_a_baseline_of_one_s_own_is_scored_on_the_workers_too(scheduler, dataset, baselines, tmp_path):
    scores = tmp_path / "scores.json"
    options = ["--method", "nmf", "--baselines", baselines, "--json", scores, "--quiet"]
    with one_thread():
        assert run("evaluate", dataset, *options) == 0
    alone = scores.read_bytes()
    report = ["--report", tmp_path / "report.html"]
    assert run("evaluate", dataset, *options, *report, "--scheduler", scheduler) == 0
    assert scores.read_bytes() == alone


def test_all_systems_are_scored_on_the_workers_as_here(
    scheduler, dataset, priors, baselines, tmp_path, monkeypatch, capsys
):
    """Their time and memory are measured only here."""
    shutil.copytree(priors, tmp_path / "shipped" / "priors")
    monkeypatch.setattr("glowsep.datasets.shipped.DATA", tmp_path / "shipped")
    monkeypatch.setattr(comparing, "in_own_process", lambda function, *arguments: function(*arguments))
    monkeypatch.setattr(comparing, "keep_freed_memory", lambda: None)
    options = ["--method", "all", "--baselines", baselines, "--quiet", "--json"]
    with one_thread():
        assert run("evaluate", dataset, *options, tmp_path / "here.json") == 0
    assert run("evaluate", dataset, *options, tmp_path / "there.json", "--scheduler", scheduler) == 0
    assert "on workers, time and memory are not measured" in capsys.readouterr().err
    here, there = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("here", "there"))
    for one, other in zip([here, *here["others"]], [there, *there["others"]], strict=True):
        assert one.pop("cost") and other.pop("cost") is None
        for name in ("others", "seal"):  # a seal is of the whole file, and the cost is in it
            one.pop(name, None), other.pop(name, None)
        assert one == other


def test_what_the_workers_are_told_does_not_change_the_command_s_own_arguments(dataset, baselines, monkeypatch):
    told = []

    def evaluate_nothing(client, function, tasks, *about):
        told.extend(arguments for arguments, _ in tasks.values())
        return [(name, []) for name in tasks]

    monkeypatch.setattr(cluster, "connected", lambda address: nullcontext())
    monkeypatch.setattr(cluster, "results", evaluate_nothing)
    for method, weights in (("nmf", None), ("mixture", None), ("instglow", [shipped("priors").resolve()])):
        options = ["evaluate", dataset, "--method", method, "--baselines", baselines, "--scheduler", NOBODY]
        arguments = command_line().parse_args([str(option) for option in options])
        before = dict(vars(arguments))
        evaluate.evaluate_on_workers(arguments)
        assert vars(arguments) == before
        assert told[-1].weights == weights


@pytest.fixture
def tiny(monkeypatch):
    """What this process believes to train: the data set's recordings are long enough for that."""
    monkeypatch.setattr(instglow, "PriorConfig", lambda: TINY)


def test_a_prior_whose_worker_is_killed_is_trained_to_the_same_weights(scheduler, dataset, tiny, tmp_path, monkeypatch):
    """It goes on from its checkpoint, which another worker finds."""
    options = ["--source", "bass", "--source", "drums", "--steps", 260, "--batch", 1, "--quiet"]
    monkeypatch.setattr(train, "train_on_worker", train_tiny_but_die_once)
    assert run("train", dataset, *options, "-o", tmp_path / "together", "--scheduler", scheduler) == 0
    assert (dataset / "died").exists()
    with one_thread():
        assert run("train", dataset, *options, "-o", tmp_path / "alone") == 0
    assert files(tmp_path / "together") == files(tmp_path / "alone") == ["bass.npz", "drums.npz"]
    for name in ("bass.npz", "drums.npz"):
        header, arrays = load_arrays(tmp_path / "alone" / name, "prior")
        same_header, same_arrays = load_arrays(tmp_path / "together" / name, "prior")
        for took in (header, same_header):  # no two runs take the same time
            assert took["training"].pop("core_minutes") > 0
        assert header == same_header and arrays.keys() == same_arrays.keys()
        for key, array in arrays.items():
            np.testing.assert_array_equal(array, same_arrays[key], err_msg=f"{name} {key}")


def test_train_says_where_the_priors_are(scheduler, dataset, tiny, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(train, "train_on_worker", train_tiny)
    options = ["--source", "bass", "--source", "drums", "--steps", 1, "--batch", 1]
    assert run("train", dataset, *options, "-o", tmp_path / "mine", "--scheduler", scheduler) == 0
    lines = sorted(capsys.readouterr().out.splitlines())
    assert [line.split(": ")[0] for line in lines] == [
        str(tmp_path / "mine" / f"{name}.npz") for name in ("bass", "drums")
    ]


def test_a_terminal_sees_how_many_tracks_are_done(scheduler, dataset, baselines, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    options = ["--method", "mixture", "--baselines", baselines, "--scheduler", scheduler]
    assert run("evaluate", dataset, *options) == 0
    assert "2/2" in capsys.readouterr().err


def test_a_worker_computes_with_one_thread(client):
    assert dict(cluster.results(client, threads, {"one": (), "two": ()})) == {"one": "1", "two": "1"}


# What goes wrong


def test_a_task_that_raises_is_named_and_not_tried_again(client, tmp_path):
    counts = tmp_path / "counts"
    with pytest.raises(ClusterError, match="the song: RuntimeError: no such luck"):
        list(cluster.results(client, count_and_raise, {"the song": (counts,)}))
    assert counts.read_text() == "once\n"


def test_a_task_that_loses_every_worker_is_given_up(client):
    with pytest.raises(ClusterError, match="the song: its worker was lost 2 times.*more memory"):
        list(cluster.results(client, kill_this_worker, {"the song": ()}))


def test_a_damaged_track_is_named(scheduler, dataset, baselines, refused, tmp_path):
    (dataset / "test" / "test-second" / "bass.wav").write_text("This is a letter, and no song.")
    options = ["--method", "mixture", "--baselines", baselines, "--json", tmp_path / "scores.json"]
    said = refused("evaluate", dataset, *options, "--scheduler", scheduler)
    assert "test-second: " in said and "bass.wav" in said
    assert not (tmp_path / "scores.json").exists()


def test_a_folder_that_a_worker_does_not_see_is_named(client, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    with pytest.raises(ClusterError, match=f"song: {elsewhere}: .* does not see it; put it on a file system that all"):
        list(cluster.results(client, cluster.require_visible, {"song": (elsewhere,)}))


def test_a_worker_with_another_version_is_refused(client, monkeypatch):
    here = cluster.versions()
    monkeypatch.setattr(cluster, "versions", lambda: here | {"numpy": "0.1"})
    with pytest.raises(ClusterError, match=f"has numpy {np.__version__}, expected 0.1; start scheduler and"):
        list(cluster.results(client, threads, {"song": ()}))


@contextmanager
def lone_scheduler(folder, **environment):
    """A process with a scheduler that has no workers, and its address."""
    pytest.importorskip("distributed", reason="needs Dask: pip install -e '.[cluster]'")
    command = [sys.executable, "-c", "from distributed.cli.dask_scheduler import main; main()", "--port", "0"]
    options = ["--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", "address.json"]
    with subprocess.Popen(
        command + options, cwd=folder, env=os.environ | environment, stderr=subprocess.DEVNULL
    ) as process:
        try:
            wait_until((folder / "address.json").exists)
            yield process, json.loads((folder / "address.json").read_text())["address"]
        finally:
            process.kill()


def test_a_cluster_that_cannot_import_glowsep_is_told_how(dataset, refused, tmp_path):
    (tmp_path / "glowsep.py").write_text("raise ModuleNotFoundError('No module named glowsep')")
    with lone_scheduler(tmp_path, PYTHONPATH=str(tmp_path)) as (_, address):
        said = refused("evaluate", dataset, "--scheduler", address)
    assert "cannot import" in said and "pip install -e '.[cluster]'" in said


def test_a_scheduler_that_is_lost_is_said_in_one_line(dataset, baselines, tmp_path, monkeypatch, capfd):
    with lone_scheduler(tmp_path, PYTHONPATH=str(REPOSITORY)) as (process, address):
        here = cluster.versions()

        def kill_soon():  # asked for when the tasks are sent
            threading.Timer(1, process.kill).start()
            return here

        monkeypatch.setattr(cluster, "versions", kill_soon)
        assert run("evaluate", dataset, "--baselines", baselines, "--scheduler", address) == 1
    said = capfd.readouterr().err
    assert said.startswith("glowsep: ") and "the scheduler was stopped or lost" in said
    assert len(said.splitlines()) == 1


def test_that_there_is_no_worker_is_said_again_and_again(dataset, baselines, tmp_path, monkeypatch, capfd):
    """Without a terminal too: the queue may be full for hours, or the last worker may have died."""
    monkeypatch.setattr(cluster, "GRACE", 0.2)
    monkeypatch.setattr(cluster, "REMINDER", 0.5)
    with lone_scheduler(tmp_path, PYTHONPATH=str(REPOSITORY)) as (process, address):
        here = cluster.versions()

        def kill_later():
            threading.Timer(6, process.kill).start()
            return here

        monkeypatch.setattr(cluster, "versions", kill_later)
        assert run("evaluate", dataset, "--baselines", baselines, "--scheduler", address, "--quiet") == 1
    *waiting, last = capfd.readouterr().err.splitlines()
    assert len(waiting) >= 2 and "the scheduler was stopped or lost" in last
    assert set(waiting) == {f"glowsep: {address}: 0 workers; waiting (dask worker {address} starts one)"}


@pytest.mark.parametrize("command", ["evaluate", "train"])
def test_without_dask_the_remedy_is_named(command, tiny, dataset, refused, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "distributed", None)
    before = files(tmp_path)
    assert 'needs Dask: pip install "distributed>=' in refused(command, dataset, "--scheduler", NOBODY)
    assert files(tmp_path) == before


@pytest.mark.parametrize("address", [NOBODY, "http://nobody", "tcp://nobody.invalid:8786"])
def test_a_scheduler_that_does_not_answer_is_named(address, tiny, dataset, refused, monkeypatch, tmp_path):
    pytest.importorskip("distributed", reason="needs Dask: pip install -e '.[cluster]'")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cluster, "PATIENCE", 1)
    before = files(tmp_path)
    said = refused("train", dataset, "--scheduler", address)
    assert f"{address}: no Dask scheduler answers" in said and "start one with: dask scheduler" in said
    assert files(tmp_path) == before


def test_a_baseline_is_not_for_a_cluster(dataset, refused):
    assert "leave it out" in refused("train", dataset, "--method", "nmf", "--scheduler", NOBODY)


# Ctrl-C


def busy(client):
    """How many tasks the workers are running, wanted or not."""
    return sum(client.run(lambda dask_worker: len(dask_worker.state.tasks)).values())


def wait_until(condition, seconds=60):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.1)


def test_a_task_that_may_be_stopped_imports_no_part_of_scipy():
    """Stopped within it, ``import scipy.signal`` fails ever after, and with it every later task of that worker."""
    pytest.importorskip("distributed", reason="needs Dask: pip install -e '.[cluster]'")
    program = """
import sys
from contextlib import contextmanager, nullcontext
from glowsep import cluster

@contextmanager
def stoppable():
    loaded.extend(part for part in ("scipy.fft", "scipy.linalg", "scipy.signal") if part in sys.modules)
    yield

loaded, cluster._stopped_when_unwanted = [], stoppable
cluster._task(print, (), cluster.versions())
sys.exit(loaded != ["scipy.fft", "scipy.linalg", "scipy.signal"])
"""
    subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, check=True)


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no SIGINT for one process")
@pytest.mark.usefixtures("ctrl_c_is_heard")
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_is_stopped_stops_its_tasks(stop, scheduler, client, dataset, priors, baselines, tmp_path):
    report = tmp_path / "scores.json"
    # The latent search has no list of as many noise levels, which would take longer to make than the test waits.
    endless = ["--search", "latent", "--iterations", 10**9]
    options = ["--priors", priors, "--baselines", baselines, *endless, "--json", report]
    command = [sys.executable, "-m", "glowsep", "evaluate", dataset, *options, "--scheduler", scheduler]
    before = files(tmp_path)
    with subprocess.Popen(
        [str(word) for word in command], cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        wait_until(lambda: busy(client) == 2 or process.poll() is not None)
        process.send_signal(stop)
        out, said = process.communicate(timeout=60)
    if stop == signal.SIGINT:
        assert process.returncode == 130, said
        assert said == "glowsep: interrupted; no half-written file is left\n"
    assert out == "" and files(tmp_path) == before
    wait_until(lambda: busy(client) == 0)
