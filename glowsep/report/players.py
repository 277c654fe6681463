"""The multitrack player: wavesurfer-multitrack draws and plays, ``assets/player.js`` adds solo, mute and seek."""

import html
import json

from glowsep.report.page import decibels
from glowsep.report.sounds import LOUDEST, common_gain, compressed, outline, playable
from glowsep.show import colour

MIXTURE_COLOUR = "#888888"


def player(title, sounds, rate):
    """A player of sounds that belong together.

    The estimates are on at first: together they are the mixture. The mixture and the references wait, muted.

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
        own = MIXTURE_COLOUR if sound.role == "mixture" else colour(sources.index(sound.name))
        its_colour = faded(own) if sound.role == "reference" else own
        rows.append(_row(sound, its_colour))
        tracks.append(
            {
                "colour": its_colour,
                "muted": sound.role != "estimate",
                "peaks": outline(waveform / LOUDEST),
                "url": compressed(waveform.clip(-1, 1), page_rate),
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


def faded(its_colour):
    """A colour such as ``#0072B2``, half way to grey: a reference's, which is thus told from its estimate's."""
    parts = zip(bytes.fromhex(its_colour[1:]), bytes.fromhex(MIXTURE_COLOUR[1:]), strict=True)
    return "#" + bytes((own + grey) // 2 for own, grey in parts).hex()


def _row(sound, its_colour):
    label = html.escape(sound.label)
    score = f' <span class="score">{decibels(sound.score)} dB</span>' if sound.score == sound.score else ""
    buttons = "".join(
        f'<button class="{word.lower()}" type="button" aria-pressed="false" aria-label="{word} {label}">{word}</button>'
        for word in ("Solo", "Mute")
    )
    name = f'<span class="name" title="{label}">{label}</span>'
    return f'<li style="--colour: {its_colour}">{name}{score}{buttons}</li>\n'
