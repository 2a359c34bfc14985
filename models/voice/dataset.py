"""What a bundle says of the recordings: how they sound, how much they are, and a fingerprint of them."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from common.features import F0_CONFIDENCE, F0_HZ, FRAME_FEATURES, LOUDNESS_DB, PITCH_AND_LOUDNESS, RMS_ENERGY
from common.loudness import amplitude_to_db
from data.windows.examples import read_examples, split_files
from models.voice.statistics import DatasetStatistics, dataset_statistics

MOST_WINDOWS = 4096  # as many as statistics are taken of, evenly spread: 50 MB however long the recordings are


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
    windows, held_out = _windows(train), _windows(evaluation)
    if not windows:
        raise ValueError(f"{train}: no examples")
    sides = {"train": {one for one, _ in windows}, "eval": {one for one, _ in held_out}}
    text = "".join(f"{side} {one}\n" for side, ones in sorted(sides.items()) for one in sorted(ones))
    return Dataset(
        statistics=_statistics(train, len(windows), with_power),
        fingerprint=hashlib.sha256(text.encode()).hexdigest(),
        recordings=len(sides["train"] | sides["eval"]),
        seconds=covered_seconds(windows, window_seconds),
        train_windows=len(windows),
        eval_windows=len(held_out),
    )


def covered_seconds(windows: Iterable[tuple[str, float]], window_seconds: float) -> float:
    """Length of the union of windows, each given by its recording and its start in s."""
    starts: dict[str, list[float]] = defaultdict(list)
    for recording, start in windows:
        starts[recording].append(start)
    total = 0.0
    for of_one in starts.values():
        gaps = np.diff(np.sort(of_one))
        total += window_seconds + float(np.minimum(gaps, window_seconds).sum())
    return total


def _statistics(folder: Path, count: int, with_power: bool) -> DatasetStatistics:
    chosen = set(np.arange(min(count, MOST_WINDOWS)) * count // min(count, MOST_WINDOWS))
    names = FRAME_FEATURES if with_power else PITCH_AND_LOUDNESS
    columns: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for index, example in enumerate(read_examples(split_files(folder), dict.fromkeys(names))):
        if index in chosen:
            for name, column in columns.items():
                column.append(example.features[name])
    stacked = {name: np.stack(column) for name, column in columns.items()}  # [windows, frames]
    power_db = amplitude_to_db(stacked[RMS_ENERGY]) if with_power else None
    return dataset_statistics(stacked[F0_HZ], stacked[LOUDNESS_DB], stacked[F0_CONFIDENCE], power_db)


def _windows(folder: Path) -> list[tuple[str, float]]:
    """Recording and start in s of every window of a split."""
    return [(one.recording_id, one.start_seconds) for one in read_examples(split_files(folder), {})]
