"""The summary of a dataset that a bundle carries: statistics, amounts and a fingerprint of the recordings."""

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
from data.features.statistics import DatasetStatistics, dataset_statistics
from data.windows.examples import read_examples, split_files

SUMMARY_WINDOWS = 4096  # of which statistics are taken, evenly spaced: 50 MB however long the recordings are


@dataclass(frozen=True)
class DatasetSummary:
    """Summary of the examples that a model was trained and evaluated on.

    Attributes:
      statistics: of the training windows.
      fingerprint: SHA-256, hex, of the content hashes of the recordings in each split, in any order.
      recordings: number of recordings, both splits together.
      seconds: s of audio trained on; audio in several overlapping windows counts once.
      train_windows, eval_windows: number of windows.
    """

    statistics: DatasetStatistics
    fingerprint: str
    recordings: int
    seconds: float
    train_windows: int
    eval_windows: int

    def to_json(self) -> dict[str, Any]:
        """Return the manifest's `data` section."""
        return {
            "fingerprint": self.fingerprint,
            "recordings": self.recordings,
            "seconds": round(self.seconds, 2),
            "train_windows": self.train_windows,
            "eval_windows": self.eval_windows,
        }


def summarise_dataset(train: Path, evaluation: Path, window_seconds: float, with_power: bool) -> DatasetSummary:
    """Summarise examples of RecordingExampleGen or of Transform, in two passes, so that memory does not grow with them.

    Args:
      train, evaluation: folders of the two splits.
      window_seconds: s, length of an example.
      with_power: include statistics of RMS energy; needed where it is an input of the model.

    Raises:
      ValueError: there are no training windows.
    """
    windows, eval_windows = _windows(train), _windows(evaluation)
    if not windows:
        raise ValueError(f"{train}: no examples")
    recordings = {"train": {name for name, _ in windows}, "eval": {name for name, _ in eval_windows}}
    text = "".join(f"{split} {name}\n" for split, names in sorted(recordings.items()) for name in sorted(names))
    return DatasetSummary(
        statistics=_statistics(train, len(windows), with_power),
        fingerprint=hashlib.sha256(text.encode()).hexdigest(),
        recordings=len(recordings["train"] | recordings["eval"]),
        seconds=covered_seconds(windows, window_seconds),
        train_windows=len(windows),
        eval_windows=len(eval_windows),
    )


def covered_seconds(windows: Iterable[tuple[str, float]], window_seconds: float) -> float:
    """Compute the length in s of the union of windows, each given by its recording and its start in s."""
    starts: dict[str, list[float]] = defaultdict(list)
    for recording, start in windows:
        starts[recording].append(start)
    total = 0.0
    for of_recording in starts.values():
        gaps = np.diff(np.sort(of_recording))
        total += window_seconds + float(np.minimum(gaps, window_seconds).sum())
    return total


def _statistics(folder: Path, count: int, with_power: bool) -> DatasetStatistics:
    """Measure at most SUMMARY_WINDOWS of the `count` windows in a folder."""
    chosen = set(np.arange(min(count, SUMMARY_WINDOWS)) * count // min(count, SUMMARY_WINDOWS))
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
    """Read recording and start in s of every window of a split."""
    return [(example.recording_id, example.start_seconds) for example in read_examples(split_files(folder), {})]
