"""Formats that libsndfile does not know, read through the program FFmpeg where it is installed.

Source: the manual of ffmpeg(1); its output is an AU file of floats, which may be of any length.
"""

import os
import re
import shutil
import struct
import subprocess
import tempfile
from typing import BinaryIO

import numpy as np

from glowsep.errors import AudioError
from glowsep.signals.audio.endings import packet_length
from glowsep.signals.audio.refusals import conversion, cut_short, damaged

#: How a file starts (the position, the bytes), and what FFmpeg calls its format: it is told, so that it cannot take a
#: file for a playlist that opens other ones.
SIGNATURES = (
    (4, b"ftyp", "mov"),  # m4a, mp4
    (0, b"\x1a\x45\xdf\xa3", "matroska"),  # webm, mkv, mka
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),  # wma
    (0, b"\xff\xf0", "aac"),
    (0, b"\xff\xf1", "aac"),
    (0, b"\xff\xf8", "aac"),
    (0, b"\xff\xf9", "aac"),
    (0, b"\x0b\x77", "ac3"),  # and E-AC-3
    (0, b"\x7f\xfe\x80\x01", "dts"),  # and the same words in the order of other processors, and in 14 bits
    (0, b"\xfe\x7f\x01\x80", "dts"),
    (0, b"\x1f\xff\xe8\x00", "dts"),
    (0, b"\xff\x1f\x00\xe8", "dts"),
    (0, b"DTSHDHDR", "dtshd"),
    (4, b"\xf8\x72\x6f\xba", "truehd"),
    (4, b"\xf8\x72\x6f\xbb", "mlp"),
    (0, b"wvpk", "wv"),
    (0, b"MAC ", "ape"),
    (0, b"TTA1", "tta"),
    (0, b"tBaK", "tak"),
    (0, b"MPCK", "mpc8"),
    (0, b"MP+", "mpc"),
    (0, b"DSD ", "dsf"),
    (0, b"FRM8", "iff"),  # DSDIFF
    (0, b"ajkg", "shn"),
    (0, b"ea3\x03", "oma"),
    (0, b".RMF", "rm"),
    (0, b"OggS", "ogg"),  # Speex, FLAC in Ogg
    (0, b"FLV\x01", "flv"),
    (8, b"AVI ", "avi"),
    (8, b"8SVX", "iff"),
    (8, b"16SV", "iff"),
    (0, b"#!AMR", "amr"),
    (0, b"NIST_1A", "nistsphere"),
    (0, b"Creative Voice File", "voc"),
    (0, b"2BIT", "avr"),
    (0, b"PVF1", "pvf"),
    (0, b" paf", "epaf"),  # of Ensoniq; FFmpeg's "paf" are films
    (0, b"fap ", "epaf"),
    (0, b"\x64\xa3", "ircam"),
    (1, b"\xa3\x64", "ircam"),
)
BLOCK = 1 << 18  # samples decoded at once
TOLERANCE = 0.25  # seconds by which a container may round its duration


def ffmpeg_format(file: BinaryIO, start: int) -> str | None:
    """What FFmpeg calls the format of a file whose sound starts at a position, or None if we do not know it."""
    file.seek(start)
    head = file.read(1024)
    for position, signature, name in SIGNATURES:
        if head[position:].startswith(signature):
            return name
    return "mpegts" if packet_length(head) else None


def require_ffmpeg(path, name: str) -> str:
    """Where the program is.

    Raises
    ------
    AudioError
        If it is not installed, with the command that converts the file.
    """
    program = shutil.which("ffmpeg")
    if program is None:
        raise AudioError(
            f"{path}: this format ({name}) needs FFmpeg: install it, or convert the file: {conversion(path)}"
        )
    return program


class FFmpegStream:
    """The sound of a file, decoded by FFmpeg from beginning to end.

    Attributes
    ----------
    channels, rate, samples : int
        Found by decoding all of it once.
    """

    def __init__(self, path, name: str):
        self.path, self._name, self._process = path, name, None
        self._start()
        self.samples = 0
        while block := self._process.stdout.read(4 * self.channels * BLOCK):
            self.samples += len(block) // (4 * self.channels)
        self._refuse_complaints()
        self.close()

    def read(self, count: int) -> np.ndarray:
        """The next ``count`` samples, (channels, count)."""
        if self._process is None:
            self._start()
        content = self._process.stdout.read(4 * self.channels * count)
        if len(content) < 4 * self.channels * count:
            raise damaged(self.path, "FFmpeg decoded less of it when it read it again")
        return np.frombuffer(content, ">f4").reshape(count, self.channels).T.astype(np.float32, order="C")

    def seek(self, position: int) -> bool:
        """False: what comes before a sample is decoded."""
        return False

    def close(self) -> None:
        """End the program."""
        if self._process is not None:
            self._process.kill()
            self._process.stdout.close()
            self._process.wait()
            self._messages.close()
            self._process = None

    def _start(self):
        command = [require_ffmpeg(self.path, self._name), "-nostdin", "-hide_banner", "-nostats"]
        command += ["-loglevel", "level+info", "-protocol_whitelist", "file,pipe"]
        command += ["-f", self._name, "-i", f"file:{os.path.abspath(self.path)}"]
        command += ["-map", "0:a:0", "-c:a", "pcm_f32be", "-f", "au", "pipe:1"]
        self._messages = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._messages
        )
        header = self._process.stdout.read(24)
        if len(header) < 24:
            self._refuse_complaints()
            raise damaged(self.path, "FFmpeg finds no sound in it")
        _, start, _, _, self.rate, self.channels = struct.unpack(">6I", header)
        self._process.stdout.read(start - 24)

    def _refuse_complaints(self):
        status, complaint = self._process.wait(), self._complaint()
        promised = self._promised()
        if status or complaint:
            self.close()
            raise damaged(self.path, f"FFmpeg says: {complaint or f'status {status}'}")
        if promised is not None and self.samples / self.rate < promised - TOLERANCE:
            self.close()
            found = self.samples / self.rate
            raise cut_short(self.path, f"its header promises {promised:.1f} s, but FFmpeg decodes {found:.1f} s")

    def _log(self):
        self._messages.seek(0)
        return self._messages.read().decode("utf-8", "replace").splitlines()

    def _complaint(self):
        """The first error that FFmpeg noted, without what stands before it in brackets."""
        errors = [line for line in self._log() if re.search(r"\[(error|fatal|panic)\]", line)]
        return re.sub(r"^(\[[^\]]*\] ?)+", "", errors[0]) if errors else None

    def _promised(self):
        """The duration of the container in seconds, or None if FFmpeg had to guess it."""
        text = "\n".join(self._log())
        found = re.search(r"Duration: (\d+):(\d+):(\d+\.\d+)", text)
        if found is None or "may be inaccurate" in text:
            return None
        hours, minutes, seconds = found.groups()
        return 3600 * int(hours) + 60 * int(minutes) + float(seconds)
