"""Audio files: what is read and written comes through unchanged, and what cannot be is refused in one line."""

import errno
import os
import struct
import wave

import numpy as np
import pytest
import scipy.io.wavfile
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from glowsep.errors import AudioError
from glowsep.signals import audio
from glowsep.signals.audio import reading, writing
from glowsep.signals.resampling import resample


def noise(channels, samples, seed=0, peak=0.9):
    return np.random.default_rng(seed).uniform(-peak, peak, (channels, samples)).astype(np.float32)


def assert_refused(path, *words):
    """Every way of reading refuses the file, in one line that names it."""
    readers = [
        audio.read,
        audio.check,
        lambda path: audio.read(path, 10),
        lambda path: list(audio.segments(path, 1000, 1000)),
    ]
    for reader in readers:
        with pytest.raises(AudioError) as refusal:
            reader(path)
        message = str(refusal.value)
        assert str(path) in message
        assert len(message.splitlines()) == 1
        for word in words:
            assert word in message


# Reading what is whole


@pytest.mark.parametrize(
    "suffix, subtype, tolerance",
    [
        ("wav", "PCM_U8", 1 / 127),
        ("wav", "PCM_16", 2**-15),
        ("wav", "PCM_24", 2**-23),
        ("wav", "PCM_32", 2**-23),
        ("wav", "FLOAT", 0),
        ("wav", "DOUBLE", 0),
        ("flac", "PCM_16", 2**-15),
        ("flac", "PCM_24", 2**-23),
    ],
)
@pytest.mark.parametrize("channels", [1, 2, 8])
def test_lossless_formats_are_read_exactly(tmp_path, suffix, subtype, tolerance, channels):
    waveform = noise(channels, 1001)
    path = tmp_path / f"song.{suffix}"
    soundfile.write(path, waveform.T, 44_100, subtype)
    found, rate = audio.read(path)
    assert found.dtype == np.float32
    assert found.shape == (channels, 1001)
    assert found.flags.c_contiguous
    assert rate == 44_100
    np.testing.assert_allclose(found, waveform, rtol=0, atol=tolerance)
    assert audio.info(path) == audio.check(path) == (1001, channels, 44_100)


@pytest.mark.parametrize("suffix", ["ogg", "mp3"])
def test_lossy_formats_are_heard_in_time(tmp_path, suffix):
    time = np.arange(44_100) / 44_100
    waveform = np.stack([np.sin(2 * np.pi * 440 * time), np.sin(2 * np.pi * 660 * time)]) * np.exp(-3 * time)
    path = tmp_path / f"song.{suffix}"
    soundfile.write(path, waveform.T, 44_100)
    found, rate = audio.read(path)
    assert rate == 44_100
    assert found.shape == waveform.shape
    assert np.linalg.norm(found - waveform) < 0.1 * np.linalg.norm(waveform)


@pytest.mark.parametrize("rate", [8000, 11_025, 48_000, 192_000])
def test_any_rate(tmp_path, rate):
    soundfile.write(tmp_path / "song.wav", noise(1, 100).T, rate)
    assert audio.read(tmp_path / "song.wav")[1] == rate


@pytest.mark.parametrize(
    "name", ["two words.wav", "Café Zürich – été.flac", "日本.wav", "no suffix", "SHOUT.WAV", "'\".wav"]
)
def test_any_name(tmp_path, name):
    soundfile.write(tmp_path / name, noise(2, 100).T, 22_050, format="FLAC" if "flac" in name else "WAV")
    assert audio.read(tmp_path / name)[0].shape == (2, 100)
    assert audio.read(str(tmp_path / name))[0].shape == (2, 100)


@pytest.mark.parametrize("waveform", [np.full((1, 1), 0.5), np.zeros((2, 500)), np.sign(noise(2, 500))])
def test_one_sample_silence_and_clipping(tmp_path, waveform):
    for suffix in ("wav", "flac"):
        audio.write(tmp_path / f"song.{suffix}", waveform, 22_050)
        found = audio.read(tmp_path / f"song.{suffix}")[0]
        np.testing.assert_allclose(found, waveform, rtol=0, atol=2**-22)


def test_louder_than_full_scale(tmp_path):
    waveform = noise(2, 500, peak=7)
    audio.write(tmp_path / "song.wav", waveform, 22_050)
    np.testing.assert_array_equal(audio.read(tmp_path / "song.wav")[0], waveform)


def test_integers_of_the_standard_library(tmp_path):
    """An independent writer: the scale is 1 / 32768."""
    with wave.open(str(tmp_path / "song.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(32_000)
        file.writeframes(np.array([[0, -32768], [16384, 1]], "<i2").tobytes())
    waveform, rate = audio.read(tmp_path / "song.wav")
    assert rate == 32_000
    np.testing.assert_array_equal(waveform, [[0, 0.5], [-1, 1 / 32768]])


# Reading a part


SONGS = ["song.wav", "song.flac", "song.ogg", "song.mp3"]


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    """The same noise in every format: three seconds, longer than one block."""
    folder = tmp_path_factory.mktemp("songs")
    for name in SONGS:
        soundfile.write(folder / name, noise(2, 132_300, peak=0.3).T, 44_100)
    for rate in (44_100, 48_000):  # libsndfile's guess of the length is too long in the first, right in the second
        tagless = folder / f"tagless {rate}.mp3"
        soundfile.write(tagless, noise(2, 132_300).T, rate, bitrate_mode="CONSTANT", compression_level=0.5)
        tagless.write_bytes(without_its_first_frame(tagless.read_bytes()))
    return folder


def without_its_first_frame(mp3):
    """An MP3 file as streams have it: the first frame, silent, holds the tag with the length."""
    sync = mp3[:2]
    assert b"Info" in mp3[:200] or b"Xing" in mp3[:200]
    return mp3[mp3.index(sync, 2) :]


@pytest.mark.parametrize("name", [*SONGS, "tagless 44100.mp3", "tagless 48000.mp3"])
@pytest.mark.parametrize("block", [1000, 1 << 18])
def test_a_part_is_a_slice_of_the_whole(songs, monkeypatch, name, block):
    monkeypatch.setattr(reading, "BLOCK", block)
    whole = audio.read(songs / name)[0]
    samples = audio.info(songs / name).samples
    assert whole.shape[-1] == samples
    parts = [(0, 10), (samples - 5, None), (1000, 5000), (samples // 2, 10**9), (-7, None), (131_000, -1), (5, 5)]
    for start, stop in parts:
        np.testing.assert_array_equal(audio.read(songs / name, start, stop)[0], whole[:, start:stop])


@pytest.mark.parametrize("name", SONGS)
@pytest.mark.parametrize(
    "length, hop", [(40_000, 30_000), (44_100, 44_100), (132_300, 1000), (500_000, 7), (66_150, 66_150)]
)
def test_segments_overlap_and_cover_the_file(songs, name, length, hop):
    whole = audio.read(songs / name)[0]
    starts, end = [], 0
    for start, segment in audio.segments(songs / name, length, hop):
        assert end < 132_300  # no segment after the one that reached the end
        np.testing.assert_array_equal(segment, whole[:, start : start + length])
        starts.append(start)
        end = start + segment.shape[-1]
    assert end == 132_300
    assert starts == list(range(0, starts[-1] + 1, hop))


@settings(deadline=None, max_examples=50)
@given(samples=st.integers(1, 60), length=st.integers(1, 80), data=st.data())
def test_segments_of_any_length(tmp_path_factory, samples, length, data):
    hop = data.draw(st.integers(1, length))
    path = tmp_path_factory.getbasetemp() / "short.wav"
    audio.write(path, np.arange(samples)[None] / 128, 8000)
    ends = []
    for start, segment in audio.segments(path, length, hop):
        np.testing.assert_array_equal(segment[0] * 128, np.arange(start, min(start + length, samples)))
        ends.append(start + segment.shape[-1])
    assert ends[-1] == samples
    assert all(end < samples for end in ends[:-1])


@pytest.mark.parametrize("hop", [0, -1, 101])
def test_a_hop_beyond_the_segment_is_refused(songs, hop):
    with pytest.raises(ValueError, match=f"hop is {hop}"):
        next(audio.segments(songs / "song.wav", 100, hop))


# Refusing what is not whole


def test_no_such_file(tmp_path):
    assert_refused(tmp_path / "missing.wav", "no such file", "check the name")


def test_a_folder(tmp_path):
    assert_refused(tmp_path, "folder")


@pytest.mark.parametrize(
    "name, content",
    [
        ("picture.png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8),
        ("letter.txt", b"Dear reader,\n" * 100),
        ("letter.wav", b"Dear reader,\n" * 100),
        ("letter.raw", b"Dear reader,\n" * 100),
        ("letter.mp3", b"Dear reader,\n" * 100),
        ("short.wav", b"RIFF"),
        ("form.wav", b"RIFF\4\0\0\0WAVE"),
    ],
)
def test_what_is_not_audio(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    assert_refused(tmp_path / name)


@pytest.mark.parametrize("name", ["empty.wav", "empty.mp3", "empty"])
def test_an_empty_file(tmp_path, name):
    (tmp_path / name).touch()
    assert_refused(tmp_path / name, "empty")


@pytest.mark.parametrize("suffix, container", [("wav", "WAV"), ("ogg", "OGG"), ("aiff", "AIFF")])
def test_zero_samples(tmp_path, suffix, container):
    soundfile.write(tmp_path / f"song.{suffix}", np.zeros((0, 2)), 44_100, format=container)
    assert_refused(tmp_path / f"song.{suffix}", "no samples")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [20, 700_000])
def test_samples_that_are_not_finite(tmp_path, bad, place):
    waveform = np.zeros((2, 700_001), np.float32)
    waveform[1, place] = bad
    scipy.io.wavfile.write(tmp_path / "song.wav", 22_050, waveform.T)
    assert_refused(tmp_path / "song.wav", "NaN", f"{place / 22_050:.3f} s")
    assert audio.info(tmp_path / "song.wav").samples == 700_001


def test_samples_that_no_sum_can_hold(tmp_path):
    """Finite, but their spectrum would not be; what is merely absurd is read."""
    waveform = np.full((2, 4000), 2.0**99, np.float32)
    soundfile.write(tmp_path / "loud.wav", waveform.T, 22_050, "FLOAT")
    np.testing.assert_array_equal(audio.read(tmp_path / "loud.wav")[0], waveform)
    waveform[1, 3000] = 2.0**127
    soundfile.write(tmp_path / "louder.wav", waveform.T, 22_050, "FLOAT")
    with pytest.raises(AudioError, match="far beyond full scale, the first at"):
        audio.check(tmp_path / "louder.wav")


def wav(samples=2000, whole=None, data=None, before=b"", after=b""):
    """A WAV file of 16 bits, with what its two length fields say, and chunks before and after its samples."""
    content = (noise(2, samples).T * 32_767).astype("<i2").tobytes()
    whole = 36 + len(before) + len(content) + len(after) if whole is None else whole
    data = len(content) if data is None else data
    form = struct.pack("<HHIIHH", 1, 2, 22_050, 88_200, 4, 16)
    header = struct.pack("<4sI4s4sI", b"RIFF", whole, b"WAVE", b"fmt ", 16) + form
    return header + before + struct.pack("<4sI", b"data", data) + content + after


STREAMED = 0xFFFFFFFF


@pytest.mark.parametrize(
    "content",
    [
        wav(),
        wav(whole=STREAMED, data=STREAMED),
        wav(whole=0),
        wav(whole=0, data=0),
        wav(whole=36, data=0),
        wav(data=0),
        wav(whole=0x7FFFF024, data=0x7FFFF000),  # SoX into a pipe
        wav(whole=0x7FFFFFFF, data=0x7FFFFFFF),
        wav(whole=0x80000024, data=0x80000000),  # arecord
        wav(data=2**31),
        wav(whole=8044),  # written by programs that count the first 8 bytes too
        wav(after=b"LIST" + struct.pack("<I", 4) + b"INFO"),
        wav(before=b"note" + struct.pack("<I", 3) + b"odd\0"),
        wav() + b"TAG appended without being counted",
    ],
)
def test_headers_of_honest_programs(tmp_path, content):
    (tmp_path / "song.wav").write_bytes(content)
    assert audio.check(tmp_path / "song.wav").samples == 2000
    np.testing.assert_allclose(audio.read(tmp_path / "song.wav")[0], noise(2, 2000), atol=1e-4)


@pytest.mark.parametrize("filler", [b"\0", b""])
def test_an_odd_number_of_bytes(tmp_path, filler):
    """A filler belongs after them, which some programs forget."""
    form = struct.pack("<HHIIHH", 1, 1, 8000, 8000, 1, 8)
    chunks = struct.pack("<4sI", b"fmt ", 16) + form + struct.pack("<4sI", b"data", 3) + b"\x00\x80\xc0" + filler
    chunks += struct.pack("<4sI", b"LIST", 4) + b"INFO"
    (tmp_path / "song.wav").write_bytes(struct.pack("<4sI4s", b"RIFF", 4 + len(chunks), b"WAVE") + chunks)
    np.testing.assert_array_equal(audio.read(tmp_path / "song.wav")[0], [[-1, 0, 0.5]])


@pytest.mark.parametrize(
    "content",
    [
        wav(data=8004),
        wav(data=16_000),
        wav(data=4000),
        wav(whole=100_000),
        wav(whole=36),
        wav(whole=100_000, data=100_000 - 36),
    ],
)
def test_headers_that_lie_about_the_length(tmp_path, content):
    (tmp_path / "song.wav").write_bytes(content)
    assert_refused(tmp_path / "song.wav", "promises", "again")


@pytest.mark.parametrize("kept", [8, 13, 30, 43, 44, 45, 4000, 8043])
def test_a_wav_cut_short(tmp_path, kept):
    (tmp_path / "song.wav").write_bytes(wav()[:kept])
    assert_refused(tmp_path / "song.wav")


@pytest.mark.parametrize("container, subtype", [("RF64", "PCM_16"), ("WAVEX", "FLOAT"), ("WAV", "ULAW")])
@pytest.mark.parametrize("kept", [0.3, 0.999])
def test_other_kinds_of_wav_cut_short(tmp_path, container, subtype, kept):
    soundfile.write(tmp_path / "song.wav", noise(2, 5000).T, 44_100, subtype, format=container)
    assert audio.check(tmp_path / "song.wav").samples == 5000
    content = (tmp_path / "song.wav").read_bytes()
    (tmp_path / "song.wav").write_bytes(content[: int(kept * len(content))])
    assert_refused(tmp_path / "song.wav", "cut short")


@pytest.mark.parametrize("suffix", ["flac", "ogg", "mp3"])
@pytest.mark.parametrize("kept", [0.02, 0.5, 0.9, 0.99])
def test_compressed_files_cut_short(songs, tmp_path, suffix, kept):
    content = (songs / f"song.{suffix}").read_bytes()
    (tmp_path / f"song.{suffix}").write_bytes(content[: int(kept * len(content))])
    assert_refused(tmp_path / f"song.{suffix}")


def test_a_flac_that_promises_too_much(songs, tmp_path):
    content = bytearray((songs / "song.flac").read_bytes())
    content[21] |= 0x0F  # the upper bits of the number of samples: 18 days of audio
    (tmp_path / "song.flac").write_bytes(content)
    assert_refused(tmp_path / "song.flac", "promises")


def test_a_flac_that_promises_nothing(songs, tmp_path):
    """As programs write it that cannot go back to its beginning: into a pipe."""
    content = bytearray((songs / "song.flac").read_bytes())
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    (tmp_path / "song.flac").write_bytes(content)
    assert audio.info(tmp_path / "song.flac") == audio.info(songs / "song.flac")
    np.testing.assert_array_equal(audio.read(tmp_path / "song.flac")[0], audio.read(songs / "song.flac")[0])
    (tmp_path / "song.flac").write_bytes(content[:-1])
    assert_refused(tmp_path / "song.flac", "cut short")


def test_an_mp3_of_varying_rate_that_does_not_tell_its_length(tmp_path):
    """From a loud first second libsndfile guesses large frames, so too few of them: the end would be lost."""
    path = tmp_path / "song.mp3"
    soundfile.write(path, np.pad(noise(1, 44_100), [(0, 0), (0, 44_100)]).T, 44_100, bitrate_mode="VARIABLE")
    assert audio.check(path).samples == 88_200
    whole = audio.read(path)[0]
    path.write_bytes(without_its_first_frame(path.read_bytes()))
    found = audio.read(path)[0]
    assert found.shape[1] == 78 * 1152  # with the encoder's and the decoder's delay, 576 + 529, and a padding
    np.testing.assert_allclose(found[:, 1105 : 1105 + 88_200], whole, atol=1e-5)


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    def refuse(*arguments):
        raise PermissionError(errno.EACCES, "Permission denied")

    (tmp_path / "song.wav").write_bytes(wav())
    monkeypatch.setattr(reading, "open", refuse, raising=False)
    assert_refused(tmp_path / "song.wav", "Permission denied")


# Writing one file


@pytest.mark.filterwarnings("ignore:Chunk .non-data. not understood")  # the peaks that libsndfile notes
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_float_wav_keeps_every_bit(tmp_path, dtype):
    waveform = noise(3, 1000, peak=3).astype(dtype)
    audio.write(tmp_path / "song.wav", waveform, 22_050)
    rate, theirs = scipy.io.wavfile.read(tmp_path / "song.wav")
    assert rate == 22_050
    assert theirs.dtype == np.float32
    np.testing.assert_array_equal(theirs.T, waveform.astype(np.float32))


def test_equal_waveforms_give_equal_files(tmp_path, monkeypatch):
    for day in ("monday", "tuesday"):
        audio.write(tmp_path / f"{day}.wav", noise(2, 100), 22_050)
    monday, tuesday = ((tmp_path / f"{day}.wav").read_bytes() for day in ("monday", "tuesday"))
    assert monday == tuesday
    # The peaks that libsndfile notes come with a date of four bytes, which would differ from second to second.
    date = monday.index(b"PEAK") + 12
    assert monday[date : date + 4] == bytes(4)


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_a_file_is_replaced(tmp_path, suffix):
    path = tmp_path / f"two words é.{suffix}"
    for seed in (1, 2):
        audio.write(path, noise(2, 1000, seed), 22_050)
        np.testing.assert_allclose(audio.read(path)[0], noise(2, 1000, seed), rtol=0, atol=2**-23)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "name, waveform, message",
    [
        ("song.mp3", noise(2, 10), "ends in .wav or .flac"),
        ("song.wav", noise(2, 10)[0], "shape"),
        ("song.wav", np.full((2, 10), np.inf), "finite"),
        ("song.flac", noise(2, 10) + 2, "peaks at 2"),
    ],
)
def test_waveforms_that_cannot_be_written(tmp_path, name, waveform, message):
    with pytest.raises(ValueError, match=message):
        audio.write(tmp_path / name, waveform, 22_050)
    assert not list(tmp_path.iterdir())


def assert_write_fails(path, *words):
    with pytest.raises(AudioError) as refusal:
        audio.write(path, noise(2, 1000), 22_050)
    assert str(path) in str(refusal.value)
    assert len(str(refusal.value).splitlines()) == 1
    for word in words:
        assert word in str(refusal.value)


def test_a_missing_folder(tmp_path):
    assert_write_fails(tmp_path / "missing" / "song.wav", "folder does not exist")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("text")
    assert_write_fails(tmp_path / "file" / "song.wav", "choose a folder")


def test_a_folder_in_the_way(tmp_path):
    (tmp_path / "song.wav").mkdir()
    assert_write_fails(tmp_path / "song.wav", "is a folder")
    assert [entry.name for entry in tmp_path.iterdir()] == ["song.wav"]


def failing(error):
    def fail(*arguments, **keywords):
        raise error

    return fail


FAILURES = [
    (OSError(errno.ENOSPC, "No space left on device"), "disk is full"),
    (PermissionError(errno.EACCES, "Permission denied"), "Permission denied"),
    (soundfile.LibsndfileError(2), "disk full"),
]


@pytest.mark.parametrize("error, word", FAILURES)
@pytest.mark.parametrize("step", ["open", "write", "rename"])
def test_a_failure_leaves_the_earlier_file(tmp_path, monkeypatch, error, word, step):
    audio.write(tmp_path / "song.wav", noise(1, 10, seed=9), 8000)
    owner, name = {"open": (writing, "open"), "write": (soundfile.SoundFile, "write"), "rename": (os, "replace")}[step]
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, failing(error), raising=False)
        assert_write_fails(tmp_path / "song.wav", word)
    assert [entry.name for entry in tmp_path.iterdir()] == ["song.wav"]
    np.testing.assert_array_equal(audio.read(tmp_path / "song.wav")[0], noise(1, 10, seed=9))


try:
    import resource
except ImportError:  # Windows sets no such limit
    resource = None

if resource:

    @pytest.mark.parametrize("suffix", ["wav", "flac"])
    def test_a_disk_that_is_full(tmp_path, suffix):
        """The system itself stops the file from growing."""
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
        try:
            with pytest.raises(AudioError, match="disk full"):
                audio.write(tmp_path / f"song.{suffix}", noise(2, 50_000), 22_050)
            with pytest.raises(AudioError, match="disk full"):
                with audio.StemWriter(tmp_path / "stems", ["bass", "drums"], 22_050, 2) as writer:
                    writer.write(np.stack([noise(2, 50_000)] * 2))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert not list(tmp_path.iterdir())


# Writing stems

NAMES = ["bass", "drums", "e piano é"]


def write_stems(folder, estimates, blocks=(slice(None),)):
    with audio.StemWriter(folder, NAMES, 22_050, estimates.shape[1]) as writer:
        for block in blocks:
            writer.write(estimates[..., block])


def contents(folder):
    return {str(entry.relative_to(folder)): entry.read_bytes() for entry in folder.rglob("*") if entry.is_file()}


@pytest.mark.parametrize("exists", [True, False])
def test_stems_are_written_block_by_block(tmp_path, exists):
    folder = tmp_path / "some songs" / "first"
    if exists:
        folder.mkdir(parents=True)
        (folder / "notes.txt").write_text("mine")
    estimates = np.stack([noise(2, 1000, seed, peak=2) for seed in range(3)])
    write_stems(folder, estimates, [slice(0, 300), slice(300, 300), slice(300, 1000)])
    found = sorted(entry.name for entry in folder.iterdir())
    assert found == sorted([f"{name}.wav" for name in NAMES] + ["notes.txt"] * exists)
    for name, estimate in zip(NAMES, estimates, strict=True):
        waveform, rate = audio.read(folder / f"{name}.wav")
        assert rate == 22_050
        np.testing.assert_array_equal(waveform, estimate)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("search failed"), AudioError("other.wav: bad")])
def test_an_interruption_leaves_everything_as_it_was(tmp_path, error):
    write_stems(tmp_path / "old", np.stack([noise(1, 100)] * 3))
    (tmp_path / "old" / "notes.txt").write_text("mine")
    before = contents(tmp_path)
    for folder in (tmp_path / "old", tmp_path / "new" / "deep"):
        with pytest.raises(type(error)) as raised:
            with audio.StemWriter(folder, NAMES, 22_050, 2) as writer:
                writer.write(np.stack([noise(2, 1000)] * 3))
                raise error
        assert raised.value is error
    assert contents(tmp_path) == before
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("failing_rename", range(6))
@pytest.mark.parametrize("error", [OSError(errno.EACCES, "in use"), KeyboardInterrupt()])
def test_stems_are_replaced_all_or_none(tmp_path, monkeypatch, failing_rename, error):
    """Two earlier stems are moved aside and three new ones into place: each of these steps may fail."""
    write_stems(tmp_path, np.stack([noise(1, 100)] * 3))
    (tmp_path / "bass.wav").unlink()
    before, replace, calls = contents(tmp_path), os.replace, []

    def replace_until(source, target):
        calls.append(target)
        if len(calls) == failing_rename + 1:
            raise error
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", replace_until)
        if failing_rename < 5:
            with pytest.raises((AudioError, KeyboardInterrupt)):
                write_stems(tmp_path, np.stack([noise(1, 200, seed=5)] * 3))
            assert contents(tmp_path) == before
        else:
            write_stems(tmp_path, np.stack([noise(1, 200, seed=5)] * 3))
            assert sorted(contents(tmp_path)) == sorted(f"{name}.wav" for name in NAMES)
            assert contents(tmp_path) != before


@pytest.mark.parametrize("error, word", FAILURES)
@pytest.mark.parametrize("step", ["open", "write", "rename"])
def test_a_failure_leaves_no_stems(tmp_path, monkeypatch, error, word, step):
    owner, name = {"open": (writing, "open"), "write": (soundfile.SoundFile, "write"), "rename": (os, "replace")}[step]
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, failing(error), raising=False)
        with pytest.raises(AudioError, match=word) as refusal:
            write_stems(tmp_path / "stems", np.stack([noise(1, 100)] * 3))
    assert str(tmp_path / "stems") in str(refusal.value)
    assert len(str(refusal.value).splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_an_output_folder_that_is_a_file(tmp_path):
    (tmp_path / "stems").write_text("mine")
    with pytest.raises(AudioError, match="stems"):
        write_stems(tmp_path / "stems", np.stack([noise(1, 100)] * 3))
    assert contents(tmp_path) == {"stems": b"mine"}


def test_more_than_wav_can_hold(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "LARGEST_WAV", 4 * 2 * 150)
    with pytest.raises(AudioError, match="4 GiB"):
        write_stems(tmp_path / "stems", np.stack([noise(2, 200)] * 3), [slice(0, 100), slice(100, 200)])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("names", [["bass", "bass"], ["a/b"], [""], [".."], [".hidden"]])
def test_names_that_are_no_file_names(tmp_path, names):
    with pytest.raises(ValueError, match="name"):
        audio.StemWriter(tmp_path, names, 22_050, 1)


@pytest.mark.parametrize("shape", [(2, 2, 10), (3, 1, 10), (3, 10)])
def test_estimates_of_another_shape(tmp_path, shape):
    with pytest.raises(ValueError, match="shape"):
        with audio.StemWriter(tmp_path / "stems", NAMES, 22_050, 2) as writer:
            writer.write(np.zeros(shape))
    assert not list(tmp_path.iterdir())


# Rates


@settings(deadline=None, max_examples=100)
@given(
    samples=st.integers(1, 500),
    rates=st.tuples(*[st.sampled_from([8000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000])] * 2),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_resampling_keeps_dtype_and_duration(samples, rates, dtype):
    found = resample(noise(2, samples).astype(dtype), *rates)
    assert found.dtype == dtype
    assert found.shape == (2, -(-samples * rates[1] // rates[0]))


@pytest.mark.parametrize(
    "rate, new_rate", [(44_100, 22_050), (48_000, 22_050), (22_050, 44_100), (8000, 22_050), (192_000, 22_050)]
)
def test_a_resampled_sinusoid_is_the_sinusoid_at_the_new_rate(rate, new_rate):
    tone, new_tone = (np.sin(2 * np.pi * 440 * np.arange(r) / r)[None] for r in (rate, new_rate))
    inside = slice(new_rate // 10, -new_rate // 10)
    np.testing.assert_allclose(resample(tone, rate, new_rate)[:, inside], new_tone[:, inside], rtol=0, atol=2e-3)


def test_frequencies_that_the_new_rate_cannot_hold_are_removed():
    tone = np.sin(2 * np.pi * 15_000 * np.arange(44_100) / 44_100)[None]
    assert np.abs(resample(tone, 44_100, 22_050)[:, 500:-500]).max() < 2e-3


def test_equal_rates_change_nothing():
    waveform = noise(2, 100)
    assert resample(waveform, 22_050, 22_050) is waveform


@pytest.mark.parametrize("rates", [(0, 22_050), (22_050, 0), (-1, 22_050)])
def test_rates_must_be_positive(rates):
    with pytest.raises(ValueError, match="above 0"):
        resample(noise(1, 10), *rates)
