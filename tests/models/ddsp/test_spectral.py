"""Spectra have the frames, the values and the gradients of their definitions, at every rate and size."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from models.ddsp import spectral


def audio(samples: int, batch: int = 1) -> tf.Tensor:
    return tf.constant(np.random.default_rng(samples).normal(0, 0.1, (batch, samples)), tf.float32)


@pytest.mark.parametrize(("rate", "frame_rate"), [(16000, 250), (32000, 250), (48000, 96), (48000, 192), (48000, 300)])
def test_loudness_has_one_frame_a_hop(rate: int, frame_rate: int):
    """A hop that is computed back from the overlap and cut to an integer is one sample short at 48 kHz."""
    half_a_second = tf.zeros([1, rate // 2])
    assert spectral.loudness_db(half_a_second, rate, frame_rate, padding="same").shape[1] == frame_rate // 2
    assert spectral.loudness_db(half_a_second, rate, frame_rate).shape[1] == frame_rate // 2 + 1


@pytest.mark.parametrize("size", [64, 100, 63])
def test_the_gradient_of_magnitudes_is_tensorflows_own_for_even_and_odd_sizes(size: int):
    x = audio(400)

    def gradient(magnitude: Any) -> np.ndarray:
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = tf.reduce_sum(magnitude(x) ** 2)
        return tape.gradient(value, x).numpy()

    plain = gradient(lambda x: tf.abs(tf.signal.stft(x, size, round(size / 4), size, pad_end=True)))
    np.testing.assert_allclose(gradient(lambda x: spectral.stft_magnitude(x, size)), plain, atol=1e-5 * plain.max())


@pytest.mark.parametrize("rate", [16000, 32000, 48000])
def test_loudness_is_librosas_a_weighted_power(rate: int):
    import librosa  # slow to import, and only needed here

    x, size = audio(rate // 4), rate * 32 // 1000
    power = np.abs(librosa.stft(x.numpy()[0], n_fft=size, hop_length=rate // 250, pad_mode="constant")) ** 2
    weights = 10 ** (librosa.A_weighting(librosa.fft_frequencies(sr=rate, n_fft=size)) / 10)
    expected = 10 * np.log10((power * weights[:, np.newaxis]).mean(axis=0))
    np.testing.assert_allclose(spectral.loudness_db(x, rate)[0], expected, atol=1e-3)
