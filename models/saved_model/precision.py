"""Weights in the precision that ships, so that what is judged is what a browser computes with.

TensorFlow.js stores a weight as float16, or as uint8 with a scale and a minimum, and widens it to float32 when it loads
(tensorflowjs/quantization.py, `dequantize_weights`). Rounding here gives those float32 values, bit for bit.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from models.instrument import Instrument
from models.network.decoders import PREFIX

Precision = Literal["float16", "uint8"]
_STEPS = 255


class Affine(NamedTuple):
    """What the numbers 0 to 255 stand for: number * scale + minimum, in float64, then rounded to float32."""

    scale: float
    minimum: float


def affine_of(array: np.ndarray) -> Affine:
    """The 256 values that cover an array evenly; 0 is one of them where the array has both signs (or 0)."""
    low, high = float(array.min()), float(array.max())
    if low == high:
        return Affine(1.0, low)
    scale = (high - low) / _STEPS
    if low <= 0.0 <= high:
        low = -np.round(-low / scale) * scale
    return Affine(scale, float(low))


def round_array(array: np.ndarray, precision: Precision) -> np.ndarray:
    """The float32 values that remain of an array. NaN and infinity are not healed: they spoil what they touch."""
    if precision == "float16":
        with np.errstate(over="ignore"):
            return array.astype(np.float16).astype(np.float32)
    if not np.isfinite(array).all():
        return np.full_like(array, np.nan)
    scale, minimum = affine_of(array)
    steps = np.clip(np.round((array.astype(np.float64) - minimum) / scale), 0, _STEPS)
    return (steps * scale + minimum).astype(np.float32)


def precision_of(name: str, precision: Precision) -> Precision:
    """The precision in which a variable ships: the reverb's taps span too wide a range for 256 even steps."""
    return precision if name.startswith(PREFIX) else "float16"


def rounded(instrument: Instrument) -> Instrument:
    """A copy of the instrument, of which every weight is rounded as `instrument.model.precision` says."""
    copy = Instrument(instrument.model, instrument.audio)
    chosen = instrument.model.precision
    copy.set_weights({k: round_array(v, precision_of(k, chosen)) for k, v in instrument.weights().items()})
    return copy
