"""Inputs that the exported graphs are run on: pieces of real eval windows, and a sweep over all that voices may do."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from common.features import F0_HZ, LOUDNESS_DB, RMS_ENERGY
from data.windows.examples import read_examples, split_files

CASES_FILE = "cases.json"
SWEEP = "sweep"
MOST_WINDOWS = 64  # eval windows that pieces are chosen from
SWEEP_SECONDS = 1.0
SWEEP_HZ = (41.3, 2089.7)  # from below a cello to where trackers end, off round numbers that a harmonic could hit
SWEEP_DB = (-90.0, 0.0)


@dataclass(frozen=True)
class Case:
    """One input of the graphs.

    Attributes:
      name: unique, plain letters, digits and `-`.
      features: by the names of the graphs' inputs, each float32 [1, frames, 1].
      noise: float32 [1, frames * hop], uniform in [-1, 1).
    """

    name: str
    features: Mapping[str, np.ndarray]
    noise: np.ndarray

    def inputs(self, graph: str) -> dict[str, np.ndarray]:
        """Return the inputs of one graph by name: features [1, frames, 1]; `full` takes noise [1, samples] too."""
        return {**self.features, "noise": self.noise} if graph == "full" else dict(self.features)


def make_cases(
    eval_folder: Path, names: Sequence[str], *, frame_rate: int, hop: int, seconds: float, seed: int = 0
) -> list[Case]:
    """Make cases: the loudest and a middling piece of real eval windows, and a sweep of another length.

    Args:
      eval_folder: the eval split, TFRecord files of tf.train.Example.
      names: features that the graphs take.
      frame_rate: Hz.
      hop: samples a frame.
      seconds: s of each real piece; shorter where windows are.
      seed: of the noise.

    Raises:
      ValueError: there is no eval window.
    """
    examples = read_examples(split_files(eval_folder), dict.fromkeys((*names, LOUDNESS_DB)))
    windows = [example.features for example in itertools.islice(examples, MOST_WINDOWS)]
    if not windows:
        raise ValueError(f"{eval_folder}: no eval windows to run the bundle on")
    pieces = sorted((_loudest(window, round(seconds * frame_rate)) for window in windows), key=_loudness, reverse=True)
    swept = sweep(round(SWEEP_SECONDS * frame_rate))
    chosen = {"loudest": pieces[0], "middling": pieces[len(pieces) // 2], SWEEP: swept}
    random = np.random.default_rng(seed)
    return [_case(name, features, names, hop, random) for name, features in chosen.items()]


def sweep(frames: int) -> dict[str, np.ndarray]:
    """Sweep f0 up through SWEEP_HZ while loudness rises from silence to full scale and falls: float32 [frames] each."""
    progress = np.linspace(0.0, 1.0, frames)
    low, high = SWEEP_DB
    loudness = low + (high - low) * (1.0 - np.abs(2.0 * progress - 1.0))
    features = {
        F0_HZ: SWEEP_HZ[0] * (SWEEP_HZ[1] / SWEEP_HZ[0]) ** progress,
        LOUDNESS_DB: loudness,
        RMS_ENERGY: 10.0 ** (loudness / 20.0),
    }
    return {name: value.astype(np.float32) for name, value in features.items()}


def _loudest(window: Mapping[str, np.ndarray], frames: int) -> dict[str, np.ndarray]:
    """Cut the loudest stretch of at most so many frames."""
    loudness = window[LOUDNESS_DB]
    frames = min(frames, loudness.size)
    sums = np.concatenate([[0.0], np.cumsum(loudness, dtype=np.float64)])
    start = int(np.argmax(sums[frames:] - sums[:-frames]))
    return {name: value[start : start + frames] for name, value in window.items()}


def _loudness(piece: Mapping[str, np.ndarray]) -> float:
    return float(np.mean(piece[LOUDNESS_DB]))


def _case(
    name: str, piece: Mapping[str, np.ndarray], names: Sequence[str], hop: int, random: np.random.Generator
) -> Case:
    features = {feature: piece[feature][np.newaxis, :, np.newaxis] for feature in names}  # [1, frames, 1]
    samples = piece[LOUDNESS_DB].size * hop
    return Case(name, features, random.uniform(-1.0, 1.0, (1, samples)).astype(np.float32))


def write_cases(folder: Path, cases: Sequence[Case], outputs: Mapping[str, Sequence[str]]) -> None:
    """Write the input of `web/validator`: `cases.json` and every input as raw little-endian float32.

    Args:
      folder: exists.
      cases: each is run on every graph.
      outputs: graph -> names of its outputs.
    """
    listed: list[dict[str, Any]] = []
    for graph, case in itertools.product(outputs, cases):
        inputs = {}
        for feature, value in case.inputs(graph).items():
            file = f"{case.name}.{feature}.f32"
            (folder / file).write_bytes(value.astype("<f4").tobytes())
            inputs[feature] = {"file": file, "shape": list(value.shape)}
        listed.append({"name": case.name, "graph": graph, "inputs": inputs, "outputs": list(outputs[graph])})
    (folder / CASES_FILE).write_text(json.dumps({"cases": listed}), encoding="utf-8")
