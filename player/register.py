"""Registers: how much of a voice falls where an instrument was recorded, and the octave in which most of it does.

A register is a density over semitones: the share of note frames at each MIDI pitch, smoothed, so that a note next to a
recorded one counts. Two registers overlap by their Bhattacharyya coefficient (Bhattacharyya 1943), 0 to 1. The browser
does the same (`web/engine/src/features/register.ts`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from data.features.statistics import SEMITONES, Array, DatasetStatistics, pitch_shares

SMOOTHING = np.array([1, 4, 6, 4, 1]) / 16.0  # over semitones
OCTAVES = 4  # searched to either side
TIE = 1e-9


def register_of(note_midi: npt.ArrayLike) -> Array:
    """Compute the register of note frames: [128], sum 1 (less what lies beyond both ends).

    Args:
      note_midi: pitch in MIDI semitones, shape [frames], at least one.
    """
    return smoothed(pitch_shares(note_midi))


def smoothed(shares: Array) -> Array:
    """Smooth shares over semitones, [128] to [128]."""
    return np.convolve(shares, SMOOTHING, mode="same")


def instrument_register(statistics: DatasetStatistics) -> Array:
    """Return the register of an instrument, [128].

    Statistics that were written before it was measured have mean, deviation and extremes of the notes: a normal density
    between them stands for it.
    """
    if statistics.pitch_shares is not None:
        return smoothed(statistics.pitch_shares)
    notes = statistics.pitch_note
    midi = np.arange(SEMITONES)
    shares = np.exp(-0.5 * ((midi - notes.mean) / max(notes.std, 1.0)) ** 2)
    shares[(midi < np.floor(notes.min)) | (midi > np.ceil(notes.max))] = 0.0
    total = shares.sum()
    return smoothed(shares / total) if total > 0.0 else shares


def overlap_shift(voice: Array, instrument: Array) -> float | None:
    """Compute the whole octaves after which a voice's register overlaps an instrument's most.

    Of equals that nearest to no shift is taken, and of two as near the higher one. None where no octave overlaps.

    Args:
      voice, instrument: registers, [128].
    """
    best, most = None, 0.0
    for octaves in sorted(range(-OCTAVES, OCTAVES + 1), key=lambda octaves: (abs(octaves), -octaves)):
        low, high = max(0, -12 * octaves), SEMITONES - max(0, 12 * octaves)
        overlap = float(np.sum(np.sqrt(voice[low:high] * instrument[low + 12 * octaves : high + 12 * octaves])))
        if overlap > most + TIE:
            best, most = float(octaves), overlap
    return best
