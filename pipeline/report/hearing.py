"""What the report plays and measures from examples and models: eval windows with their resynthesis, distributions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from common.audio import AudioConfig
from common.features import AUDIO, F0_CONFIDENCE, F0_HZ, LOUDNESS_DB, PITCH_AND_LOUDNESS
from common.loudness import FLOOR_DB
from common.pitch import hz_to_midi
from data.windows.examples import parse, read_examples, read_serialized, split_files
from models.training.windows import spread

Array = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Heard:
    """One eval window, and what the model makes of it.

    Attributes:
      recording: where it was cut from, relative to the folder of recordings.
      start_seconds: where in the recording it starts.
      original, resynthesis: [samples].
      loss, baseline_loss: spectral loss of the model and of the network-free baseline.
      loudness_error_db: mean |loudness error| on frames that are not silent.
    """

    recording: str
    start_seconds: float
    original: Array
    resynthesis: Array
    loss: float
    baseline_loss: float
    loudness_error_db: float


def hear(examples: Path, model: Path, most: int, audio: AudioConfig) -> list[Heard]:
    """Resynthesise eval windows, spread over all of them, with the model's shipped precision.

    Args:
      examples: folder of an Examples artifact.
      model: folder of a SavedModel with the `eval_losses` signature.
      most: windows at most.
      audio: length of a window.
    """
    files = split_files(examples / "Split-eval")
    chosen = set(spread(sum(1 for _ in read_serialized(files)), most).tolist())
    serialized = [record for index, record in enumerate(read_serialized(files)) if index in chosen]
    if not serialized:
        return []
    loaded = tf.saved_model.load(str(model))
    made = loaded.signatures["eval_losses"](examples=tf.constant(serialized))
    values = {name: value.numpy() for name, value in made.items()}
    windows = [parse(one, {AUDIO: audio.window_samples}) for one in serialized]
    return [
        Heard(
            recording=window.recording,
            start_seconds=window.start_seconds,
            original=window.features[AUDIO],
            resynthesis=values[AUDIO][index],
            loss=float(values["spectral_loss"][index]),
            baseline_loss=float(values["baseline_spectral_loss"][index]),
            loudness_error_db=float(values["loudness_l1_db"][index]),
        )
        for index, window in enumerate(windows)
    ]


@dataclass(frozen=True)
class Distributions:
    """How often each pitch and each loudness occurs in the training windows.

    Attributes:
      midi_counts: [semitones], of frames with a trusted pitch.
      midi_edges: [semitones + 1], MIDI.
      loudness_counts: [bins], of frames that are not silent.
      loudness_edges: [bins + 1], dB.
    """

    midi_counts: Array
    midi_edges: Array
    loudness_counts: Array
    loudness_edges: Array


def distributions(examples: Path, audio: AudioConfig, voiced_confidence: float) -> Distributions:
    """Counts frames of the training windows of an Examples artifact, window by window."""
    midi_edges, loudness_edges = np.arange(20.5, 110.0), np.arange(FLOOR_DB, 21.0, 2.0)
    midi_counts, loudness_counts = np.zeros(len(midi_edges) - 1), np.zeros(len(loudness_edges) - 1)
    lengths: dict[str, int | None] = dict.fromkeys(PITCH_AND_LOUDNESS, audio.window_frames)
    for example in read_examples(split_files(examples / "Split-train"), lengths):
        frames = example.features
        voiced = frames[F0_CONFIDENCE] >= voiced_confidence
        midi_counts += np.histogram(hz_to_midi(frames[F0_HZ][voiced]), midi_edges)[0]
        loudness_counts += np.histogram(frames[LOUDNESS_DB], loudness_edges)[0]
    loudness_counts[0] = 0.0  # silence
    return Distributions(*_trimmed(midi_counts, midi_edges), *_trimmed(loudness_counts, loudness_edges))


def _trimmed(counts: Array, edges: Array) -> tuple[Array, Array]:
    """Without the empty bins at both ends; all of them where every bin is empty."""
    used = np.flatnonzero(counts > counts.sum() * 1e-4)
    if not len(used):
        return counts, edges
    return counts[used[0] : used[-1] + 1], edges[used[0] : used[-1] + 2]
