"""Eval windows beside their resynthesis by a model: the sounds that the report plays, with their losses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from common.audio import AudioConfig
from common.features import AUDIO
from data.windows.examples import parse, read_serialized, split_files
from models.training.window_store import evenly_spaced

Array = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Resynthesis:
    """One eval window and its resynthesis by a model.

    Attributes:
      recording: path of its recording, relative to the folder of recordings.
      start_seconds: of the window in the recording.
      original, audio: [samples], the window and its resynthesis.
      loss, baseline_loss: spectral loss of the model and of the network-free baseline.
      loudness_error_db: mean |loudness error| on frames that are not silent.
    """

    recording: str
    start_seconds: float
    original: Array
    audio: Array
    loss: float
    baseline_loss: float
    loudness_error_db: float


def resynthesise(examples: Path, model: Path, most: int, audio: AudioConfig) -> list[Resynthesis]:
    """Resynthesise eval windows, spread over all of them, with the model's shipped precision.

    Args:
      examples: folder of an Examples artifact.
      model: folder of a SavedModel with the `eval_losses` signature.
      most: windows at most.
      audio: length of a window.
    """
    files = split_files(examples / "Split-eval")
    chosen = set(evenly_spaced(sum(1 for _ in read_serialized(files)), most).tolist())
    serialized = [record for index, record in enumerate(read_serialized(files)) if index in chosen]
    if not serialized:
        return []
    loaded = tf.saved_model.load(str(model))
    outputs = loaded.signatures["eval_losses"](examples=tf.constant(serialized))
    values = {name: value.numpy() for name, value in outputs.items()}
    windows = [parse(example, {AUDIO: audio.window_samples}) for example in serialized]
    return [
        Resynthesis(
            recording=window.recording,
            start_seconds=window.start_seconds,
            original=window.features[AUDIO],
            audio=values[AUDIO][index],
            loss=float(values["spectral_loss"][index]),
            baseline_loss=float(values["baseline_spectral_loss"][index]),
            loudness_error_db=float(values["loudness_l1_db"][index]),
        )
        for index, window in enumerate(windows)
    ]
