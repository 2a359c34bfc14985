"""Scalings, units and resampling: pure functions on float32 tensors.

Axes are `[batch, frames, channels]` unless a docstring states another or any shape.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from common.loudness import FLOOR_DB

LN_10 = float(np.log(10.0))
MIDI_RANGE = 127.0


def safe_divide(numerator: tf.Tensor, denominator: tf.Tensor, eps: float = 1e-7) -> tf.Tensor:
    """Divide, taking `eps` for a denominator of 0, so that 0 / 0 is 0 and has a finite gradient. Any shape."""
    return numerator / tf.where(tf.equal(denominator, 0.0), eps, denominator)


@tf.custom_gradient
def safe_log(x: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    """Take the natural logarithm, log(1e-5) for x <= 0, where its gradient is 0 (ddsp.core.safe_log). Any shape."""

    def gradient(upstream: tf.Tensor) -> tf.Tensor:
        return tf.math.divide_no_nan(upstream, tf.nn.relu(x))

    return tf.math.log(tf.where(x <= 0.0, 1e-5, x)), gradient


def exp_sigmoid(x: tf.Tensor, exponent: float = 10.0, max_value: float = 2.0, threshold: float = 1e-7) -> tf.Tensor:
    """Scale raw network outputs to amplitudes in (threshold, max_value + threshold), linear. Any shape.

    `max_value * sigmoid(x) ** ln(exponent) + threshold` (Engel et al. 2020, ddsp.core.exp_sigmoid).
    """
    # the power by way of logarithms, log(sigmoid(x)) = -softplus(-x): a third of the cost of tf.pow
    return max_value * tf.exp(-float(np.log(exponent)) * tf.nn.softplus(-x)) + threshold


def positive_hz_to_midi(hz: tf.Tensor) -> tf.Tensor:
    """Convert frequencies above 0 Hz to MIDI pitch in semitones (69 is 440 Hz). Any shape.

    It has no custom gradient, which a Transform graph could not hold, and no more operations than it takes.
    """
    return 69.0 + 12.0 / float(np.log(2.0)) * tf.math.log(hz / 440.0)


def hz_to_midi(hz: tf.Tensor) -> tf.Tensor:
    """Convert frequencies in Hz to MIDI pitch in semitones; 0 for frequencies <= 0. Any shape."""
    audible = hz > 0.0
    return tf.where(audible, positive_hz_to_midi(tf.where(audible, hz, 440.0)), 0.0)


def midi_to_hz(midi: tf.Tensor) -> tf.Tensor:
    """Convert MIDI pitch in semitones to frequencies in Hz. Any shape."""
    return 440.0 * 2.0 ** ((midi - 69.0) / 12.0)


def scale_f0_hz(hz: tf.Tensor) -> tf.Tensor:
    """Scale f0 in Hz to MIDI pitch / 127, nominally in [0, 1]. Any shape."""
    return hz_to_midi(hz) / MIDI_RANGE


def unscale_f0_hz(scaled: tf.Tensor) -> tf.Tensor:
    """Invert `scale_f0_hz`: convert MIDI pitch / 127 to Hz; 0 becomes MIDI 0, 8.18 Hz. Any shape."""
    return midi_to_hz(scaled * MIDI_RANGE)


def scale_db(db: tf.Tensor) -> tf.Tensor:
    """Scale loudness or power in [-80, 0] dB to [0, 1]; above 0 dB it exceeds 1. Any shape."""
    return db / -FLOOR_DB + 1.0


def unscale_db(scaled: tf.Tensor) -> tf.Tensor:
    """Invert `scale_db`: convert [0, 1] to [-80, 0] dB. Any shape."""
    return (scaled - 1.0) * -FLOOR_DB


def power_to_db(power: tf.Tensor) -> tf.Tensor:
    """Convert power to dB, 10 log10(power), with a floor of -80 dB, where its gradient is 0. Any shape."""
    floor = 10.0 ** (FLOOR_DB / 10.0)
    return 10.0 / LN_10 * tf.math.log(tf.maximum(power, floor))


def amplitude_to_db(amplitude: tf.Tensor) -> tf.Tensor:
    """Convert amplitude to dB, 20 log10(amplitude), with a floor of -80 dB. Any shape."""
    return power_to_db(amplitude**2)


_RESIZERS = {"nearest": "nearest", "linear": "bilinear", "cubic": "bicubic"}  # method -> tf.image's name for it


def resample(
    inputs: tf.Tensor, samples: int | tf.Tensor, method: str = "linear", add_endpoint: bool = True
) -> tf.Tensor:
    """Interpolate frames over time (ddsp.core.resample).

    Frame t is at sample `t * samples / frames`, and the last frame is held to the end. Without `add_endpoint` the last
    frame is the end point instead: it is at the last sample (for "window": one past it).

    Args:
      inputs: shape [batch, frames, channels]; frames may be unknown when traced.
      samples: length of the result, more or less than frames.
      method: "linear"; "window" (overlapping Hann windows: smooth amplitudes); "nearest" (held); "cubic".
      add_endpoint: see above.

    Returns:
      Shape [batch, samples, channels].

    Raises:
      ValueError: no such method.
    """
    if method == "window":
        return _resample_with_windows(inputs, samples, add_endpoint)
    if method not in _RESIZERS:
        raise ValueError(f"resample: method {method!r} is not one of window, {', '.join(_RESIZERS)}")
    resized = tf.compat.v1.image.resize(
        inputs[:, :, tf.newaxis], [samples, 1], method=_RESIZERS[method], align_corners=not add_endpoint
    )
    return resized[:, :, 0]


def _resample_with_windows(inputs: tf.Tensor, samples: int | tf.Tensor, add_endpoint: bool) -> tf.Tensor:
    """Blend two frames at each sample, by two-hop periodic Hann windows (ddsp.core.upsample_with_windows)."""
    frames = tf.shape(inputs)[1]
    intervals = frames if add_endpoint else frames - 1
    # float64: in float32 the position of a late sample falls on the wrong side of its frame
    position = tf.range(tf.cast(samples, tf.float64)) * tf.cast(intervals / samples, tf.float64)
    frame = tf.floor(position)
    rising = 0.5 - 0.5 * tf.cos(np.pi * tf.cast(position - frame, tf.float32))[:, tf.newaxis]  # [samples, 1]
    here = tf.cast(frame, tf.int32)
    following = tf.minimum(here + 1, frames - 1)
    return (1.0 - rising) * tf.gather(inputs, here, axis=1) + rising * tf.gather(inputs, following, axis=1)
