"""The loss that Swara trains with: levels in bands that are spaced as ears are, at several FFT sizes."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from models.ddsp import spectral
from models.ddsp.losses import MultiScaleLoss

REFERENCE_RATE = 16000  # Hz, at which FFT sizes are given
_FLOOR = 1e-10  # added to a band's power: its level stops at a magnitude of 1e-5, as ddsp's logarithm does


class BandLoss(MultiScaleLoss):
    """Multi-scale spectral loss over bands of constant width within an octave.

    ddsp's loss is a mean over bins. Bins are evenly spaced in Hz, so at 48 kHz two thirds of it lie above 8 kHz
    (docs/sound.md has what comes of that). Here a spectrum's lowest bins are bands by themselves; from there on each
    octave is cut into the same number of bands, which is close to how ears resolve frequency (Glasberg & Moore 1990:
    above 1 kHz an octave has about six critical bands). A band's magnitude is the
    root of its mean power. The loss adds up, over FFT sizes, the weighted means over bands and frames of the absolute
    differences of magnitudes and of their natural logarithms.

    Args:
      fft_sizes: samples at 16 kHz; at other rates as many times longer, so that frames last as long; the hop is a half.
      bands_per_octave: bands in each octave above the lowest bins, twice as many of which are bands by themselves.
      mag_weight: of magnitudes.
      logmag_weight: of their natural logarithms.
      sample_rate: Hz.
    """

    def __init__(
        self,
        *,
        fft_sizes: Sequence[int],
        bands_per_octave: int,
        mag_weight: float,
        logmag_weight: float,
        sample_rate: int,
    ):
        # Frames that overlap by half weigh every sample alike, and half as many cost half of the transforms.
        super().__init__([size * sample_rate // REFERENCE_RATE for size in fft_sizes], hops=2)
        self._bands_per_octave = bands_per_octave
        self._mag_weight, self._logmag_weight = mag_weight, logmag_weight
        # Magnitudes grow with the length of a frame; so their weight means the same at every rate.
        self._scale = REFERENCE_RATE / sample_rate

    def _view(self, spectrum: tf.Tensor) -> tf.Tensor:
        return self._magnitudes(tf.square(tf.math.real(spectrum)) + tf.square(tf.math.imag(spectrum)))

    def _magnitudes(self, power: tf.Tensor) -> tf.Tensor:
        """Convert power [batch, frames, bins] to magnitudes of bands. Shape [batch, frames, bands]."""
        return self._scale * tf.sqrt(band_means(power, self._bands_per_octave) + _FLOOR)

    def _distance_of(self, target: tf.Tensor, view: tf.Tensor) -> tf.Tensor:
        levels = tf.math.log(target) - tf.math.log(view)
        difference = self._mag_weight * tf.abs(target - view) + self._logmag_weight * tf.abs(levels)
        return tf.reduce_mean(difference, axis=[1, 2])

    def _loss_and_gradient(self, target: tf.Tensor, spectrum: tf.Tensor, size: int) -> tuple[tf.Tensor, tf.Tensor]:
        power = tf.square(tf.math.real(spectrum)) + tf.square(tf.math.imag(spectrum))
        with tf.GradientTape() as tape:
            tape.watch(power)
            loss = self._distance_of(target, self._magnitudes(power))
        return loss, spectral.stft_power_gradient(tape.gradient(loss, power), spectrum, size)


def band_means(power: tf.Tensor, bands_per_octave: int) -> tf.Tensor:
    """Average neighbouring bins into bands: the lowest by themselves, then the same number of bands in each octave.

    What is left at Nyquist and does not fill a band is left out.

    Args:
      power: shape [batch, frames, bins], bins from 0 Hz to Nyquist, their number known when traced.
      bands_per_octave: bands in the octave from twice as many bins on, and in each octave above it.

    Returns:
      Shape [batch, frames, bands].
    """
    bins = int(power.shape[-1]) - 1  # without that of Nyquist
    start, width = min(2 * bands_per_octave, bins), 2
    means = [power[..., :start]]
    while start < bins:
        count = min(bands_per_octave, (bins - start) // width)
        if count:
            octave = power[..., start : start + count * width]
            grouped = tf.reshape(octave, tf.concat([tf.shape(octave)[:-1], [count, width]], axis=0))
            means.append(tf.reduce_mean(grouped, axis=-1))
        start, width = 2 * start, 2 * width
    return tf.concat(means, axis=-1)
