"""Measures the pitch of a recording: f0 of the instrument alone, without what is beyond the tracker's range, or hum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from common.audio import AudioConfig
from common.pitch import is_voiced
from data.features.beyond import Beyond, find_beyond
from data.features.hum import Hum, find_hum
from data.features.level import loud_rms
from data.features.reading import Floats, Read
from data.features.tracker import Tracker


@dataclass(frozen=True)
class Pitch:
    """The pitch of a recording.

    Attributes:
      f0_hz: [frames], Hz, continuous and positive.
      f0_confidence: [frames], 0 to 1; 0 beyond the tracker's range, and where only hum sounds.
      beyond: what is beyond the range.
      hum: None where there is none.
    """

    f0_hz: Floats
    f0_confidence: Floats
    beyond: Beyond
    hum: Hum | None


def measure_pitch(
    read: Read,
    samples: int,
    audio: AudioConfig,
    tracker: Tracker,
    rms_energy: Floats,
    on_progress: Callable[[float], None] | None = None,
) -> Pitch:
    """Measure the pitch of a recording of any length.

    Args:
      read: gives samples by position; must give zeros outside the recording.
      samples: length of the recording.
      audio: rates.
      tracker: for these rates.
      rms_energy: [frames], linear.
      on_progress: called with the seconds measured so far.
    """
    f0_hz, confidence = tracker.track(read, samples, on_progress)
    beyond = find_beyond(read, samples, audio.sample_rate, tracker.range_hz, len(f0_hz), audio.frame_rate)
    hum = find_hum(read, samples, audio.sample_rate, loud_rms(read, samples, audio.sample_rate))
    not_its = beyond.above | beyond.below
    if hum:
        not_its |= hum.is_alone(f0_hz, confidence, rms_energy)
    if not_its.any():
        confidence = np.where(not_its, np.float32(0), confidence)
        f0_hz = _bridged(f0_hz, confidence)
    return Pitch(f0_hz, confidence, beyond, hum)


def _bridged(f0_hz: Floats, confidence: Floats) -> Floats:
    """Interpolate f0 in octaves between voiced frames; all [frames]. Without any it stays."""
    voiced = is_voiced(confidence)
    if not voiced.any():
        return f0_hz
    frames = np.arange(len(f0_hz))
    octaves = np.interp(frames, frames[voiced], np.log2(f0_hz[voiced]))
    return np.where(voiced, f0_hz, 2**octaves).astype(np.float32)
