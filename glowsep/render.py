"""MIDI songs rendered into Slakh2100's layout with FluidSynth: how the data set Freedoom-4 is made.

    OUT/<split>/<song>/{all_src.mid, metadata.yaml, mix.flac, MIDI/Sxx.mid, stems/Sxx.flac}

The same MIDI files, sound font and FluidSynth give the same bytes every time: one synthesis thread, no effects
with a state of their own (reverb, chorus), and one gain for everything, so that the level of a stem in a mix is the
one the song's author wrote. Samples are whole numbers of 16 bit, so the stems sum to the mix exactly.
"""

import json
import os
import shutil
import subprocess
import tempfile
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

import mido
import numpy as np
import soundfile
import yaml
from tqdm import tqdm

from . import midi
from .errors import DatasetError

SPLITS = ("train", "validation", "test")
GAIN = 0.2  # FluidSynth's default; the loudest of Freedoom's 66 songs then peaks at 0.66 of full scale
FULL_SCALE = 32768

INSTRUMENT_NAMES = (
    {0: "Acoustic Grand Piano", 1: "Bright Acoustic Piano", 2: "Electric Grand Piano", 3: "Honky-tonk Piano"}
    | {4: "Electric Piano 1", 5: "Electric Piano 2", 6: "Harpsichord", 7: "Clavinet"}
    | {24: "Acoustic Guitar (nylon)", 25: "Acoustic Guitar (steel)", 26: "Electric Guitar (jazz)"}
    | {27: "Electric Guitar (clean)", 28: "Electric Guitar (muted)", 29: "Overdriven Guitar"}
    | {30: "Distortion Guitar", 31: "Guitar Harmonics"}
    | {32: "Acoustic Bass", 33: "Electric Bass (finger)", 34: "Electric Bass (pick)", 35: "Fretless Bass"}
    | {36: "Slap Bass 1", 37: "Slap Bass 2", 38: "Synth Bass 1", 39: "Synth Bass 2"}
    | {midi.DRUM_PROGRAM: "Drums"}
)


def render(midi_folder, out, soundfont, rate=22050, splits=SPLITS, workers=None):
    """Render every song of a split file, whole.

    Parameters
    ----------
    midi_folder : path
        Holds ``split.json`` (for each split the names of its songs, and `excerpts`) and ``midi/<song>.mid``.
    out : path
        Where the splits' folders go. Songs rendered there earlier are replaced; nothing else is touched.
        ``excerpts.json`` is written beside them: what the loader cuts each listed track to.
    soundfont : path
        The instruments' recordings: a General MIDI sound font (.sf2, .sf3).
    rate : int
        Samples per second.
    splits : sequence of str
        Which splits.
    workers : int, optional
        Songs rendered at a time; by default one for each processor.

    Raises
    ------
    DatasetError
        FluidSynth is not installed, or a file is missing, damaged or cannot be written.
    """
    out = Path(out)
    split = read_split(midi_folder)
    songs = [(name, song, None) for name in splits for song in split[name]]
    _render_songs(midi_folder, out, soundfont, rate, songs, workers)
    _write_json(out / "excerpts.json", split["excerpts"])


def render_excerpts(midi_folder, out, soundfont, rate=22050, splits=SPLITS[1:], workers=None):
    """Render only the excerpts that the split file names: for listening and scoring, a tenth of the size.

    The parameters are those of `render`. Each track lasts as long as its excerpt; where the excerpt lies in the song
    is noted under `excerpt` in its ``metadata.yaml``. The MIDI files beside it are the whole song's.
    """
    split = read_split(midi_folder)
    excerpts = split["excerpts"]
    songs = [(name, song, excerpts[song]) for name in splits for song in split[name] if song in excerpts]
    _render_songs(midi_folder, Path(out), soundfont, rate, songs, workers)


def read_split(midi_folder):
    """Return the contents of ``split.json``: a dict of song names by split, and `excerpts`."""
    path = Path(midi_folder) / "split.json"
    try:
        split = json.loads(path.read_text(encoding="utf-8"))
        return {name: list(split.get(name, [])) for name in SPLITS} | {"excerpts": split.get("excerpts", {})}
    except FileNotFoundError:
        raise DatasetError(f"{path}: not found; it lists the songs of each split") from None
    except (ValueError, TypeError, AttributeError) as error:
        raise DatasetError(f"{path}: not a split file ({error}); see data/freedoom/split.json") from None


def _render_songs(midi_folder, out, soundfont, rate, songs, workers):
    synthesiser = FluidSynth(soundfont, rate)
    try:
        for folder in {out / split for split, _, _ in songs} | {out}:
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatasetError(f"{out}: cannot be written ({error.strerror}); choose another folder") from None
    pool = ThreadPoolExecutor(workers or os.cpu_count())
    try:
        jobs = [
            pool.submit(
                _render_song,
                Path(midi_folder) / "midi" / f"{song}.mid",
                out / split / song,
                synthesiser,
                excerpt,
            )
            for split, song, excerpt in songs
        ]
        for job in tqdm(as_completed(jobs), total=len(jobs), desc="render", unit="song"):
            job.result()
    finally:  # also on Ctrl-C: nothing new is begun, and what is under way takes its half-written folder with it
        synthesiser.stop()
        pool.shutdown(cancel_futures=True)


def _render_song(source, target, synthesiser, excerpt=None):
    """Render one song into the folder `target`, which appears when all of it is there."""
    song = read_midi(source)
    stems = midi.split(song)
    length = round(midi.duration(song) * synthesiser.rate)
    first, last = 0, length
    if excerpt:
        first = round(excerpt["start_s"] * synthesiser.rate)
        last = first + round(excerpt["duration_s"] * synthesiser.rate)
    metadata = {
        "UUID": str(uuid.uuid5(uuid.NAMESPACE_URL, source.stem)),
        "audio_dir": "stems",
        "lmd_midi_dir": source.name,
        "midi_dir": "MIDI",
        "normalization_factor": None,
        "normalized": False,
        "overall_gain": GAIN,
        "target_peak": None,
        "stems": {},
    }
    if excerpt:
        metadata["excerpt"] = excerpt
    with _folder_at_once(target) as folder:
        shutil.copyfile(source, folder / "all_src.mid")
        (folder / "MIDI").mkdir()
        (folder / "stems").mkdir()
        mix = np.zeros(last - first, np.int32)
        for number, stem in enumerate(stems):
            name = f"S{number:02d}"
            stem_midi = folder / "MIDI" / f"{name}.mid"
            stem.midi.save(stem_midi)
            waveform = synthesiser.render(stem_midi, length)[first:last]
            mix += waveform
            _write_flac(folder / "stems" / f"{name}.flac", waveform, synthesiser.rate)
            metadata["stems"][name] = {
                "audio_rendered": True,
                "inst_class": stem.group.capitalize(),
                "integrated_loudness": None,
                "is_drum": stem.group == "drums",
                "midi_program_name": INSTRUMENT_NAMES[stem.program],
                "midi_saved": True,
                "plugin_name": synthesiser.soundfont.name,
                "program_num": stem.program,
            }
        _write_flac(folder / "mix.flac", mix, synthesiser.rate)
        (folder / "metadata.yaml").write_text(yaml.safe_dump(metadata), encoding="utf-8")


def read_midi(path):
    """Return the `mido.MidiFile` of a path, or raise a `DatasetError` that names it."""
    try:
        song = mido.MidiFile(path)
        if song.type == 2:
            raise ValueError("independent tracks, type 2")
        return song
    except FileNotFoundError:
        raise DatasetError(f"{path}: not found, though split.json lists it") from None
    except (OSError, ValueError, EOFError, KeyError, IndexError) as error:
        raise DatasetError(f"{path}: not a MIDI file that can be read ({error})") from None


class FluidSynth:
    """FluidSynth with a sound font, rendering MIDI files to mono 16-bit samples.

    Parameters
    ----------
    soundfont : path
    rate : int
        Samples per second.
    """

    def __init__(self, soundfont, rate):
        self.soundfont = check_soundfont(soundfont)
        self.rate = rate
        self.program = shutil.which("fluidsynth")
        self._stopped = threading.Event()
        self._running = set()
        if self.program is None:
            raise DatasetError(
                "fluidsynth: not installed; Debian or Ubuntu: apt-get install fluidsynth fluid-soundfont-gm, "
                "macOS: brew install fluid-synth, Windows: choco install fluidsynth"
            )

    def stop(self):
        """End the renderings under way; no more can be made."""
        self._stopped.set()
        for process in tuple(self._running):
            process.kill()

    def render(self, midi_file, length):
        """Return `length` samples, int32 of 16 bit, of a MIDI file: the mean of FluidSynth's two channels."""
        with tempfile.TemporaryDirectory() as folder:
            wav, settings = Path(folder, "stem.wav"), Path(folder, "settings")
            settings.touch()  # empty, or else the user's own would be read
            command = [self.program, "-ni", "-f", settings, "-F", wav, "-T", "wav", "-O", "float"]
            command += ["-r", self.rate, "-g", GAIN, "-R", 0, "-C", 0]
            command += ["-o", "synth.cpu-cores=1", "-o", "synth.dynamic-sample-loading=1"]
            self._run([*map(str, command), str(self.soundfont), str(midi_file)], midi_file)
            try:
                stereo, _ = soundfile.read(wav, always_2d=True)
            except soundfile.LibsndfileError:
                raise DatasetError(
                    f"{midi_file}: fluidsynth wrote no audio; is its version 2.0 or newer?"
                ) from None
        mono = np.zeros(length)
        mono[: len(stereo)] = stereo[:length].mean(axis=1)
        return np.round(mono * FULL_SCALE).astype(np.int32)

    def _run(self, command, midi_file):
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )
        self._running.add(process)
        try:
            if self._stopped.is_set():
                process.kill()
            said, _ = process.communicate()
        finally:
            self._running.discard(process)
        failed = [line for line in said.splitlines() if "error" in line.lower() or "fail" in line.lower()]
        if process.returncode or failed:
            reason = (failed or said.splitlines() or ["no reason given"])[-1]
            raise DatasetError(
                f"{midi_file}: fluidsynth cannot render it with {self.soundfont} ({reason.strip()})"
            )


def check_soundfont(path):
    """Return the path of a sound font, or raise a `DatasetError` that says what it is instead."""
    path = Path(path)
    try:
        with open(path, "rb") as file:
            header = file.read(12)
        size = path.stat().st_size
    except OSError as error:
        advice = "on Debian, fluid-soundfont-gm installs /usr/share/sounds/sf2/FluidR3_GM.sf2"
        raise DatasetError(f"{path}: cannot be read ({error.strerror}); {advice}") from None
    if header[:4] != b"RIFF" or header[8:] != b"sfbk":
        raise DatasetError(f"{path}: not a sound font; give a General MIDI one, .sf2 or .sf3")
    if size < 8 + int.from_bytes(header[4:8], "little"):
        raise DatasetError(f"{path}: a sound font cut short; fetch it again")
    return path


@contextmanager
def _folder_at_once(target):
    """Give a temporary folder beside `target`; on success it takes the target's place, else it vanishes."""
    temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        yield temporary
        temporary.chmod(0o755)
        if target.exists():
            shutil.rmtree(target)
        os.replace(temporary, target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _write_flac(path, waveform, rate):
    if np.abs(waveform).max(initial=0) >= FULL_SCALE:
        raise DatasetError(
            f"{path.name} of {path.parent}: louder than full scale at a gain of {GAIN}; lower it"
        )
    soundfile.write(path, waveform.astype(np.int16), rate, subtype="PCM_16")


def _write_json(path, contents):
    temporary = path.with_name(f".{path.name}")
    temporary.write_text(json.dumps(contents, indent=1), encoding="utf-8")
    os.replace(temporary, path)
