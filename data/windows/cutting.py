"""Cuts windows from an analysed recording."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from common.audio import AudioConfig
from common.features import (
    AUDIO,
    DYNAMICS,
    F0_CONFIDENCE,
    F0_HZ,
    LOUDNESS_DB,
    MEAN_CONFIDENCE,
    MEAN_LOUDNESS_DB,
    MEDIAN_F0_MIDI,
    ORIGINAL,
    RECORDING,
    RECORDING_ID,
    REGISTER,
    RMS_ENERGY,
    SPAN,
    START_SECONDS,
    VOICED_FRACTION,
)
from common.pitch import hz_to_midi, is_voiced
from data.analysis import Analysis, local_file
from data.config import ExtractionConfig
from data.files.decode import Spool, decode
from data.windows.examples import serialize
from data.windows.originals import ORIGINAL_RATE, pack
from data.windows.plan import Cuts

DYNAMICS_STEP_DB = 10


def cut(base: str, name: str, analysis: Analysis, cuts: Cuts, config: ExtractionConfig) -> Iterator[tuple[str, bytes]]:
    """Decode a recording again and cut its windows.

    Args:
      base: folder or URI of recordings.
      name: of the file, relative to it.
      analysis: of that file, which is usable.
      cuts: starts of its windows.
      config: rates and lengths.

    Yields:
      (side, serialized tf.train.Example): training windows, then eval windows, each in the order of time.
    """
    with local_file(base, name) as path, Spool() as spool, Spool() as at_original_rate:
        originals = spool if config.audio.sample_rate == ORIGINAL_RATE else at_original_rate
        rates = {config.audio.sample_rate: spool, **({ORIGINAL_RATE: originals} if cuts.judged else {})}
        if any(decode(path, rate, at).recording_id != analysis.entry.recording_id for rate, at in rates.items()):
            raise RuntimeError(f"{name} changed while it was being read: run again")
        for side, starts in (("train", cuts.train), ("eval", cuts.eval)):
            for start in starts:
                judged_by = originals if side == "eval" and start in cuts.judged else None
                yield side, _example(spool, judged_by, start, cuts.span, analysis, config)


def _example(
    spool: Spool, originals: Spool | None, start: int, span: str, analysis: Analysis, config: ExtractionConfig
) -> bytes:
    audio, features = config.audio, analysis.features
    assert features is not None
    first, frames = start * audio.hop, slice(start, start + audio.window_frames)
    f0_hz, f0_confidence = features.f0_hz[frames], features.f0_confidence[frames]
    loudness_db, rms_energy = features.loudness_db[frames], features.rms_energy[frames]
    voiced = is_voiced(f0_confidence)
    median_f0_midi = float(hz_to_midi(np.median(f0_hz[voiced] if voiced.any() else f0_hz)))
    mean_loudness_db = float(loudness_db.mean(dtype=np.float64))
    return serialize(
        {
            AUDIO: spool.read(first, first + audio.window_samples),
            F0_HZ: f0_hz,
            F0_CONFIDENCE: f0_confidence,
            LOUDNESS_DB: loudness_db,
            RMS_ENERGY: rms_energy,
            START_SECONDS: [start / audio.frame_rate],
            MEAN_LOUDNESS_DB: [mean_loudness_db],
            MEDIAN_F0_MIDI: [median_f0_midi],
            VOICED_FRACTION: [float(voiced.mean())],
            MEAN_CONFIDENCE: [float(f0_confidence.mean(dtype=np.float64))],
        },
        {
            RECORDING: analysis.entry.recording,
            RECORDING_ID: analysis.entry.recording_id or "",
            SPAN: span,
            REGISTER: register(median_f0_midi),
            DYNAMICS: dynamics(mean_loudness_db),
        },
        {} if originals is None else {ORIGINAL: pack(_original(originals, start, config.audio))},
    )


def _original(originals: Spool, start: int, audio: AudioConfig) -> npt.NDArray[np.float32]:
    """Read a window of the recording at `ORIGINAL_RATE`, by the frame in which it starts."""
    first = round(start / audio.frame_rate * ORIGINAL_RATE)
    return originals.read(first, first + round(audio.window_seconds * ORIGINAL_RATE))


def register(midi: float) -> str:
    """Name the octave in which a pitch lies, C to B: "C4-B4"."""
    octave = math.floor(round(midi) / 12) - 1
    return f"C{octave}-B{octave}"


def dynamics(loudness_db: float) -> str:
    """Name the step of 10 dB in which a loudness lies: "-30..-20 dB"."""
    low = math.floor(loudness_db / DYNAMICS_STEP_DB) * DYNAMICS_STEP_DB
    return f"{low}..{low + DYNAMICS_STEP_DB} dB"
