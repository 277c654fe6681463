"""MIDI songs rendered in Slakh2100's layout: this is how the data set Freedoom-4 is made.

    OUT/<split>/<song>/{all_src.mid, metadata.yaml, mix.flac, MIDI/Sxx.mid, stems/Sxx.flac}

Rendering twice gives the same bytes. Samples are 16-bit integers, so that the stems sum to the mix exactly.
"""

import json
import os
import shutil
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from functools import partial
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import mido
import numpy as np
import soundfile
import yaml
from tqdm import tqdm

from glowsep.arrays.files import place_of, write_text
from glowsep.arrays.folders import folder_written_whole, require_as_written, write_record
from glowsep.datasets.freedoom import midi
from glowsep.datasets.freedoom.fluidsynth import FULL_SCALE, GAIN, FluidSynth
from glowsep.datasets.freedoom.variations import variation, with_heard, with_unheard
from glowsep.errors import DatasetError
from glowsep.signals.loudness import integrated_loudness

SPLITS = ("train", "validation", "test")
EXCERPTS = "excerpts.json"
FILES = ("metadata.yaml", "mix.flac", "all_src.mid")  # of a track, beside its stems


class Song(NamedTuple):
    """A song to render: its MIDI file, the track's folder, the excerpt to keep (or all), whether it gets a mix, and how
    its stems change before they are played.
    """

    source: Path
    target: Path
    excerpt: dict | None = None
    mix: bool = True
    change: Callable[[list[midi.Stem]], list[midi.Stem]] = list


def render(
    midi_folder: str | PathLike,
    out: str | PathLike,
    soundfont: str | PathLike,
    rate: int = 22050,
    splits: Sequence[str] = SPLITS,
    workers: int | None = None,
    progress: bool = True,
    versions: Sequence[int] | None = None,
    unheard: bool = False,
    overwrite: bool = False,
) -> None:
    """Render the whole songs of a split file, with one stem for each channel and program.

    Parameters
    ----------
    midi_folder : path
        Holds ``split.json``, with the names of the songs of each split and `excerpts`, and ``midi/<song>.mid``.
    out : path
        The folder for the splits' folders. A song rendered there earlier is replaced, nothing else is touched,
        also of what somebody has put into its folder.
        ``excerpts.json`` is written there too: the data set's loader cuts the tracks it lists.
    soundfont : path
        The instruments' recordings: a General MIDI sound font, .sf2 or .sf3.
    rate : int
        Samples per second.
    splits : sequence of str
        The ones to render.
    workers : int, optional
        Songs rendered at a time; by default, one per processor.
    progress : bool
        Show a progress bar.
    versions : sequence of int, optional
        The tracks that every training song gives: for 0 the song as written, ``<song>``, and for a number n above that
        its variation n, ``<song>+n``, without a mix; see `variation` in :mod:`glowsep.datasets.freedoom.variations`.
        None of them, not even 0, plays a program of ``HELD_OUT`` there. By default, songs are as written, with all
        their programs.
    unheard : bool
        Play every song with those programs alone, and otherwise as written: what training with variations never hears.
    overwrite : bool
        Replace files that were not rendered, or were changed since.

    Raises
    ------
    DatasetError
        If FluidSynth is not installed, a file is missing, damaged or cannot be written, or one that would be replaced
        is not as it was rendered.
    ValueError
        If ``versions`` is empty, holds a number below 0 or is given with ``unheard``.
    """
    if versions is not None and (not len(versions) or min(versions) < 0):
        raise ValueError(f"versions is {list(versions)}, expected one or more numbers of at least 0")
    if versions is not None and unheard:
        raise ValueError("versions never play the held-out programs, unheard plays nothing else; choose one of them")
    midi_folder, out = Path(midi_folder), Path(out)
    split = read_split(midi_folder)
    songs = []
    for part in splits:
        for name in split[part]:
            chosen = versions if part == "train" else None
            songs += _versions(_midi_file(midi_folder, name), out / part, chosen, unheard)
    synthesiser = FluidSynth(soundfont, rate)  # first: without it, nothing should be written
    listing = json.dumps(split["excerpts"], indent=1) + "\n"
    _require_ours(songs, overwrite)
    if not _holds(out / EXCERPTS, listing):
        require_as_written(out, [EXCERPTS], overwrite, DatasetError)
    with _says_what_cannot_be_written(out):
        out.mkdir(parents=True, exist_ok=True)
        write_text(out / EXCERPTS, listing)
        write_record(out, [EXCERPTS])
    _render_songs(songs, synthesiser, workers, progress, overwrite)


def render_excerpts(
    midi_folder: str | PathLike,
    out: str | PathLike,
    soundfont: str | PathLike,
    rate: int = 22050,
    splits: Sequence[str] = SPLITS,
    workers: int | None = None,
    progress: bool = True,
    unheard: bool = False,
    overwrite: bool = False,
) -> None:
    """Render excerpts only, with one stem for each of the four instrument groups: a data set small enough to carry.

    The excerpts are those of ``split.json`` and, for the training split, of ``training_excerpts.json`` next to it. They
    hold the same samples as the whole songs; a track's ``metadata.yaml`` says under `excerpt` which part of the song it
    is. No MIDI files are written, and no ``mix.flac`` for training tracks: training on solo stems never hears one. The
    parameters and errors are those of `render`.
    """
    midi_folder, out = Path(midi_folder), Path(out)
    split = read_split(midi_folder)
    path = midi_folder / "training_excerpts.json"
    training = _read_json(path) if path.exists() else {}
    excerpts, change = split["excerpts"] | training, with_unheard if unheard else list
    songs = [
        Song(_midi_file(midi_folder, name), out / part / name, excerpts[name], name not in training, change)
        for part in splits
        for name in split[part]
        if name in excerpts
    ]
    synthesiser = FluidSynth(soundfont, rate)
    _require_ours(songs, overwrite)
    _render_songs(songs, synthesiser, workers, progress, overwrite)


def read_split(midi_folder: str | PathLike) -> dict:
    """The contents of ``split.json``: a dict of each split's song names, and `excerpts`."""
    split = _read_json(Path(midi_folder) / "split.json")
    return {part: split.get(part, []) for part in SPLITS} | {"excerpts": split.get("excerpts", {})}


def read_midi(path: str | PathLike) -> mido.MidiFile:
    """The `mido.MidiFile` of a path; a `DatasetError` says what is wrong with it, if anything is."""
    try:
        song = mido.MidiFile(path)
    except FileNotFoundError:
        raise DatasetError(f"{path}: not found; fetch it, or take it out of split.json") from None
    except (OSError, ValueError, EOFError, LookupError, mido.KeySignatureError) as error:
        reason = str(error) or "it ends too early"
        raise DatasetError(f"{path}: not a MIDI file that can be read ({reason}); fetch it again") from None
    if song.type == 2:
        raise DatasetError(f"{path}: a MIDI file of type 2, many songs in one; save it as type 1")
    if song.ticks_per_beat <= 0:
        raise DatasetError(f"{path}: a MIDI file timed in film frames; save it with times in beats")
    return song


def _versions(source: Path, folder: Path, versions: Sequence[int] | None, unheard: bool) -> Iterator[Song]:
    """What is rendered of a song, into a split's folder."""
    if versions is None:
        yield Song(source, folder / source.stem, change=with_unheard if unheard else list)
        return
    for number in versions:
        if number == 0:
            yield Song(source, folder / source.stem, change=with_heard)
        else:
            change = partial(variation, name=source.stem, number=number)
            yield Song(source, folder / f"{source.stem}+{number}", mix=False, change=change)


def _midi_file(midi_folder, name):
    if Path(name).name != name or name == "..":
        raise DatasetError(f"{midi_folder / 'split.json'}: {name!r} is no song's name but leads elsewhere; correct it")
    return midi_folder / "midi" / f"{name}.mid"


def _require_ours(songs, overwrite):
    """Refuse to replace a folder that is no track, a track that is not as it was rendered, and one by another."""
    source_of = {}
    for song in songs:
        other = source_of.setdefault(place_of(song.target), song.source)
        if other is not song.source:
            raise DatasetError(f"{song.target}: {other} and {song.source} would be rendered here; rename one of them")
        if os.path.lexists(song.target) and not (song.target / "metadata.yaml").is_file():
            if not song.target.is_dir() or any(song.target.iterdir()):
                raise DatasetError(f"{song.target}: is not a rendered track; choose another folder, or move it away")
        stems = [path.relative_to(song.target) for path in song.target.glob("*/S[0-9][0-9].*")]
        require_as_written(song.target, [*FILES, *stems], overwrite, DatasetError)


def _holds(path, text):
    try:
        return path.read_text(encoding="utf-8") == text
    except (OSError, ValueError):
        return False


def _render_songs(songs, synthesiser, workers, progress, overwrite):
    pool = ThreadPoolExecutor(workers or os.cpu_count())
    try:
        jobs = [pool.submit(_render_song, song, synthesiser, overwrite) for song in songs]
        for job in tqdm(as_completed(jobs), total=len(jobs), desc="render", unit="song", disable=not progress):
            job.result()
    finally:  # after an error or Ctrl-C nothing new begins, and unfinished songs leave no folders
        synthesiser.stop()
        pool.shutdown(cancel_futures=True)


def _render_song(song, synthesiser, overwrite):
    """Render a song into the folder of its track, which appears once it is complete."""
    score = read_midi(song.source)
    stems = song.change(midi.split(score))
    length = round(midi.duration(score) * synthesiser.rate)
    with _says_what_cannot_be_written(song.target):
        song.target.parent.mkdir(parents=True, exist_ok=True)
        with folder_written_whole(song.target, overwrite, DatasetError) as folder:
            _write_track(folder, song, stems, length, synthesiser)


def _write_track(folder, song, stems, length, synthesiser):
    """Write all files of a track, or of its excerpt, into an empty folder."""
    (folder / "MIDI").mkdir()
    waveforms = []
    for name, stem in zip(_stem_names(stems), stems, strict=True):
        path = folder / "MIDI" / f"{name}.mid"
        stem.midi.save(path)
        waveforms.append(synthesiser.render(path, length))
    if not song.excerpt:
        shutil.copyfile(song.source, folder / "all_src.mid")
    else:
        shutil.rmtree(folder / "MIDI")
        first = round(song.excerpt["start_s"] * synthesiser.rate)
        last = first + round(song.excerpt["duration_s"] * synthesiser.rate)
        stems, waveforms = _one_per_group(stems, [waveform[first:last] for waveform in waveforms])
    (folder / "stems").mkdir()
    audio = {f"stems/{name}.flac": waveform for name, waveform in zip(_stem_names(stems), waveforms, strict=True)}
    if song.mix:
        audio["mix.flac"] = sum(waveforms, np.zeros(1, np.int32))
    for name, waveform in audio.items():
        peak = np.abs(waveform).max(initial=0) / FULL_SCALE
        if peak >= 1:
            raise DatasetError(f"{song.source}: {name} would reach {peak:.2f} of full scale; lower its volumes")
        soundfile.write(folder / name, waveform.astype(np.int16), synthesiser.rate, subtype="PCM_16")
    metadata = yaml.safe_dump(_metadata(song, stems, waveforms, synthesiser))
    (folder / "metadata.yaml").write_text(metadata, encoding="utf-8", newline="\n")


def _stem_names(stems):
    return [f"S{number:02d}" for number in range(len(stems))]


def _one_per_group(stems, waveforms):
    """Sum the waveforms of each group: return its first stem, which stands for all of them, and the sums."""
    members = defaultdict(list)
    for stem, waveform in zip(stems, waveforms, strict=True):
        members[stem.group].append((stem, waveform))
    groups = [members[group] for group in sorted(members)]
    return [group[0][0] for group in groups], [sum(waveform for _, waveform in group) for group in groups]


def _metadata(song, stems, waveforms, synthesiser):
    """The contents of Slakh2100's metadata.yaml, and the excerpt if the track is one."""
    about = {
        name: {
            "audio_rendered": True,
            "inst_class": stem.group.capitalize(),
            "integrated_loudness": round(integrated_loudness(waveform / FULL_SCALE, synthesiser.rate), 3),
            "is_drum": stem.program == midi.DRUM_PROGRAM,
            "midi_program_name": midi.PROGRAM_NAMES[stem.program],
            "midi_saved": not song.excerpt,
            "plugin_name": synthesiser.soundfont.name,
            "program_num": stem.program,
        }
        for name, stem, waveform in zip(_stem_names(stems), stems, waveforms, strict=True)
    }
    metadata = {
        "UUID": str(uuid.uuid5(uuid.NAMESPACE_URL, song.target.name)),
        "audio_dir": "stems",
        "lmd_midi_dir": song.source.name,
        "midi_dir": "MIDI",
        "normalization_factor": None,
        "normalized": False,
        "overall_gain": GAIN,
        "target_peak": None,
        "stems": about,
    }
    return metadata | ({"excerpt": song.excerpt} if song.excerpt else {})


@contextmanager
def _says_what_cannot_be_written(target):
    try:
        yield
    except (OSError, soundfile.SoundFileError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DatasetError(f"{target}: cannot be written ({reason}); choose another folder") from None


def _read_json(path):
    try:
        contents = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror}); see data/freedoom for one") from None
    except ValueError as error:
        raise DatasetError(f"{path}: not JSON ({error}); see data/freedoom for one") from None
    if not isinstance(contents, dict):
        raise DatasetError(f"{path}: not a JSON object; see data/freedoom for one")
    return contents
