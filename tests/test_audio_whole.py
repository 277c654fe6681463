"""Audio files whose headers say too little, too much or nothing: read whole, or refused in one line."""

import io
import shlex
import shutil
import struct
import subprocess

import numpy as np
import pytest
import soundfile

from glowsep.errors import AudioError
from glowsep.signals import audio
from glowsep.signals.audio import endings, ffmpeg, flac, mp3, ogg
from glowsep.signals.audio.channels import mask_of
from glowsep.signals.audio.contents import contents
from glowsep.signals.audio.suffixes import FILMS, OF_LIBSNDFILE, SUFFIXES

RATE = 44_100
SAMPLES = 30_000


def sound(channels=2, samples=SAMPLES, seed=0):
    time = np.arange(samples) / RATE
    tones = [np.sin(2 * np.pi * 220 * (n + 1) * time) * np.exp(-2 * time) / 3 for n in range(channels)]
    return np.stack(tones) + 0.02 * np.random.default_rng(seed).standard_normal((channels, samples))


def encoded(waveform=None, rate=RATE, **options):
    file = io.BytesIO()
    soundfile.write(file, (sound() if waveform is None else waveform).T, rate, **options)
    return file.getvalue()


def put(folder, name, content):
    path = folder / name
    path.write_bytes(content)
    return path


def refusal(path):
    with pytest.raises(AudioError) as error:
        audio.check(path)
    assert str(path) in str(error.value)
    assert len(str(error.value).splitlines()) == 1
    return str(error.value)


def samples(path):
    """What every way of reading agrees on."""
    info = audio.check(path)
    assert audio.read(path)[0].shape == (info.channels, info.samples)
    return info.samples


# MP3

MODES = {"constant": dict(bitrate_mode="CONSTANT", compression_level=0.5), "varying": dict(bitrate_mode="VARIABLE")}


@pytest.fixture(params=MODES)
def song(request):
    """An MP3 file with its tag."""
    return encoded(format="MP3", **MODES[request.param])


def tag_at(content):
    return max(content.find(b"Xing", 0, 200), content.find(b"Info", 0, 200))


def counted(content, count):
    """The file with another count of frames in its tag."""
    at = tag_at(content) + 8
    return content[:at] + struct.pack(">I", count) + content[at + 4 :]


def count_of(content):
    return struct.unpack_from(">I", content, tag_at(content) + 8)[0]


def tagless(content):
    return content[content.index(content[:2], 2) :]


def id3(size):
    return b"ID3\x03\0\0" + bytes([size >> shift & 127 for shift in (21, 14, 7, 0)]) + bytes(size)


LYRICS = b"LYRICSBEGIN" + b"LYR01500" + b"la la " * 250
LYRICS += b"%06d" % len(LYRICS) + b"LYRICS200"
APE = b"APETAGEX" + struct.pack("<IIII", 2000, 32 + 8, 1, 0) + bytes(8)
ENDS = {
    "nothing": b"",
    "ID3v1": b"TAG" + bytes(125),
    "lyrics and ID3v1": LYRICS + b"TAG" + bytes(125),
    "a footer of APE": b"12345678" + APE,
    "a tag of APE": APE[:20] + b"\0\0\0\x80" + bytes(8) + b"12345678" + APE[:20] + b"\0\0\0\x80" + bytes(8),
    "zeros": bytes(3000),
    "zeros and ID3v1": bytes(700) + b"TAG" + bytes(125),
    "ID3v1 and zeros": b"TAG" + bytes(125) + bytes(5000),
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("beginning", [b"", id3(3000), id3(3000) + id3(5000), id3(100) + bytes(2000)])
def test_tags_around_an_mp3_change_nothing(tmp_path, song, beginning, end):
    path = put(tmp_path, "song.mp3", beginning + song + ENDS[end])
    plain = put(tmp_path, "plain.mp3", song)
    assert samples(path) == samples(plain) == SAMPLES
    np.testing.assert_array_equal(audio.read(path)[0], audio.read(plain)[0])
    frames = count_of(song)
    assert samples(put(tmp_path, "tagless.mp3", beginning + tagless(song) + ENDS[end])) == 1152 * frames


@pytest.mark.parametrize("off", [0, 1])
def test_a_count_may_include_the_tags_own_frame(tmp_path, song, off):
    path = put(tmp_path, "song.mp3", counted(song, count_of(song) + off))
    assert samples(path) >= SAMPLES


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9])
def test_a_count_that_is_too_small_is_not_believed(tmp_path, song, share):
    frames = count_of(song)
    path = put(tmp_path, "song.mp3", counted(song, int(share * frames)))
    assert samples(path) == 1152 * frames - 1105  # all of them, without the delay of the encoder and the decoder
    whole = audio.read(put(tmp_path, "whole.mp3", song))[0]
    np.testing.assert_allclose(audio.read(path)[0][:, :SAMPLES], whole, atol=1e-6)


def test_a_tag_without_a_count(tmp_path, song):
    at = tag_at(song) + 7
    path = put(tmp_path, "song.mp3", song[:at] + bytes([song[at] & ~1]) + song[at + 1 :])
    assert samples(path) == 1152 * count_of(song)


@pytest.mark.parametrize("more", [2, 50, 2**20])
def test_a_count_that_is_too_large_is_refused(tmp_path, song, more):
    assert "cut short" in refusal(put(tmp_path, "song.mp3", counted(song, count_of(song) + more)))


@pytest.mark.parametrize("between", ["nothing", "ID3v1", "a tag of APE"])
@pytest.mark.parametrize("again", [b"", id3(2000)])
def test_joined_mp3s_are_read_to_the_end(tmp_path, song, between, again):
    path = put(tmp_path, "song.mp3", song + ENDS[between] + again + song)
    frames = 2 * count_of(song) + 1  # the second tag's frame is one of silence
    assert samples(path) == 1152 * frames - 1105
    whole = audio.read(put(tmp_path, "whole.mp3", song))[0]
    second = audio.read(path)[0][:, 1152 * (count_of(song) + 1) :]
    np.testing.assert_allclose(second[:, 2000:SAMPLES], whole[:, 2000:], atol=1e-4)


def test_joined_mp3s_of_two_rates_are_refused(tmp_path, song):
    other = encoded(sound(samples=20_000), 22_050, format="MP3")
    assert "damaged" in refusal(put(tmp_path, "song.mp3", song + other))


@pytest.mark.parametrize("share", [0.2, 0.3, 0.5, 0.8])
@pytest.mark.parametrize("hole", [bytes(500), b"x" * 500, bytes(3000)])
@pytest.mark.parametrize("has_tag", [True, False])
def test_a_hole_in_an_mp3_is_refused(tmp_path, song, share, hole, has_tag):
    content = song if has_tag else tagless(song)
    at = 500 + int(share * (len(content) - 5000))
    path = put(tmp_path, "song.mp3", content[:at] + hole + content[at + len(hole) :])
    assert "damaged" in refusal(path)


@pytest.mark.parametrize("kept", [0.3, 0.77, 0.999])
def test_a_tagless_mp3_that_ends_in_a_frame_is_refused(tmp_path, song, kept):
    content = tagless(song)
    assert "cut short" in refusal(put(tmp_path, "song.mp3", content[: int(kept * len(content))]))


@pytest.mark.parametrize("rate", [8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_every_rate_of_mp3(tmp_path, rate, channels):
    content = encoded(sound(channels), rate, format="MP3")
    assert samples(put(tmp_path, "song.mp3", content)) == SAMPLES
    frame = mp3.frame(content[:4])
    assert frame.rate == rate
    path = put(tmp_path, "tagless.mp3", tagless(content))
    assert samples(path) == frame.samples * count_of(content)


def test_mp3_in_wav(tmp_path, song):
    content = tagless(song)
    form = struct.pack("<HHIIHH", 0x55, 2, RATE, 16_000, 1, 0) + struct.pack("<HHIHHH", 12, 1, 2, 417, 1, 1393)
    chunks = struct.pack("<4sI", b"fmt ", len(form)) + form + struct.pack("<4sI", b"data", len(content)) + content
    whole = struct.pack("<4sI4s", b"RIFF", 4 + len(chunks), b"WAVE") + chunks
    assert samples(put(tmp_path, "song.wav", whole)) == 1152 * count_of(song)
    assert "cut short" in refusal(put(tmp_path, "cut.wav", whole[:-300]))


# Ogg and FLAC


@pytest.mark.parametrize("form, subtype", [("OGG", "VORBIS"), ("OGG", "OPUS"), ("FLAC", "PCM_16")])
@pytest.mark.parametrize("count", [2, 3])
def test_joined_files_are_read_one_after_the_other(tmp_path, form, subtype, count):
    rate = 48_000 if subtype == "OPUS" else RATE
    contents = [encoded(sound(seed=seed), rate, format=form, subtype=subtype) for seed in range(count)]
    suffix = form.lower()
    parts = [audio.read(put(tmp_path, f"{n}.{suffix}", content))[0] for n, content in enumerate(contents)]
    joined = put(tmp_path, f"joined.{suffix}", b"".join(contents))
    assert samples(joined) == count * SAMPLES
    np.testing.assert_array_equal(audio.read(joined)[0], np.concatenate(parts, axis=1))
    np.testing.assert_array_equal(audio.read(joined, SAMPLES - 10, SAMPLES + 10)[0][:, 10:], parts[1][:, :10])
    segments = list(audio.segments(joined, 20_000, 20_000))
    np.testing.assert_array_equal(np.concatenate([s for _, s in segments], axis=1), np.concatenate(parts, axis=1))


@pytest.mark.parametrize("form", ["OGG", "FLAC"])
def test_joined_files_of_two_kinds_are_refused(tmp_path, form):
    for waveform, rate in ((sound(1), RATE), (sound(2), 22_050)):
        content = encoded(format=form) + encoded(waveform, rate, format=form)
        message = refusal(put(tmp_path, f"{rate}.{form.lower()}", content))
        assert "only the first 1 of its 2 parts" in message


@pytest.mark.parametrize("form", ["OGG", "FLAC"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_changed_byte_is_noticed(tmp_path, form, share):
    content = bytearray(encoded(format=form))
    content[int(share * len(content))] ^= 0x10
    refusal(put(tmp_path, f"song.{form.lower()}", content))


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
@pytest.mark.parametrize("which", [-1, -2, 3])
def test_a_missing_page_is_noticed(tmp_path, subtype, which):
    content = encoded(sound(samples=200_000), 48_000, format="OGG", subtype=subtype)
    pages = list(ogg.pages("song", io.BytesIO(content), 0, len(content), len(content)))
    page = pages[which]
    message = refusal(put(tmp_path, "song.ogg", content[: page.start] + content[page.stop :]))
    assert "missing" in message


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 6, 7, 8])
@pytest.mark.parametrize("form, suffix", [("OGG", "ogg"), ("FLAC", "flac"), ("WAVEX", "wav")])
def test_channels_come_in_the_order_of_wav(tmp_path, form, suffix, channels):
    """libsndfile writes them as they are given, so that Vorbis's own order is to be given to it."""
    waveform = sound(channels)
    order = ogg.WAV_ORDER.get(channels, range(channels)) if form == "OGG" else range(channels)
    given = np.empty_like(waveform)
    given[list(order)] = waveform  # the channel that WAV has at i is Vorbis's order[i]
    path = put(tmp_path, f"song.{suffix}", encoded(given, format=form))
    found = audio.read(path)[0]
    assert [int(np.argmax([np.dot(one, other) for other in waveform])) for one in found] == list(range(channels))


def test_a_flac_header_that_promises_less_is_not_believed(tmp_path):
    content = bytearray(encoded(format="FLAC"))
    content[22:26] = struct.pack(">I", SAMPLES // 2)
    assert samples(put(tmp_path, "song.flac", content)) == SAMPLES


@pytest.mark.parametrize("end", [b"", b"TAG" + bytes(125), bytes(1000)])
@pytest.mark.parametrize("beginning", [b"", id3(500)])
def test_tags_around_a_flac(tmp_path, beginning, end):
    assert samples(put(tmp_path, "song.flac", beginning + encoded(format="FLAC") + end)) == SAMPLES


def test_numbers_of_flac_frames():
    """As UTF-8 codes characters, up to 36 bits."""
    for number in (0, 0x7F, 0x80, 0x7FF, 0x800, 0xFFFF, 0x10FFFF):
        coded = chr(number).encode("utf-8", "surrogatepass")
        assert flac.coded_number(coded + b"rest") == (number, len(coded))
    assert flac.coded_number(b"\xfe\xbf\xbf\xbf\xbf\xbf\xbf") == (2**36 - 1, 7)
    assert flac.coded_number(b"\x80rest") == (None, 0)


# Containers cut short


@pytest.mark.parametrize("form, subtype", [
    ("AIFF", "PCM_16"), ("AIFF", "FLOAT"), ("AIFF", "ULAW"), ("AU", "PCM_16"), ("AU", "FLOAT"), ("W64", "PCM_16"),
    ("W64", "FLOAT"), ("W64", "MS_ADPCM"), ("CAF", "PCM_16"), ("CAF", "ALAC_16"), ("RF64", "PCM_24"),
])  # fmt: skip
@pytest.mark.parametrize("kept", [0.01, 0.3, 0.5, 0.9, 0.999])
def test_containers_cut_short(tmp_path, form, subtype, kept):
    content = encoded(format=form, subtype=subtype)
    assert SAMPLES <= samples(put(tmp_path, "whole", content)) < SAMPLES + 600  # ADPCM fills its last block
    assert "cut short" in refusal(put(tmp_path, "cut", content[: int(kept * len(content))]))


@pytest.mark.parametrize("length", [0, 8, 0xFFFFFFFF, 0x7F000000, 0x7FFFF000, 0x80000000])
def test_an_aiff_of_unknown_length(tmp_path, length):
    content = bytearray(encoded(format="AIFF", subtype="PCM_16"))
    at = content.index(b"SSND") + 4
    content[at : at + 4] = struct.pack(">I", length)
    content[4:8] = struct.pack(">I", min(0xFFFFFFFF, length + at - 4))
    assert samples(put(tmp_path, "song.aiff", content)) == SAMPLES


@pytest.mark.parametrize("length", [0xFFFFFFFF, 0x7FFFF000, 0])
def test_an_au_of_unknown_length(tmp_path, length):
    content = bytearray(encoded(format="AU", subtype="PCM_16"))
    content[8:12] = struct.pack(">I", length)
    assert samples(put(tmp_path, "song.au", content)) == SAMPLES


def test_a_bw64(tmp_path):
    content = encoded(format="RF64", subtype="PCM_16")
    assert samples(put(tmp_path, "song.wav", b"BW64" + content[4:])) == SAMPLES


@pytest.mark.parametrize("form, subtype", [
    ("WAV", "GSM610"), ("WAV", "G721_32"), ("WAV", "NMS_ADPCM_16"), ("WAV", "NMS_ADPCM_24"), ("WAV", "NMS_ADPCM_32"),
    ("AIFF", "GSM610"), ("W64", "GSM610"), ("AU", "G721_32"), ("AU", "G723_24"), ("AU", "G723_40"),
])  # fmt: skip
def test_codecs_that_cannot_seek(tmp_path, form, subtype):
    path = put(tmp_path, "song", encoded(sound(1), 8000, format=form, subtype=subtype))
    assert SAMPLES <= samples(path) < SAMPLES + 400
    whole = audio.read(path)[0]
    np.testing.assert_array_equal(audio.read(path, 7000, 9000)[0], whole[:, 7000:9000])


def test_a_codec_that_libsndfile_cannot_decode(tmp_path):
    refusal(put(tmp_path, "song.aiff", encoded(sound(1), format="AIFF", subtype="DWVW_16")))


# Channel masks


@pytest.mark.parametrize("channels, mask", [(6, 0x3F), (6, 0x60F), (4, 0x33), (3, 0x0B)])
def test_stems_keep_the_mask_of_their_song(tmp_path, channels, mask):
    with audio.StemWriter(tmp_path, ["bass"], RATE, channels, mask=mask) as stems:
        stems.write(sound(channels)[None])
    assert mask_of(tmp_path / "bass.wav") == mask
    assert samples(tmp_path / "bass.wav") == SAMPLES


def test_stems_of_files_without_a_mask_get_the_usual_one(tmp_path):
    with audio.StemWriter(tmp_path, ["bass"], RATE, 6) as stems:
        stems.write(sound(6)[None])
    assert mask_of(tmp_path / "bass.wav") == 0x3F


# FFmpeg


HEADS = {
    "song.m4a": b"\0\0\0\x1cftypM4A \0\0\2\0",
    "song.wma": b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\0\xaa",
    "song.webm": b"\x1a\x45\xdf\xa3\x01\0\0\0",
    "song.ac3": b"\x0b\x77\x12\x34\x14\x40",
    "song.wv": b"wvpk\0\0\0\0\x10\x04",
    "song.mka": b"\x1a\x45\xdf\xa3\xa3\x42\x86\x81",
    "song.mlp": b"\xc0\x6c\xff\xd8\xf8\x72\x6f\xbb",
    "song.dts": b"\x7f\xfe\x80\x01\xfc\x3c\x7f\xf0",
    "14 bits.dts": b"\xff\x1f\x00\xe8\xf1\x07\xdf\xfc",
    "other order.dts": b"\xfe\x7f\x01\x80\x3c\xfc\xf0\x7f",
    "film.ts": (b"G" + bytes(187)) * 3,
    "film.m2ts": (b"\0\0\0\0G" + bytes(187)) * 3,
    "called.wav": b"\0\0\0\x1cftypM4A \0\0\2\0",
    "it's a song.aac": b"\xff\xf1\x50\x80\x43\xe0",
}


@pytest.mark.parametrize("name", HEADS)
def test_without_ffmpeg_the_line_gives_the_command(tmp_path, monkeypatch, name):
    monkeypatch.setattr(shutil, "which", lambda program: None)
    path = put(tmp_path, name, HEADS[name] + bytes(0 if "film" in name else 1000))
    message = refusal(path)
    assert "needs FFmpeg" in message
    target = path.with_name("called-converted.wav") if path.suffix == ".wav" else path.with_suffix(".wav")
    assert message.endswith(f": {shlex.join(['ffmpeg', '-i', str(path), str(target)])}")


@pytest.mark.parametrize("suffix", sorted({*SUFFIXES, *FILMS} - {*OF_LIBSNDFILE}))
def test_what_is_called_sound_or_a_film_can_be_converted(tmp_path, suffix):
    """Whether FFmpeg is installed or not: this is none of the formats that glowsep gives to it."""
    message = refusal(put(tmp_path, f"a song{suffix.upper()}", b"of a format that nobody knows" * 100))
    assert "convert it to one: ffmpeg -i '" in message and message.endswith(".wav'")
    for name in ("notes.txt", "song.wav", "song.MP3"):
        assert "ffmpeg" not in refusal(put(tmp_path, name, b"of a format that nobody knows" * 100))


needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs FFmpeg")


@needs_ffmpeg
@pytest.mark.parametrize("name", HEADS)
def test_ffmpegs_complaints_are_one_line(tmp_path, name):
    refusal(put(tmp_path, name, HEADS[name] + bytes(0 if "film" in name else 1000)))


@needs_ffmpeg
@pytest.mark.parametrize("subtype, name", [("PCM_16", "song.voc"), ("PCM_16", "song.ircam"), ("PCM_16", "song.paf")])
def test_old_formats_are_read_through_ffmpeg(tmp_path, monkeypatch, subtype, name):
    monkeypatch.setattr(ffmpeg, "BLOCK", 1000)
    content = encoded(sound(1), 22_050, format=name.rpartition(".")[2].upper(), subtype=subtype)
    path = put(tmp_path, name, content)
    assert samples(path) == SAMPLES
    whole = audio.read(path)[0]
    np.testing.assert_allclose(whole, sound(1), atol=2**-14)
    np.testing.assert_array_equal(audio.read(path, 7000, 9000)[0], whole[:, 7000:9000])


# Endings that FFmpeg does not miss


def mpeg_frames(layer, version=3, count=6):
    """Silent frames of layer I or II whose bit rates differ, and the bytes of each as the standard has them."""
    rng, frames = np.random.default_rng([layer, version]), []
    slots = {1: 12, 2: 144}[layer]
    table = mp3.KILOBITS[version == 3, layer]
    for _ in range(count):
        bits, padding = int(rng.integers(4, 15)), int(rng.integers(2))
        head = bytes([0xFF, 0xE1 | version << 3 | (4 - layer) << 1, bits << 4 | 1 << 2 | padding << 1, 0])
        length = (slots * 1000 * table[bits] // mp3.RATES[version][1] + padding) * {1: 4, 2: 1}[layer]
        frames.append(head.ljust(length, b"\0"))
    return b"".join(frames)


def written_by_libsndfile(form, channels=2):
    return lambda: encoded(sound(channels), 22_050, format=form, subtype="PCM_16")


def amr_frames():
    lengths = (13, 14, 16, 18, 20, 21, 27, 32, 6)
    return b"#!AMR\n" + b"".join(bytes([mode << 3 | 4]).ljust(length, b"\1") for mode, length in enumerate(lengths))


def mlp_units(sync):
    units = [400, 66, 1234, 88]
    bodies = [(b"\1\1" + sync).ljust(units[0] - 2, b"\1"), *(b"\1" * (length - 2) for length in units[1:])]
    return b"".join((0xA000 | len(body) // 2 + 1).to_bytes(2, "big") + body for body in bodies)


def avi_chunks(streamed=False):
    length = 0xFFFFFFFF if streamed else 504
    first = b"RIFF" + length.to_bytes(4, "little") + b"AVI " + bytes(500)
    return first if streamed else first + b"RIFF" + (304).to_bytes(4, "little") + b"AVIX" + bytes(300)


def asf_objects(broadcast=False):
    about = bytes(16) + (700).to_bytes(8, "little") + bytes(40) + bytes([broadcast]) + bytes(3)
    properties = endings.ASF_PROPERTIES + (24 + len(about)).to_bytes(8, "little") + about
    return (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9".ljust(30, b"\0") + properties).ljust(700, b"\1")


def adts_frames():
    lengths = (543, 371, 7, 1234)
    return b"".join(
        b"\xff\xf1\x50" + (0x800000 | length << 5).to_bytes(3, "big") + bytes(length - 6) for length in lengths
    )


def tta_frames():
    """Three seconds at 8 kHz are two frames and 15,283 samples of a third."""
    lengths = (900, 80, 333)
    head = b"TTA1" + struct.pack("<3H3I3I", 1, 1, 16, 8000, 24_000, 0, *lengths) + bytes(4)
    return head + bytes(sum(lengths))


def flv_tags():
    tags = (b"\x12", 300), (b"\x08", 700), (b"\x08", 90)
    return b"FLV\1\4\0\0\0\x09" + b"".join(
        bytes(4) + kind + length.to_bytes(3, "big") + bytes(7 + length) for kind, length in tags
    )


def rm_packets():
    chunks = b".RMF" + (18).to_bytes(4, "big") + bytes(10) + b"PROP" + (50).to_bytes(4, "big") + bytes(42)
    packets = b"".join(b"\0\0" + length.to_bytes(2, "big") + bytes(length - 4) for length in (300, 64, 200))
    return chunks + b"DATA" + (592).to_bytes(4, "big") + b"\0\0" + (3).to_bytes(4, "big") + bytes(4) + packets


def voc_into_a_pipe():
    return b"Creative Voice File\x1a" + b"\x1a\0\x0a\x01\x29\x11" + b"\x01\0\0\0" + bytes(500)


WITH_AN_END = {
    "layer I.mp1": lambda: mpeg_frames(1),
    "layer II.mp2": lambda: mpeg_frames(2),
    "layer II of version 2.mp2": lambda: mpeg_frames(2, version=2),
    "song.voc": lambda: written_by_libsndfile("VOC")()[:-1],  # the last byte only says that this is the end
    "song.avr": written_by_libsndfile("AVR"),
    "song.sph": written_by_libsndfile("NIST"),
    "song.svx": written_by_libsndfile("SVX", channels=1),
    "song.amr": amr_frames,
    "song.thd": lambda: mlp_units(b"\xf8\x72\x6f\xba"),
    "song.mlp": lambda: mlp_units(b"\xf8\x72\x6f\xbb"),
    "song.dsf": lambda: (b"DSD " + (28).to_bytes(8, "little") + (900).to_bytes(8, "little")).ljust(900, b"\1"),
    "song.dff": lambda: (b"FRM8" + (888).to_bytes(8, "big") + b"DSD ").ljust(900, b"\1"),
    "song.wma": asf_objects,
    "song.aac": adts_frames,
    "song.tta": tta_frames,
    "song.ra": rm_packets,
    "film.flv": flv_tags,
    "film.avi": avi_chunks,
    "film.ts": lambda: (b"G" + bytes(187)) * 5,
    "film.m2ts": lambda: (b"\0\0\0\0G" + bytes(187)) * 5,
}
WITHOUT_AN_END = {  # written into a pipe, or while it was sent
    "song.wma": lambda: asf_objects(broadcast=True),
    "film.avi": lambda: avi_chunks(streamed=True),
    "song.voc": voc_into_a_pipe,
}


def format_found(path):
    with open(path, "rb") as file:
        return contents(path, file)


@pytest.mark.parametrize("name", WITH_AN_END)
def test_an_end_that_ffmpeg_does_not_miss_is_missed(tmp_path, name):
    """It need not be installed; a cut between two packets of a film is no cut."""
    whole = WITH_AN_END[name]()
    assert isinstance(format_found(put(tmp_path, name, whole)), str)
    for stop in (len(whole) // 2, len(whole) * 2 // 3, len(whole) - 200, len(whole) - 2, len(whole) - 1):
        cut = stop + 1 if stop % 188 == 0 or stop % 192 == 0 else stop
        assert "cut short" in refusal(put(tmp_path, name, whole[:cut])), cut


@pytest.mark.parametrize("name", WITHOUT_AN_END)
def test_an_end_that_nobody_has_promised_is_not_missed(tmp_path, name):
    content = WITHOUT_AN_END[name]()
    for stop in (len(content), len(content) - 17):
        assert isinstance(format_found(put(tmp_path, name, content[:stop])), str)


@pytest.mark.parametrize("layer", [1, 2, 3])
def test_frames_of_a_free_bit_rate_are_refused_by_name(tmp_path, layer):
    """FFmpeg does not decode them, and calls them damaged."""
    frame = bytes([0xFF, 0xF9 | (4 - layer) << 1, 0, 0x64]).ljust(1302, b"\1")
    message = refusal(put(tmp_path, "it's free.mp3", id3(300) + frame * 5))
    assert "free bit rate" in message and message.endswith(shlex.quote(str(tmp_path / "it's free.mp3")))
    assert "not audio" in refusal(put(tmp_path, "noise.mp3", frame))


def test_something_between_the_frames_of_layer_ii_is_found(tmp_path):
    frames = mpeg_frames(2)
    assert "damaged" in refusal(put(tmp_path, "song.mp2", frames + b"noise" * 100 + frames))
    assert "damaged" in refusal(put(tmp_path, "song.mp2", frames + mpeg_frames(1)))
    title = b"TAG".ljust(128, b"\0")
    assert format_found(put(tmp_path, "song.mp2", frames + title + frames + title)) == "mp3"


#: How FFmpeg writes half a second at 48 kHz. Encoders add their own delay, and that of WMA drops the last block.
ENCODED = {
    "song.mp2": [],
    "song.ac3": [],
    "song.aac": [],
    "song.dts": ["-c:a", "dca", "-strict", "-2"],
    "song.thd": ["-strict", "-2"],
    "song.mlp": ["-c:a", "mlp", "-strict", "-2"],
    "song.mka": ["-c:a", "flac"],
    "song.wma": [],
    "song.eac3": [],
    "song.tta": [],
    "song.ra": ["-c:a", "ac3", "-f", "rm"],
    "film.avi": [],
    "film.ts": ["-c:a", "mp2"],
    "film.m2ts": ["-c:a", "ac3"],
}


@needs_ffmpeg
@pytest.mark.parametrize("name", ENCODED)
def test_what_ffmpeg_encodes_is_read_whole_or_refused(tmp_path, name):
    soundfile.write(tmp_path / "song.wav", np.tile(sound(2)[:, :2400], 10).T, 48_000)
    command = ["ffmpeg", "-v", "error", "-nostdin", "-i", tmp_path / "song.wav", *ENCODED[name], tmp_path / name]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this FFmpeg cannot encode it")
    waveform, rate = audio.read(tmp_path / name)
    assert rate == 48_000 and 22_000 < waveform.shape[1] < 24_000 + 4100
    whole = (tmp_path / name).read_bytes()
    for stop in (len(whole) * 3 // 5, len(whole) - 100):
        assert "damaged" in refusal(put(tmp_path, name, whole[:stop]))


def test_a_checksum_may_end_in_a_zero_byte(tmp_path):
    """One FLAC file in 256 ends so, and its checksum seems right one byte too early."""
    path, last_bytes = tmp_path / "song.flac", set()
    for seed in range(600):
        rng = np.random.default_rng(seed)
        waveform = rng.uniform(-0.5, 0.5, (int(rng.integers(1, 3000)), 2))
        soundfile.write(path, waveform, 22_050)
        last_bytes.add(path.read_bytes()[-1])
        assert audio.read(path)[0].shape == waveform.T.shape
    assert 0 in last_bytes
