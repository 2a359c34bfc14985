"""What the report plays and measures from examples and models: eval windows with their resynthesis, distributions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from common.audio import AudioConfig
from models.training.windows import spread
from models.voice.statistics import hz_to_midi

Array = npt.NDArray[np.floating]

_FRAMES = ("f0_hz", "f0_confidence", "loudness_db")
_BATCH = 32


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
    records = _records(examples, "eval")
    chosen = set(spread(sum(1 for _ in records), most).tolist())
    serialized = [record for index, record in enumerate(records.as_numpy_iterator()) if index in chosen]
    if not serialized:
        return []
    loaded = tf.saved_model.load(str(model))
    made = loaded.signatures["eval_losses"](examples=tf.constant(serialized))
    values = {name: value.numpy() for name, value in made.items()}
    windows = tf.io.parse_example(
        serialized,
        {
            "audio": tf.io.FixedLenFeature([audio.window_samples], tf.float32),
            "recording": tf.io.FixedLenFeature([], tf.string),
            "start_seconds": tf.io.FixedLenFeature([], tf.float32),
        },
    )
    return [
        Heard(
            recording=windows["recording"][index].numpy().decode("utf-8", "replace"),
            start_seconds=float(windows["start_seconds"][index]),
            original=windows["audio"][index].numpy(),
            resynthesis=values["audio"][index],
            loss=float(values["spectral_loss"][index]),
            baseline_loss=float(values["baseline_spectral_loss"][index]),
            loudness_error_db=float(values["loudness_l1_db"][index]),
        )
        for index in range(len(serialized))
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
    midi_edges, loudness_edges = np.arange(20.5, 110.0), np.arange(-80.0, 21.0, 2.0)
    midi_counts, loudness_counts = np.zeros(len(midi_edges) - 1), np.zeros(len(loudness_edges) - 1)
    spec = {name: tf.io.FixedLenFeature([audio.window_frames], tf.float32) for name in _FRAMES}
    for batch in _records(examples, "train").batch(_BATCH):
        frames = {name: value.numpy() for name, value in tf.io.parse_example(batch, spec).items()}
        voiced = frames["f0_confidence"] >= voiced_confidence
        midi_counts += np.histogram(hz_to_midi(frames["f0_hz"][voiced]), midi_edges)[0]
        loudness_counts += np.histogram(frames["loudness_db"], loudness_edges)[0]
    loudness_counts[0] = 0.0  # silence
    return Distributions(*_trimmed(midi_counts, midi_edges), *_trimmed(loudness_counts, loudness_edges))


def _trimmed(counts: Array, edges: Array) -> tuple[Array, Array]:
    """Without the empty bins at both ends; all of them where every bin is empty."""
    used = np.flatnonzero(counts > counts.sum() * 1e-4)
    if not len(used):
        return counts, edges
    return counts[used[0] : used[-1] + 1], edges[used[0] : used[-1] + 2]


def _records(examples: Path, split: str) -> tf.data.TFRecordDataset:
    """Serialized examples of a split, in the order in which they were written."""
    files = sorted(_files(examples / f"Split-{split}"))
    return tf.data.TFRecordDataset(files, compression_type="GZIP")


def _files(folder: Path) -> Iterator[str]:
    yield from (str(file) for file in folder.glob("*.gz"))
