"""Reverbs: the convolution of a dry signal with a learned impulse response.

Each has `ir()`, the impulse response of the wet path, and `get_signal`, dry and wet together. Tap 0 is 0: it is the dry
path.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from common.acoustics.reverberation import DECAY_RATE, late_noise
from models.ddsp import core, filters
from models.ddsp.synths import FilteredNoise


class Reverb(tf.Module):
    """Base class of the reverbs. A subclass defines `taps` and `_wet`."""

    taps: int

    def _wet(self) -> tf.Tensor:
        raise NotImplementedError

    def ir(self) -> tf.Tensor:
        """Return the impulse response of the wet path. Shape [taps]; tap 0 is 0."""
        return tf.concat([tf.zeros([1]), self._wet()[1:]], axis=0)

    def shipped(self) -> dict[str, tf.Tensor]:
        """Return what a bundle is made of: `ir`, and what else `bundles.impulse_response.describe` takes."""
        return {"ir": self.ir()}

    def get_signal(self, audio: tf.Tensor) -> tf.Tensor:
        """Add the reverb to dry audio, without delay compensation. Shape [batch, samples] in and out."""
        return audio + filters.convolve(audio, self.ir())


class FreeReverb(Reverb):
    """Impulse response of which every tap is learned (ddsp.effects.Reverb).

    Args:
      taps: samples of the impulse response.
      seed: of the initial taps, which are inaudible.
    """

    def __init__(self, taps: int, seed: int = 0):
        super().__init__(name="reverb")
        self.taps = taps
        initial = np.random.default_rng(seed).normal(0.0, 1e-6, taps)
        self.response = tf.Variable(initial, dtype=tf.float32, name="ir")

    def _wet(self) -> tf.Tensor:
        return self.response


class ExponentialDecayReverb(Reverb):
    """Fixed noise times an exponential decay with learned gain and rate (ddsp.effects.ExpDecayReverb).

    Args:
      taps: samples of the impulse response.
      seed: of the noise.
    """

    def __init__(self, taps: int, seed: int = 0):
        super().__init__(name="reverb")
        self.taps = taps
        self._noise = np.random.default_rng(seed).uniform(-1.0, 1.0, taps).astype(np.float32)
        self.gain = tf.Variable(-4.0, dtype=tf.float32, name="gain")
        self.decay = tf.Variable(2.0, dtype=tf.float32, name="decay")

    def _wet(self) -> tf.Tensor:
        time = tf.constant(np.linspace(0.0, 1.0, self.taps), tf.float32)
        return core.exp_sigmoid(self.gain) * tf.exp(-(2.0 + tf.exp(self.decay)) * time) * self._noise


class FilteredNoiseReverb(Reverb):
    """Fixed noise through a learned time-varying filter (ddsp.effects.FilteredNoiseReverb).

    Args:
      taps: samples of the impulse response.
      frames: number of filters along the impulse response; at most taps.
      bands: magnitudes a frame.
      seed: of the noise and of the initial magnitudes.
    """

    def __init__(self, taps: int, frames: int, bands: int, seed: int = 0):
        super().__init__(name="reverb")
        self.taps = taps
        hop = max(1, -(-taps // frames))
        self._frames = -(-taps // hop)
        self._synth = FilteredNoise(bands, hop, initial_bias=-3.0)
        random = np.random.default_rng(seed)
        self._noise = random.uniform(-1.0, 1.0, (1, self._frames * hop)).astype(np.float32)
        initial = random.normal(0.0, 1e-2, (self._frames, bands))
        self.magnitudes = tf.Variable(initial, dtype=tf.float32, name="magnitudes")

    def _wet(self) -> tf.Tensor:
        controls = self._synth.get_controls(self.magnitudes[tf.newaxis])
        return self._synth.get_signal(noise=tf.constant(self._noise), **controls)[0, : self.taps]


class EarlyLateReverb(Reverb):
    """Free taps for the early reflections, then a late tail: noise in bands, with a level and a decay time each.

    `common.acoustics.reverberation` defines them. Levels start inaudible, decay times at the length of the response.

    Args:
      taps: samples of the impulse response.
      early_taps: of them that are free, fewer than all.
      bands: of the late tail.
      sample_rate: Hz.
      seed: of the initial early taps, which are inaudible.

    Raises:
      ValueError: no taps are left for the tail.
    """

    # Adam moves every variable by about its rate in a step, and a reverb's rate is made for taps. So many times that
    # moves the logarithm of a decay time from one to another within a training.
    DECAY_STEP = 20.0

    def __init__(self, taps: int, early_taps: int, bands: int, sample_rate: int, seed: int = 0):
        super().__init__(name="reverb")
        if early_taps >= taps:
            raise ValueError(f"{early_taps} early taps of {taps} leave none for a late tail: shorten early_seconds")
        self.taps, self.early_taps, self._seconds = taps, early_taps, taps / sample_rate
        self.early = tf.Variable(
            np.random.default_rng(seed).normal(0.0, 1e-6, early_taps), dtype=tf.float32, name="early"
        )
        self.level = tf.Variable(tf.fill([bands], 1e-6), name="level")
        self.decay = tf.Variable(tf.zeros([bands]), name="decay")
        # A variable that is not trained: as a constant it would be in every function of a SavedModel.
        noise = late_noise(bands, taps - early_taps, sample_rate)
        self._noise = tf.Variable(noise, dtype=tf.float32, trainable=False, name="late_noise")
        self._time = (DECAY_RATE * np.arange(taps - early_taps) / sample_rate).astype(np.float32)

    def _decay_seconds(self) -> tf.Tensor:
        return self._seconds * tf.exp(self.DECAY_STEP * self.decay)

    def _wet(self) -> tf.Tensor:
        shapes = tf.exp(-self._time / self._decay_seconds()[:, tf.newaxis])  # [bands, late taps]
        late = tf.reduce_sum(self.level[:, tf.newaxis] * shapes * self._noise, axis=0)
        return tf.concat([self.early, late], axis=0)

    def shipped(self) -> dict[str, tf.Tensor]:
        """Return `ir`, and the parameters of the late tail."""
        late = {"levels": tf.identity(self.level), "decay_seconds": self._decay_seconds()}
        return {"ir": self.ir(), "early_taps": tf.constant(self.early_taps), **late}
