"""Weights in the precision that ships, so that evaluation computes with the weights that a browser gets.

TensorFlow.js stores a weight as float16, or as uint8 with a scale and a minimum, and widens it to float32 when it loads
(tensorflowjs/quantization.py, `dequantize_weights`). Rounding here gives those float32 values, bit for bit.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from models.instrument import Instrument
from models.network.decoders import DECODER_PREFIX

Precision = Literal["float16", "uint8"]
_STEPS = 255


class Affine(NamedTuple):
    """Affine quantization to uint8: a value is number * scale + minimum, in float64, then rounded to float32."""

    scale: float
    minimum: float


def fit_affine(array: np.ndarray) -> Affine:
    """Fit 256 even steps to the range of an array of any shape; 0 is one of them where it lies in that range."""
    low, high = float(array.min()), float(array.max())
    if low == high:
        return Affine(1.0, low)
    scale = (high - low) / _STEPS
    if low <= 0.0 <= high:
        low = -np.round(-low / scale) * scale
    return Affine(scale, float(low))


def round_array(array: np.ndarray, precision: Precision) -> np.ndarray:
    """Round an array of any shape to the precision, and return it as float32.

    NaN and infinity are kept: as float16 in their own elements, as uint8 in the whole array.
    """
    if precision == "float16":
        with np.errstate(over="ignore"):
            return array.astype(np.float16).astype(np.float32)
    if not np.isfinite(array).all():
        return np.full_like(array, np.nan)
    scale, minimum = fit_affine(array)
    steps = np.clip(np.round((array.astype(np.float64) - minimum) / scale), 0, _STEPS)
    return (steps * scale + minimum).astype(np.float32)


def precision_of(name: str, precision: Precision) -> Precision:
    """Return the precision in which a variable ships: a reverb's taps span too wide a range for 256 even steps."""
    return precision if name.startswith(DECODER_PREFIX) else "float16"


def round_weights(instrument: Instrument) -> Instrument:
    """Copy an instrument with every weight rounded to `instrument.model.precision`."""
    copy = Instrument(instrument.model, instrument.audio)
    chosen = instrument.model.precision
    copy.set_weights({k: round_array(v, precision_of(k, chosen)) for k, v in instrument.weights().items()})
    return copy
