"""A General MIDI song, taken apart into one MIDI file per instrument.

Which instrument plays a note depends on its channel and on the *program* (0 to 127, one per General MIDI instrument)
that the channel has when the note starts. Channel 10 holds the drums, whatever its program.
"""

from collections import Counter, defaultdict, deque
from dataclasses import dataclass

import mido

DRUM_CHANNEL = 9  # "channel 10": people count from one, MIDI messages from zero
DRUM_PROGRAM = 128  # what Slakh2100 writes for drums, one past the last program
TAIL_SECONDS = 2.0  # after the last event: released strings and cymbals continue to sound
BANK_SELECT = (0, 32)  # controllers that choose a manufacturer's own instruments instead of General MIDI's

GROUPS = {
    "bass": range(32, 40),
    "drums": range(DRUM_PROGRAM, DRUM_PROGRAM + 1),
    "guitar": range(24, 32),
    "piano": range(0, 8),
}
REVOICED_AS_PIANO = (*range(8, 24), *range(40, 112))  # the other pitched instruments

PROGRAM_NAMES = {
    0: "Acoustic Grand Piano",
    1: "Bright Acoustic Piano",
    2: "Electric Grand Piano",
    3: "Honky-tonk Piano",
    4: "Electric Piano 1",
    5: "Electric Piano 2",
    6: "Harpsichord",
    7: "Clavinet",
    24: "Acoustic Guitar (nylon)",
    25: "Acoustic Guitar (steel)",
    26: "Electric Guitar (jazz)",
    27: "Electric Guitar (clean)",
    28: "Electric Guitar (muted)",
    29: "Overdriven Guitar",
    30: "Distortion Guitar",
    31: "Guitar Harmonics",
    32: "Acoustic Bass",
    33: "Electric Bass (finger)",
    34: "Electric Bass (pick)",
    35: "Fretless Bass",
    36: "Slap Bass 1",
    37: "Slap Bass 2",
    38: "Synth Bass 1",
    39: "Synth Bass 2",
    DRUM_PROGRAM: "Drums",
}


@dataclass(frozen=True)
class Stem:
    """One instrument of a song: the notes of one program on one channel, as a MIDI file of its own.

    Attributes
    ----------
    group : str
        The instrument group it belongs to: a key of `GROUPS`.
    program : int
        The program that renders it; `DRUM_PROGRAM` for drums.
    midi : mido.MidiFile
        Its notes, with every event that shapes them: tempo, controllers, pitch bend, system messages.
    """

    group: str
    program: int
    midi: mido.MidiFile


def instrument_group(program: int) -> str | None:
    """The group ("bass", "drums", "guitar" or "piano") of a program, or None if it is in none.

    Drums are program 128, as in Slakh2100's metadata.

    Examples
    --------
    >>> instrument_group(33), instrument_group(128), instrument_group(60)
    ('bass', 'drums', None)
    """
    return next((group for group, programs in GROUPS.items() if program in programs), None)


def split(song: mido.MidiFile, minimum_notes: int = 20) -> list[Stem]:
    """Take a song apart into stems, one for each (channel, program) that plays.

    Programs 8-23 and 40-111 are played by a piano, so that most songs have one (Slakh2100 assigns patches in the same
    spirit); programs 112-127, sound effects, are dropped. A group with fewer than `minimum_notes` notes in the whole
    song counts as absent, and its stems are omitted.

    Parameters
    ----------
    song : mido.MidiFile
        A General MIDI file of type 0 or 1.
    minimum_notes : int

    Returns
    -------
    stems : list of Stem
        Ordered by channel and program. Their MIDI files all last as long as the song, plus `TAIL_SECONDS`.
    """
    events, notes = _events_and_owners(song)
    programs = {}
    for channel, program in notes:
        if channel == DRUM_CHANNEL:
            programs[channel, program] = DRUM_PROGRAM
        elif program in REVOICED_AS_PIANO:
            programs[channel, program] = 0
        elif instrument_group(program):
            programs[channel, program] = program
    group_notes = Counter()
    for player, program in programs.items():
        group_notes[instrument_group(program)] += notes[player]
    return [
        Stem(instrument_group(program), program, _stem_midi(song, events, player, program))
        for player, program in sorted(programs.items())
        if group_notes[instrument_group(program)] >= minimum_notes
    ]


def duration(song: mido.MidiFile) -> float:
    """The length of a rendering of the song, including its tail, in seconds."""
    return song.length + TAIL_SECONDS


def _events_and_owners(song):
    """Return every event as (tick, owner, message), and the number of notes of each (channel, program).

    A note's owner is its (channel, program). Any other message on a channel belongs to the channel, because it acts on
    whatever plays there. Tempo and system messages have the owner None: they concern everything.
    """
    events, notes = [], Counter()
    program = [0] * 16
    sounding = defaultdict(deque)  # (channel, key) -> the players that hold it, released in the order of striking
    tick = 0
    for message in mido.merge_tracks(song.tracks):
        tick += message.time
        owner = None
        if message.type in ("note_on", "note_off"):
            key = message.channel, message.note
            if message.type == "note_on" and message.velocity > 0:
                owner = message.channel, program[message.channel]
                sounding[key].append(owner)
                notes[owner] += 1
            elif sounding[key]:
                owner = sounding[key].popleft()
            else:
                continue  # released without having been struck
        elif not message.is_meta and hasattr(message, "channel"):
            owner = message.channel
            if message.type == "program_change":
                program[message.channel] = message.program
            elif message.type == "control_change" and message.control in BANK_SELECT:
                continue
        elif message.is_meta and message.type not in ("set_tempo", "time_signature", "key_signature"):
            continue  # names and lyrics
        events.append((tick, owner, message))
    return events, notes


def _stem_midi(song, events, player, program):
    """Return the MIDI file with the events of one player, (channel, program as written), alone."""
    channel, written = player
    patch = written if channel == DRUM_CHANNEL else program
    track = mido.MidiTrack([mido.Message("program_change", channel=channel, program=patch)])
    previous, tempo = 0, 500_000
    for tick, owner, message in events:
        if owner not in (None, channel, player):
            continue
        if message.type == "set_tempo":
            tempo = message.tempo
        elif message.type == "program_change":
            message = message.copy(program=patch)
        track.append(message.copy(time=tick - previous))
        previous = tick
    end = sum(message.time for message in mido.merge_tracks(song.tracks))
    tail = round(mido.second2tick(TAIL_SECONDS, song.ticks_per_beat, tempo))
    track.append(mido.MetaMessage("end_of_track", time=end - previous + tail))
    return mido.MidiFile(type=0, ticks_per_beat=song.ticks_per_beat, tracks=[track])
