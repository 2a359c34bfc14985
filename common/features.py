"""Names of the features of an example: of what is measured frame by frame, and of the facts about a whole window.

Code that writes, checks, reads or slices examples takes the names from here. Keyword arguments and attributes that hold
a feature have the same names.
"""

from __future__ import annotations

AUDIO = "audio"  # [samples], at the configured rate
ORIGINAL = (
    "original"  # bytes: the same at 48 kHz, of eval windows that are judged; Transform and training never read it
)

F0_HZ = "f0_hz"  # Hz, positive in every frame; each of these is [frames]
F0_CONFIDENCE = "f0_confidence"  # 0 to 1
LOUDNESS_DB = "loudness_db"  # A-weighted dB
RMS_ENERGY = "rms_energy"  # linear
PITCH_AND_LOUDNESS = (F0_HZ, F0_CONFIDENCE, LOUDNESS_DB)
FRAME_FEATURES = (*PITCH_AND_LOUDNESS, RMS_ENERGY)

START_SECONDS = "start_seconds"  # s, in the recording; each of these is one number
MEAN_LOUDNESS_DB = "mean_loudness_db"
MEDIAN_F0_MIDI = "median_f0_midi"  # semitones, of voiced frames
VOICED_FRACTION = "voiced_fraction"
MEAN_CONFIDENCE = "mean_confidence"

RECORDING = "recording"  # path relative to the folder of recordings; each of these is one text
RECORDING_ID = "recording_id"  # content hash
SPAN = "span"  # the folder `span-N` that the recording is in, or NO_SPAN
REGISTER = "register"  # octave of the median f0, e.g. "C4-B4"
DYNAMICS = "dynamics"  # step of 10 dB of the mean loudness, e.g. "-30..-20 dB"

NO_SPAN = "all"  # means the span of recordings that are in none
