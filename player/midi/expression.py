"""A line of notes and its controllers as f0, loudness and gain, frame by frame: what an instrument plays."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from common.features import F0_HZ, LOUDNESS_DB
from common.loudness import FLOOR_DB
from common.pitch import midi_to_hz
from data.features.statistics import DatasetStatistics
from player.midi.tune import Curve, Line, Note

Array = npt.NDArray[np.float64]

ATTACK_SECONDS, RELEASE_SECONDS, GLIDE_SECONDS = 0.03, 0.15, 0.04
SOFTENED_DB = 30.0  # by which the instrument itself plays softer as a note begins and ends; the rest is the gain's
TOUCH_SECONDS = 0.03  # of loudness, so that steps of a controller are none of the sound
BEND_SECONDS = 0.01  # of pitch, likewise
VIBRATO_HZ, VIBRATO_CENTS = 5.5, 50.0  # of the modulation wheel, fully turned
VOLUME_AT_REST = 100 / 127  # of CC7, General MIDI's default: what a file without it sounds like
MODULATION, BREATH, VOLUME, EXPRESSION = 1, 2, 7, 11
HIGHEST_MIDI = 110.0


def features_of(line: Line, statistics: DatasetStatistics, frame_rate: float, seconds: float) -> dict[str, Array]:
    """Compute what an instrument of one voice plays.

    Velocity is a rank in the instrument's own loudness. Expression (CC11) and breath (CC2) make it softer while it
    sounds, by General MIDI's 40 log10 of the value; volume (CC7) by the gain alone; modulation (CC1) is vibrato.

    Args:
      line: of a tune.
      statistics: of the instrument.
      frame_rate: Hz.
      seconds: of the whole tune, with what rings on.

    Returns:
      `f0_hz` in Hz, `loudness_db` in dB and `gain`, each [frames].
    """
    frames = max(1, round(seconds * frame_rate))
    times = np.arange(frames) / frame_rate
    bend = _smooth(_sampled(line.bend, times, 0.0), BEND_SECONDS, frame_rate)
    modulation = _sampled(line.controllers.get(MODULATION, []), times, 0.0)
    vibrato = modulation * VIBRATO_CENTS / 100 * np.sin(2 * np.pi * VIBRATO_HZ * times)
    midi = np.minimum(_pitch(line.notes, times) + bend + vibrato, HIGHEST_MIDI)
    envelope = _envelope(line.notes, times)
    touched = _smooth(_loudness(line, statistics, times), TOUCH_SECONDS, frame_rate)
    envelope_db = 20 * np.log10(np.maximum(envelope, 1e-6))
    volume = (_sampled(line.controllers.get(VOLUME, []), times, VOLUME_AT_REST) / VOLUME_AT_REST) ** 2
    return {
        F0_HZ: np.maximum(midi_to_hz(midi), 1.0),
        LOUDNESS_DB: np.maximum(touched + np.maximum(envelope_db, -SOFTENED_DB), FLOOR_DB),
        "gain": np.minimum(1.0, envelope * 10 ** (SOFTENED_DB / 20)) * _smooth(volume, TOUCH_SECONDS, frame_rate),
    }


def _pitch(notes: list[Note], times: Array) -> Array:
    """Hold every note's pitch until the next begins; where the two are tied, glide. Shape [frames]."""
    midi = np.full(len(times), float(notes[0].midi))
    for before, note in pairwise(notes):
        first, arrived = np.searchsorted(times, [note.start, note.start + GLIDE_SECONDS])
        midi[first:] = note.midi
        if _is_tied(before, note):
            share = (times[first:arrived] - note.start) / GLIDE_SECONDS
            midi[first:arrived] = before.midi + (note.midi - before.midi) * share
    return midi


def _is_tied(before: Note, note: Note) -> bool:
    return note.start - before.end < ATTACK_SECONDS


def _envelope(notes: list[Note], times: Array) -> Array:
    """Compute the amplitude of the notes, 0 to 1: linear attacks, exponential releases. Shape [frames]."""
    envelope = np.zeros(len(times))
    starts = [*np.searchsorted(times, [note.start for note in notes]), len(times)]
    for index, note in enumerate(notes):
        own = slice(starts[index], starts[index + 1])
        fall = 0.1 ** (np.maximum(times[own] - note.end, 0.0) / RELEASE_SECONDS)  # -20 dB in this time
        tied = index > 0 and _is_tied(notes[index - 1], note)
        envelope[own] = fall if tied else fall * np.clip((times[own] - note.start) / ATTACK_SECONDS, 0.0, 1.0)
    envelope[envelope < 1e-3] = 0.0
    return envelope


def _loudness(line: Line, statistics: DatasetStatistics, times: Array) -> Array:
    starts = np.array([note.start for note in line.notes])
    ranks = np.array([note.velocity for note in line.notes])
    now = np.maximum(np.searchsorted(starts, times, side="right") - 1, 0)
    loudness = statistics.loudness_quantiles.inverse_transform(ranks)[now]
    for number in (EXPRESSION, BREATH):
        if number in line.controllers:
            value = _sampled(line.controllers[number], times, 1.0)
            loudness = loudness + 40 * np.log10(np.maximum(value, 1e-2))
    return np.asarray(loudness)


def _sampled(curve: Curve, times: Array, before: float) -> Array:
    """Sample a curve whose values hold; `before` it begins. Shape [frames]."""
    if not curve:
        return np.full(len(times), before)
    at = np.searchsorted([time for time, _ in curve], times + 1e-9, side="right")
    return np.array([before, *(value for _, value in curve)])[at]


def _smooth(values: Array, seconds: float, frame_rate: float) -> Array:
    """Average over `seconds` around each frame; the ends are held. Shape [frames]."""
    reach = round(seconds * frame_rate / 2)
    padded = np.pad(values, reach, mode="edge")
    return np.convolve(padded, np.full(2 * reach + 1, 1 / (2 * reach + 1)), mode="valid")
