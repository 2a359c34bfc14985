"""The windows of a training: parsed once, stored on disk, read by index, in an order that the seed determines.

A window of audio is a quarter of a megabyte and an hour of recordings overlaps into a gigabyte of them, so they do not
stay in memory: they are plain rows of one nameless temporary file, which the system's page cache reads faster than a
step needs them. The order of a training follows from (seed, step) alone, so that an interrupted training needs no
replay.
"""

from __future__ import annotations

import hashlib
import math
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

import numpy as np
import tensorflow as tf

from common.audio import AudioConfig
from common.features import AUDIO
from data.windows.examples import read_examples

Batch = dict[str, np.ndarray]  # feature -> [batch, length] float32
Features = Mapping[str, np.ndarray]  # feature -> [length] float32


class WindowStore:
    """Windows of equal length in a temporary file, in an order that does not depend on how examples were sharded.

    Args:
      rows: `(key, features)` of every window, sorted by key here (ties by content); a feature is [length] float32.

    Attributes:
      keys: of the windows, in order.
      digest: SHA-256, hex, of all that the windows hold.

    Raises:
      ValueError: a window's features differ in name or length from the first one's, or are not finite.
    """

    def __init__(self, rows: Iterable[tuple[str, Features]]):
        self._file = tempfile.TemporaryFile(prefix="swara-windows-")  # noqa: SIM115 - lives as long as the windows
        self._lengths: dict[str, int] = {}
        self._minima: dict[str, float] = {}
        identities = [(key, self._append(key, features)) for key, features in rows]
        self._file.flush()
        self._rows = sorted(range(len(identities)), key=identities.__getitem__)  # index -> row of the file
        self.keys = [identities[row][0] for row in self._rows]
        self.digest = hashlib.sha256("".join(sorted(digest for _, digest in identities)).encode()).hexdigest()

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def lengths(self) -> Mapping[str, int]:
        """Number of values of each feature in a window."""
        return self._lengths

    def minimum(self, feature: str) -> float:
        """Return the lowest value of a feature in all windows."""
        return self._minima[feature]

    def batch(self, indices: Sequence[int] | np.ndarray) -> Batch:
        """Read windows by index. Returns feature -> [len(indices), length] float32."""
        size = 4 * sum(self._lengths.values())
        rows = np.stack(
            [np.frombuffer(os.pread(self._file.fileno(), size, size * self._rows[i]), "<f4") for i in indices]
        )
        columns = np.split(rows, np.cumsum(list(self._lengths.values()))[:-1], axis=1)
        return {name: np.ascontiguousarray(column) for name, column in zip(self._lengths, columns, strict=True)}

    def sample(self, most: int) -> Iterator[dict[str, np.ndarray]]:
        """Read at most `most` windows, evenly spaced, one by one: feature -> [length] float32."""
        for index in evenly_spaced(len(self), most):
            yield {name: values[0] for name, values in self.batch([index]).items()}

    def _append(self, key: str, features: Features) -> str:
        """Write a window to the file. Returns the SHA-256, hex, of its content."""
        self._lengths = self._lengths or {name: len(features[name]) for name in sorted(features)}
        lengths = {name: len(values) for name, values in features.items()}
        if lengths != self._lengths:
            raise ValueError(f"window {key!r} has features {lengths}, the others have {self._lengths}")
        row = np.concatenate([features[name] for name in self._lengths]).astype("<f4")
        if not np.isfinite(row).all():
            bad = [name for name in self._lengths if not np.isfinite(features[name]).all()]
            raise ValueError(f"window {key!r} holds values that are not finite numbers in {', '.join(bad)}")
        for name, values in features.items():
            self._minima[name] = min(self._minima.get(name, math.inf), float(np.min(values)))
        data = row.tobytes()
        self._file.write(data)
        return hashlib.sha256(data).hexdigest()


def evenly_spaced(count: int, most: int) -> np.ndarray:
    """Choose at most `most` of the indices below `count`, evenly spaced, the first among them. Shape [chosen]."""
    return np.arange(min(most, count)) * count // max(1, min(most, count))


def shuffled_indices(step: int, *, count: int, batch: int, seed: int) -> np.ndarray:
    """Choose the windows of a training step: every epoch has a shuffle of its own, and steps run on across epochs.

    Args:
      step: from 0.
      count: windows in all.
      batch: windows a step.
      seed: of the order.

    Returns:
      Indices, shape [batch]; the same for the same arguments, whatever ran before.
    """
    positions = range(step * batch, (step + 1) * batch)  # in the sequence of all epochs
    return np.array([_permutation(count, position // count, seed)[position % count] for position in positions])


@lru_cache(maxsize=2)
def _permutation(count: int, epoch: int, seed: int) -> np.ndarray:
    return np.random.Generator(np.random.Philox(key=[seed, epoch])).permutation(count)


def read_windows(patterns: Sequence[str], audio: AudioConfig, features: Sequence[str]) -> WindowStore:
    """Read transformed examples.

    Args:
      patterns: of paths of TFRecord files of tf.train.Examples, gzipped where the name ends in `.gz`.
      audio: settings from which the lengths of the features follow.
      features: names of the features [frames] to keep beside `audio` [samples].

    Raises:
      ValueError: no example is found; one lacks a feature or has one of another length; a value is not finite.
    """
    files = sorted(file for pattern in patterns for file in tf.io.gfile.glob(pattern))
    windows = WindowStore(_keyed(files, audio, features))
    if not len(windows):
        raise ValueError(f"no training examples in {', '.join(patterns)}")
    return windows


def _keyed(files: Sequence[str], audio: AudioConfig, features: Sequence[str]) -> Iterator[tuple[str, Features]]:
    lengths: dict[str, int | None] = {AUDIO: audio.window_samples, **dict.fromkeys(features, audio.window_frames)}
    for example in read_examples(files, lengths):
        yield f"{example.recording} at {example.start_seconds:08.2f} s", example.features
