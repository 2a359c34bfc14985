"""Read a standard MIDI file as lines that an instrument of one voice can play, each with its controllers over time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import mido

from common.errors import UserError

DRUMS = 9  # channel of General MIDI, from 0
TIE_SECONDS = 0.05  # by which notes of one line may overlap and still be one line: played legato
LONGEST_SECONDS = 6 * 3600.0  # of a tune
MOST_LINES = 64
SUSTAIN, BANK_END = 64, 64
RPN_LOW, RPN_HIGH, DATA_HIGH, DATA_LOW = 100, 101, 6, 38
BEND_RANGE, MPE = 0, 6  # registered parameters
WHEEL_SEMITONES, MPE_SEMITONES = 2.0, 48.0  # of a full bend, unless the file says otherwise

Curve = list[tuple[float, float]]  # (s, value): the value holds from there on; in order


@dataclass
class Note:
    """A note of a line.

    Attributes:
      start, end: s.
      midi: 69 is 440 Hz.
      velocity: 0 to 1.
    """

    start: float
    end: float
    midi: int
    velocity: float


@dataclass
class Line:
    """Notes that one voice plays, one at a time, and what its channel's controllers do meanwhile.

    Attributes:
      notes: in order; none begins before the one before it began.
      bend: semitones over time.
      controllers: number -> value from 0 to 1 over time; `pressure` is -1.
    """

    notes: list[Note] = field(default_factory=list)
    bend: Curve = field(default_factory=list)
    controllers: dict[int, Curve] = field(default_factory=dict)


@dataclass
class _Channel:
    sounding: dict[int, Note] = field(default_factory=dict)
    held: list[Note] = field(default_factory=list)  # by the pedal, their keys are up
    notes: list[Note] = field(default_factory=list)
    bend: Curve = field(default_factory=list)
    controllers: dict[int, Curve] = field(default_factory=lambda: defaultdict(list))
    parameter: list[int] = field(default_factory=lambda: [127, 127])  # registered, high and low
    range_semitones: float | None = None
    is_down: bool = False  # the pedal


PRESSURE = -1


def read_tune(path: Path) -> list[Line]:
    """Read the lines of a standard MIDI file of type 0 or 1.

    Notes of one channel that overlap are several lines, unless they are tied. Percussion (channel 10) is left out.

    Raises:
      UserError: it is no MIDI file, or there is no note to play in it; the message gives the reason.
    """
    try:
        file = mido.MidiFile(path, clip=True)
        if file.type == 2:
            raise UserError(f"{path}: holds independent patterns (type 2): export it as type 0 or 1")
        channels = _channels(file, path)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (OSError, EOFError, ValueError, KeyError, IndexError, ZeroDivisionError) as error:
        raise UserError(f"{path}: is not a MIDI file that can be read: {error or type(error).__name__}") from None
    lines = [line for number in sorted(channels) if number != DRUMS for line in _lines(channels[number])]
    if not lines:
        raise UserError(f"{path}: there is no note in it (percussion on channel 10 is not played)")
    if len(lines) > MOST_LINES:
        raise UserError(f"{path}: {len(lines)} notes sound at once at most, and {MOST_LINES} can be played")
    return lines


def _channels(file: mido.MidiFile, path: Path) -> dict[int, _Channel]:
    channels: dict[int, _Channel] = defaultdict(_Channel)
    now, is_mpe = 0.0, False
    for message in file:  # all tracks together; `time` is in s, by the tempo at that point
        now += message.time
        if now > LONGEST_SECONDS:
            raise UserError(f"{path}: lasts longer than {LONGEST_SECONDS / 3600:g} hours")
        if message.is_meta or not hasattr(message, "channel"):
            continue
        channel = channels[message.channel]
        if message.type == "note_on" and message.velocity:
            _strike(channel, now, message.note, message.velocity / 127)
        elif message.type in ("note_on", "note_off"):
            _release(channel, now, message.note)
        elif message.type == "pitchwheel":
            default = MPE_SEMITONES if is_mpe and message.channel else WHEEL_SEMITONES
            semitones = default if channel.range_semitones is None else channel.range_semitones
            channel.bend.append((now, semitones * message.pitch / 8192))
        elif message.type == "aftertouch":
            channel.controllers[PRESSURE].append((now, message.value / 127))
        elif message.type == "control_change":
            is_mpe |= _control(channel, now, message.control, message.value) == MPE
    for channel in channels.values():
        for midi in list(channel.sounding):
            _release(channel, now, midi)
        _lift_pedal(channel, now)
    return channels


def _strike(channel: _Channel, now: float, midi: int, velocity: float) -> None:
    if midi in channel.sounding:  # struck again without being let go
        _end(channel.sounding.pop(midi), now)
    for note in [note for note in channel.held if note.midi == midi]:
        channel.held.remove(note)
        _end(note, now)
    note = channel.sounding[midi] = Note(now, now, midi, velocity)
    channel.notes.append(note)


def _release(channel: _Channel, now: float, midi: int) -> None:
    note = channel.sounding.pop(midi, None)
    if note and channel.is_down:
        channel.held.append(note)
    elif note:
        _end(note, now)


def _end(note: Note, now: float) -> None:
    note.end = now


def _lift_pedal(channel: _Channel, now: float) -> None:
    channel.is_down = False
    for note in channel.held:
        _end(note, now)
    channel.held.clear()


def _control(channel: _Channel, now: float, number: int, value: int) -> int | None:
    """Take a controller's value. Return the registered parameter that it sets, if it sets one."""
    if number == SUSTAIN:
        channel.is_down = value >= BANK_END
        if not channel.is_down:
            _lift_pedal(channel, now)
    elif number in (RPN_LOW, RPN_HIGH):
        channel.parameter[number == RPN_LOW] = value
    elif number in (DATA_HIGH, DATA_LOW):
        high, low = channel.parameter
        if (high, low) == (0, BEND_RANGE):
            own = channel.range_semitones or WHEEL_SEMITONES
            channel.range_semitones = value + own % 1 if number == DATA_HIGH else own // 1 + value / 100
        return low if high == 0 and number == DATA_HIGH and value else None
    else:
        channel.controllers[number].append((now, value / 127))
    return None


def _lines(channel: _Channel) -> Iterator[Line]:
    """Divide the notes of a channel into lines: each goes on in the first line whose last note ends with it."""
    lines: list[Line] = []
    for note in channel.notes:
        free = (line for line in lines if line.notes[-1].end <= note.start + TIE_SECONDS)
        line = next(free, None)
        if line is None:
            line = Line([], channel.bend, dict(channel.controllers))
            lines.append(line)
        else:
            line.notes[-1].end = min(line.notes[-1].end, note.start)
        line.notes.append(note)
    yield from lines
