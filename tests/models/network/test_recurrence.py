"""The compiled loop of the GRU and its gradient, written by hand, agree with the plain loop."""

import numpy as np
import pytest
import tensorflow as tf

from models.network.recurrence import recur, recur_in_training


@pytest.mark.parametrize("frames", [1, 2, 57])
def test_the_quick_recurrence_and_all_its_gradients_are_those_of_the_plain_one(frames: int) -> None:
    random = np.random.default_rng(frames)
    units, batch = 6, 3
    arguments = [
        tf.constant(random.standard_normal(shape), tf.float32)
        for shape in ((frames, batch, 3 * units), (batch, units), (units, 3 * units), (3 * units,))
    ]
    wanted = tf.constant(random.standard_normal((frames, batch, units)), tf.float32)
    wanted_last = tf.constant(random.standard_normal((batch, units)), tf.float32)

    def run(recurrence):
        with tf.GradientTape() as tape:
            tape.watch(arguments)
            states, last = recurrence(*arguments)
            loss = tf.reduce_sum(states * wanted) + tf.reduce_sum(last * wanted_last)
        return [states, last, *tape.gradient(loss, arguments)]

    plain = tf.function(lambda: run(recur), autograph=False)()
    quick = tf.function(lambda: run(recur_in_training), autograph=False)()
    for expected, given in zip(plain, quick, strict=True):
        np.testing.assert_allclose(given, expected, atol=2e-5, rtol=2e-4)
