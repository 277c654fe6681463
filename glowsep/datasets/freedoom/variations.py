"""Variations of a song, made before it is played: another key, other instruments of the same groups, another player.

Some programs and drum kits are *held out*: no variation for training plays them, so a prior that is validated on them
is validated on sounds that it has never heard.
"""

import zlib
from collections import Counter
from collections.abc import Callable, Sequence

import mido
import numpy as np

from glowsep.datasets.freedoom.midi import DRUM_PROGRAM, GROUPS, Stem

#: The programs on channel 10 that are drum kits in General MIDI level 2, and so in most sound fonts.
KITS = (0, 8, 16, 24, 25, 32, 40, 48)

#: By group, the programs (of drums: the kits) that no training song plays once there are variations.
HELD_OUT = {"bass": (32, 36), "drums": (24, 32), "guitar": (25, 27), "piano": (1, 5)}

#: The lowest and the highest key of each pitched group: a transposition leaves them only where the song itself does.
COMPASS = {"bass": (23, 67), "guitar": (36, 90), "piano": (21, 108)}

#: Standard deviation by which velocities are scattered; they are from 1 to 127.
SCATTER = 4.0


def heard(group: str) -> list[int]:
    """The programs of a group (of drums: the kits) that training may hear: all but those held out.

    Examples
    --------
    >>> heard("bass"), heard("drums")
    ([33, 34, 35, 37, 38, 39], [0, 8, 16, 25, 40, 48])
    """
    return [program for program in (KITS if group == "drums" else GROUPS[group]) if program not in HELD_OUT[group]]


def with_heard(stems: Sequence[Stem]) -> list[Stem]:
    """The stems as written, but for held-out programs: others of their group, in turns, stand in for them."""
    turns = Counter()
    return [_next(stem, heard(stem.group), turns) if _patch(stem) in HELD_OUT[stem.group] else stem for stem in stems]


def with_unheard(stems: Sequence[Stem]) -> list[Stem]:
    """The stems as written, all of them played by the held-out programs of their groups, in turns."""
    turns = Counter()
    return [_next(stem, HELD_OUT[stem.group], turns) for stem in stems]


def variation(stems: Sequence[Stem], name: str, number: int) -> list[Stem]:
    """Variation ``number`` (from 1) of the song ``name``: `varied`, with a generator that these two alone seed."""
    return varied(stems, np.random.default_rng([zlib.crc32(name.encode()), number]))


def varied(stems: Sequence[Stem], rng: np.random.Generator) -> list[Stem]:
    """The same song in another key, with other instruments of the same groups, played by somebody else.

    - All pitched stems are transposed together, by up to a tritone; one that would leave its group's `COMPASS` goes an
      octave back, or keeps its key if that would leave it too.
    - Each stem keeps its program half of the time and is otherwise given one of its group, drums a kit; never a
      held-out one.
    - Its *body* moves by up to three semitones: the sound font's recordings of other keys, tuned back to the right
      pitch, so that the resonances move and the notes do not. Drums have one recording a key, so they keep their keys
      and are tuned up or down instead.
    - All of it is out of tune by up to 10 cents.
    - Velocities are scaled by 0.7 to 1.2, and scattered a little.

    Parameters
    ----------
    stems : sequence of Stem
        As `glowsep.datasets.freedoom.midi.split` returns them.
    rng : numpy.random.Generator

    Returns
    -------
    list of Stem
    """
    transposition = int(rng.integers(-5, 7))
    return [_varied(stem, transposition, rng) for stem in stems]


def _varied(stem, transposition, rng):
    """One stem of a song that is transposed by so many semitones."""
    patch = _patch(stem)
    if rng.random() < 0.5 or patch in HELD_OUT[stem.group]:
        patch = int(rng.choice(heard(stem.group)))
    body, cents, loudness = int(rng.integers(-3, 4)), float(rng.uniform(-10, 10)), float(rng.uniform(0.7, 1.2))
    if stem.group == "drums":
        shift, tuning = 0, body
    else:
        lowest, highest = _lowest_and_highest(stem)
        transposition = _within_compass(stem, transposition)
        body = min(max(body, -lowest - transposition), 127 - highest - transposition)  # there are 128 keys
        shift, tuning = transposition + body, -body

    def change(message):
        if message.type == "note_off":
            return message.copy(note=message.note + shift)
        if message.type == "note_on" and message.velocity == 0:
            return message.copy(note=message.note + shift)
        if message.type == "note_on":
            velocity = round(loudness * message.velocity + SCATTER * rng.standard_normal())
            return message.copy(note=message.note + shift, velocity=min(127, max(1, velocity)))
        return message

    changed = _changed(stem, patch, change)
    _tune(changed.midi.tracks[0], tuning, cents)
    return changed


def _next(stem, programs, turns):
    """The stem, played by the next of its group's ``programs``; ``turns`` counts how often each group has had one."""
    turns[stem.group] += 1
    return _changed(stem, programs[(turns[stem.group] - 1) % len(programs)], lambda message: message)


def _patch(stem):
    """The program that a stem's file asks for: of drums, the kit."""
    return stem.midi.tracks[0][0].program


def _changed(stem: Stem, patch: int, change: Callable[[mido.Message], mido.Message]) -> Stem:
    """The stem played by ``patch``, each message of its file replaced by what ``change`` makes of it."""
    track = mido.MidiTrack(
        message.copy(program=patch) if message.type == "program_change" else change(message)
        for message in stem.midi.tracks[0]
    )
    program = DRUM_PROGRAM if stem.group == "drums" else patch
    return Stem(stem.group, program, mido.MidiFile(type=0, ticks_per_beat=stem.midi.ticks_per_beat, tracks=[track]))


def _lowest_and_highest(stem):
    """The lowest and the highest key that a stem plays."""
    keys = [message.note for message in stem.midi.tracks[0] if message.type == "note_on" and message.velocity]
    return min(keys), max(keys)


def _within_compass(stem, transposition):
    """The transposition, an octave back or none where it would take a key out of the compass, or further out of it."""
    lowest, highest = _lowest_and_highest(stem)
    bottom, top = COMPASS[stem.group]
    bottom, top = min(bottom, lowest), max(top, highest)
    octave_back = transposition - 12 if transposition > 0 else transposition + 12
    fitting = (shift for shift in (transposition, octave_back) if bottom <= lowest + shift and highest + shift <= top)
    return next(fitting, 0)


def _tune(track, semitones, cents):
    """Tune a track's channel before its first note: registered parameters 2 (coarse) and 1 (fine) of MIDI."""
    first = next(place for place, message in enumerate(track) if message.type == "note_on" and message.velocity)
    # What the song has selected stays selected: it may go on to set it, for instance the range of its pitch bends.
    selected = {101: 127, 100: 127}
    selected |= {m.control: m.value for m in track[:first] if m.type == "control_change" and m.control in selected}
    fine = round(8192 + 8191 * cents / 100)
    values = [(101, 0), (100, 2), (38, 0), (6, 64 + semitones)]
    values += [(100, 1), (38, fine % 128), (6, fine // 128), *selected.items()]
    sent_to = {"type": "control_change", "channel": track[first].channel}
    tuning = [mido.Message(**sent_to, control=control, value=value) for control, value in values]
    tuning[0].time, track[first].time = track[first].time, 0
    track[first:first] = tuning
