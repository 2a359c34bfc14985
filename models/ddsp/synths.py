"""Synthesisers: raw network outputs -> controls with a physical meaning -> audio.

Each has `get_controls` and `get_signal`, and for live playing `initial_state` and `step`: one or more new frames and
the state in, as many frames of audio, `latency` samples late, and the new state out.
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from models.ddsp import core, filters, oscillator

Tensors = dict[str, tf.Tensor]


def white_noise(batch: int | tf.Tensor, samples: int | tf.Tensor, seed: Sequence[int] | tf.Tensor) -> tf.Tensor:
    """Uniform noise in [-1, 1), the same for the same seed. Shape [batch, samples]; seed has two integers."""
    return tf.random.stateless_uniform([batch, samples], seed=seed, minval=-1.0, maxval=1.0)


def normalise_harmonics(distribution: tf.Tensor, f0_hz: tf.Tensor, sample_rate: int | None) -> tf.Tensor:
    """Make a harmonic distribution sum to 1 over what lies below Nyquist (ddsp.core.normalize_harmonics).

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
    """An additive synthesiser: a sum of sines at multiples of f0 (ddsp.synths.Harmonic).

    Args:
      harmonics: number of sines.
      sample_rate: Hz.
      hop: samples a frame.
      envelope: how amplitudes are interpolated, "window" or "linear".
    """

    def __init__(self, harmonics: int, sample_rate: int, hop: int, envelope: str):
        self.harmonics, self.sample_rate, self.hop = harmonics, sample_rate, hop
        self.raw_outputs = {"amplitude": 1, "harmonic_distribution": harmonics}
        self.latency = hop  # a sample lies between two frames, so the second one must be known
        self.envelope_weights = oscillator.envelope_weights(envelope, hop)

    def get_controls(self, amplitude: tf.Tensor, harmonic_distribution: tf.Tensor, f0_hz: tf.Tensor) -> Tensors:
        """Scale raw outputs: amplitude [batch, frames, 1] > 0, distribution [batch, frames, harmonics] sums to 1."""
        distribution = normalise_harmonics(core.exp_sigmoid(harmonic_distribution), f0_hz, self.sample_rate)
        return {"amplitude": core.exp_sigmoid(amplitude), "harmonic_distribution": distribution, "f0_hz": f0_hz}

    def basis(self, f0_hz: tf.Tensor, lowest_hz: float | None = None) -> tf.Tensor:
        """The sines of a batch, which no network changes.

        Args:
          f0_hz: shape [batch, frames, 1], Hz.
          lowest_hz: no f0 lies below it. Where it is given, shapes must be known and the computation is compiled.

        Returns:
          Shape [batch, frames, hop, heard]; harmonics that no f0 in the batch, or above lowest_hz, lets be heard are
          left out.
        """
        phase, hz, _ = oscillator.sample_phases(f0_hz, self.hop, self.sample_rate)
        if lowest_hz is None:
            return oscillator.harmonic_basis(phase, hz, self.harmonics, self.sample_rate)
        heard = oscillator.audible_harmonics(lowest_hz, self.harmonics, self.sample_rate)
        numbers = tf.range(1, heard + 1, dtype=tf.float32)
        return oscillator.compiled_basis(phase, hz, numbers, tf.constant(self.sample_rate / 2))

    def get_signal(
        self,
        amplitude: tf.Tensor,
        harmonic_distribution: tf.Tensor,
        f0_hz: tf.Tensor,
        basis: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Sounds the controls. No gradient goes to f0.

        Args:
          amplitude: shape [batch, frames, 1].
          harmonic_distribution: shape [batch, frames, harmonics].
          f0_hz: shape [batch, frames, 1], Hz.
          basis: what `basis(f0_hz)` gives, where it is at hand.

        Returns:
          Shape [batch, frames * hop].
        """
        basis = self.basis(f0_hz) if basis is None else basis
        return oscillator.weighted_sum(basis, amplitude * harmonic_distribution, self.envelope_weights)

    def initial_state(self, batch: int | tf.Tensor = 1) -> Tensors:
        """Before the first frame: no sound, phase 0."""
        return {
            "amplitudes": tf.zeros([batch, 1, self.harmonics]),
            "f0_hz": tf.zeros([batch, 1, 1]),
            "phase": tf.zeros([batch], tf.float64),
            "started": tf.zeros([batch, 1, 1]),
        }

    def step(
        self, amplitude: tf.Tensor, harmonic_distribution: tf.Tensor, f0_hz: tf.Tensor, state: Tensors
    ) -> tuple[tf.Tensor, Tensors]:
        """Sounds the way from the last frame of the state through the new ones: one hop for each new frame.

        Before the first frame there is silence, so that the result is that of `get_signal`, `latency` samples late.
        """
        started = state["started"] > 0  # [batch, 1, 1]
        amplitudes = tf.concat([state["amplitudes"], amplitude * harmonic_distribution], axis=1)
        lead_in = tf.where(started, state["f0_hz"], f0_hz[:, :1])
        # where nothing came before, start so that the silent first hop ends at phase 0
        backwards = -tf.cast(f0_hz[:, 0, 0], tf.float64) * self.hop / self.sample_rate
        initial = tf.where(started[:, 0, 0], state["phase"], backwards)
        f0_hz = tf.concat([lead_in, f0_hz], axis=1)  # [batch, n + 1, 1]
        phase, hz, _ = oscillator.sample_phases(f0_hz, self.hop, self.sample_rate, initial)
        basis = oscillator.harmonic_basis(phase, hz, self.harmonics, self.sample_rate)
        signal = oscillator.weighted_sum(basis, amplitudes, self.envelope_weights)
        hops = tf.reshape(signal, [tf.shape(f0_hz)[0], -1, self.hop])[:, :-1]  # the last frame has no successor yet
        sounding = tf.concat([state["started"], tf.ones_like(f0_hz[:, 2:])], axis=1)  # [batch, n, 1]
        before, _ = oscillator.frame_phases(f0_hz, self.hop, self.sample_rate, initial)
        new_state = {
            "amplitudes": amplitudes[:, -1:],
            "f0_hz": f0_hz[:, -1:],
            "phase": before[:, -1],
            "started": tf.ones_like(state["started"]),
        }
        return tf.reshape(hops * sounding, [tf.shape(hops)[0], -1]), new_state


class FilteredNoise:
    """White noise through a filter that changes every frame (ddsp.synths.FilteredNoise).

    Args:
      bands: magnitudes a frame, evenly spaced from 0 Hz to Nyquist.
      hop: samples a frame.
      initial_bias: added to raw outputs, so that an untrained network is quiet.
    """

    def __init__(self, bands: int, hop: int, initial_bias: float):
        self.bands, self.hop, self.initial_bias = bands, hop, initial_bias
        self.taps = 2 * (bands - 1)
        self.raw_outputs = {"noise_magnitudes": bands}
        self.delay = filters.group_delay(self.taps)
        self.latency = -(-self.delay // hop) * hop

    def get_controls(self, noise_magnitudes: tf.Tensor) -> Tensors:
        """Scale raw outputs to magnitudes > 0, shape [batch, frames, bands]."""
        return {"noise_magnitudes": core.exp_sigmoid(noise_magnitudes + self.initial_bias)}

    def get_signal(self, noise_magnitudes: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        """Filters noise [batch, frames * hop] by magnitudes [batch, frames, bands]; same shape as the noise."""
        samples = tf.shape(noise)[1]
        responses = filters.impulse_response(noise_magnitudes)  # [batch, frames, taps]
        filtered = filters.convolve_frames(noise, responses, self.hop)
        return filtered[:, self.delay : self.delay + samples]

    def initial_state(self, batch: int | tf.Tensor = 1) -> Tensors:
        """Before the first frame: silence."""
        return {
            "tail": tf.zeros([batch, self.taps - 1]),
            "waiting": tf.zeros([batch, self.latency - self.delay]),
        }

    def step(self, noise_magnitudes: tf.Tensor, noise: tf.Tensor, state: Tensors) -> tuple[tf.Tensor, Tensors]:
        """Filters new frames of noise; what they ring on is kept for the next ones."""
        samples = tf.shape(noise)[1]
        filtered = filters.convolve_frames(noise, filters.impulse_response(noise_magnitudes), self.hop)
        tail = tf.pad(state["tail"], [[0, 0], [0, samples]])
        filtered += tail
        ready = tf.concat([state["waiting"], filtered[:, :samples]], axis=1)
        return ready[:, :samples], {"tail": filtered[:, samples:], "waiting": ready[:, samples:]}
