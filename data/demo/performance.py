"""Turns notes into what a flautist does: fingers that set a pitch and breath that sets a pressure, as smooth curves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from common.pitch import midi_to_hz
from data.demo.composer import TONIC_MIDI, Note

Array = npt.NDArray[np.float64]

CURVE_RATE = 1000  # points per second
TONGUE_SECONDS = 0.035  # for which the tongue stops the breath
BREATH_SMOOTHING = 15  # points: breath does not change faster than in twice this time
VIBRATO_DELAY, VIBRATO_RISE = 0.15, 0.25  # seconds into a note
SHAPES = {"even": (1.0, 1.0, 1.0), "swell": (0.6, 1.15, 0.6), "fade": (1.1, 0.9, 0.5), "accent": (1.4, 0.85, 0.75)}


@dataclass(frozen=True)
class Performance:
    """Pitch and breath at every sample, both of shape [samples].

    Attributes:
      f0_hz: Hz, the pitch that is meant, held through rests.
      breath: 0 (silence) to 1 (full).
    """

    f0_hz: Array
    breath: Array


def perform(notes: list[Note], samples: int, sample_rate: int, rng: np.random.Generator) -> Performance:
    """Play notes for a number of samples: slides, vibrato, tonguing, swells, and the unsteadiness of a human being."""
    points = int(np.ceil(samples / sample_rate * CURVE_RATE)) + 2
    midi, breath = _melody(notes, points), _dynamics(notes, points)
    swing, depth = _vibrato(notes, points)
    midi += depth * swing + 0.04 * _wander(points, 0.5, rng)
    breath *= (1.0 + 0.4 * depth * swing) * (1.0 + 0.06 * _wander(points, 0.2, rng))
    breath = np.clip(breath, 0.0, 1.0)
    at = np.arange(samples) * (CURVE_RATE / sample_rate)
    midi, breath = (np.interp(at, np.arange(points), curve) for curve in (midi, breath))
    return Performance(f0_hz=midi_to_hz(midi), breath=breath)


def _point(seconds: float) -> int:
    return round(seconds * CURVE_RATE)


def _melody(notes: list[Note], points: int) -> Array:
    """Draw pitch in MIDI semitones: notes held, after a slide that eases in and out, or fingered before a phrase."""
    midi = np.full(points, float(notes[0].midi if notes else TONIC_MIDI))
    for before, note in zip([None, *notes], notes, strict=False):
        if before is None or before.last:
            midi[max(0, _point(note.start) - 2 * BREATH_SMOOTHING) :] = note.midi
            continue
        start = _point(note.start)
        midi[start:] = note.midi
        slide = midi[start : start + max(1, _point(note.glide))]
        x = (np.arange(len(slide)) + 1.0) / (len(slide) + 1.0)
        slide[:] = before.midi + (note.midi - before.midi) * x * x * (3.0 - 2.0 * x)
    return midi


def _dynamics(notes: list[Note], points: int) -> Array:
    """Draw breath: each note's own shape, stopped by the tongue or by the end of a phrase, and all of it smoothed."""
    breath = np.zeros(points)
    for note in notes:
        start, end = _point(note.start), _point(note.start + note.duration)
        held = breath[start:end]
        x = np.arange(len(held)) / max(1, len(held) - 1)
        held[:] = note.breath * np.interp(x, (0.0, 0.5, 1.0), SHAPES[note.shape])
        if note.tongued:
            breath[max(0, start - _point(TONGUE_SECONDS)) : start] = 0.0
    box = np.full(BREATH_SMOOTHING, 1.0 / BREATH_SMOOTHING)
    return np.convolve(np.convolve(breath, box, "same"), box, "same")


def _vibrato(notes: list[Note], points: int) -> tuple[Array, Array]:
    """Make the swing, -1 to 1, and its depth in semitones, which grows after a note begins and is gone when it ends."""
    swing, depth = np.zeros(points), np.zeros(points)
    for note in notes:
        start, end = _point(note.start), min(points, _point(note.start + note.duration))
        time = np.arange(end - start) / CURVE_RATE
        left = time[::-1]
        rise = np.clip((time - VIBRATO_DELAY) / VIBRATO_RISE, 0.0, 1.0) * np.clip(left / 0.1, 0.0, 1.0)
        swing[start:end] = np.sin(2.0 * np.pi * note.vibrato_hz * time)
        depth[start:end] = note.vibrato * rise
    return swing, depth


def _wander(points: int, every: float, rng: np.random.Generator) -> Array:
    """Draw a smooth random curve between -1 and 1 that takes a new direction every so many seconds."""
    knots = 2.0 * rng.random(int(points / CURVE_RATE / every) + 2) - 1.0
    at = np.arange(points) / (CURVE_RATE * every)
    left = at.astype(int)
    x = at - left
    return knots[left] + (knots[left + 1] - knots[left]) * x * x * (3.0 - 2.0 * x)
