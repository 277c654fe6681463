"""Stems as files: their formats, their sum, and the seal by which glowsep knows its own again."""

import os

import numpy as np
import pytest
import soundfile
from conftest import noise
from hypothesis import given, settings
from hypothesis import strategies as st

from glowsep.arrays.seals import is_ours_to_replace, is_sealed, ogg_checksum
from glowsep.errors import AudioError, SeparationWarning
from glowsep.signals import audio
from glowsep.signals.audio.stems import SUBTYPES, Stems
from glowsep.signals.audio.writing import rounded_with_their_sum
from glowsep.systems.floors_and_ceilings.floors import EqualShare

RATE = 44_100
KINDS = [(name, bits) for name, choice in SUBTYPES.items() for bits in choice]


def write_stems(folder, estimates, name="wav", bits=None):
    names = ["bass", "drums", "piano"][: len(estimates)]
    with audio.StemWriter(folder, names, RATE, estimates.shape[1], Stems(format=name, bits=bits)) as writer:
        for start in range(0, estimates.shape[2], 20_001):
            writer.write(estimates[..., start : start + 20_001])
    return writer


def read_stems(writer):
    """Their samples in float64, where libsndfile's integers are exact."""
    return np.stack([soundfile.read(path, always_2d=True)[0].T for path in writer.paths])


# Formats


@pytest.mark.parametrize(("name", "bits"), KINDS)
@pytest.mark.parametrize("channels", [1, 2])
def test_every_format_holds_what_was_asked_for(name, bits, channels, tmp_path):
    estimates = noise(3, channels, 50_000)
    writer = write_stems(tmp_path, estimates, name, bits)
    assert sorted(os.listdir(tmp_path)) == [f"{stem}.{name}" for stem in ("bass", "drums", "piano")]
    info = soundfile.info(writer.paths[0])
    assert (info.format, info.subtype) == (name.upper(), SUBTYPES[name][bits])
    assert (info.samplerate, info.channels, info.frames) == (RATE, channels, 50_000)
    assert writer.gain == 1


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 6), st.integers(1, 200), st.sampled_from([16, 24]), st.floats(1e-6, 0.999), st.integers(0, 2**32 - 1)
)
def test_integers_add_up_to_the_rounded_sum(sources, samples, bits, peak, seed):
    """Each is within a step of its estimate, and their sum within half a step of the sum: not of one half each."""
    estimates = peak * np.random.default_rng(seed).uniform(-1, 1, (sources, 2, samples))
    steps = rounded_with_their_sum(estimates, bits) >> (32 - bits)
    scaled = estimates * 2 ** (bits - 1)
    assert np.abs(steps - scaled).max() <= 1 + 1e-6
    assert np.abs(steps.sum(axis=0) - scaled.sum(axis=0)).max() <= 0.5 + 1e-6


@pytest.mark.parametrize(("name", "bits"), [kind for kind in KINDS if SUBTYPES[kind[0]][kind[1]].startswith("PCM")])
@pytest.mark.parametrize("peak", [0.3, 1.0, 1.7, 40.0])
def test_integer_stems_never_clip_and_add_up_to_the_mixture_within_a_step(name, bits, peak, tmp_path):
    rng = np.random.default_rng(0)
    estimates = (peak * rng.uniform(-1, 1, (3, 2, 30_000))).astype(np.float32)
    estimates[0, 0, 7], estimates[1, 1, 8] = peak, -peak
    writer = write_stems(tmp_path, estimates, name, bits)
    found, step = read_stems(writer), 2.0 ** (1 - Stems(format=name, bits=bits).integer_bits)
    assert writer.gain == 1 if peak < 0.99 else writer.gain == pytest.approx(1 / peak, rel=1e-3)
    wanted = writer.gain * estimates.astype(np.float64)
    assert np.abs(found - wanted).max() <= 1.001 * step
    assert np.abs(found.sum(axis=0) - wanted.sum(axis=0)).max() <= step
    assert np.abs(found).max() < 1


def test_floats_are_written_as_they_are(tmp_path):
    estimates = 3 * noise(2, 2, 1000)
    np.testing.assert_array_equal(read_stems(write_stems(tmp_path, estimates)).astype(np.float32), estimates)


@pytest.mark.parametrize("name", ["ogg", "mp3"])
def test_compressed_stems_are_the_estimates_to_the_ear(name, tmp_path):
    time = np.arange(RATE) / RATE
    tones = [[np.sin(2 * np.pi * frequency * time)] for frequency in (220, 440, 660)]
    writer = write_stems(tmp_path, 1.5 * np.array(tones, np.float32), name)
    found = read_stems(writer)
    assert writer.gain == pytest.approx(0.9 / 1.5)
    inside = slice(RATE // 10, -RATE // 10)
    error = (found / writer.gain - 1.5 * np.array(tones))[..., inside]
    assert (error**2).mean() < 1e-3 * (1.5**2 / 2)
    assert np.abs(found).max() < 1


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("search failed")])
@pytest.mark.parametrize(("name", "bits"), KINDS)
def test_an_interruption_leaves_nothing_in_any_format(name, bits, error, tmp_path):
    with pytest.raises(type(error)):
        with audio.StemWriter(tmp_path / "out", ["bass"], RATE, 1, Stems(format=name, bits=bits)) as writer:
            writer.write(noise(1, 1, 1000))
            assert all(entry.name.startswith(".") for entry in (tmp_path / "out").iterdir())
            raise error
    assert not list(tmp_path.iterdir())


def test_a_gain_is_said(tmp_path):
    song = tmp_path / "song.wav"
    soundfile.write(song, np.full((1000, 1), 4.0), RATE, "FLOAT")
    halves = EqualShare(("bass", "drums"))
    with pytest.warns(SeparationWarning, match=r"song.wav: its stems are 6.0\d dB quieter, all alike"):
        halves.separate_file(song, tmp_path / "out", progress=False, stems=Stems(format="flac", bits="16"))
    stems = [soundfile.read(tmp_path / "out" / f"{name}.flac")[0] for name in halves.sources]
    np.testing.assert_allclose(stems, 1, atol=1e-3)


@pytest.mark.parametrize("only", [("drums",), ("Drums", "bass")])
def test_only_some_stems(only, tmp_path):
    song = tmp_path / "song.wav"
    soundfile.write(song, noise(1000, 2), RATE, "FLOAT")
    halves = EqualShare(("bass", "drums", "piano"))
    paths = halves.separate_file(song, tmp_path / "out", progress=False, stems=Stems(only=only))
    wanted = [name for name in halves.sources if name in {each.lower() for each in only}]
    assert paths == [tmp_path / "out" / f"{name}.wav" for name in wanted]
    assert sorted(os.listdir(tmp_path / "out")) == sorted(f"{name}.wav" for name in wanted)


def test_what_is_no_format():
    with pytest.raises(ValueError, match="'m4a', expected one of wav, flac, ogg, mp3"):
        Stems(format="m4a")


@pytest.mark.parametrize("name", ["ogg", "mp3", "flac"])
def test_a_format_refuses_channels_that_it_cannot_hold(name, tmp_path):
    with pytest.raises(AudioError, match="9 channels"):
        write_stems(tmp_path / "out", noise(1, 9, 10), name)
    assert not list(tmp_path.iterdir())


# Seals


@pytest.mark.parametrize(("name", "bits"), KINDS)
def test_a_changed_byte_breaks_the_seal_wherever_it_is(name, bits, tmp_path):
    """Also in the comment itself, and where something is appended or cut off."""
    (path,) = write_stems(tmp_path, noise(1, 2, 30_000), name, bits).paths
    assert is_sealed(path) and is_ours_to_replace(path)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    seal = whole.index(b"written by glowsep")
    for place in {0, 5, seal, seal + 40, len(whole) - 1, *rng.integers(0, len(whole), 20).tolist()}:
        page = range(whole.rfind(b"OggS", 0, seal) + 22, whole.rfind(b"OggS", 0, seal) + 26)
        changed = bytearray(whole)
        changed[place] ^= 0x10
        path.write_bytes(changed)
        assert not is_sealed(path) or name == "ogg" and place in page
    for other in (whole[:-1], whole + b"\0", whole[:100], b""):
        path.write_bytes(other)
        assert not is_sealed(path)
    path.write_bytes(whole)
    assert is_sealed(path)


@pytest.mark.parametrize(("name", "bits"), KINDS)
def test_a_sealed_file_is_a_good_file(name, bits, tmp_path):
    (path,) = write_stems(tmp_path, noise(1, 2, 30_000), name, bits).paths
    assert audio.check(path) == (30_000, 2, RATE)
    assert soundfile.SoundFile(path).comment.startswith("written by glowsep")


def test_equal_stems_are_equal_files(tmp_path):
    for name, bits in KINDS:
        first, second = (write_stems(tmp_path / name / way, noise(1, 1, 9000), name, bits) for way in "ab")
        if name != "ogg":  # libsndfile draws the number of an Ogg stream
            assert first.paths[0].read_bytes() == second.paths[0].read_bytes()


def test_a_renamed_stem_is_still_known(tmp_path):
    (path,) = write_stems(tmp_path, noise(1, 1, 100)).paths
    assert is_sealed(path.rename(tmp_path / "other.wav"))


def test_the_checksum_of_an_ogg_page():
    """That of CRC-32 without reflection, inversion or final exclusive or: of "123456789" it is 0x89A1897F."""
    assert ogg_checksum(b"123456789") == 0x89A1897F


def test_what_is_not_there_may_be_written_and_a_folder_may_not(tmp_path):
    assert is_ours_to_replace(tmp_path / "new.wav")
    assert not is_ours_to_replace(tmp_path)
    assert not is_sealed(tmp_path / "new.wav")
