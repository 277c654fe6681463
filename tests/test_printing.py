"""What a terminal is shown: a name is never a command to it."""

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import INSTRUMENTS, RATE, noise

from glowsep.arrays.printing import one_line, printable
from glowsep.cli import main
from glowsep.cli.streams import Forgiving
from glowsep.evaluate import Evaluation, TrackScores, table

#: Commands to a terminal, and what is shown instead: colours, the title, the bell, one in eight bits, the direction.
COMMANDS = {
    "\x1b[31m": r"\x1b[31m",
    "\x1b]0;title\x07": r"\x1b]0;title\x07",
    "\x08\x08": r"\x08\x08",
    "\x9b2J": r"\x9b2J",
    "\x7f": r"\x7f",
    "\u202egnp": r"\u202egnp",
    "\u2066": r"\u2066",
    "\u2028": r"\u2028",
}
posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such file names")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_shown_as_an_escape(command):
    assert printable(f"a{command}b\tc\n") == f"a{COMMANDS[command]}b\tc\n"
    assert one_line(f"a{command}b\tc\r\n") == rf"a{COMMANDS[command]}b\tc\r\n"


@pytest.mark.parametrize("text", ["Ça va – 東京 🎸", "👩\u200d👩\u200d👧", "a  b", "\\x1b", ""])
def test_words_stay_as_they_are(text):
    assert one_line(text) == printable(text) == text


def test_whoever_writes_to_a_stream_of_the_command_line():
    stream = io.StringIO()
    print("la\x1b[2J\r\x9b", "la", file=Forgiving(stream, "output"))
    assert stream.getvalue() == "la\\x1b[2J\r\\x9b la\n"


def named(folder, command):
    """Three songs of that name: one to separate, one damaged, one that is not there; and a data set."""
    name = f"a{command}b"
    soundfile.write(folder / f"{name}.wav", noise(RATE // 4, 2), RATE, "FLOAT")
    (folder / f"{name}.flac").write_bytes(b"fLaC and nothing else")
    track = folder / "data" / name
    track.mkdir(parents=True)
    for seed, source in enumerate((*INSTRUMENTS[:2], f"s{command}")):
        soundfile.write(track / f"{source}.wav", noise(RATE, seed=seed) if seed else np.zeros(RATE), RATE)
    return [folder / f"{name}.wav", folder / f"{name}.flac", folder / f"{name}.mp3"], folder / "data"


@posix
@pytest.mark.parametrize("command", ["\x1b[31m", "\x9b2J", "\x07", "\u202egnp", "\r\n", "\t"])
def test_names_of_songs_and_sources_are_shown_as_escapes(command, baselines, tmp_path, monkeypatch, capsys):
    """In what is written, what is refused, progress bars, tables and warnings."""
    songs, dataset = named(tmp_path, command)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    options = ["--method", "nmf", "--model", baselines / "nmf.npz"]
    for song in songs:
        main([str(word) for word in ["separate", song, *options, "-o", tmp_path / "out" / song.stem]])
    main([str(word) for word in ["evaluate", dataset, "--method", "mixture", "--baselines", baselines]])
    main([str(word) for word in ["train", dataset, "--method", "average_spectrum", "-o", tmp_path / "mine.npz"]])
    main(["separate", "--unknown", f"x{command}"])
    said = capsys.readouterr()
    shown = one_line(command)
    assert shown in said.out and said.err.count(shown) > 3
    for text in (said.out, said.err):
        assert command not in text and command[0] not in text.replace("\r", "").replace("\n", "")
    assert all(f"a{shown}b" in line for line in said.out.splitlines() if line.startswith(str(tmp_path)))


@posix
def test_a_process_of_its_own_shows_escapes_too(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "glowsep", "separate", "no\x1b7\nsuch.wav"],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}, cwd=tmp_path, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1 and done.stderr.decode().splitlines() == [
        r"glowsep: no\x1b7\nsuch.wav: no such file; check the name and the folder"
    ]


def test_a_table_stays_in_its_columns():
    tracks = [TrackScores("song", {"a\nb": {"sdr": 1.0}})]
    lines = table([Evaluation("mine", tracks)]).splitlines()
    assert len(lines) == 3 and len({len(line) for line in lines}) == 1 and r"a\nb" in lines[0]
