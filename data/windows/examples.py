"""Cuts windows from a recording and writes each as a tf.train.Example."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from data.analysis import Analysis, local_file
from data.config import ExtractionConfig
from data.files.decode import Spool, decode
from data.windows.plan import Cuts

DYNAMICS_STEP_DB = 10
NOTE_A4_MIDI, A4_HZ = 69, 440.0


def cut(base: str, name: str, analysis: Analysis, cuts: Cuts, config: ExtractionConfig) -> Iterator[tuple[str, bytes]]:
    """Decode a recording again and cuts its windows.

    Args:
      base: folder or URI of recordings.
      name: of the file, relative to it.
      analysis: of that file, usable.
      cuts: where windows begin.
      config: rates and lengths.

    Yields:
      (side, serialized tf.train.Example): training windows, then eval windows, each in the order of time.
    """
    with local_file(base, name) as path, Spool() as spool:
        source = decode(path, config.audio.sample_rate, spool)
        if source.recording_id != analysis.entry.recording_id:
            raise RuntimeError(f"{name} changed while it was being read: run again")
        for side, starts in (("train", cuts.train), ("eval", cuts.eval)):
            for start in starts:
                yield side, _example(spool, start, cuts.span, analysis, config)


def _example(spool: Spool, start: int, span: str, analysis: Analysis, config: ExtractionConfig) -> bytes:
    audio, features = config.audio, analysis.features
    assert features is not None
    first, frames = start * audio.hop, slice(start, start + audio.window_frames)
    f0_hz, f0_confidence = features.f0_hz[frames], features.f0_confidence[frames]
    loudness_db, rms_energy = features.loudness_db[frames], features.rms_energy[frames]
    voiced = f0_confidence > config.examples.screening.voiced_confidence
    median_f0_midi = hz_to_midi(float(np.median(f0_hz[voiced] if voiced.any() else f0_hz)))
    mean_loudness_db = float(loudness_db.mean(dtype=np.float64))
    return serialize(
        {
            "audio": spool.read(first, first + audio.window_samples),
            "f0_hz": f0_hz,
            "f0_confidence": f0_confidence,
            "loudness_db": loudness_db,
            "rms_energy": rms_energy,
            "start_seconds": [start / audio.frame_rate],
            "mean_loudness_db": [mean_loudness_db],
            "median_f0_midi": [median_f0_midi],
            "voiced_fraction": [float(voiced.mean())],
            "mean_confidence": [float(f0_confidence.mean(dtype=np.float64))],
        },
        {
            "recording": analysis.entry.recording,
            "recording_id": analysis.entry.recording_id or "",
            "span": span,
            "register": register(median_f0_midi),
            "dynamics": dynamics(mean_loudness_db),
        },
    )


def serialize(floats: dict[str, npt.NDArray[np.float32] | Sequence[float]], texts: dict[str, str]) -> bytes:
    """A tf.train.Example of float lists and single texts, its bytes the same on every machine."""
    features = {name: tf.train.Feature(float_list=tf.train.FloatList(value=value)) for name, value in floats.items()}
    features |= {
        name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value.encode()])) for name, value in texts.items()
    }
    example = tf.train.Example(features=tf.train.Features(feature=features))
    return bytes(example.SerializeToString(deterministic=True))


def hz_to_midi(hertz: float) -> float:
    """MIDI note number, with fractions: 69 at 440 Hz."""
    return NOTE_A4_MIDI + 12 * math.log2(hertz / A4_HZ)


def register(midi: float) -> str:
    """The octave in which a pitch lies, C to B: "C4-B4"."""
    octave = math.floor(round(midi) / 12) - 1
    return f"C{octave}-B{octave}"


def dynamics(loudness_db: float) -> str:
    """The step of 10 dB in which a loudness lies: "-30..-20 dB"."""
    low = math.floor(loudness_db / DYNAMICS_STEP_DB) * DYNAMICS_STEP_DB
    return f"{low}..{low + DYNAMICS_STEP_DB} dB"
