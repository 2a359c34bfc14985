"""The dry signal with operations that every TF.js backend has: no FFT, complex, float64, random or While operations.

It agrees with `ProcessorGraph.get_dry` for one example of any length, in float32. The phase is summed over frames
only, in Hz modulo the frame rate, in parts of so few bits each that float32 adds them up without rounding.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from models.ddsp.graph import ProcessorGraph
from models.ddsp.synths import FilteredNoise, Harmonic

BLOCK = 256  # frames summed before the sum is wrapped; as many blocks are summed exactly, 4 minutes of 4 ms frames
PARTS = 256  # of a Hz
TOGETHER = 10  # harmonics whose sines are in memory at once


def dry_signal(graph: ProcessorGraph, controls: Mapping[str, tf.Tensor], noise: tf.Tensor) -> tf.Tensor:
    """Synthesise the dry signal of one example from controls.

    Args:
      graph: its synthesisers, and the mixes up to its dry node.
      controls: of `graph.get_controls`, shape [1, frames, channels].
      noise: shape [1, frames * hop], uniform in [-1, 1].

    Returns:
      Shape [1, frames * hop].

    Raises:
      ValueError: a reverb comes before the dry node.
    """
    signals: dict[str, tf.Tensor] = {}
    for name, sources in graph.chain():
        synth = graph.synths.get(name)
        if isinstance(synth, Harmonic):
            signals[name] = _harmonic(synth, **graph.own_controls(name, controls))
        elif isinstance(synth, FilteredNoise):
            signals[name] = _filtered_noise(synth, noise=noise, **graph.own_controls(name, controls))
        elif name in graph.reverbs:
            raise ValueError(f"{name}: a reverb before the dry signal has no portable form")
        else:
            signals[name] = tf.add_n([signals[source] for source in sources])
        if name == graph.dry_name:
            break
    return tf.reshape(signals[graph.dry_name], [1, -1])


def _harmonic(synth: Harmonic, amplitude: tf.Tensor, harmonic_distribution: tf.Tensor, f0_hz: tf.Tensor) -> tf.Tensor:
    """Synthesise harmonics from controls [1, frames, channels]. Shape [frames, hop]."""
    f0 = f0_hz[0]  # [frames, 1], Hz
    following = tf.concat([f0[1:], f0[-1:]], axis=0)
    sample = np.arange(synth.hop)
    frame_rate = synth.sample_rate / synth.hop
    slope = following - f0
    # the slopes of all frames before this one add up to f0 - f0[0], so only f0 itself has to be summed
    glide = (f0 - f0[:1]) * float((synth.hop - 1) / (2 * synth.hop))
    before = _wrap(_prefix_sum(f0, frame_rate) + glide, frame_rate) * float(1 / frame_rate)  # cycles
    at_f0 = ((sample + 1) / synth.sample_rate).astype(np.float32)
    at_slope = (sample * (sample + 1) / (2 * synth.hop * synth.sample_rate)).astype(np.float32)
    phase = before + f0 * at_f0 + slope * at_slope  # [frames, hop]
    hz = f0 + slope * (sample / synth.hop).astype(np.float32)
    phase -= tf.round(phase)
    amplitudes = (amplitude * harmonic_distribution)[0]  # [frames, harmonics]
    pair = tf.stack([amplitudes, tf.concat([amplitudes[1:], amplitudes[-1:]], axis=0)], axis=2)
    both = tf.add_n(
        [
            _some_harmonics(phase, hz, pair[:, first : first + TOGETHER], first + 1, synth.sample_rate)
            for first in range(0, synth.harmonics, TOGETHER)
        ]
    )
    return tf.reduce_sum(both * synth.envelope_weights, axis=-1)


def _some_harmonics(phase: tf.Tensor, hz: tf.Tensor, pair: tf.Tensor, first: int, sample_rate: int) -> tf.Tensor:
    """Sum neighbouring harmonics with the amplitudes of a frame and of the next one.

    TF.js runs all operations that need nothing but one that has run before it goes on from any of them: sines of all
    harmonics would be in memory at once. So an operation that changes nothing, small and each time another one (the
    converter would merge equal ones), lies between phase and frequency and what is many times larger.

    Args:
      phase: of f0 in cycles, in [-1/2, 1/2], shape [frames, hop].
      hz: f0 in Hz, same shape.
      pair: amplitudes, shape [frames, harmonics, 2].
      first: number of the first of these harmonics, from 1.
      sample_rate: Hz.

    Returns:
      Shape [frames, hop, 2].
    """
    phase, hz = tf.unstack(tf.maximum(tf.stack([phase, hz]), float(-first)))
    numbers = np.arange(first, first + int(pair.shape[1]), dtype=np.float32)
    cycles = phase[..., tf.newaxis] * numbers
    sines = tf.sin((cycles - tf.round(cycles)) * float(2 * np.pi))  # [frames, hop, harmonics]
    audible = tf.cast(hz[..., tf.newaxis] * numbers < sample_rate / 2, tf.float32)
    return tf.matmul(sines * audible, pair)


def _wrap(value: tf.Tensor, period: float) -> tf.Tensor:
    """Return the remainder in [0, period), exact where value / period is small."""
    return value - tf.floor(value * float(1 / period)) * period


def _prefix_sum(f0: tf.Tensor, period: float) -> tf.Tensor:
    """Sum all frames before each, modulo `period`. Shape [frames, 1] in and out.

    A steady pitch would be rounded the same way at every addition, and drift. So whole Hz, 256ths and the rest are
    summed apart: the sums of the first two are exact up to 2^24 (whole Hz are wrapped in blocks on the way), those of
    the rest are below one Hz in `BLOCK` frames.
    """
    f0 = _wrap(f0[:, 0], period)
    whole = tf.floor(f0)
    fine = tf.floor((f0 - whole) * PARTS)  # in 256ths of a Hz
    rest = f0 - whole - fine * (1 / PARTS)
    total = _wrapped_sum(whole, period) + _wrapped_sum(fine, PARTS * period) * (1 / PARTS) + _wrapped_sum(rest, period)
    return _wrap(total, period)[:, tf.newaxis]


def _wrapped_sum(values: tf.Tensor, period: float) -> tf.Tensor:
    """Sum all values before each, modulo `period`; the sum of `BLOCK` values must be exact. Shape [n] in and out."""
    count = tf.shape(values)[0]
    padded = BLOCK * ((count + BLOCK - 1) // BLOCK)
    blocks = tf.reshape(tf.pad(values, [[0, padded - count]]), [-1, BLOCK])
    within = tf.cumsum(blocks, axis=1)
    totals = _wrap(within[:, -1], period)  # of each block
    before = _wrap(tf.cumsum(totals) - totals, period)
    return _wrap(tf.reshape(within - blocks + before[:, tf.newaxis], [-1])[:count], period)


def _filtered_noise(synth: FilteredNoise, noise_magnitudes: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
    """Filter noise [1, samples] frame by frame, by real DFT matrices and overlap-add. Shape [frames, hop]."""
    length = synth.hop + synth.taps - 1
    parts = -(-length // synth.hop)  # hops over which a frame rings
    size = parts * synth.hop
    blocks = tf.reshape(noise, [-1, synth.hop])  # [frames, hop]
    angle = 2 * np.pi * np.outer(np.arange(size), np.arange(size // 2 + 1)) / size
    cosine, sine = np.cos(angle), -np.sin(angle)
    noise_re, noise_im = _product(blocks, cosine[: synth.hop]), _product(blocks, sine[: synth.hop])
    magnitudes = noise_magnitudes[0]  # [frames, bands]
    filter_re = _product(magnitudes, synth.matrix @ cosine[: synth.taps])
    filter_im = _product(magnitudes, synth.matrix @ sine[: synth.taps])
    re = noise_re * filter_re - noise_im * filter_im
    im = noise_re * filter_im + noise_im * filter_re
    mirrored = np.full(size // 2 + 1, 2.0 / size)
    mirrored[0] = 1.0 / size
    mirrored[-1] = (1.0 if size % 2 == 0 else 2.0) / size
    # One product: a sum of two is taken for product and bias by the converter to TF.js, whose wasm backend refuses it.
    back = np.concatenate([cosine * mirrored, sine * mirrored], axis=1).T
    rung = _product(tf.concat([re, im], axis=1), back)  # [frames, size]
    pieces = tf.reshape(rung, [-1, parts, synth.hop])
    summed = tf.add_n([tf.pad(pieces[:, part], [[part, parts - 1 - part], [0, 0]]) for part in range(parts)])
    late = tf.reshape(summed, [-1])[synth.delay :]
    return tf.reshape(late[: tf.size(noise)], [-1, synth.hop])


def _product(left: tf.Tensor, right: np.ndarray) -> tf.Tensor:
    return tf.matmul(left, tf.constant(right, tf.float32))
