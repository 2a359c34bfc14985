"""Multi-scale spectral losses: the mechanism that they share, and ddsp's own.

The loss that Swara trains with is in `models/ddsp/band_loss.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from models.ddsp import core, spectral

LOUDNESS_FFT = 2048


class Targets(NamedTuple):
    """Spectrograms and loudness of the target audio; they do not depend on the network.

    Attributes:
      spectrograms: one tensor for each FFT size, shape [batch, frames, bins or bands], linear.
      loudness: shape [batch, frames], dB, or None where loudness does not count.
    """

    spectrograms: tuple[tf.Tensor, ...]
    loudness: tf.Tensor | None = None


class MultiScaleLoss:
    """Base class of losses that add up distances of spectrograms at several FFT sizes.

    A subclass defines `_view` and `_loss_and_gradient`, and `_distance_of` by which both go.

    Args:
      fft_sizes: samples.
      hops: number of hops in a frame of any size.
    """

    def __init__(self, fft_sizes: Sequence[int], hops: int):
        self._sizes, self._hops = tuple(fft_sizes), hops
        self._compiled_loss = tf.function(self._loss_and_gradient, autograph=False, jit_compile=True)
        # Functions of their own, so that all trainings in a process share their graphs.
        self._targets_of = tf.function(self._targets, autograph=False)
        self._mean_of = tf.function(self._mean, autograph=False)

    def _view(self, spectrum: tf.Tensor) -> tf.Tensor:
        """Convert a spectrum [batch, frames, bins] to what is compared. Shape [batch, frames, bins or bands]."""
        raise NotImplementedError

    def _distance_of(self, target: tf.Tensor, view: tf.Tensor) -> tf.Tensor:
        """Compute the distance of two views. Shape [batch]."""
        raise NotImplementedError

    def _loss_and_gradient(self, target: tf.Tensor, spectrum: tf.Tensor, size: int) -> tuple[tf.Tensor, tf.Tensor]:
        """Compute the loss [batch] of a spectrum [batch, frames, bins], and its gradient by that spectrum."""
        raise NotImplementedError

    def _spectrum(self, audio: tf.Tensor, size: int) -> tf.Tensor:
        return spectral.stft(audio, size, size // self._hops)

    def target(self, audio: tf.Tensor) -> Targets:
        """Compute the targets of audio, shape [batch, samples]; reusable as long as the audio is the same."""
        targets: Targets = self._targets_of(tf.stop_gradient(audio))
        return targets

    def _targets(self, audio: tf.Tensor) -> Targets:
        return Targets(tuple(self._view(self._spectrum(audio, size)) for size in self._sizes))

    def per_example(self, targets: Targets, audio: tf.Tensor) -> tf.Tensor:
        """Compute the loss of each example. Audio has shape [batch, samples], the losses [batch]."""
        loss = tf.zeros([tf.shape(audio)[0]])
        for size, target in zip(self._sizes, targets.spectrograms, strict=True):
            loss += self._distance_of(target, self._view(self._spectrum(audio, size)))
        return loss

    def __call__(self, targets: Targets, audio: tf.Tensor) -> tf.Tensor:
        """Compute the mean loss of a batch, a scalar, in a way that is quick to differentiate.

        XLA compares two spectrograms and computes the gradient in one pass over them. Audio has shape [batch, samples],
        both known when traced.
        """
        return self._mean_of(targets, audio)

    def _mean(self, targets: Targets, audio: tf.Tensor) -> tf.Tensor:
        loss = tf.zeros([audio.shape[0]])
        for size, target in zip(self._sizes, targets.spectrograms, strict=True):
            loss += self._differentiable_loss(target, audio, size)
        return tf.reduce_mean(loss)

    def _differentiable_loss(self, target: tf.Tensor, audio: tf.Tensor, size: int) -> tf.Tensor:
        """Compute the loss [batch] at one FFT size, with the gradient that is found on the way."""

        @tf.custom_gradient
        def loss_of(audio: tf.Tensor) -> tuple[tf.Tensor, object]:
            loss, spectrum_gradient = self._compiled_loss(target, self._spectrum(audio, size), size)

            def gradient(upstream: tf.Tensor) -> tf.Tensor:
                by_audio = spectral.audio_gradient(spectrum_gradient, size, size // self._hops, audio.shape[1])
                return upstream[:, tf.newaxis] * by_audio

            return loss, gradient

        return loss_of(audio)


class SpectralLoss(MultiScaleLoss):
    """Multi-scale spectral loss (Engel et al. 2020; ddsp.losses.SpectralLoss), the measure of comparisons with ddsp.

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
        super().__init__(fft_sizes, hops=4)
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

    def _view(self, spectrum: tf.Tensor) -> tf.Tensor:
        return spectral.magnitudes(spectrum)

    def _targets(self, audio: tf.Tensor) -> Targets:
        return super()._targets(audio)._replace(loudness=self._loudness(audio))

    def per_example(self, targets: Targets, audio: tf.Tensor) -> tf.Tensor:
        """Compute the loss of each example. Audio has shape [batch, samples], the losses [batch]."""
        loss = tf.zeros([tf.shape(audio)[0]])
        for size, target in zip(self._sizes, targets.spectrograms, strict=True):
            loss += self._distance_of(target, spectral.stft_magnitude(audio, size))  # has a gradient where it is 0
        return loss + self._loudness_loss(targets, audio)

    def _mean(self, targets: Targets, audio: tf.Tensor) -> tf.Tensor:
        return super()._mean(targets, audio) + tf.reduce_mean(self._loudness_loss(targets, audio))

    def _distance_of(self, target: tf.Tensor, view: tf.Tensor) -> tf.Tensor:
        differences = [(weight, term(target) - term(view)) for weight, term in self._views]
        return tf.add_n([weight * tf.reduce_mean(self._distance(by), axis=[1, 2]) for weight, by in differences])

    def _loudness(self, audio: tf.Tensor) -> tf.Tensor | None:
        if not self._loudness_weight:
            return None
        return spectral.loudness_db(audio, self._sample_rate, n_fft=LOUDNESS_FFT)

    def _loudness_loss(self, targets: Targets, audio: tf.Tensor) -> tf.Tensor:
        if targets.loudness is None:
            return tf.constant(0.0)
        difference = self._distance(targets.loudness - self._loudness(audio))
        return self._loudness_weight * tf.reduce_mean(difference, axis=1)

    def _loss_and_gradient(self, target: tf.Tensor, spectrum: tf.Tensor, size: int) -> tuple[tf.Tensor, tf.Tensor]:
        magnitudes = spectral.magnitudes(spectrum)
        with tf.GradientTape() as tape:
            tape.watch(magnitudes)
            loss = self._distance_of(target, magnitudes)
        magnitudes_gradient = tape.gradient(loss, magnitudes)
        return loss, spectral.stft_gradient(magnitudes_gradient, spectrum, magnitudes, size)
