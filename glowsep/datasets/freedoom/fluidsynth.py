"""FluidSynth, a program that plays MIDI files with recordings of instruments, a sound font."""

import shutil
import subprocess
import tempfile
import threading
from os import PathLike
from pathlib import Path

import numpy as np
import soundfile

from glowsep.errors import DatasetError

GAIN = 0.2  # FluidSynth's default; the highest peak of Freedoom's 66 songs is then 0.67 of full scale
FULL_SCALE = 32768


class FluidSynth:
    """FluidSynth with a sound font, rendering MIDI files to mono 16-bit samples.

    The same MIDI file, sound font and version of FluidSynth give the same samples every time, and no part of a song
    influences another: there is one synthesis thread, one gain for everything, and neither reverb nor chorus.

    Parameters
    ----------
    soundfont : path
        A General MIDI sound font, .sf2 or .sf3.
    rate : int
        Samples per second.

    Raises
    ------
    DatasetError
        If FluidSynth is not installed, or the file is not a sound font.
    """

    def __init__(self, soundfont: str | PathLike, rate: int):
        self.soundfont = check_soundfont(soundfont)
        self.rate = rate
        self.program = shutil.which("fluidsynth")
        if self.program is None:
            raise DatasetError(
                "fluidsynth: not installed; Debian or Ubuntu: apt-get install fluidsynth fluid-soundfont-gm, "
                "macOS: brew install fluid-synth, Windows: choco install fluidsynth"
            )
        self._stopped = threading.Event()
        self._running = set()

    def render(self, midi_file: str | PathLike, length: int) -> np.ndarray:
        """The samples of a MIDI file: the mean of FluidSynth's two channels, cut or padded to a length.

        Parameters
        ----------
        midi_file : path
        length : int
            In samples.

        Returns
        -------
        waveform : numpy.ndarray, (length,), int32
            Full scale is 32768.

        Raises
        ------
        DatasetError
            If FluidSynth fails.
        """
        with tempfile.TemporaryDirectory() as folder:
            wav, settings = Path(folder, "stem.wav"), Path(folder, "settings")
            settings.touch()  # empty: without it, the user's own settings for playing would apply
            command = [self.program, "-ni", "-f", settings, "-F", wav, "-T", "wav", "-O", "float"]
            command += ["-r", self.rate, "-g", GAIN, "-R", 0, "-C", 0]
            command += ["-o", "synth.cpu-cores=1", "-o", "synth.dynamic-sample-loading=1"]
            self._run([*command, self.soundfont, midi_file])
            try:
                stereo, _ = soundfile.read(wav, always_2d=True)
            except soundfile.LibsndfileError:
                raise DatasetError(
                    f"{midi_file}: fluidsynth wrote no audio; install version 2 or newer, with libsndfile"
                ) from None
        mono = np.zeros(length)
        mono[: len(stereo)] = stereo[:length].mean(axis=1)
        return np.round(mono * FULL_SCALE).astype(np.int32)

    def stop(self) -> None:
        """End the renderings in progress, in all threads; none will succeed from now on."""
        self._stopped.set()
        for process in tuple(self._running):
            process.kill()

    def _run(self, command):
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self._running.add(process)
        try:
            if self._stopped.is_set():
                process.kill()
            said, _ = process.communicate()
        finally:
            self._running.discard(process)
        # If FluidSynth cannot read the sound font, it renders silence and exits with 0.
        complaints = [line for line in said.splitlines() if "error" in line.lower() or "fail" in line.lower()]
        if process.returncode or complaints:
            reason = " ".join((complaints or [f"exit code {process.returncode}"])[-1].split())
            raise DatasetError(f"{command[-1]}: fluidsynth cannot render it with {self.soundfont} ({reason})")


def check_soundfont(path: str | PathLike) -> Path:
    """The path of a sound font; a `DatasetError` says what is wrong with it, if anything is."""
    path = Path(path)
    try:
        size = path.stat().st_size
        with open(path, "rb") as file:
            header = file.read(12)
    except OSError as error:
        advice = "give a General MIDI one; Debian's fluid-soundfont-gm is /usr/share/sounds/sf2/FluidR3_GM.sf2"
        raise DatasetError(f"{path}: cannot be read as a sound font ({error.strerror}); {advice}") from None
    if header[:4] != b"RIFF" or header[8:] != b"sfbk":
        raise DatasetError(f"{path}: not a sound font; give a General MIDI one, .sf2 or .sf3")
    if size < 8 + int.from_bytes(header[4:8], "little"):
        raise DatasetError(f"{path}: a sound font cut short; fetch it again")
    return path
