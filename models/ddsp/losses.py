"""The multi-scale spectral loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from models.ddsp import core, spectral

LOUDNESS_FFT = 2048


class Targets(NamedTuple):
    """Spectrograms and loudness of the target audio; they do not depend on the network.

    Attributes:
      magnitudes: one tensor for each FFT size, shape [batch, frames, bins], linear.
      loudness: shape [batch, frames], dB, or None where loudness does not count.
    """

    magnitudes: tuple[tf.Tensor, ...]
    loudness: tf.Tensor | None


class SpectralLoss:
    """Multi-scale spectral loss (Engel et al. 2020; ddsp.losses.SpectralLoss).

    The sum over FFT sizes and terms of weighted means over batch, frames and bins.

    Args:
      fft_sizes: samples; the hop is a quarter.
      kind: "L1" or "L2", the distance.
      mag_weight: of magnitudes.
      logmag_weight: of their natural logarithms.
      delta_time_weight: of the change of magnitudes from frame to frame.
      delta_freq_weight: of the change of magnitudes from bin to bin.
      cumsum_freq_weight: of magnitudes summed up from the lowest bin.
      loudness_weight: of A-weighted loudness in dB.
      sample_rate: Hz, for loudness.

    Raises:
      ValueError: no such kind.
    """

    def __init__(
        self,
        *,
        fft_sizes: Sequence[int] = (2048, 1024, 512, 256, 128, 64),
        kind: str = "L1",
        mag_weight: float = 1.0,
        logmag_weight: float = 1.0,
        delta_time_weight: float = 0.0,
        delta_freq_weight: float = 0.0,
        cumsum_freq_weight: float = 0.0,
        loudness_weight: float = 0.0,
        sample_rate: int = 16000,
    ):
        if kind not in ("L1", "L2"):
            raise ValueError(f"loss kind {kind!r} is not one of L1, L2")
        self._sizes = tuple(fft_sizes)
        self._distance = tf.abs if kind == "L1" else tf.square
        self._views = [
            (weight, view)
            for weight, view in (
                (mag_weight, lambda magnitude: magnitude),
                (logmag_weight, core.safe_log),
                (delta_time_weight, lambda magnitude: magnitude[:, 1:] - magnitude[:, :-1]),
                (delta_freq_weight, lambda magnitude: magnitude[..., 1:] - magnitude[..., :-1]),
                (cumsum_freq_weight, lambda magnitude: tf.cumsum(magnitude, axis=2)),
            )
            if weight > 0
        ]
        self._loudness_weight, self._sample_rate = loudness_weight, sample_rate
        self._compiled_loss = tf.function(self._loss_and_gradient, autograph=False, jit_compile=True)
        # Functions of their own, so that all trainings in a process share their graphs.
        self._targets_of = tf.function(self._targets, autograph=False)
        self._mean_of = tf.function(self._mean, autograph=False)

    def _loudness(self, audio: tf.Tensor) -> tf.Tensor | None:
        if not self._loudness_weight:
            return None
        return spectral.loudness_db(audio, self._sample_rate, n_fft=LOUDNESS_FFT)

    def target(self, audio: tf.Tensor) -> Targets:
        """Compute the targets of audio, shape [batch, samples]; reusable as long as the audio is the same."""
        targets: Targets = self._targets_of(tf.stop_gradient(audio))
        return targets

    def _targets(self, audio: tf.Tensor) -> Targets:
        magnitudes = tuple(spectral.stft_magnitude(audio, size) for size in self._sizes)
        return Targets(magnitudes, self._loudness(audio))

    def per_example(self, targets: Targets, audio: tf.Tensor) -> tf.Tensor:
        """Compute the loss of each example. Audio has shape [batch, samples], the losses [batch]."""
        loss = tf.zeros([tf.shape(audio)[0]])
        for size, target in zip(self._sizes, targets.magnitudes, strict=True):
            loss += self._distance_of(target, spectral.stft_magnitude(audio, size))
        return loss + self._loudness_loss(targets, audio)

    def __call__(self, targets: Targets, audio: tf.Tensor) -> tf.Tensor:
        """Compute the mean loss of a batch, a scalar, in a way that is quick to differentiate.

        XLA compares two spectrograms and computes the gradient in one pass over them. Audio has shape [batch, samples],
        both known when traced.
        """
        return self._mean_of(targets, audio)

    def _mean(self, targets: Targets, audio: tf.Tensor) -> tf.Tensor:
        loss = tf.zeros([audio.shape[0]])
        for size, target in zip(self._sizes, targets.magnitudes, strict=True):
            loss += self._differentiable_loss(target, audio, size)
        return tf.reduce_mean(loss + self._loudness_loss(targets, audio))

    def _distance_of(self, target: tf.Tensor, magnitudes: tf.Tensor) -> tf.Tensor:
        """Compute the distance of two spectrograms [batch, frames, bins]. Shape [batch]."""
        differences = [(weight, view(target) - view(magnitudes)) for weight, view in self._views]
        return tf.add_n([weight * tf.reduce_mean(self._distance(by), axis=[1, 2]) for weight, by in differences])

    def _loudness_loss(self, targets: Targets, audio: tf.Tensor) -> tf.Tensor:
        if targets.loudness is None:
            return tf.constant(0.0)
        difference = self._distance(targets.loudness - self._loudness(audio))
        return self._loudness_weight * tf.reduce_mean(difference, axis=1)

    def _differentiable_loss(self, target: tf.Tensor, audio: tf.Tensor, size: int) -> tf.Tensor:
        """Compute the loss [batch] at one FFT size, with the gradient that is found on the way."""
        hop = size // 4

        @tf.custom_gradient
        def loss_of(audio: tf.Tensor) -> tuple[tf.Tensor, object]:
            loss, spectrum_gradient = self._compiled_loss(target, spectral.stft(audio, size, hop), size)

            def gradient(upstream: tf.Tensor) -> tf.Tensor:
                return upstream[:, tf.newaxis] * spectral.audio_gradient(spectrum_gradient, size, hop, audio.shape[1])

            return loss, gradient

        return loss_of(audio)

    def _loss_and_gradient(self, target: tf.Tensor, spectrum: tf.Tensor, size: int) -> tuple[tf.Tensor, tf.Tensor]:
        """Compute the loss [batch] of a spectrum [batch, frames, bins], and its gradient by that spectrum."""
        magnitudes = spectral.magnitudes(spectrum)
        with tf.GradientTape() as tape:
            tape.watch(magnitudes)
            loss = self._distance_of(target, magnitudes)
        magnitudes_gradient = tape.gradient(loss, magnitudes)
        return loss, spectral.stft_gradient(magnitudes_gradient, spectrum, magnitudes, size)
