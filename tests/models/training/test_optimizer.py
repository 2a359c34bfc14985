"""The optimiser is Adam, and its learning rate rises and falls as configured."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.training.optimizer import Adam, learning_rate
from pipeline.configuration.loading import load


def _trainer(**update):
    return load("violin").trainer.model_copy(update=update)


def test_updates_are_those_of_keras_adam() -> None:
    draw = np.random.default_rng(0)
    start = {"a": draw.normal(size=(3, 2)).astype("f4"), "b": draw.normal(size=5).astype("f4")}
    ours = {name: tf.Variable(value) for name, value in start.items()}
    theirs = {name: tf.Variable(value) for name, value in start.items()}
    adam = Adam(ours, clip=1.0)
    reference = keras.optimizers.Adam(0.01, global_clipnorm=1.0)
    for step in range(5):
        gradients = [tf.constant(draw.normal(size=value.shape), tf.float32) for value in start.values()]
        norm = adam.apply(gradients, tf.constant(step), tf.constant(0.01))
        assert float(norm) == pytest.approx(float(tf.linalg.global_norm(gradients)), rel=1e-6)
        reference.apply(gradients, list(theirs.values()))
    for name in start:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-5, atol=1e-6)


def test_the_rate_rises_then_falls_on_a_cosine() -> None:
    config = _trainer(steps=101, warmup_steps=10, learning_rate=0.01, learning_rate_end=0.001)
    rates = [learning_rate(step, config) for step in range(101)]
    assert rates[0] == pytest.approx(0.001)
    assert rates[9] == pytest.approx(0.01)
    assert rates[10] == pytest.approx(0.01)
    assert rates[55] == pytest.approx((0.01 + 0.001) / 2)
    assert rates[100] == pytest.approx(0.001)
    assert np.all(np.diff(rates[10:]) < 0)


def test_a_training_shorter_than_its_warm_up_has_a_rate() -> None:
    config = _trainer(steps=3, warmup_steps=50)
    assert [learning_rate(step, config) > 0 for step in range(3)] == [True] * 3
    assert learning_rate(0, _trainer(steps=1, warmup_steps=0)) == config.learning_rate


def test_a_reverb_learns_at_its_share_of_the_rate():
    variables = {name: tf.Variable([1.0]) for name in ("decoder/weights", "reverb/ir")}
    adam = Adam(variables, clip=10.0, reverb_share=0.1)
    adam.apply([tf.constant([1.0])] * 2, tf.constant(0), tf.constant(0.01))
    moved = {name: 1.0 - float(variable[0]) for name, variable in variables.items()}
    assert moved["reverb/ir"] == pytest.approx(0.1 * moved["decoder/weights"], rel=1e-3)
