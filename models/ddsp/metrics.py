"""How far generated audio is from the recording in loudness and pitch, per example, in numpy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]


def loudness_l1_db(target_db: Floats, value_db: Floats, silence_db: float = -60.0) -> Floats:
    """Mean |difference| in dB over the frames in which the target is not silent.

    Args:
      target_db: shape [batch, frames].
      value_db: same shape.
      silence_db: a target at or below it is silent.

    Returns:
      Shape [batch]; NaN for an example that is silent throughout.
    """
    heard = target_db > silence_db
    total = np.where(heard, np.abs(target_db - value_db), 0.0).sum(axis=-1)
    count = heard.sum(axis=-1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def f0_error_cents(
    target_hz: Floats,
    value_hz: Floats,
    target_confidence: Floats,
    value_confidence: Floats,
    threshold: float = 0.5,
) -> Floats:
    """Median |difference| in cents over the frames in which both pitches are trusted.

    Args:
      target_hz: shape [batch, frames], Hz.
      value_hz: same shape, measured on the generated audio.
      target_confidence: same shape.
      value_confidence: same shape.
      threshold: a confidence above it is trusted.

    Returns:
      Shape [batch]; NaN for an example without such a frame.
    """
    trusted = (target_confidence > threshold) & (value_confidence > threshold)
    cents = 1200.0 * np.abs(np.log2(np.maximum(value_hz, 1e-3) / np.maximum(target_hz, 1e-3)))
    return np.array([np.median(one[of]) if of.any() else np.nan for one, of in zip(cents, trusted, strict=True)])
