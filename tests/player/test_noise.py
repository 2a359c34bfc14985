"""Noise whose bands are spaced as ears are is the training's own, at every rate."""

import numpy as np
import pytest
import tensorflow as tf

from models.ddsp import synths
from player.noise import FilteredNoise


@pytest.mark.parametrize("rate", [16000, 32000, 48000])
@pytest.mark.parametrize(("bands", "spacing"), [(30, "erb"), (200, "erb"), (30, "linear")])
def test_noise_is_that_of_the_trained_model_and_late_by_whole_hops(rate: int, bands: int, spacing: str):
    hop, random = rate // 250, np.random.default_rng(bands)
    magnitudes = random.uniform(0, 1, (100, bands)).astype(np.float32) * np.float32(0.9) ** np.arange(bands)
    noise = random.uniform(-1, 1, 100 * hop).astype(np.float32)
    trained = synths.FilteredNoise(bands, hop, -5.0, spacing, rate)
    expected = trained.get_signal(tf.constant(magnitudes[np.newaxis], tf.float32), tf.constant(noise[np.newaxis]))
    synth = FilteredNoise(bands, hop, spacing, rate)
    late = synth.latency
    assert late == trained.latency
    if bands <= hop + 1 and spacing == "erb":
        assert late == hop
    played = np.concatenate(
        [synth.step(magnitudes[:37], noise[: 37 * hop]), synth.step(magnitudes[37:], noise[37 * hop :])]
    )
    wanted = expected.numpy()[0, : len(played) - late].astype(np.float64)
    error = np.sum((played[late:] - wanted) ** 2)
    assert 10 * np.log10(np.sum(wanted**2) / error) > 100
