"""The multitrack player: wavesurfer-multitrack draws and plays, ``assets/player.js`` adds the buttons."""

import html
import json
from collections.abc import Sequence

from glowsep.report.page import decibels
from glowsep.report.sounds import Sound, common_gain, outline, playable
from glowsep.show import colour
from glowsep.signals.audio.playing import PEAK, data_url

MIXTURE_COLOUR = "#888888"

ABOUT_PLAYER = (
    "<p>Under each name: solo, mute, volume, and ↓, which downloads the track as it plays here, compressed, all tracks "
    "with one gain.</p>"
)


def player(title: str, sounds: Sequence[Sound], rate: int) -> str:
    """A player of sounds that belong together.

    At first you hear the estimates, which add up to the mixture. The mixture and the references are muted.

    Parameters
    ----------
    title : str
        Of the recording.
    sounds : list of Sound
    rate : int
        Of the sounds, in Hz.

    Returns
    -------
    str
        HTML.
    """
    gain = common_gain(sounds)
    sources = list(dict.fromkeys(sound.name for sound in sounds if sound.role != "mixture"))
    rows, tracks = [], []
    for sound in sounds:
        waveform, page_rate = playable(gain * sound.read(), rate)
        full = MIXTURE_COLOUR if sound.role == "mixture" else colour(sources.index(sound.name))
        shade = faded(full) if sound.role == "reference" else full
        url = data_url(waveform.clip(-1, 1), page_rate)
        rows.append(
            _row(sound, shade, f"{title} {sound.label}.{'mp3' if url.startswith('data:audio/mpeg') else 'ogg'}")
        )
        tracks.append(
            {
                "colour": shade,
                "muted": sound.role != "estimate",
                "peaks": outline(waveform / PEAK),
                "url": url,
            }
        )
    content = json.dumps({"rate": page_rate, "tracks": tracks}, separators=(",", ":"))
    return (
        f'<div class="player" role="group" aria-label="Player: {html.escape(title)}">\n'
        '<div class="transport"><button class="play" type="button" disabled>Play</button>'
        '<input class="seek" type="range" min="0" max="1" step="any" value="0" aria-label="Position" disabled>'
        '<output class="time">loading</output></div>\n'
        f'<div class="mixer"><ul class="strips">\n{"".join(rows)}</ul><div class="tracks"></div></div>\n'
        f'<script type="application/json">{content}</script>\n</div>'
    )


def faded(full: str) -> str:
    """A colour such as ``#0072B2``, half way to grey: it tells a reference from its estimate."""
    parts = zip(bytes.fromhex(full[1:]), bytes.fromhex(MIXTURE_COLOUR[1:]), strict=True)
    return "#" + bytes((part + grey) // 2 for part, grey in parts).hex()


def _row(sound, shade, file):
    label = html.escape(sound.label)
    score = f' <span class="score">SDR {decibels(sound.score)} dB</span>' if sound.score == sound.score else ""
    buttons = "".join(
        f'<button class="{word.lower()}" type="button" aria-pressed="false" aria-label="{word} {label}">{word}</button>'
        for word in ("Solo", "Mute")
    )
    name = f'<span class="name" title="{label}">{label}</span>'
    download = f'<a class="download" download="{html.escape(file)}" aria-label="Download {label}">↓</a>'
    volume = f'<input class="volume" type="range" max="1" step="any" value="1" aria-label="Volume of {label}">'
    return f'<li style="--colour: {shade}">{name}{score}{buttons}{download}{volume}</li>\n'
