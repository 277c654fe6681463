"""What chapters share: files found from any folder, and code shown as it is."""

import inspect

import pytest

import glowsep
from glowsep.assignments import data, source
from glowsep.errors import DatasetError

IPython = pytest.importorskip("IPython")


def test_data_is_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert (data("freedoom4/test/freedoom2_doom") / "mix.flac").is_file()


def test_data_that_is_not_there_is_named():
    with pytest.raises(DatasetError, match=r"freedoom5: not there"):
        data("freedoom5")


def test_source_shows_every_line_of_the_code_and_where_it_is():
    shown = source(glowsep.ActNorm.forward, glowsep.stft).data
    first, second = shown.split("\n\n```python\n")
    assert first.startswith("```python\n# glowsep/layers/actnorm.py: ActNorm.forward\ndef forward(self, x")
    assert second.startswith("# glowsep/signals/spectrogram.py: stft\ndef stft(waveform")
    assert inspect.getsource(glowsep.stft).rstrip() in second
    assert second.endswith("\n```")


def test_source_shows_classes():
    assert "class ActNorm(Bijection):" in source(glowsep.ActNorm).data
