"""Write what is sung as a standard MIDI file: notes, with bend and expression as they were sung."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import mido
import numpy as np
import numpy.typing as npt

from common.audio import AudioConfig
from common.errors import UserError
from common.output_file import written
from common.pitch import hz_to_midi, is_voiced
from common.progress import RecordingProgress, ReportProgress
from data.config import PitchConfig
from player.midi.tune import BEND_RANGE, DATA_HIGH, DATA_LOW, RPN_HIGH, RPN_LOW, Note
from player.render import Features, analyse

Array = npt.NDArray[np.float64]

AUDIO = AudioConfig(sample_rate=16000, frame_rate=250, window_seconds=1)
PITCH = PitchConfig(tracker="swift_f0", crepe_capacity="tiny", crepe_viterbi=True)
LOWEST, HIGHEST = 24, 108  # MIDI numbers of notes
SPREAD = 0.4  # semitones by which a voice strays from its note
STRAYED = 6.0  # most that a frame counts against a note
UNVOICED = 2.0  # what a frame without pitch counts against a note
VOICED = 3.0  # what a frame with pitch counts against silence
CHANGE = 16.0  # what a change from one note to another, or to silence, costs: some 60 ms
SOUNDING_DB = 35.0  # below the loud parts: what is softer is silence
DIP_DB, DIP_SECONDS = 9.0, 0.15  # a note that gets so much softer, and as loud again within this time, is struck anew
DIPPED = 6.0  # what a frame of such a dip counts against a note
SHORTEST_SECONDS = 0.06
BEND_SEMITONES = 12
TICKS, TEMPO = 480, 500_000  # of a beat; microseconds of it
STEP_SECONDS = 0.01  # between values of bend and expression
LOUDEST_VELOCITY = 112
EXPRESSION = 11


def transcribe(input: Path, output: Path, progress: ReportProgress | None = None) -> dict[str, Any]:
    """Write the notes of a recording of one voice.

    Args:
      input: a recording of a voice or of one instrument.
      output: .mid file to write; replaced if it exists.
      progress: called with the name of the work, seconds done and seconds in all; by default it moves a line on a
        terminal.

    Returns:
      `notes`: how many; `seconds` of the tune.

    Raises:
      UserError: the recording or the path of the output cannot be used; the message gives the reason.
    """
    if output.suffix.lower() not in (".mid", ".midi"):
        raise UserError(f"{output}: notes are written as a standard MIDI file: name a .mid file")
    if not output.parent.is_dir():
        raise UserError(f"{output}: there is no folder {output.parent}: make it, or choose another file")
    if not input.is_file():
        raise UserError(f"{input}: no such recording")
    features = analyse(input, AUDIO, PITCH, progress or RecordingProgress())
    notes = find_notes(features)
    if not notes:
        raise UserError(f"{input}: no note was found in it: is it silent, or does nothing in it have a pitch?")
    file = mido.MidiFile(ticks_per_beat=TICKS)
    file.tracks.append(_track(notes, features))
    try:
        with written(output) as part:
            file.save(part)
    except OSError as error:
        raise UserError(f"{output}: cannot be written ({error.strerror or error}): choose another file") from None
    return {"notes": len(notes), "seconds": notes[-1].end}


def find_notes(features: Features) -> list[Note]:
    """Find the notes that a voice sings.

    The cheapest way through the states note or silence, frame by frame (Viterbi): a frame counts against a note by its
    distance from it, and every change costs, so vibrato and slides are no notes of their own.

    Args:
      features: of the voice, at 250 frames a second.

    Returns:
      In order, none overlaps; velocity from 0 to 1 by the loudest frame.
    """
    midi = hz_to_midi(features.f0_hz)
    loudness = np.asarray(features.loudness_db, np.float64)
    voiced = is_voiced(features.f0_confidence) & (loudness > np.quantile(loudness, 0.95) - SOUNDING_DB)
    costs = _costs(np.asarray(midi - _tuning(midi[voiced])), voiced)
    dipped = voiced & _dips(loudness)
    costs[dipped, 0] = 0.0
    costs[dipped, 1:] = DIPPED
    states = _cheapest_way(costs)
    edges = np.flatnonzero(np.diff(states, prepend=-1, append=-1))
    loudest = float(loudness[voiced].max(initial=-80.0))
    notes = []
    for first, last in pairwise(edges):
        shortest = SHORTEST_SECONDS * AUDIO.frame_rate
        if states[first] and last - first >= shortest:
            softer = float(loudness[first:last].max()) - loudest  # dB
            velocity = max(1.0, LOUDEST_VELOCITY * 10 ** (softer / 40)) / 127
            number = int(states[first]) + LOWEST - 1
            notes.append(Note(first / AUDIO.frame_rate, last / AUDIO.frame_rate, number, velocity))
    return notes


def _tuning(midi: Array) -> float:
    """Estimate by how many semitones a voice lies above equal temperament: the mean direction of all its frames."""
    if not len(midi):
        return 0.0
    mean = np.exp(2j * np.pi * midi).mean()
    return float(np.angle(mean) / (2 * np.pi)) if abs(mean) > 0.2 else 0.0


def _costs(midi: Array, voiced: npt.NDArray[np.bool_]) -> Array:
    """Compute what each frame counts against silence and against each note. Shape [frames, 1 + notes]."""
    notes = np.arange(LOWEST, HIGHEST + 1)
    strayed = np.minimum(((midi[:, np.newaxis] - notes) / SPREAD) ** 2, STRAYED)
    against = np.where(voiced[:, np.newaxis], strayed, UNVOICED)
    return np.concatenate([np.where(voiced, VOICED, 0.0)[:, np.newaxis], against], axis=1)


def _dips(loudness_db: Array) -> npt.NDArray[np.bool_]:
    """Find the frames that are softer than what is shortly before and what is shortly after them. Shape [frames]."""
    reach = round(DIP_SECONDS * AUDIO.frame_rate)
    padded = np.pad(loudness_db, reach, mode="edge")
    highest = np.lib.stride_tricks.sliding_window_view(padded, reach + 1).max(axis=1)  # [frames + reach]
    before, after = highest[: len(loudness_db)], highest[reach:]
    return np.asarray(np.minimum(before, after) - loudness_db > DIP_DB)


def _cheapest_way(costs: Array) -> npt.NDArray[np.int64]:
    """Find the state of each frame, 0 for silence, so that costs and changes are least together. Shape [frames]."""
    total, came_from = costs[0].copy(), np.zeros(costs.shape, np.int16)
    total[1:] += CHANGE
    own = np.arange(costs.shape[1])
    for frame in range(1, len(costs)):
        best = int(np.argmin(total))
        stays = total <= total[best] + CHANGE
        came_from[frame] = np.where(stays, own, best)
        total = np.where(stays, total, total[best] + CHANGE) + costs[frame]
    states = np.zeros(len(costs), np.int64)
    states[-1] = int(np.argmin(total))
    for frame in range(len(costs) - 1, 0, -1):
        states[frame - 1] = came_from[frame, states[frame]]
    return states


def _track(notes: list[Note], features: Features) -> mido.MidiTrack:
    events: list[tuple[float, int, mido.Message]] = []  # (s, order within a moment, message)
    for number, value in ((RPN_HIGH, 0), (RPN_LOW, BEND_RANGE), (DATA_HIGH, BEND_SEMITONES), (DATA_LOW, 0)):
        events.append((0.0, 0, mido.Message("control_change", control=number, value=value)))
    midi, step = hz_to_midi(features.f0_hz), round(STEP_SECONDS * AUDIO.frame_rate)
    for note in notes:
        first, last = round(note.start * AUDIO.frame_rate), round(note.end * AUDIO.frame_rate)
        loudest = float(features.loudness_db[first:last].max())
        for frame in range(first, last, step):
            time = frame / AUDIO.frame_rate
            bend = round(8192 * float(midi[frame] - note.midi) / BEND_SEMITONES)
            softer = float(features.loudness_db[frame]) - loudest
            expression = round(127 * 10 ** (max(softer, -60.0) / 40))
            events.append((time, 2, mido.Message("pitchwheel", pitch=int(np.clip(bend, -8192, 8191)))))
            events.append((time, 2, mido.Message("control_change", control=EXPRESSION, value=expression)))
        velocity = max(1, round(127 * note.velocity))
        events.append((note.start, 3, mido.Message("note_on", note=note.midi, velocity=velocity)))
        events.append((note.end, 1, mido.Message("note_off", note=note.midi, velocity=64)))
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=TEMPO)])
    before = 0
    for time, _, message in sorted(events, key=lambda event: event[:2]):
        tick = round(mido.second2tick(time, TICKS, TEMPO))
        track.append(message.copy(time=tick - before))
        before = tick
    return track
