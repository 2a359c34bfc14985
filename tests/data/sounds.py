"""Sounds and files for the tests: pitched lines that a tracker follows, and readers over arrays."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from pipeline.configuration.loading import load

CONFIG = load("violin").extraction


def config(*overrides: str):
    """The extraction settings of a default instrument, with some changed."""
    return load("violin", list(overrides)).extraction


def reader(audio: np.ndarray):
    """Samples by position; zeros outside."""

    def read(start: int, stop: int) -> np.ndarray:
        inside = audio[max(0, start) : max(0, stop)]
        before = min(max(0, -start), stop - start)
        return np.pad(inside, (before, stop - start - before - len(inside))).astype(np.float32)

    return read


def tone(f0_hz: np.ndarray | float, seconds: float, rate: int = 16000, harmonics: int = 8) -> np.ndarray:
    """A harmonic tone, [samples], at a fixed f0 or one for every sample; peak about 0.3."""
    samples = round(seconds * rate)
    phase = np.cumsum(np.broadcast_to(2 * np.pi * np.asarray(f0_hz) / rate, samples))
    waves = [np.sin(k * phase) / k for k in range(1, harmonics + 1) if k * np.max(f0_hz) < rate / 2]
    return (0.2 * np.sum(waves, axis=0)).astype(np.float32)


def melody(seconds: float, rate: int = 16000, seed: int = 0, notes: Sequence[int] = (0, 2, 4, 5, 7, 9, 11, 12)):
    """Notes of half a second with soft edges and vibrato, [samples]."""
    draw = np.random.default_rng(seed)
    pieces, left = [], round(seconds * rate)
    while left > 0:
        samples = min(left, rate // 2)
        time = np.arange(samples) / rate
        f0 = 440 * 2 ** ((draw.choice(notes) + 0.2 * np.sin(2 * np.pi * 5.5 * time)) / 12)
        edge = np.minimum(1, np.minimum(time, time[::-1]) / 0.02)
        pieces.append(tone(f0, samples / rate, rate)[:samples] * edge * draw.uniform(0.5, 1))
        left -= samples
    return np.concatenate(pieces).astype(np.float32)


def write(path: Path, audio: np.ndarray, rate: int = 16000, **options: Any) -> Path:
    """Writes a file, and the folders above it: floats as exact 16-bit integers, unless a subtype is given."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if "subtype" not in options and audio.dtype.kind == "f":
        audio = np.rint(np.clip(audio, -1, 1) * 32767).astype(np.int16)
    soundfile.write(path, audio, rate, **options)
    return path
