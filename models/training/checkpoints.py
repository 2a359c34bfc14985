"""Checkpoints of a training: one file, replaced whole, in a folder named after the training's fingerprint."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np
import tensorflow as tf

_VALUES = "values"


def fingerprint(**facts: Any) -> str:
    """Compute the SHA-256, hex, of everything that determines a training (settings, data, sources), as JSON values."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Checkpoint:
    """The state of a training: all that it needs to go on as if it had never stopped.

    Attributes:
      arrays: tensors by name.
      values: everything else, JSON.
    """

    arrays: Mapping[str, np.ndarray]
    values: Mapping[str, Any]


class Checkpoints:
    """The latest checkpoint of one training, in `root/KEY/checkpoint.npz`; on any filesystem that TensorFlow supports.

    Args:
      root: a folder that outlives the process and the execution.
      key: the training's `fingerprint`. Another key never reads this checkpoint.
    """

    def __init__(self, root: str | PurePath, key: str):
        self.folder = f"{root}/{key[:32]}"
        self._path = f"{self.folder}/checkpoint.npz"

    def save(self, checkpoint: Checkpoint) -> None:
        """Replace the latest checkpoint. Killed meanwhile, it leaves the previous checkpoint."""
        packed = io.BytesIO()
        values = np.frombuffer(json.dumps(dict(checkpoint.values)).encode(), np.uint8)
        stored: dict[str, Any] = {f"arrays/{name}": array for name, array in checkpoint.arrays.items()}
        np.savez(packed, **{_VALUES: values, **stored})
        tf.io.gfile.makedirs(self.folder)
        with tf.io.gfile.GFile(self._path + ".part", "wb") as file:
            file.write(packed.getvalue())
        tf.io.gfile.rename(self._path + ".part", self._path, overwrite=True)

    def load(self) -> Checkpoint | None:
        """Load the latest checkpoint; None where there is none, or where a power cut left half of one."""
        try:
            with tf.io.gfile.GFile(self._path, "rb") as file:
                packed = np.load(io.BytesIO(file.read()), allow_pickle=False)
            arrays = {name: packed[name] for name in packed.files}
        except (tf.errors.NotFoundError, zipfile.BadZipFile, EOFError, ValueError):
            return None
        values = json.loads(arrays.pop(_VALUES).tobytes())
        return Checkpoint({name.removeprefix("arrays/"): array for name, array in arrays.items()}, values)

    def clear(self) -> None:
        """Delete the checkpoint of a training that has ended."""
        if tf.io.gfile.exists(self.folder):
            tf.io.gfile.rmtree(self.folder)
