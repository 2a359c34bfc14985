"""The impulse response of a bundle: cut where it is inaudible, in float16; of a late tail its parameters alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from common.acoustics.reverberation import late_tail

INAUDIBLE_DB = -80.0
MOST_LATE_BANDS = 64


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


def describe(response: Mapping[str, np.ndarray], sample_rate: int) -> tuple[bytes, dict[str, Any]] | None:
    """Describe a reverb: the bytes of its file, and its section of the manifest without the file's name.

    A room with a late tail ships its early taps, and of the tail one level and one decay time for each band, unless the
    tail is inaudible.

    Args:
      response: `ir` [taps], without the dry path; where there is a late tail also `early_taps` [] (so many precede it),
        and `levels` and `decay_seconds` [bands] of `common.acoustics.reverberation`.
      sample_rate: Hz.

    Returns:
      None where nothing but the dry path is audible.
    """
    ir = response["ir"]
    kept = trim(ir)
    if not kept.size:
        return None
    section = {
        "taps": int(kept.size),
        "trained_taps": int(ir.size),
        "sample_rate": sample_rate,
        "dtype": "float16",
        "normalise": False,
        "add_dry": True,
    }
    early = int(response.get("early_taps", ir.size))
    if kept.size <= early or not np.isfinite(ir).all():
        return encode(kept), section
    late = {key: [float(f"{value:.6g}") for value in response[key].tolist()] for key in ("levels", "decay_seconds")}
    return encode(kept[:early]), {**section, "early_taps": early, "late": late}


def assemble(stored: bytes, section: Mapping[str, Any]) -> np.ndarray:
    """Make the whole impulse response from the bytes of its file and its section of the manifest.

    Returns:
      [taps], float32, without the dry path.

    Raises:
      ValueError: the file or the section is not that of a reverb; the message states why.
    """
    late, taps = section.get("late"), section["taps"]
    early = decode(stored)
    expected = taps if late is None else section.get("early_taps")
    if len(early) != expected:
        raise ValueError(f"{section['file']} holds {len(early)} taps, not {expected}")
    if late is None:
        return early
    trained, levels, decays = section.get("trained_taps", 0), late["levels"], late["decay_seconds"]
    if not len(early) < taps <= trained:
        raise ValueError(f"reverb: {taps} taps are not from {len(early) + 1}, after the early ones, to {trained}")
    if not 1 <= len(levels) == len(decays) <= MOST_LATE_BANDS or min(decays) <= 0:
        raise ValueError(
            f"reverb/late: needs a level and a decay time above 0 s of each of 1 to {MOST_LATE_BANDS} bands"
        )
    tail = late_tail(levels, decays, trained - len(early), section["sample_rate"])
    return np.concatenate([early, tail[: taps - len(early)].astype(np.float32)])
