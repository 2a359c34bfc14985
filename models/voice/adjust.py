"""Moves a voice into the register and the loudness of an instrument, as ddsp's timbre-transfer notebook does.

A model knows the pitches and levels of its recordings and no others. `adjust` finds the notes of a voice, gives their
loudness the distribution of the instrument's notes, turns down what lies between them, shifts the pitch by whole
octaves towards the instrument's mean, and may draw it towards the notes of a scale. All of it follows from the
statistics in an instrument's manifest; the browser does the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from common.features import F0_CONFIDENCE, F0_HZ, LOUDNESS_DB
from common.pitch import hz_to_midi, midi_to_hz
from models.voice.statistics import (
    Array,
    DatasetStatistics,
    QuantileTransformer,
    checked_features,
    detect_notes,
)

MAX_F0_HZ = float(midi_to_hz(110.0))
TUNING_OFFSETS = np.linspace(-0.5, 0.5, 101)  # semitones, a cent apart
TIE = (
    1e-5  # semitones; of two notes nearer to being equally near than this the lower one wins, in float32 as in float64
)
MAJOR_SCALE = np.array([0, 2, 4, 5, 7, 9, 11])
SCALES = np.stack([np.ravel(MAJOR_SCALE + 12 * np.arange(10)[:, np.newaxis]) + key for key in range(12)])  # [key, note]


@dataclass(frozen=True)
class AdjustOptions:
    """What a player may choose.

    Attributes:
      automatic: False leaves only the two shifts by hand.
      note_threshold: how sure a note must be; 1 suits most recordings, 0 takes everything for a note.
      quiet_db: how far frames that are surely no note are turned down.
      autotune: how far pitch is drawn to the nearest note of a scale, 0 (not at all) to 1 (onto it).
      chromatic: draw to all twelve notes, in the voice's own tuning, instead of to the major scale that fits best.
      octaves: shift by hand, on top of the automatic one.
      loudness_db: shift by hand, on top of the automatic match.
    """

    automatic: bool = True
    note_threshold: float = 1.0
    quiet_db: float = 20.0
    autotune: float = 0.0
    chromatic: bool = False
    octaves: float = 0.0
    loudness_db: float = 0.0


@dataclass(frozen=True)
class AdjustedFeatures:
    """A voice made ready for an instrument.

    Attributes:
      f0_hz: shape [time], at most 4699 Hz (MIDI 110).
      loudness_db: shape [time]; gated frames may lie below -80 dB.
      octave_shift: octaves that the pitch was moved by itself (the shift by hand is not in it).
      tuning_factor: semitones by which the voice's tuning lies above equal temperament at 440 Hz, -0.5 to 0.5.
      mask_on: bool, shape [time], where a note was found.
    """

    f0_hz: Array
    loudness_db: Array
    octave_shift: float
    tuning_factor: float
    mask_on: Array


def adjust(
    f0_hz: npt.ArrayLike,
    loudness_db: npt.ArrayLike,
    f0_confidence: npt.ArrayLike,
    statistics: DatasetStatistics,
    options: AdjustOptions | None = None,
) -> AdjustedFeatures:
    """Move a voice onto an instrument.

    Where no note is found (silence, noise, nothing pitched) only the shifts by hand are made: octave shift and tuning
    factor are 0 and the mask is all False. A voice of one constant loudness takes the instrument's median loudness.

    Args:
      f0_hz: shape [time], continuous over gaps.
      loudness_db: shape [time], at least -80 dB.
      f0_confidence: shape [time], in [0, 1].
      statistics: of the instrument.
      options: None for the defaults.

    Raises:
      ValueError: shapes differ, there are no frames, or a value is not finite.
    """
    options = options or AdjustOptions()
    voice = checked_features({F0_HZ: f0_hz, LOUDNESS_DB: loudness_db, F0_CONFIDENCE: f0_confidence}, ndim=1)
    f0, loudness, confidence = voice[F0_HZ], voice[LOUDNESS_DB], voice[F0_CONFIDENCE]
    mask_on, ratio = detect_notes(loudness, confidence, options.note_threshold)
    shift, tuning = 0.0, 0.0
    if options.automatic and mask_on.any():
        loudness = match_loudness(loudness, mask_on, ratio, statistics.loudness_quantiles, options.quiet_db)
        shift = octave_shift(hz_to_midi(f0)[mask_on], statistics.pitch.mean)
        f0 = shift_octaves(f0, shift)
        midi = hz_to_midi(f0)
        tuning = tuning_factor(midi, confidence, mask_on)
        if options.autotune > 0.0:
            f0 = midi_to_hz(auto_tune(midi, tuning, mask_on, options.autotune, options.chromatic))
    return AdjustedFeatures(
        f0_hz=shift_octaves(f0, options.octaves),
        loudness_db=loudness + options.loudness_db,
        octave_shift=shift,
        tuning_factor=tuning,
        mask_on=mask_on,
    )


def match_loudness(
    loudness_db: Array, mask_on: Array, note_ratio: Array, instrument: QuantileTransformer, quiet_db: float
) -> Array:
    """Give notes the instrument's loudness of the same rank, and turns the rest down by up to quiet_db.

    Every note frame's rank among the voice's note frames is looked up in the instrument's quantiles. A frame that is no
    note keeps its own loudness less quiet_db * (1 - note_ratio), but is never raised. All shapes [time]; the mask is
    not empty.
    """
    rank = QuantileTransformer.fit(loudness_db[mask_on]).transform(loudness_db[mask_on])
    matched = loudness_db - quiet_db * np.maximum(0.0, 1.0 - note_ratio)
    matched[mask_on] = instrument.inverse_transform(rank)
    return matched


def octave_shift(note_midi: Array, target_midi: float) -> float:
    """Whole octaves that bring the mean pitch of a voice's notes, shape [frames], near a target.

    The distance is rounded up, so that a voice that is too low ends at or above the target and one that is too high
    stays at or above it; only distances over 1.5 octaves are rounded down (the notebook's rule).
    """
    octaves = (target_midi - float(np.mean(note_midi))) / 12.0
    return float(np.floor(octaves) if octaves > 1.5 else np.ceil(octaves))


def shift_octaves(f0_hz: Array, octaves: float) -> Array:
    """Pitch moved by octaves and held between 0 Hz and MIDI 110, any shape."""
    return np.clip(f0_hz * 2.0**octaves, 0.0, MAX_F0_HZ)


def tuning_factor(f0_midi: Array, f0_confidence: Array, mask_on: Array) -> float:
    """Semitones by which the notes of a voice lie above equal temperament: -0.5 to 0.5, in cents. All shapes [time].

    Of 101 offsets the one wins that leaves the pitch nearest to chromatic notes, with the fewest changes from one note
    to another, each weighted by confidence and standardised over the offsets. A cost that is the same for all offsets
    has no say; with fewer than two note frames the answer is 0.
    """
    midi, weight = f0_midi[mask_on], f0_confidence[mask_on]
    if midi.size < 2:
        return 0.0
    distance, changes = np.empty(len(TUNING_OFFSETS)), np.empty(len(TUNING_OFFSETS))
    for index, offset in enumerate(TUNING_OFFSETS):
        note = _nearest_semitone(midi - offset)
        distance[index] = np.mean(weight * np.abs(midi - offset - note))
        changes[index] = np.mean(weight[:-1] * (np.diff(note) != 0.0))
    return float(TUNING_OFFSETS[np.argmin(_standardised(changes) + _standardised(distance))])


def auto_tune(f0_midi: Array, tuning: float, mask_on: Array, amount: float, chromatic: bool = False) -> Array:
    """Draw pitch in MIDI semitones, shape [time], to the nearest notes: by nothing at amount 0, onto them at amount 1.

    Notes are those of the major scale nearest on average to the pitches in the mask (of equals the first from C), or,
    if chromatic, all semitones above the tuning.
    """
    if chromatic:
        return f0_midi - amount * (f0_midi - tuning - _nearest_semitone(f0_midi - tuning))
    sung = f0_midi[mask_on]
    misfit = [np.mean(np.abs(sung - _nearest(scale, sung))) for scale in SCALES] if sung.size else [0.0]
    return f0_midi - amount * (f0_midi - _nearest(SCALES[int(np.argmin(misfit))], f0_midi))


def rms_of_loudness(loudness_db: Array, statistics: DatasetStatistics) -> Array:
    """RMS energy of an instrument that is so loud, linear, any shape: for networks that hear it.

    It lies as far from the loudness as that of the instrument's notes does on average. What it is in the voice tells of
    the voice's timbre, which A-weighting hears otherwise.
    """
    power, loudness = statistics.power_note, statistics.loudness_note
    return np.asarray(10.0 ** ((loudness_db + (power.mean - loudness.mean if power else 0.0)) / 20.0))


def _nearest_semitone(midi: Array) -> Array:
    return np.ceil(midi - 0.5 - TIE)


def _nearest(notes: Array, midi: Array) -> Array:
    """The nearest of rising notes to every pitch, any shape."""
    above = np.clip(np.searchsorted(notes, midi), 1, len(notes) - 1)
    low, high = notes[above - 1], notes[above]
    return np.where(midi - low <= high - midi + 2.0 * TIE, low, high)


def _standardised(cost: Array) -> Array:
    deviation = float(np.std(cost))
    return (cost - np.mean(cost)) / deviation if deviation > 0.0 else np.zeros_like(cost)
