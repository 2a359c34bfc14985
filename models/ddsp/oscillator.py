"""The harmonic oscillator bank: phases, the basis of sines, and their weighted sum.

The phase of f0 is kept modulo one cycle. Within a frame f0 is linear, so the phase at any sample has a closed form,
and only one prefix sum over frames, in float64, is needed. Amplitudes between frames are interpolated with fixed
weights; the sum over harmonics is then one small matrix product a frame instead of an envelope for every harmonic at
every sample.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import tensorflow as tf

# sin(2 pi y) = y (s0 + s1 y^2 + s2 y^4 + ...) for |y| <= 1/4, to 3.4e-9 (least squares, reweighted to an even error)
SINE = (6.28318516, -41.34165504, 81.60100442, -76.54978912, 39.53675197)


def envelope_weights(envelope: str, hop: int) -> npt.NDArray[np.float32]:
    """Compute interpolation weights of a frame and of the next frame, for each sample between them.

    Args:
      envelope: "window", overlapping two-hop periodic Hann windows (ddsp.core.upsample_with_windows), or "linear".
      hop: samples a frame.

    Returns:
      Shape [hop, 2], in [0, 1].

    Raises:
      ValueError: no such envelope.
    """
    fraction = np.arange(hop) / hop
    if envelope == "window":
        rising = 0.5 - 0.5 * np.cos(np.pi * fraction)
    elif envelope == "linear":
        rising = fraction
    else:
        raise ValueError(f"envelope {envelope!r} is not one of window, linear")
    return np.stack([1.0 - rising, rising], axis=-1).astype(np.float32)


def next_frame(frames: tf.Tensor) -> tf.Tensor:
    """Shift frames by one, so that each frame has its successor; the last is repeated. Shape [batch, frames, ...]."""
    return tf.concat([frames[:, 1:], frames[:, -1:]], axis=1)


def frame_phases(
    f0_hz: tf.Tensor, hop: int, sample_rate: int, initial: tf.Tensor | None = None
) -> tuple[tf.Tensor, tf.Tensor]:
    """Compute the phase of f0 before the first sample of every frame, and after the last sample of the last frame.

    Args:
      f0_hz: fundamental frequency in Hz, shape [batch, frames, 1]; linear between frames, the last is held.
      hop: samples a frame.
      sample_rate: Hz.
      initial: shape [batch], float64, cycles; 0 where it is None.

    Returns:
      Shapes [batch, frames] and [batch]; float64, cycles in [0, 1).
    """
    f0 = tf.cast(f0_hz[..., 0], tf.float64)
    slope = next_frame(f0) - f0
    # the sum of hop samples on the line from f0 to its successor, in cycles
    advance = (hop * f0 + 0.5 * (hop - 1) * slope) / sample_rate
    start = tf.zeros_like(f0[:, 0]) if initial is None else initial
    total = start[:, tf.newaxis] + tf.cumsum(advance, axis=1)
    before = tf.concat([start[:, tf.newaxis], total[:, :-1]], axis=1)
    return tf.math.floormod(before, 1.0), tf.math.floormod(total[:, -1], 1.0)


def sample_phases(
    f0_hz: tf.Tensor, hop: int, sample_rate: int, initial: tf.Tensor | None = None
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Compute the phase and the frequency of f0 at every sample; the first is one increment after `initial`.

    Args:
      f0_hz: fundamental frequency in Hz, shape [batch, frames, 1].
      hop: samples a frame.
      sample_rate: Hz.
      initial: shape [batch], float64, cycles; 0 where it is None.

    Returns:
      Phase in cycles, float32 in [0, 1), shape [batch, frames, hop]; frequency in Hz, same shape; the phase after the
      last sample, float64, shape [batch].
    """
    before, after = frame_phases(f0_hz, hop, sample_rate, initial)
    slope = next_frame(f0_hz) - f0_hz  # [batch, frames, 1]
    sample = np.arange(hop)
    hz = f0_hz + slope * tf.constant(sample / hop, tf.float32)  # [batch, frames, hop]
    # sum of hz over samples 0..n: (n + 1) f0 + n (n + 1) / (2 hop) slope
    at_f0 = tf.constant((sample + 1) / sample_rate, tf.float32)
    at_slope = tf.constant(sample * (sample + 1) / (2 * hop * sample_rate), tf.float32)
    phase = tf.cast(before, tf.float32)[..., tf.newaxis] + f0_hz * at_f0 + slope * at_slope
    return phase - tf.floor(phase), hz, after


def harmonic_basis(phase: tf.Tensor, hz: tf.Tensor, harmonics: int, sample_rate: int) -> tf.Tensor:
    """Compute the sines of the harmonics at every sample; 0 where a harmonic reaches Nyquist. It has no gradient.

    Harmonics above Nyquist everywhere in the batch are left out.

    Args:
      phase: phase of f0 in cycles, shape [batch, frames, hop].
      hz: f0 in Hz, same shape.
      harmonics: maximum number of harmonics.
      sample_rate: Hz.

    Returns:
      Shape [batch, frames, hop, audible], audible <= harmonics.
    """
    nyquist = sample_rate / 2
    count = tf.clip_by_value(tf.cast(nyquist / tf.maximum(tf.reduce_min(hz), 1e-3), tf.int32) + 1, 1, harmonics)
    numbers = tf.range(1, tf.cast(count, tf.float32) + 1.0)
    sines = tf.sin(phase[..., tf.newaxis] * (2.0 * np.pi * numbers))
    audible = hz[..., tf.newaxis] * numbers < nyquist
    return tf.stop_gradient(tf.where(audible, sines, 0.0))


def audible_harmonics(lowest_hz: float, harmonics: int, sample_rate: int) -> int:
    """Count the harmonics that lie below Nyquist at the lowest f0, in Hz: at least 1, at most `harmonics`."""
    below = math.ceil(sample_rate / 2 / max(lowest_hz, 1e-3)) - 1
    return min(max(below, 1), harmonics)


@tf.function(autograph=False, jit_compile=True)
def compiled_basis(phase: tf.Tensor, hz: tf.Tensor, numbers: tf.Tensor, nyquist: tf.Tensor) -> tf.Tensor:
    """Compute `harmonic_basis` for known shapes in one pass: folded to a quarter cycle, a sine is a short polynomial.

    Args:
      phase: phase of f0 in cycles, in [0, 1), shape [batch, frames, hop].
      hz: f0 in Hz, same shape.
      numbers: shape [audible], numbers of the harmonics, from 1.
      nyquist: scalar, Hz.

    Returns:
      Shape [batch, frames, hop, audible]; within 3e-7 of the sines of these phases.
    """
    cycles = phase[..., tf.newaxis] * numbers
    cycles -= tf.round(cycles)  # [-1/2, 1/2]
    folded = tf.abs(cycles)
    folded = tf.sign(cycles) * tf.minimum(folded, 0.5 - folded)  # [-1/4, 1/4], of the same sine
    square = tf.square(folded)
    value = SINE[-1] * tf.ones_like(square)
    for coefficient in reversed(SINE[:-1]):
        value = value * square + coefficient
    return tf.where(hz[..., tf.newaxis] * numbers < nyquist, folded * value, 0.0)


def weighted_sum(basis: tf.Tensor, amplitudes: tf.Tensor, weights: npt.NDArray[np.float32]) -> tf.Tensor:
    """Sum the basis weighted by amplitudes, which are interpolated between frames.

    Args:
      basis: shape [batch, frames, hop, audible].
      amplitudes: shape [batch, frames, harmonics], linear; harmonics that only one of the two has are left out.
      weights: shape [hop, 2], of `envelope_weights`.

    Returns:
      Shape [batch, frames * hop].
    """
    amplitudes, basis = amplitudes[..., : tf.shape(basis)[-1]], basis[..., : tf.shape(amplitudes)[-1]]
    pair = tf.stack([amplitudes, next_frame(amplitudes)], axis=2)  # [batch, frames, 2, audible]
    both = tf.matmul(basis, pair, transpose_b=True)  # [batch, frames, hop, 2]
    signal = tf.reduce_sum(both * weights, axis=-1)
    return tf.reshape(signal, [tf.shape(signal)[0], -1])
