"""The impulse response of a bundle: cut where it is inaudible, in float16."""

from __future__ import annotations

import numpy as np

INAUDIBLE_DB = -80.0


def trim(ir: np.ndarray) -> np.ndarray:
    """Cut the tail whose whole energy lies 80 dB below that of the response, the dry path of gain 1 included.

    The energy that is left after each tap is the backward integral of Schroeder (1965), "New Method of Measuring
    Reverberation Time"; against white noise the cut is an error of at most -80 dB.

    Args:
      ir: [taps], without the dry path (tap 0 is zero).

    Returns:
      [kept taps]; empty where nothing but the dry path is audible. A response with NaN is returned unchanged, for a
      gate to find.
    """
    energy = np.square(ir.astype(np.float64))
    left = np.cumsum(energy[::-1])[::-1]  # [taps], energy from this tap on
    if not np.isfinite(left).all():
        return ir
    floor = 10.0 ** (INAUDIBLE_DB / 10.0) * (1.0 + left[:1].sum())
    return ir[: int(np.count_nonzero(left > floor))]


def encode(ir: np.ndarray) -> bytes:
    """Encode taps [taps] as little-endian float16: an error of at most -66 dB of each tap, or 3e-8 of full scale."""
    return ir.astype("<f2").tobytes()


def decode(stored: bytes) -> np.ndarray:
    """Decode the bytes of `encode` to [taps], float32."""
    return np.frombuffer(stored, "<f2").astype(np.float32)
