"""Pictures of sounds: what is loud is bright, at its time and frequency."""

import numpy as np
import pytest
from matplotlib import image

from glowsep.show import spectrograms

RATE = 8000


def test_a_tone_is_a_bright_line_at_its_frequency(tmp_path):
    time = np.arange(RATE) / RATE
    tone = np.sin(2 * np.pi * 1000 * time).astype(np.float32)
    spectrograms({"tone": tone, "": None, "later": tone * (time > 0.5)}, RATE, tmp_path / "tone.png", 2, highest=2000)
    picture = image.imread(tmp_path / "tone.png")[:, :, :3]
    height, width = picture.shape[:2]
    bright = (picture[:, :, 0] > 0.9) & (picture[:, :, 2] < 0.4)  # the end of the scale of loudness is yellow
    rows, columns = np.nonzero(bright[: height // 2, : width // 3])
    assert np.ptp(rows) <= 6  # one line
    assert np.ptp(columns) > width / 5  # from the beginning to the end
    later = np.nonzero(bright[height // 2 :, : width // 3])[1]
    assert later.min() > (columns.min() + columns.max()) / 2 - 4  # half a picture later
    assert later.max() == columns.max()


def test_silence_is_dark_and_an_unknown_kind_of_picture_leaves_nothing(tmp_path):
    silence = {"silence": np.zeros(RATE, np.float32)}
    spectrograms(silence, RATE, tmp_path / "silence.png")
    with pytest.raises(ValueError):
        spectrograms(silence, RATE, tmp_path / "silence.xyz")
    assert [path.name for path in tmp_path.iterdir()] == ["silence.png"]
