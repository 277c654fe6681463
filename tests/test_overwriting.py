"""Files that options name to be written: glowsep replaces its own, and none of the user's."""

import json
import os
import re
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
from conftest import RATE, TINY, contents
from matplotlib.figure import Figure
from PIL import Image

from glowsep import show
from glowsep.arrays.files import write_text
from glowsep.arrays.seals import BLANK, is_sealed, require_ours
from glowsep.cli import main
from glowsep.cli.targets import require_free
from glowsep.comparison import Compared, markdown, save_comparison
from glowsep.datasets.shipped import REPOSITORY
from glowsep.errors import GlowsepError
from glowsep.evaluate import Evaluation, TrackScores
from glowsep.learning.training_record import TrainingRecord
from glowsep.learning.weights import is_weights
from glowsep.report.page import page
from glowsep.signals import audio

FOREVER = 10**9  # steps or iterations: a command that began its work would not come back


def run(*arguments):
    return main([str(argument) for argument in arguments])


def compared():
    """A table of one system."""
    tracks = [TrackScores("song", {"bass": {"sdr": 1.0, "si_sdr": 2.0}})]
    return [Compared(Evaluation("mine", tracks), "nothing", TrainingRecord(), 0)]


def picture(path):
    figure = Figure(figsize=(2, 2))
    figure.add_subplot().plot(np.random.default_rng(0).standard_normal(50))
    show.save(figure, path)


#: By suffix, how glowsep writes such a file.
WRITERS = {
    ".json": lambda path: save_comparison(compared(), path),
    ".md": lambda path: write_text(path, markdown(compared())),
    ".html": lambda path: write_text(path, page("A song", "<p>Words.</p>")),
    ".png": picture,
    ".svg": picture,
    ".pdf": picture,
}


KIND_OF = {".json": "scores", ".md": "table", ".html": "page", ".png": "picture", ".svg": "picture", ".pdf": "picture"}


# The seal


@pytest.mark.parametrize("suffix", WRITERS)
def test_what_glowsep_writes_is_known_again_until_a_byte_of_it_changes(suffix, tmp_path):
    path = tmp_path / f"mine{suffix}"
    WRITERS[suffix](path)
    assert is_sealed(path)
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    at = whole.index(b"written by glowsep")
    checksum = at + 91 if suffix == ".png" else len(whole)  # of the seal's own chunk: four bytes that count as zeros
    for place in [0, len(whole) - 1, *range(at, at + 95, 7), *rng.integers(len(whole), size=40)]:
        if checksum <= place < checksum + 4:
            continue
        changed = bytearray(whole)
        changed[place] ^= 0x10
        path.write_bytes(changed)
        assert not is_sealed(path), place
    for other in (whole[:-1], whole + b"\n", whole[at:], b""):
        path.write_bytes(other)
        assert not is_sealed(path)


def test_a_sealed_file_is_still_one_of_its_format(tmp_path):
    paths = {suffix: tmp_path / f"mine{suffix}" for suffix in WRITERS}
    for suffix, path in paths.items():
        WRITERS[suffix](path)
    with Image.open(paths[".png"]) as image:
        image.verify()  # the checksums of its chunks
    with Image.open(paths[".png"]) as image:
        assert image.info["Software"].startswith("written by glowsep, sha256 ")
    scores = json.loads(paths[".json"].read_text())
    assert scores["method"] == "mine" and [track["name"] for track in scores["tracks"]] == ["song"]
    assert paths[".md"].read_text().startswith("| system |")
    assert paths[".pdf"].read_bytes().startswith(b"%PDF") and paths[".svg"].read_text().rstrip().endswith("</svg>")


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_command_may_replace_what_glowsep_wrote(suffix, tmp_path):
    path = tmp_path / f"mine{suffix}"
    WRITERS[suffix](path)
    kind = KIND_OF[suffix]
    require_free(Namespace(overwrite=False), **{kind: path})
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(GlowsepError, match="--overwrite"):
        require_free(Namespace(overwrite=False), **{kind: path})
    require_free(Namespace(overwrite=True), **{kind: path})


@pytest.mark.parametrize("size", [100, 1 << 16, (1 << 16) + 50, 200_000])
@pytest.mark.parametrize("at_end", [True, False])
def test_a_seal_is_found_at_the_beginning_and_at_the_end(at_end, size, tmp_path):
    path = tmp_path / "mine.txt"
    words = "la " * (size // 3)
    write_text(path, words + BLANK if at_end else BLANK + words)
    assert is_sealed(path)


def test_the_commands_of_the_guides_may_replace_what_they_once_wrote():
    """Of those that name shipped files, each finds them as glowsep wrote them."""
    guides = "".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "chapters" / "guides").glob("*.md"))
    commands = [line for line in guides.splitlines() if line.startswith("python -m glowsep ")]
    named = {name for line in commands for name in re.findall(r"--(?:json|plot|markdown|report) (\S+)", line)}
    shipped = {REPOSITORY / name for name in named if (REPOSITORY / name).exists()}
    assert {path.name for path in shipped} >= {"fluidr3-test.json", "musescore-test.json", "systems.png"}
    assert [path.name for path in shipped if not is_sealed(path)] == []


# The commands


def of_another_program(path):
    if path.suffix == ".npz":
        np.savez(path, header=np.array(json.dumps({"kind": "mine"})), sounds=np.ones(3))
    elif path.suffix in (".png", ".svg", ".pdf"):
        Figure().savefig(path)
    else:
        path.write_text('{"method": "my own", "tracks": []}')


def edited(path):
    if path.suffix == ".npz":
        path.write_bytes(b"notes")
    else:
        WRITERS[path.suffix](path)
        path.write_bytes(path.read_bytes() + b"<!-- my notes -->\n")


def empty(path):
    path.touch()


def link(path):
    target = path.with_name(f"target{path.suffix}")
    of_another_program(target)
    try:
        path.symlink_to(target)
    except OSError:
        pytest.skip("this system or its user makes no links")


MINE = (of_another_program, edited, empty, link)
OPTIONS = {
    "evaluate": ("--json x.json", "--plot x.png", "--plot x.svg", "--plot x.pdf", "--report x.html"),
    "evaluate --method all": ("--json x.json", "--plot x.png", "--markdown x.md"),
    "separate": ("--report x.html",),
    "sample": ("--plot x.png",),
    "train": ("--plot x.png", "-o x.npz"),
    "train --method musicglow": ("--plot x.png", "-o x.npz"),
    "train --method nmf": ("-o x.npz",),
}
PAIRS = [(command, option) for command, options in OPTIONS.items() for option in options]


@pytest.fixture
def command(priors, baselines, dataset, song):
    """The whole command line for a command's name, with an amount of work."""

    def line(name, work):
        verb, *method = name.split()
        given = {
            "evaluate": [dataset, "--baselines", baselines, *([] if method else ["--priors", priors]), "--limit", 1],
            "separate": [song, "--priors", priors, "--iterations", work],
            "sample": [priors / "bass.npz", "--seconds", 0.1],
            "train": [dataset, *(["--steps", work] if "nmf" not in method else [])],
        }[verb]
        if name == "evaluate":
            given += ["--iterations", work]
        if name == "train":
            given += ["--source", "bass"]
        return [verb, *given, *method]

    return line


@pytest.mark.parametrize(
    ("name", "option", "mine"),
    [(*pair, MINE[number % 2]) for number, pair in enumerate(PAIRS)] + [(*PAIRS[0], mine) for mine in MINE],
)
def test_a_file_of_the_user_s_is_not_replaced(name, option, mine, command, refused, tmp_path):
    """Nor does any work begin."""
    mine(tmp_path / option.split()[1])
    said = refused(*command(name, FOREVER), *option.split())
    assert option.split()[1] in said and "not as glowsep wrote it" in said and "--overwrite" in said


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("evaluate --method mixture", "--json x.json --plot x.svg"),
        ("sample", "--plot x.png"),
        ("train --method average_spectrum", "-o x.npz"),
        ("train", "-o x.npz --plot x.png"),
    ],
)
def test_what_glowsep_wrote_is_replaced_and_what_the_user_wrote_where_it_is_asked_for(
    name, options, command, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("glowsep.systems.glow.instglow.PriorConfig", lambda: TINY)
    line = command(name.replace(" --method mixture", ""), 1)
    if "average_spectrum" in name:
        line = [word for word in line if word not in ("--steps", 1)]
    if "mixture" in name:
        line = [*line[:4], "--limit", 1, "--method", "mixture"]
    paths = [tmp_path / word for word in options.split() if not word.startswith("-")]
    for path in paths:
        of_another_program(path)
    before = [path.read_bytes() for path in paths]
    assert run(*line, *options.split(), "--overwrite") == 0
    assert all(path.read_bytes() != earlier for path, earlier in zip(paths, before, strict=True))
    assert run(*line, *options.split()) == 0
    assert all(is_sealed(path) or is_weights(path) for path in paths)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("evaluate --method all", "--json x.md --markdown x.md"),
        ("evaluate --method all", "--json x.json --markdown ./X.JSON"),
        ("train", "-o x.npz --checkpoint x.npz"),
        ("sample", "-o x.png --plot x.png"),
    ],
)
def test_two_files_of_one_name_are_refused(name, options, command, refused):
    assert "two files would be written here" in refused(*command(name, FOREVER), *options.split())


def test_a_checkpoint_that_is_none_stays(command, refused, tmp_path):
    """Also if it is the one that nobody has named: next to the weights."""
    (tmp_path / "x.checkpoint").write_text("my own words")
    assert "x.checkpoint" in refused(*command("train", FOREVER), "-o", "x.npz")


# Inputs, and what glowsep wrote as something else


def symlink(path, target):
    try:
        path.symlink_to(target)
    except OSError:
        pytest.skip("this system or its user makes no links")


@pytest.mark.parametrize("through", ["its name", "a link", "a second name"])
@pytest.mark.parametrize("place", ["data set", "baselines", "priors"])
def test_an_input_is_never_replaced(place, through, command, dataset, baselines, priors, refused, tmp_path):
    """Not even where it is asked for."""
    folder = {"data set": dataset, "baselines": baselines, "priors": priors}[place]
    path = next(path for path in sorted(folder.rglob("*")) if path.suffix in (".wav", ".npz"))
    before = path.read_bytes()
    if through == "a link":
        symlink(tmp_path / "scores.json", path)
    elif through == "a second name":
        (tmp_path / "scores.json").hardlink_to(path)
    name = path if through == "its name" else tmp_path / "scores.json"
    said = refused(*command("evaluate", FOREVER), "--json", name, "--overwrite")
    assert str(name) in said and "is read by this command" in said and path.read_bytes() == before


@pytest.mark.parametrize("name", ["report", "sample", "from"])
def test_nor_is_the_only_one(name, command, song, priors, refused, tmp_path):
    content = song.read_bytes() if name == "report" else (priors / "bass.npz").read_bytes()
    mine = tmp_path / {"report": "song.html", "sample": "bass.wav", "from": "bass.npz"}[name]
    mine.write_bytes(content)
    line = {
        "report": ["separate", mine, "--priors", priors, "-o", tmp_path / "out", "--report", mine],
        "sample": ["sample", mine, "-o", mine],
        "from": [*command("train", FOREVER), "--from", mine, "-o", mine],
    }[name]
    for more in ([], ["--overwrite"]):
        assert "is read by this command" in refused(*line, *more)
    assert mine.read_bytes() == content


def test_a_reference_that_is_a_link_to_a_stem_is_not_replaced(song, priors, refused, tmp_path):
    assert run("separate", song, "--priors", priors, "--iterations", 1, "-o", tmp_path / "out", "-q") == 0
    (tmp_path / "truth").mkdir()
    symlink(tmp_path / "truth" / "bass.wav", tmp_path / "out" / "bass.wav")
    given = ["--references", tmp_path / "truth", "--report", tmp_path / "x.html", "-o", tmp_path / "out"]
    assert "bass.wav: is read by this command" in refused("separate", song, "--priors", priors, *given)


@pytest.mark.parametrize("other", ["x.wav", "x.npz", "x.png", "x.html", "x.md"])
def test_what_glowsep_wrote_is_not_replaced_by_something_else(other, command, priors, refused, tmp_path):
    """A model that took a night is not lost to a slip of the pen."""
    path = tmp_path / other
    if path.suffix == ".npz":
        path.write_bytes((priors / "bass.npz").read_bytes())
    elif path.suffix == ".wav":
        audio.write(path, np.ones((1, 100), np.float32), RATE)
    else:
        WRITERS[path.suffix](path)
    assert "not as glowsep wrote it" in refused(*command("evaluate", FOREVER), "--json", path)


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="this system has no devices in its folders")
def test_a_device_or_a_pipe_is_never_replaced(command, refused, tmp_path):
    """Root could, and the system would go on without it."""
    os.mkfifo(tmp_path / "pipe")
    symlink(tmp_path / "link", "/dev/null")
    for name in ("pipe", "link"):
        said = refused(*command("evaluate", FOREVER), "--json", name, "--overwrite")
        assert f"{name}: is no file but a device or a pipe" in said


def test_a_chapter_is_not_replaced_by_its_own_handout(refused, tmp_path):
    symlink(tmp_path / "mine", REPOSITORY / "chapters")
    before = (REPOSITORY / "chapters" / "01_listen.ipynb").read_bytes()
    said = refused("exercises", 1, "-o", "mine", "--overwrite")
    assert "01_listen.ipynb: is the chapter itself" in said
    assert (REPOSITORY / "chapters" / "01_listen.ipynb").read_bytes() == before


@pytest.mark.parametrize("line", [["separate", ""], ["separate", "song.wav", "-o", ""], ["book", "--out", ""]])
def test_an_empty_argument_is_not_the_current_folder(line, refused):
    assert "one of the arguments is empty" in refused(*line)


# Names that are one on another system


@pytest.mark.parametrize("pair", [("S.wav", "s.wav"), ("Straße.wav", "STRASSE.wav"), ("é.wav", "e\u0301.WAV")])
def test_songs_whose_names_are_one_elsewhere_do_not_share_a_folder(pair, song, priors, refused, tmp_path):
    folder = tmp_path / "album"
    folder.mkdir()
    for name in pair:
        (folder / name).write_bytes(song.read_bytes())
    if len(list(folder.iterdir())) < 2:
        pytest.skip("on this system they are one file")
    for out in ([], ["-o", tmp_path / "out"]):
        line = refused("separate", *(folder / name for name in pair), *out, "--priors", priors, "--stop-at-first")
        assert "goes to" in line and "-o" in line


def test_songs_in_two_folders_that_are_there_have_a_folder_each(song, priors, tmp_path):
    """Of a system that has told ``Rock`` from ``rock``, it is known that it does."""
    songs = [tmp_path / folder / "song.wav" for folder in ("Rock", "rock")]
    for path in songs:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(song.read_bytes())
    if songs[0].samefile(songs[1]):
        pytest.skip("on this system they are one file")
    assert run("separate", *songs, "--priors", priors, "--iterations", 1) == 0
    assert all((path.with_suffix("") / "bass.wav").is_file() for path in songs)


@pytest.mark.parametrize("names", [("Bass", "bass"), ("bass", "bass"), ("é", "e\u0301")])
def test_stems_whose_names_are_one_elsewhere_are_refused(names, tmp_path):
    with pytest.raises(ValueError, match="expected all to differ"):
        audio.StemWriter(tmp_path / "out", names, RATE, 1)
    assert contents(tmp_path) == {}


def test_python_is_told_too(tmp_path):
    """The refusal is an error that names the file."""
    (tmp_path / "mine").write_text("notes")
    with pytest.raises(GlowsepError, match=re.escape(str(Path(tmp_path, "mine")))):
        require_ours([tmp_path / "new", tmp_path / "mine"])
    require_ours([tmp_path / "mine"], overwrite=True)
