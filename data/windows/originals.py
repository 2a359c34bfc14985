"""Originals: eval windows as they were recorded, at 48 kHz, whatever the rate of training. Sound is judged by them.

Only windows that are judged have one: at most `MOST_JUDGED`, chosen by a hash of where they lie, never by a score. A
window of 4 s takes 384,004 bytes: 16 bits a sample below the window's own peak, 98 dB, and that peak.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

ORIGINAL_RATE = 48_000  # Hz
MOST_JUDGED = 12
LEAST_SECONDS = 1.0  # windows that are shorter cannot be judged
STEPS = 2**15 - 1  # of the 16 bits, up to the peak


def pack(audio: npt.NDArray[np.float32]) -> bytes:
    """Convert audio [samples] to bytes: its peak (float32), then every sample as a share of it (int16).

    Everything is little-endian. The same audio gives the same bytes on every machine.
    """
    peak = np.float32(np.abs(audio).max())
    scale = STEPS / np.float64(peak) if peak > 0 else 0.0
    return np.array(peak, "<f4").tobytes() + np.rint(audio * scale).astype("<i2").tobytes()


def unpack(packed: bytes) -> npt.NDArray[np.float32]:
    """Convert the bytes of `pack` to audio [samples]."""
    peak = np.frombuffer(packed, "<f4", 1)[0]
    return np.asarray(np.frombuffer(packed, "<i2", offset=4) * (peak / np.float32(STEPS)), np.float32)


def choose_judged(starts: Mapping[str, Sequence[int]], frame_rate: int) -> dict[str, tuple[int, ...]]:
    """Choose the windows that are judged.

    Args:
      starts: of the eval windows in which something sounds, in frames, by the id of their recording.
      frame_rate: Hz.

    Returns:
      Those of the `MOST_JUDGED` lowest hashes, by the id of their recording, in order.
    """
    every = [(recording_id, start) for recording_id, found in starts.items() for start in found]
    lowest = sorted(every, key=lambda window: _hash(window[0], window[1] / frame_rate))[:MOST_JUDGED]
    return {one: tuple(sorted(start for of, start in lowest if of == one)) for one in {of for of, _ in lowest}}


def _hash(recording_id: str, start_seconds: float) -> bytes:
    return hashlib.sha256(f"judged {recording_id} {start_seconds:.3f}".encode()).digest()
