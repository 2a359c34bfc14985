"""Synthesisers: network outputs -> synthesiser controls -> audio.

Each has `get_controls` and `get_signal`, and for live playing `initial_state` and `step`: one or more new frames and
the state in, as many frames of audio, `latency` samples late, and the new state out.
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from models.ddsp import core, filters, oscillator
from models.ddsp.bands import interpolation

Tensors = dict[str, tf.Tensor]


def white_noise(batch: int | tf.Tensor, samples: int | tf.Tensor, seed: Sequence[int] | tf.Tensor) -> tf.Tensor:
    """Generate white noise, uniform in [-1, 1), the same for the same seed.

    Args:
      batch: number of signals.
      samples: length of each.
      seed: two integers.

    Returns:
      Shape [batch, samples].
    """
    return tf.random.stateless_uniform([batch, samples], seed=seed, minval=-1.0, maxval=1.0)


def normalise_harmonics(distribution: tf.Tensor, f0_hz: tf.Tensor, sample_rate: int | None) -> tf.Tensor:
    """Normalise a harmonic distribution to sum to 1 below Nyquist (ddsp.core.normalize_harmonics).

    Args:
      distribution: shape [batch, frames, harmonics], not negative.
      f0_hz: shape [batch, frames, 1], Hz.
      sample_rate: Hz; None leaves harmonics above Nyquist in.

    Returns:
      Same shape; all 0 in frames where nothing is left.
    """
    if sample_rate is not None:
        numbers = tf.range(1, int(distribution.shape[-1]) + 1, dtype=tf.float32)
        distribution = tf.where(f0_hz * numbers < sample_rate / 2, distribution, 0.0)
    return core.safe_divide(distribution, tf.reduce_sum(distribution, axis=-1, keepdims=True))


class Harmonic:
    """Additive synthesiser: a sum of sines at multiples of f0 (ddsp.synths.Harmonic).

    Args:
      harmonics: number of sines.
      sample_rate: Hz.
      hop: samples a frame.
      envelope: interpolation of amplitudes between frames, "window" or "linear".
    """

    def __init__(self, harmonics: int, sample_rate: int, hop: int, envelope: str):
        self.harmonics, self.sample_rate, self.hop = harmonics, sample_rate, hop
        self.raw_outputs = {"amplitude": 1, "harmonic_distribution": harmonics}
        self.latency = hop  # a sample lies between two frames, so the second one must be known
        self.envelope_weights = oscillator.envelope_weights(envelope, hop)

    def get_controls(self, amplitude: tf.Tensor, harmonic_distribution: tf.Tensor, f0_hz: tf.Tensor) -> Tensors:
        """Convert network outputs to synthesiser controls.

        Args:
          amplitude: shape [batch, frames, 1], unbounded.
          harmonic_distribution: shape [batch, frames, harmonics], unbounded.
          f0_hz: fundamental frequency in Hz, shape [batch, frames, 1].

        Returns:
          Controls of the same names and shapes: amplitude > 0, linear; a distribution that sums to 1 over the harmonics
          below Nyquist; f0 as it is.
        """
        distribution = normalise_harmonics(core.exp_sigmoid(harmonic_distribution), f0_hz, self.sample_rate)
        return {"amplitude": core.exp_sigmoid(amplitude), "harmonic_distribution": distribution, "f0_hz": f0_hz}

    def basis(self, f0_hz: tf.Tensor, lowest_hz: float | None = None) -> tf.Tensor:
        """Compute the sines of a batch, which depend on no trained variable.

        Args:
          f0_hz: fundamental frequency in Hz, shape [batch, frames, 1].
          lowest_hz: lower bound of f0 in Hz. Where it is given, shapes must be known and the computation is compiled.

        Returns:
          Shape [batch, frames, hop, audible]; harmonics above Nyquist for every f0 of the batch, or for every f0 of at
          least lowest_hz, are left out.
        """
        phase, hz, _ = oscillator.sample_phases(f0_hz, self.hop, self.sample_rate)
        if lowest_hz is None:
            return oscillator.harmonic_basis(phase, hz, self.harmonics, self.sample_rate)
        audible = oscillator.audible_harmonics(lowest_hz, self.harmonics, self.sample_rate)
        numbers = tf.range(1, audible + 1, dtype=tf.float32)
        return oscillator.compiled_basis(phase, hz, numbers, tf.constant(self.sample_rate / 2))

    def get_signal(
        self,
        amplitude: tf.Tensor,
        harmonic_distribution: tf.Tensor,
        f0_hz: tf.Tensor,
        basis: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Synthesise audio from controls. No gradient goes to f0.

        Args:
          amplitude: shape [batch, frames, 1], linear.
          harmonic_distribution: shape [batch, frames, harmonics], sums to 1.
          f0_hz: fundamental frequency in Hz, shape [batch, frames, 1].
          basis: `basis(f0_hz)`; computed where it is None.

        Returns:
          Shape [batch, frames * hop].
        """
        basis = self.basis(f0_hz) if basis is None else basis
        return oscillator.weighted_sum(basis, amplitude * harmonic_distribution, self.envelope_weights)

    def initial_state(self, batch: int | tf.Tensor = 1) -> Tensors:
        """Return the state before the first frame: no sound, phase 0. Every tensor is [batch, ...]."""
        return {
            "amplitudes": tf.zeros([batch, 1, self.harmonics]),
            "f0_hz": tf.zeros([batch, 1, 1]),
            "phase": tf.zeros([batch], tf.float64),
            "started": tf.zeros([batch, 1, 1]),
        }

    def step(
        self, amplitude: tf.Tensor, harmonic_distribution: tf.Tensor, f0_hz: tf.Tensor, state: Tensors
    ) -> tuple[tf.Tensor, Tensors]:
        """Synthesise from the last frame of the state through the new frames: one hop for each new frame.

        Before the first frame there is silence, so that the result is that of `get_signal`, `latency` samples late.

        Args:
          amplitude, harmonic_distribution, f0_hz: controls of the new frames, as in `get_signal`.
          state: after the frames before, or `initial_state`.

        Returns:
          Audio [batch, frames * hop] and the state after these frames.
        """
        started = state["started"] > 0  # [batch, 1, 1]
        amplitudes = tf.concat([state["amplitudes"], amplitude * harmonic_distribution], axis=1)
        lead_in = tf.where(started, state["f0_hz"], f0_hz[:, :1])
        # at the first frame, start so that the silent first hop ends at phase 0
        backwards = -tf.cast(f0_hz[:, 0, 0], tf.float64) * self.hop / self.sample_rate
        initial = tf.where(started[:, 0, 0], state["phase"], backwards)
        f0_hz = tf.concat([lead_in, f0_hz], axis=1)  # [batch, n + 1, 1]
        phase, hz, _ = oscillator.sample_phases(f0_hz, self.hop, self.sample_rate, initial)
        basis = oscillator.harmonic_basis(phase, hz, self.harmonics, self.sample_rate)
        signal = oscillator.weighted_sum(basis, amplitudes, self.envelope_weights)
        hops = tf.reshape(signal, [tf.shape(f0_hz)[0], -1, self.hop])[:, :-1]  # the last frame has no successor yet
        playing = tf.concat([state["started"], tf.ones_like(f0_hz[:, 2:])], axis=1)  # [batch, n, 1]
        before, _ = oscillator.frame_phases(f0_hz, self.hop, self.sample_rate, initial)
        new_state = {
            "amplitudes": amplitudes[:, -1:],
            "f0_hz": f0_hz[:, -1:],
            "phase": before[:, -1],
            "started": tf.ones_like(state["started"]),
        }
        return tf.reshape(hops * playing, [tf.shape(hops)[0], -1]), new_state


class FilteredNoise:
    """Filtered-noise synthesiser: white noise through a time-varying FIR filter (ddsp.synths.FilteredNoise).

    Attributes:
      interpolation: from the magnitudes to a grid evenly spaced from 0 Hz to Nyquist, [bands, points].
      matrix: from the magnitudes to the taps of the filter, [bands, taps].

    Args:
      bands: magnitudes a frame.
      hop: samples a frame.
      initial_bias: added to raw outputs, so that an untrained network is quiet.
      spacing: of the magnitudes, "linear" or "erb": see `bands.interpolation`.
      sample_rate: Hz; needed where the spacing is not linear.

    Raises:
      ValueError: there is no such spacing.
    """

    def __init__(self, bands: int, hop: int, initial_bias: float, spacing: str = "linear", sample_rate: int = 0):
        self.bands, self.hop, self.initial_bias = bands, hop, initial_bias
        self.interpolation = interpolation(bands, spacing, hop, sample_rate)
        self.matrix = self.interpolation @ filters.response_matrix(self.interpolation.shape[1])
        self.taps = self.matrix.shape[1]
        self.raw_outputs = {"noise_magnitudes": bands}
        self.delay = filters.group_delay(self.taps)
        self.latency = -(-self.delay // hop) * hop

    def get_controls(self, noise_magnitudes: tf.Tensor) -> Tensors:
        """Convert network outputs, unbounded, to magnitudes > 0, linear. Shape [batch, frames, bands] in and out."""
        return {"noise_magnitudes": core.exp_sigmoid(noise_magnitudes + self.initial_bias)}

    def get_signal(self, noise_magnitudes: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        """Filter noise with the magnitudes of each frame.

        Args:
          noise_magnitudes: shape [batch, frames, bands], linear, from 0 Hz to Nyquist.
          noise: shape [batch, frames * hop], uniform in [-1, 1).

        Returns:
          Shape [batch, frames * hop].
        """
        samples = tf.shape(noise)[1]
        filtered = filters.convolve_frames(noise, self._responses(noise_magnitudes), self.hop)
        return filtered[:, self.delay : self.delay + samples]

    def initial_state(self, batch: int | tf.Tensor = 1) -> Tensors:
        """Return the state before the first frame: silence. Every tensor is [batch, samples]."""
        return {
            "tail": tf.zeros([batch, self.taps - 1]),
            "waiting": tf.zeros([batch, self.latency - self.delay]),
        }

    def step(self, noise_magnitudes: tf.Tensor, noise: tf.Tensor, state: Tensors) -> tuple[tf.Tensor, Tensors]:
        """Filter new frames of noise; what rings on past their end is kept for the next frames.

        Args:
          noise_magnitudes, noise: of the new frames, as in `get_signal`.
          state: after the frames before, or `initial_state`.

        Returns:
          Audio [batch, frames * hop], `latency` samples late, and the state after these frames.
        """
        samples = tf.shape(noise)[1]
        filtered = filters.convolve_frames(noise, self._responses(noise_magnitudes), self.hop)
        tail = tf.pad(state["tail"], [[0, 0], [0, samples]])
        filtered += tail
        ready = tf.concat([state["waiting"], filtered[:, :samples]], axis=1)
        return ready[:, :samples], {"tail": filtered[:, samples:], "waiting": ready[:, samples:]}

    def _responses(self, noise_magnitudes: tf.Tensor) -> tf.Tensor:
        return tf.matmul(noise_magnitudes, tf.constant(self.matrix, tf.float32))  # [batch, frames, taps]
