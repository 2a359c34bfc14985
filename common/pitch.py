"""Pitch in Hz and in MIDI semitones, and the confidence from which a measured f0 is trusted. NumPy only."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

VOICED_CONFIDENCE = 0.5  # whichever tracker measured it


def is_voiced(confidence: Array) -> Array:
    """Check which frames have an f0 to trust: a mask of the shape of `confidence`, 0 to 1; tensors are taken too."""
    return confidence >= VOICED_CONFIDENCE


def hz_to_midi(hz: npt.ArrayLike) -> Array:
    """Convert frequency in Hz to MIDI pitch in semitones (69 is 440 Hz), any shape; 0 Hz and less becomes 0."""
    hz = np.asarray(hz, np.float64)
    audible = hz > 0.0
    return np.where(audible, 69.0 + 12.0 * np.log2(np.where(audible, hz, 440.0) / 440.0), 0.0)


def midi_to_hz(midi: npt.ArrayLike) -> Array:
    """Convert MIDI pitch in semitones to frequency in Hz, any shape."""
    return 440.0 * np.exp2((np.asarray(midi, np.float64) - 69.0) / 12.0)
