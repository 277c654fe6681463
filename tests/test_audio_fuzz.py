"""Damaged audio files by the thousand: each is read whole or refused in one line, and nothing else is printed."""

import numpy as np
import pytest
from damaged_audio import KINDS, PER_KIND, damaged, whole

from glowsep.errors import AudioError
from glowsep.signals import audio


def test_there_are_enough_of_them():
    assert len(KINDS) * PER_KIND >= 2000


@pytest.mark.parametrize("name", KINDS)
def test_the_undamaged_file_is_read(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(whole(name))
    info = audio.check(path)
    assert 12_000 / 24_000 <= info.samples / info.rate <= 0.6


@pytest.mark.parametrize("name", KINDS)
def test_damaged_files_are_read_whole_or_refused_in_one_line(tmp_path, capfd, name):
    suffix = name.rpartition(".")[2]
    for number, (description, content) in enumerate(damaged(name)):
        path = tmp_path / f"{number}.{suffix}"
        path.write_bytes(content)
        try:
            info = audio.check(path)
            found = list(audio.segments(path, 5000, 4000))
        except AudioError as error:
            assert str(path) in str(error), description
            assert len(str(error).splitlines()) == 1, description
        else:
            assert found[-1][0] + found[-1][1].shape[1] == info.samples, description
            assert all(np.isfinite(segment).all() for _, segment in found), description
        path.unlink()
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("", "")
