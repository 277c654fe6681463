"""The program as a process of its own: with closed streams, stopped by signals, and with file names of any bytes."""

import errno
import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import INSTRUMENTS, RATE, noise

from glowsep.cli.stopping import Stopped, stopped_by_signals
from glowsep.cli.streams import Forgiving

REPOSITORY = Path(__file__).resolve().parents[1]
STEMS = sorted(f"{name}.wav" for name in INSTRUMENTS)
ENVIRONMENT = os.environ | {"PYTHONPATH": str(REPOSITORY), "MPLBACKEND": "Agg"}

posix = pytest.mark.skipif(os.name == "nt", reason="of POSIX systems")


@pytest.fixture
def folder(tmp_path, baselines):
    """A folder with two songs and a data set."""
    for name in ("a.wav", "b.wav"):
        soundfile.write(tmp_path / name, noise(RATE // 4, 2), RATE, "FLOAT")
    track = tmp_path / "ds" / "t1"
    track.mkdir(parents=True)
    for seed, source in enumerate(INSTRUMENTS):
        soundfile.write(track / f"{source}.wav", noise(RATE, seed=seed), RATE)
    return tmp_path


NMF = "--method nmf --model baselines/nmf.npz"


def shell(folder, line, environment=None):
    """Run a line of the shell; PROGRAM is the command line of glowsep."""
    line = line.replace("PROGRAM", f'"{sys.executable}" -m glowsep')
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        cwd=folder, env=ENVIRONMENT | (environment or {}), capture_output=True, check=False, timeout=300,
    )  # fmt: skip


# Streams


@posix
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_nobody_listens_and_all_songs_are_separated(closed, folder):
    done = shell(folder, f"PROGRAM separate a.wav b.wav {NMF} {closed}")
    assert done.returncode == 0
    for name in ("a", "b"):
        assert sorted(os.listdir(folder / name)) == STEMS
        stems = sum(soundfile.read(folder / name / stem)[0] for stem in STEMS)
        np.testing.assert_allclose(stems, soundfile.read(folder / f"{name}.wav")[0], atol=1e-5)
    if "2>" not in closed:
        assert done.stderr == b""


@posix
@pytest.mark.parametrize("pipe", ["| head -n 1", "2>&1 | true"])
def test_a_reader_that_goes_away(pipe, folder):
    done = shell(folder, f"PROGRAM separate a.wav b.wav {NMF} {pipe}")
    assert (done.returncode, done.stderr) == (0, b"")
    for name in ("a", "b"):
        assert sorted(os.listdir(folder / name)) == STEMS


@posix
@pytest.mark.parametrize("listening", [">&-", "| true"])
def test_scores_are_written_though_nobody_reads_the_table(listening, folder):
    options = "--method equal-share --baselines baselines --json scores.json"
    done = shell(folder, f"PROGRAM evaluate ds {options} {listening}")
    assert (done.returncode, done.stderr) == (0, b"")
    assert (folder / "scores.json").is_file()


@posix
@pytest.mark.parametrize("command", ["--help", "separate missing.wav 2>&1"])
def test_help_and_refusals_may_be_cut_off(command, folder):
    done = shell(folder, f"PROGRAM {command} | true")
    assert done.returncode == (1 if "missing" in command else 0) and done.stderr == b""


@posix
def test_a_refusal_without_stderr_has_its_status(folder):
    assert shell(folder, "PROGRAM separate missing.wav 2>&-").returncode == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs the device that is always full")
def test_a_table_that_finds_no_room_is_an_error(folder):
    done = shell(folder, "PROGRAM evaluate ds --method equal-share --baselines baselines > /dev/full")
    assert done.returncode == 1
    assert done.stderr.startswith(b"glowsep: standard output: No space left") and len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("number", [errno.EPIPE, errno.EIO, errno.EBADF])
def test_a_stream_that_is_gone_is_silent_from_then_on(number):
    class Gone:
        calls = 0

        def write(self, text):
            self.calls += 1
            raise OSError(number, os.strerror(number))

        flush = write

        def fileno(self):
            raise OSError("none")

    gone = Gone()
    stream = Forgiving(gone, "output")
    assert [stream.write("one"), stream.write("two")] == [3, 3]
    stream.flush()
    assert gone.calls == 1


# Signals


def started(folder, *arguments):
    """The program, once it has begun to write stems."""
    process = subprocess.Popen(
        [sys.executable, "-m", "glowsep", "separate", "long.wav", "-o", "out/deep", *arguments],
        cwd=folder, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while len(list(folder.glob("out/deep/.glowsep-*"))) < 4:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process


@pytest.fixture
def long(folder):
    """With a song that takes much longer than the test: with these iterations, days."""
    soundfile.write(folder / "long.wav", noise(30 * RATE, 1), RATE)
    return folder


SLOWLY = ("--iterations", "1000000")


@posix
@pytest.mark.parametrize(
    ("name", "form"),
    [("SIGTERM", "wav"), ("SIGTERM", "flac"), ("SIGHUP", "mp3"), ("SIGINT", "wav"), ("SIGXCPU", "wav")],
)
def test_a_signal_leaves_nothing_half_written(name, form, long, priors):
    number = getattr(signal, name)
    before = signal.signal(number, signal.SIG_DFL)  # the tests themselves may run where it is ignored, under nohup
    try:
        process = started(long, "--priors", str(priors), "--format", form, *SLOWLY)
    finally:
        signal.signal(number, before)
    process.send_signal(number)
    try:
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    # After Ctrl-C Python may end itself by the very signal: a shell reports 130 for that, too.
    expected = (130, -number) if name == "SIGINT" else (128 + number,)
    assert process.returncode in expected and out == "", err
    assert err.startswith("glowsep: ") and err.endswith("no half-written file is left\n") and err.count("\n") == 1
    assert not (long / "out").exists()


@posix
@pytest.mark.parametrize(("name", "expected"), [("SIGTERM", Stopped), ("SIGINT", KeyboardInterrupt)])
def test_a_signal_while_libsndfile_calls_back_is_not_lost(name, expected, tmp_path, ctrl_c_is_heard):
    """What a callback raises, C cannot pass on: the song would seem damaged, and the program would go on."""
    soundfile.write(tmp_path / "song.wav", noise(RATE, 1), RATE)

    class Signalling(io.BytesIO):
        seen = False

        def readinto(self, buffer):
            if not self.seen:
                self.seen = True
                signal.raise_signal(getattr(signal, name))
            return super().readinto(buffer)

    with pytest.raises(expected), stopped_by_signals():
        file = soundfile.SoundFile(Signalling((tmp_path / "song.wav").read_bytes()))
        assert len(file.read()) == RATE
        time.sleep(10)


@posix
def test_nohup_is_respected(long, priors):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        process = started(long, "--priors", str(priors), *SLOWLY)
    finally:
        signal.signal(signal.SIGHUP, before)
    process.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    assert process.poll() is None
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM


@posix
def test_what_a_killed_program_left_is_cleared_by_the_next_one(long, priors):
    """SIGKILL cannot be handled: the power fails, or the system is short of memory."""
    process = started(long, "--priors", str(priors), *SLOWLY)
    process.kill()
    process.communicate(timeout=60)
    assert len(os.listdir(long / "out" / "deep")) == 4
    done = shell(long, f"PROGRAM separate a.wav {NMF} -o out/deep")
    assert done.returncode == 0
    assert sorted(os.listdir(long / "out" / "deep")) == STEMS


# File names


def named(folder, name):
    """The song under a name of any bytes."""
    target = os.path.join(os.fsencode(folder), name)
    try:
        os.rename(folder / "a.wav", target)
    except OSError:
        pytest.skip("this file system takes only UTF-8")
    return target


@posix
@pytest.mark.parametrize(
    ("name", "form"),
    [
        (b"mod\x85 - la notte.wav", "wav"),
        (b"\xff\xfe.wav", "flac"),
        ("Für Elise.wav".encode("latin-1"), "ogg"),
        (b"\x80.wav", "mp3"),
    ],
)
def test_a_name_that_is_not_utf_8(name, form, folder):
    target = named(folder, name)
    done = shell(
        folder, f"PROGRAM separate *{os.fsdecode(name)[-5:]} {NMF} --format {form} --only bass --report r.html"
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert os.listdir(target.removesuffix(b".wav")) == [f"bass.{form}".encode()]
    assert (folder / "r.html").is_file()


@posix
@pytest.mark.parametrize("name", ["Für Elise.wav", "夜曲.wav"])
def test_a_name_that_the_locale_cannot_spell(name, folder):
    target = named(folder, name.encode())
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = shell(folder, f"PROGRAM separate '{name}' {NMF}", plain)
    assert (done.returncode, done.stderr) == (0, b"")
    assert sorted(os.listdir(target.removesuffix(b".wav"))) == sorted(stem.encode() for stem in STEMS)


@posix
def test_a_track_and_a_data_set_whose_names_are_not_utf_8(folder):
    dataset = os.path.join(os.fsencode(folder), b"d\x85s")
    named(folder, b"\x85.wav")  # if the file system takes that
    os.rename(folder / "ds", dataset)
    os.rename(os.path.join(dataset, b"t1"), os.path.join(dataset, b"t\x85"))
    written = "--json s.json --plot s.png --report s.html"
    done = shell(folder, f"PROGRAM evaluate d?s --method equal-share --baselines baselines {written}")
    assert (done.returncode, done.stderr) == (0, b"")
    assert all((folder / name).is_file() for name in ("s.json", "s.png", "s.html"))
