"""Small audio files of every kind that is read, and damaged copies of them: the same ones on every run."""

import io

import numpy as np
import soundfile

#: Name of a kind to what libsndfile is told to write.
KINDS = {
    "plain.wav": dict(format="WAV", subtype="PCM_16"),
    "float.wav": dict(format="WAV", subtype="FLOAT"),
    "extensible.wav": dict(format="WAVEX", subtype="PCM_24"),
    "ulaw.wav": dict(format="WAV", subtype="ULAW"),
    "ima.wav": dict(format="WAV", subtype="IMA_ADPCM"),
    "ms.wav": dict(format="WAV", subtype="MS_ADPCM"),
    "gsm.wav": dict(format="WAV", subtype="GSM610"),
    "g721.wav": dict(format="WAV", subtype="G721_32"),
    "nms.wav": dict(format="WAV", subtype="NMS_ADPCM_16"),
    "big.rf64": dict(format="RF64", subtype="PCM_16"),
    "plain.w64": dict(format="W64", subtype="PCM_16"),
    "plain.aiff": dict(format="AIFF", subtype="PCM_16"),
    "float.aiff": dict(format="AIFF", subtype="FLOAT"),
    "ima.aiff": dict(format="AIFF", subtype="IMA_ADPCM"),
    "plain.au": dict(format="AU", subtype="PCM_16"),
    "g723.au": dict(format="AU", subtype="G723_24"),
    "plain.caf": dict(format="CAF", subtype="PCM_16"),
    "alac.caf": dict(format="CAF", subtype="ALAC_16"),
    "plain.flac": dict(format="FLAC", subtype="PCM_16"),
    "deep.flac": dict(format="FLAC", subtype="PCM_24"),
    "vorbis.ogg": dict(format="OGG", subtype="VORBIS"),
    "opus.ogg": dict(format="OGG", subtype="OPUS"),
    "varying.mp3": dict(format="MP3", bitrate_mode="VARIABLE"),
    "constant.mp3": dict(format="MP3", bitrate_mode="CONSTANT", compression_level=0.5),
    "tagless.mp3": dict(format="MP3", bitrate_mode="CONSTANT", compression_level=0.5),
}
MONO = ("GSM610", "G721_32", "NMS_ADPCM_16", "G723_24", "IMA_ADPCM")
PER_KIND = 100


def whole(name: str) -> bytes:
    """The undamaged file of a kind: half a second of a fading chord and some noise."""
    options = KINDS[name]
    channels = 1 if options.get("subtype") in MONO else 2
    time = np.arange(12_000) / 24_000
    chord = sum(np.sin(2 * np.pi * pitch * time) for pitch in (220, 277, 330)) * np.exp(-3 * time) / 4
    noise = 0.05 * np.random.default_rng(0).standard_normal((channels, len(time)))
    file = io.BytesIO()
    soundfile.write(file, (chord + noise).T, 24_000, **options)
    content = file.getvalue()
    return content[content.index(content[:2], 2) :] if name == "tagless.mp3" else content


def damaged(name: str, count: int = PER_KIND):
    """Yield ``(description, bytes)`` for each of ``count`` damaged copies of a kind's file."""
    content = whole(name)
    rng = np.random.default_rng(list(name.encode()))
    for number in range(count):
        damage = DAMAGES[number % len(DAMAGES)]
        yield f"{name}, {number}: {damage.__name__}", damage(content, rng)


def place(content, rng):
    """A position: every second one among the first bytes, where headers are."""
    return int(rng.integers(min(200, len(content)) if rng.random() < 0.5 else len(content)))


def truncate(content, rng):
    return content[: place(content, rng)]


def truncate_front(content, rng):
    return content[place(content, rng) :]


def flip(content, rng):
    """One to three bits."""
    changed = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        changed[place(content, rng)] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def extreme(content, rng):
    """A byte, or four, to an end of their range, as counts and lengths have it."""
    changed, start, width = bytearray(content), place(content, rng), int(rng.choice([1, 4]))
    changed[start : start + width] = bytes([int(rng.choice([0, 0x7F, 0x80, 0xFF]))]) * width
    return bytes(changed[: len(content)])


def erase(content, rng):
    """A hole of zeros."""
    start, width = place(content, rng), int(rng.integers(1, 1500))
    return content[:start] + bytes(len(content[start : start + width])) + content[start + width :]


def remove(content, rng):
    start = place(content, rng)
    return content[:start] + content[start + int(rng.integers(1, 1500)) :]


def splice(content, rng):
    """Something else in between."""
    start = place(content, rng)
    return content[:start] + rng.bytes(int(rng.integers(1, 1500))) + content[start:]


def swap(content, rng):
    """Two stretches in the other order."""
    one, two = sorted((place(content, rng), place(content, rng)))
    return content[:one] + content[two:] + content[one:two]


def repeat(content, rng):
    """A stretch twice."""
    start, width = place(content, rng), int(rng.integers(1, 3000))
    return content[: start + width] + content[start:]


def repeat_header(content, rng):
    """The beginning again: in front, or somewhere in the middle."""
    header = content[: int(rng.integers(4, 300))]
    start = place(content, rng) if rng.random() < 0.7 else 0
    return content[:start] + header + content[start:]


def join(content, rng):
    """The file twice, or twice with something between."""
    return content + (bytes(int(rng.integers(1, 500))) if rng.random() < 0.5 else b"") + content


def append(content, rng):
    """Something after the end: zeros, anything, or a title."""
    tail = (bytes(int(rng.integers(1, 3000))), rng.bytes(int(rng.integers(1, 3000))), b"TAG" + bytes(125))
    return content + tail[int(rng.integers(3))]


DAMAGES = (
    truncate,
    truncate_front,
    flip,
    extreme,
    erase,
    remove,
    splice,
    swap,
    repeat,
    repeat_header,
    join,
    append,
    flip,
    truncate,
)
