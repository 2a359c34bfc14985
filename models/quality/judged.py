"""The windows that are judged, those with their original: which they are, and how a model sounds on them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from common.features import AUDIO, ORIGINAL, RECORDING_ID, START_SECONDS
from data.windows.examples import read_serialized
from data.windows.originals import unpack
from models.quality.visqol import MEASURE, Visqol


def judged_examples(files: Iterable[str]) -> Iterator[bytes]:
    """Read the examples that have their original.

    Args:
      files: paths or URIs of the eval split's.
    """
    return (serialized for serialized in read_serialized(files) if ORIGINAL in _features(serialized))


def digest(examples: Iterable[bytes]) -> str:
    """Name a set of judged windows and the measure, so that a figure of another set is never compared with.

    Args:
      examples: of `judged_examples`, in any order.

    Returns:
      SHA-256, hex.
    """
    keys = set()
    for serialized in examples:
        features = _features(serialized)
        recording = features[RECORDING_ID].bytes_list.value[0].decode("utf-8", "replace")
        keys.add(f"{recording} {features[START_SECONDS].float_list.value[0]:.3f}")
    return hashlib.sha256("\n".join([MEASURE, *sorted(keys)]).encode()).hexdigest()


def mean_visqol(saved_model: str, examples: Sequence[bytes], sample_rate: int) -> float | None:
    """Measure ViSQOL of a model's resyntheses against the originals, as the Evaluator does.

    Args:
      saved_model: folder of a SavedModel with the signature `eval_losses`.
      examples: of `judged_examples`.
      sample_rate: Hz, of the model.

    Returns:
      The mean over the windows, 1 to 4.73; None where there are none.
    """
    import tensorflow as tf

    if not examples:
        return None
    outputs = tf.saved_model.load(saved_model).signatures["eval_losses"](examples=tf.constant(list(examples)))
    score = Visqol()
    originals = (unpack(_features(one)[ORIGINAL].bytes_list.value[0]) for one in examples)
    pairs = zip(originals, outputs[AUDIO].numpy(), strict=True)
    return float(np.mean([score(original, audio, sample_rate) for original, audio in pairs]))


def _features(serialized: bytes) -> Any:
    import tensorflow as tf

    return tf.train.Example.FromString(serialized).features.feature
