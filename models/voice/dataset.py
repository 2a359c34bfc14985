"""What a bundle says of the recordings: how they sound, how much they are, and a fingerprint of them."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.voice.statistics import DatasetStatistics, dataset_statistics

MOST_WINDOWS = 4096  # as many as statistics are taken of, evenly spread: 50 MB however long the recordings are
FEATURES = ("f0_hz", "loudness_db", "f0_confidence")
SILENCE_RMS = 1e-4  # -80 dB, the floor of loudness too


@dataclass(frozen=True)
class Dataset:
    """Facts about the examples a model was trained on.

    Attributes:
      statistics: of the training windows.
      fingerprint: SHA-256, hex, of the recordings' content hashes on either side of the split, in any order.
      recordings: how many, both sides together.
      seconds: s of audio trained on; what overlapping windows share counts once.
      train_windows, eval_windows: how many.
    """

    statistics: DatasetStatistics
    fingerprint: str
    recordings: int
    seconds: float
    train_windows: int
    eval_windows: int

    def to_json(self) -> dict[str, Any]:
        """The manifest's `data` section."""
        return {
            "fingerprint": self.fingerprint,
            "recordings": self.recordings,
            "seconds": round(self.seconds, 2),
            "train_windows": self.train_windows,
            "eval_windows": self.eval_windows,
        }


def read_dataset(train: Path, evaluation: Path, window_seconds: float, with_power: bool) -> Dataset:
    """Read examples of RecordingExampleGen or of Transform, in two passes, so that memory does not grow with them.

    Args:
      train, evaluation: folders of the two splits.
      window_seconds: s, length of one example.
      with_power: whether the model hears RMS energy, so that its statistics are wanted.

    Raises:
      ValueError: there are no training windows.
    """
    spans, held_out = list(_spans(train)), list(_spans(evaluation))
    if not spans:
        raise ValueError(f"{train}: no examples")
    sides = {"train": {one for one, _ in spans}, "eval": {one for one, _ in held_out}}
    text = "".join(f"{side} {one}\n" for side, ones in sorted(sides.items()) for one in sorted(ones))
    return Dataset(
        statistics=_statistics(train, len(spans), with_power),
        fingerprint=hashlib.sha256(text.encode()).hexdigest(),
        recordings=len(sides["train"] | sides["eval"]),
        seconds=covered_seconds(spans, window_seconds),
        train_windows=len(spans),
        eval_windows=len(held_out),
    )


def covered_seconds(spans: Iterable[tuple[str, float]], window_seconds: float) -> float:
    """Length of the union of windows, each given by its recording and its start in s."""
    starts: dict[str, list[float]] = defaultdict(list)
    for recording, start in spans:
        starts[recording].append(start)
    total = 0.0
    for of_one in starts.values():
        gaps = np.diff(np.sort(of_one))
        total += window_seconds + float(np.minimum(gaps, window_seconds).sum())
    return total


def _statistics(folder: Path, count: int, with_power: bool) -> DatasetStatistics:
    wanted = set(np.arange(min(count, MOST_WINDOWS)) * count // min(count, MOST_WINDOWS))
    names = (*FEATURES, "rms_energy") if with_power else FEATURES
    columns: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for index, features in enumerate(_examples(folder)):
        if index in wanted:
            for name, column in columns.items():
                column.append(np.asarray(features[name].float_list.value, np.float32))
    f0_hz, loudness_db, f0_confidence, *rms = (np.stack(column) for column in columns.values())  # [windows, frames]
    power_db = 20.0 * np.log10(np.maximum(rms[0], SILENCE_RMS)) if rms else None
    return dataset_statistics(f0_hz, loudness_db, f0_confidence, power_db)


def _spans(folder: Path) -> Iterator[tuple[str, float]]:
    for features in _examples(folder):
        recording = features["recording_id"].bytes_list.value[0].decode("utf-8", "replace")
        yield recording, features["start_seconds"].float_list.value[0]


def _examples(folder: Path) -> Iterator[Mapping[str, Any]]:
    import tensorflow as tf

    files = sorted(str(path) for path in folder.glob("*.gz"))
    for stored in tf.data.TFRecordDataset(files, compression_type="GZIP").as_numpy_iterator():
        yield tf.train.Example.FromString(stored).features.feature
