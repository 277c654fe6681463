"""Damaged audio files, against FFmpeg: what is read is never shorter than what it decodes."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from damaged_audio import KINDS, damaged  # noqa: E402

from glowsep.errors import AudioError  # noqa: E402
from glowsep.signals import audio  # noqa: E402

#: Seconds. FFmpeg keeps what an encoder added at the end, and completes the last block of some codecs.
TOLERANCE = 0.05


def seconds_by_ffmpeg(path):
    """How long the sound is that FFmpeg decodes, at the rate that it finds: 0 if it finds none."""
    command = ["ffmpeg", "-v", "quiet", "-nostdin", "-i", path, "-map", "0:a:0", "-c:a", "pcm_s16be", "-f", "au", "-"]
    found = subprocess.run(command, capture_output=True).stdout
    if len(found) < 24:
        return 0
    start, _, _, rate, channels = (int.from_bytes(found[at : at + 4], "big") for at in range(4, 24, 4))
    return (len(found) - start) / (2 * channels * rate)


def shorter_than_with_ffmpeg(path, description):
    """A line about a file of which FFmpeg decodes more, or None."""
    try:
        info = audio.check(path)
    except AudioError:
        return None
    ours, theirs = info.samples / info.rate, seconds_by_ffmpeg(path)
    return f"{description}: {ours:.3f} s, FFmpeg {theirs:.3f} s" if ours < theirs - TOLERANCE else None


@pytest.mark.parametrize("name", [name for name in KINDS if name != "nms.wav"])  # a codec that FFmpeg does not know
def test_nothing_is_shorter_than_with_ffmpeg(tmp_path, name):
    paths, descriptions = [], []
    for number, (description, content) in enumerate(damaged(name)):
        paths.append(tmp_path / f"{number}.{name.rpartition('.')[2]}")
        descriptions.append(description)
        paths[-1].write_bytes(content)
    with ThreadPoolExecutor() as pool:
        assert [line for line in pool.map(shorter_than_with_ffmpeg, paths, descriptions) if line] == []
