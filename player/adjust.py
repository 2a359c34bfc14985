"""Adjust a voice to the register and the loudness of an instrument, as ddsp's timbre-transfer notebook does.

A model was trained on the pitches and levels of its recordings and on no others. `adjust` detects the notes of a voice,
gives their loudness the distribution of the instrument's notes, turns down the frames between them, shifts the pitch by
whole octaves to where the instrument was recorded, and may draw it towards the notes of a scale. All of it follows from
the statistics in an instrument's manifest; the browser does the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from common.features import F0_CONFIDENCE, F0_HZ, LOUDNESS_DB
from common.pitch import hz_to_midi, midi_to_hz
from data.features.statistics import (
    Array,
    DatasetStatistics,
    QuantileTransformer,
    checked_features,
    detect_notes,
)
from player.register import instrument_register, overlap_shift, register_of

MAX_F0_HZ = float(midi_to_hz(110.0))
TUNING_OFFSETS = np.linspace(-0.5, 0.5, 101)  # semitones, a cent apart
TIE = 1e-5  # semitones: of two notes whose distances differ by less the lower wins, in float32 as in float64
MAJOR_SCALE = np.array([0, 2, 4, 5, 7, 9, 11])
SCALES = np.stack([np.ravel(MAJOR_SCALE + 12 * np.arange(10)[:, np.newaxis]) + key for key in range(12)])  # [key, note]


@dataclass(frozen=True)
class AdjustOptions:
    """Options of `adjust`, for the player to choose.

    Attributes:
      automatic: False leaves only the two shifts by hand.
      note_threshold: ratio of `detect_notes` for a note; 1 suits most recordings, 0 takes everything for a note.
      quiet_db: dB by which frames that are surely no note are turned down.
      autotune: how far pitch is drawn to the nearest note of a scale, 0 (not at all) to 1 (onto it).
      chromatic: draw to all twelve notes, in the voice's own tuning, instead of to the major scale that fits best.
      octave_rule: how the automatic shift is chosen: `overlap`, so that most of the voice's notes fall where the
        instrument was recorded, or `notebook`, by the difference of means alone (`octave_shift`).
      octaves: shift by hand in octaves, on top of the automatic shift.
      loudness_db: shift by hand in dB, on top of the automatic match.
    """

    automatic: bool = True
    note_threshold: float = 1.0
    quiet_db: float = 20.0
    autotune: float = 0.0
    chromatic: bool = False
    octave_rule: Literal["overlap", "notebook"] = "overlap"
    octaves: float = 0.0
    loudness_db: float = 0.0


@dataclass(frozen=True)
class AdjustedFeatures:
    """Features of a voice, adjusted to an instrument.

    Attributes:
      f0_hz: fundamental frequency in Hz, shape [time], at most 4699 Hz (MIDI 110).
      loudness_db: loudness in dB, shape [time]; gated frames may lie below -80 dB.
      octave_shift: octaves of the automatic shift (without the shift by hand).
      tuning_factor: semitones by which the voice's tuning lies above equal temperament at 440 Hz, -0.5 to 0.5.
      mask_on: bool, shape [time], True where a note was detected.
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
    """Adjust a voice to an instrument.

    Where no note is detected (silence, noise, nothing pitched) only the shifts by hand are made: octave shift and
    tuning factor are 0 and the mask is all False. A voice of constant loudness takes the instrument's median loudness.

    Args:
      f0_hz: fundamental frequency in Hz, shape [time], continuous over gaps.
      loudness_db: loudness in dB, shape [time], at least -80 dB.
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
        shift = automatic_shift(hz_to_midi(f0)[mask_on], statistics, options.octave_rule)
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
    """Match the loudness of notes to the instrument's, and turn the other frames down by up to quiet_db.

    Every note frame's rank among the voice's note frames is looked up in the instrument's quantiles. A frame that is no
    note keeps its own loudness less quiet_db * (1 - note_ratio), but is never raised.

    Args:
      loudness_db: loudness in dB, shape [time].
      mask_on: bool, shape [time], not all False: frames of notes.
      note_ratio: of `detect_notes`, shape [time].
      instrument: distribution of the loudness of the instrument's notes.
      quiet_db: dB.

    Returns:
      Loudness in dB, shape [time].
    """
    rank = QuantileTransformer.fit(loudness_db[mask_on]).transform(loudness_db[mask_on])
    matched = loudness_db - quiet_db * np.maximum(0.0, 1.0 - note_ratio)
    matched[mask_on] = instrument.inverse_transform(rank)
    return matched


def automatic_shift(
    note_midi: Array, statistics: DatasetStatistics, rule: Literal["overlap", "notebook"] = "overlap"
) -> float:
    """Compute the whole octaves by which notes are moved into an instrument's register.

    A voice that overlaps the instrument in no octave is moved by the notebook's rule.

    Args:
      note_midi: pitch of the voice's note frames in MIDI semitones, shape [frames].
      statistics: of the instrument.
      rule: of `AdjustOptions`.
    """
    shift = overlap_shift(register_of(note_midi), instrument_register(statistics)) if rule == "overlap" else None
    return octave_shift(note_midi, statistics.pitch.mean) if shift is None else shift


def octave_shift(note_midi: Array, target_midi: float) -> float:
    """Compute the whole octaves that bring the mean pitch of notes near a target.

    The distance is rounded up, so that a voice that is too low ends at or above the target and one that is too high
    stays at or above it; only distances over 1.5 octaves are rounded down (the notebook's rule).

    Args:
      note_midi: pitch of the voice's note frames in MIDI semitones, shape [frames].
      target_midi: in MIDI semitones.
    """
    octaves = (target_midi - float(np.mean(note_midi))) / 12.0
    return float(np.floor(octaves) if octaves > 1.5 else np.ceil(octaves))


def shift_octaves(f0_hz: Array, octaves: float) -> Array:
    """Shift f0 in Hz by octaves and clip it to 0 Hz and MIDI 110. Any shape."""
    return np.clip(f0_hz * 2.0**octaves, 0.0, MAX_F0_HZ)


def tuning_factor(f0_midi: Array, f0_confidence: Array, mask_on: Array) -> float:
    """Estimate by how many semitones the notes of a voice lie above equal temperament: -0.5 to 0.5, to a cent.

    Of 101 offsets that is chosen which leaves the pitch nearest to chromatic notes, with the fewest changes from one
    note to another, each weighted by confidence and standardised over the offsets. A cost that is the same for all
    offsets is ignored; with fewer than two note frames the result is 0.

    Args:
      f0_midi: pitch in MIDI semitones, shape [time].
      f0_confidence: in [0, 1], shape [time].
      mask_on: bool, shape [time]: frames of notes.
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
    """Draw pitch to the nearest notes of a scale.

    Notes are those of the major scale nearest on average to the pitches in the mask (of equals the first from C), or,
    if chromatic, all semitones above the tuning.

    Args:
      f0_midi: pitch in MIDI semitones, shape [time].
      tuning: semitones above equal temperament.
      mask_on: bool, shape [time]: frames of notes.
      amount: 0 leaves the pitch as it is, 1 draws it onto the notes.
      chromatic: see above.

    Returns:
      Pitch in MIDI semitones, shape [time].
    """
    if chromatic:
        return f0_midi - amount * (f0_midi - tuning - _nearest_semitone(f0_midi - tuning))
    sung = f0_midi[mask_on]
    misfit = [np.mean(np.abs(sung - _nearest(scale, sung))) for scale in SCALES] if sung.size else [0.0]
    return f0_midi - amount * (f0_midi - _nearest(SCALES[int(np.argmin(misfit))], f0_midi))


def rms_from_loudness(loudness_db: Array, statistics: DatasetStatistics) -> Array:
    """Estimate the RMS energy, linear, of an instrument from its loudness in dB. Any shape.

    It is an input of some networks. Its distance from the loudness is that of the instrument's notes on average: the
    voice's own RMS energy depends on the voice's timbre, since loudness is A-weighted and RMS energy is not.
    """
    power, loudness = statistics.power_note, statistics.loudness_note
    return np.asarray(10.0 ** ((loudness_db + (power.mean - loudness.mean if power else 0.0)) / 20.0))


def _nearest_semitone(midi: Array) -> Array:
    return np.ceil(midi - 0.5 - TIE)


def _nearest(notes: Array, midi: Array) -> Array:
    """Find the nearest of rising notes to every pitch. Any shape."""
    above = np.clip(np.searchsorted(notes, midi), 1, len(notes) - 1)
    low, high = notes[above - 1], notes[above]
    return np.where(midi - low <= high - midi + 2.0 * TIE, low, high)


def _standardised(cost: Array) -> Array:
    deviation = float(np.std(cost))
    return (cost - np.mean(cost)) / deviation if deviation > 0.0 else np.zeros_like(cost)
