"""The multi-scale spectral loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from models.ddsp import core, spectral

LOUDNESS_FFT = 2048


class Targets(NamedTuple):
    """What a loss needs of the audio to be matched; no network changes it.

    Attributes:
      magnitudes: one tensor a size, shape [batch, frames, bins].
      loudness: shape [batch, frames], dB, or None where loudness does not count.
    """

    magnitudes: tuple[tf.Tensor, ...]
    loudness: tf.Tensor | None


class SpectralLoss:
    """Distance of spectrograms at several sizes (Engel et al. 2020; ddsp.losses.SpectralLoss).

    The sum over sizes and terms of weighted means over batch, frames and bins.

    Args:
      fft_sizes: samples; the hop is a quarter.
      kind: "L1" or "L2", how a difference counts.
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

    def _loudness(self, audio: tf.Tensor) -> tf.Tensor | None:
        if not self._loudness_weight:
            return None
        return spectral.loudness_db(audio, self._sample_rate, n_fft=LOUDNESS_FFT)

    def target(self, audio: tf.Tensor) -> Targets:
        """Prepares the audio to be matched, shape [batch, samples]; may be kept for as long as the audio is."""
        audio = tf.stop_gradient(audio)
        magnitudes = tuple(spectral.stft_magnitude(audio, size) for size in self._sizes)
        return Targets(magnitudes, self._loudness(audio))

    def per_example(self, targets: Targets, audio: tf.Tensor) -> tf.Tensor:
        """The loss of each example, shape [batch]; audio has shape [batch, samples]."""
        loss = tf.zeros([tf.shape(audio)[0]])
        for size, target in zip(self._sizes, targets.magnitudes, strict=True):
            value = spectral.stft_magnitude(audio, size)
            for weight, view in self._views:
                loss += weight * tf.reduce_mean(self._distance(view(target) - view(value)), axis=[1, 2])
        if targets.loudness is not None:
            difference = self._distance(targets.loudness - self._loudness(audio))
            loss += self._loudness_weight * tf.reduce_mean(difference, axis=1)
        return loss

    def __call__(self, targets: Targets, audio: tf.Tensor) -> tf.Tensor:
        """The mean loss of a batch, scalar."""
        return tf.reduce_mean(self.per_example(targets, audio))
