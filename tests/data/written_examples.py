"""Windows on disk, as an ExampleGen leaves them: the features that a test cares for, the others as they may be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from data.windows.examples import serialize

UNNAMED = {"recording": "a.wav", "recording_id": "aa", "start_seconds": [0.0]}


def serialized(window: Mapping[str, Any]) -> bytes:
    """One window of float features and texts; what it does not say of its recording is filled in."""
    named = {name: np.atleast_1d(value) for name, value in {**UNNAMED, **window}.items()}
    texts = {name: value[0] for name, value in named.items() if value.dtype.kind in "SUO"}
    return serialize(
        {name: value for name, value in named.items() if name not in texts},
        {name: text.decode() if isinstance(text, bytes) else str(text) for name, text in texts.items()},
    )


def write_examples(folder: Path, windows: Iterable[Mapping[str, Any]], shards: int = 1) -> None:
    """Write windows into a new folder, the first one into the first shard, and so on in turn."""
    folder.mkdir(parents=True)
    records = [serialized(window) for window in windows]
    for shard in range(shards):
        path = folder / f"data_tfrecord-{shard:05d}-of-{shards:05d}.gz"
        with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
            for record in records[shard::shards]:
                writer.write(record)
