"""Decoders: ddsp's outputs from ddsp's weights, chunk by chunk as the whole clip, causal, with right gradients."""

import numpy as np
import pytest
import tensorflow as tf

from models.network import decoders
from models.network.config import CnnConfig, GruConfig
from models.network.decoders import CnnDecoder, GruDecoder, make_decoder
from models.network.recomputation import RecomputedInput

INPUTS = ("f0_scaled", "loudness_scaled")
OUTPUTS = {"amplitude": 1, "harmonic_distribution": 7, "noise_magnitudes": 5}
CONFIGS = [
    pytest.param(GruConfig(kind="gru", units=12, stack_units=10, stack_layers=2, hold=1), id="gru"),
    pytest.param(GruConfig(kind="gru", units=12, stack_units=10, stack_layers=0, hold=1), id="gru-without-stacks"),
    pytest.param(CnnConfig(kind="cnn", channels=8, layers=5, kernel=3, dilation_cycle=3, hold=1), id="cnn"),
    pytest.param(CnnConfig(kind="cnn", channels=8, layers=2, kernel=2, dilation_cycle=1, hold=1), id="cnn-undilated"),
    pytest.param(GruConfig(kind="gru", units=12, stack_units=10, stack_layers=1, hold=4), id="gru-held"),
    pytest.param(CnnConfig(kind="cnn", channels=8, layers=4, kernel=3, dilation_cycle=3, hold=2), id="cnn-held"),
]


def random_inputs(frames: int, batch: int = 2, seed: int = 0) -> list[tf.Tensor]:
    random = np.random.default_rng(seed)
    return [tf.constant(random.standard_normal((batch, frames, 1)), tf.float32) for _ in INPUTS]


def randomise(decoder: GruDecoder | CnnDecoder) -> None:
    """Move biases and norms away from 0 and 1, so that a test cannot pass without them."""
    random = np.random.default_rng(1)
    for variable in decoder.trainable_variables:
        variable.assign_add(0.2 * random.standard_normal(variable.shape).astype(np.float32))


def test_golden_rnn_fc_decoder(golden) -> None:
    """The 29 weights of ddsp's RnnFcDecoder give its outputs to 1e-5."""
    fixture = golden("rnn_fc_decoder")
    config = GruConfig(kind="gru", units=16, stack_units=16, stack_layers=2, hold=1)
    outputs = {"amps": 1, "harmonic_distribution": 12, "noise_magnitudes": 9}
    decoder = make_decoder(config, ("loudness_scaled", "f0_scaled"), outputs)
    weights = iter([fixture[f"w{i:02d}"] for i in range(29)])
    for stack in decoder.input_stacks:
        _assign_stack(stack, weights)
    decoder.gru.kernel.assign(next(weights))
    decoder.gru.recurrent_kernel.assign(next(weights))
    bias, recurrent_bias = next(weights)
    decoder.gru.bias.assign(bias)
    decoder.gru.recurrent_bias.assign(recurrent_bias)
    _assign_stack(decoder.output_stack, weights)
    decoder.output.kernel.assign(next(weights))
    decoder.output.bias.assign(next(weights))

    result = decoder([fixture["ld_scaled"], fixture["f0_scaled"]])

    assert next(weights, None) is None
    for name in outputs:
        np.testing.assert_allclose(result[name], fixture[name], atol=1e-5, err_msg=name)


def _assign_stack(stack, weights) -> None:
    for dense, norm in zip(stack.dense, stack.norm, strict=True):
        for variable in (dense.kernel, dense.bias, norm.gamma, norm.beta):
            variable.assign(next(weights))


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("chunks", [(1,) * 41, (7, 1, 20, 13), (40, 1)])
def test_chunk_by_chunk_equals_the_whole(config, chunks) -> None:
    decoder = make_decoder(config, INPUTS, OUTPUTS)
    randomise(decoder)
    inputs = random_inputs(41)
    whole = decoder(inputs)
    state, pieces, start = decoder.initial_state(2), [], 0
    for length in chunks:
        outputs, state = decoder.step([x[:, start : start + length] for x in inputs], state)
        pieces.append(outputs)
        start += length
    for name in OUTPUTS:
        streamed = np.concatenate([piece[name] for piece in pieces], axis=1)
        np.testing.assert_allclose(streamed, whole[name], atol=1e-5, err_msg=name)


@pytest.mark.parametrize("config", CONFIGS)
def test_a_frame_depends_on_no_later_one_and_on_earlier_ones(config) -> None:
    decoder = make_decoder(config, INPUTS, OUTPUTS)
    randomise(decoder)
    inputs = random_inputs(30)
    changed = [x + tf.one_hot([16], 30)[..., tf.newaxis] for x in inputs]
    before, after = (decoder(xs)["amplitude"].numpy() for xs in (inputs, changed))
    difference = np.abs(after - before).max(axis=(0, 2))
    assert difference[:16].max() < 1e-6
    assert difference[16:20].max() > 1e-3


def test_a_held_network_runs_at_every_fourth_frame_and_repeats_its_outputs_until_the_next() -> None:
    config = GruConfig(kind="gru", units=12, stack_units=10, stack_layers=1, hold=4)
    every = make_decoder(config.model_copy(update={"hold": 1}), INPUTS, OUTPUTS)
    inputs = random_inputs(10)
    expected = every([x[:, ::4] for x in inputs])["amplitude"].numpy()  # of frames 0, 4, 8
    held = make_decoder(config, INPUTS, OUTPUTS)(inputs)["amplitude"].numpy()
    np.testing.assert_array_equal(held, np.repeat(expected, 4, axis=1)[:, :10])


@pytest.mark.parametrize("config", CONFIGS)
def test_gradients_reach_every_variable_with_time_and_batch_left_open(config) -> None:
    decoder = make_decoder(config, INPUTS, OUTPUTS)

    @tf.function(input_signature=[[tf.TensorSpec([None, None, 1])] * 2])
    def gradients(inputs):
        with tf.GradientTape() as tape:
            outputs = decoder(inputs)
            loss = sum(tf.reduce_sum(tf.square(value - 1.0)) for value in outputs.values())
        return tape.gradient(loss, decoder.trainable_variables)

    for frames in (1, 19):
        for variable, gradient in zip(decoder.trainable_variables, gradients(random_inputs(frames)), strict=True):
            assert gradient is not None, variable.name
            assert np.all(np.isfinite(gradient)), variable.name
    assert max(np.abs(g).max() for g in gradients(random_inputs(19))) > 1e-3


@pytest.mark.parametrize("config", CONFIGS)
def test_the_gradients_by_hand_are_those_of_the_plain_operations(config, monkeypatch) -> None:
    """Norms and products have gradients of their own that store little; TensorFlow's own gradients are the same."""
    decoder = make_decoder(config, INPUTS, OUTPUTS)
    randomise(decoder)
    inputs = random_inputs(9)

    def gradients() -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = decoder(inputs, training=True)
            total = tf.add_n([tf.reduce_sum(tf.sin(output)) for output in outputs.values()])
        return tape.gradient(total, [*inputs, *decoder.trainable_variables])

    by_hand = tf.function(gradients)()
    monkeypatch.setattr(decoders, "_standardised", plainly_standardised)
    monkeypatch.setattr(RecomputedInput, "matmul", lambda x, kernel: tf.matmul(x.function(*x.saved), kernel))

    for found, plain in zip(by_hand, tf.function(gradients)(), strict=True):
        np.testing.assert_allclose(found, plain, rtol=1e-4, atol=1e-5)


def plainly_standardised(x: tf.Tensor) -> tf.Tensor:
    mean, variance = tf.nn.moments(x, axes=[-1], keepdims=True)
    return (x - mean) / tf.sqrt(variance + decoders.LAYER_NORM_EPSILON)


@pytest.mark.parametrize("config", CONFIGS)
def test_the_seed_alone_decides_the_weights(config) -> None:
    first, same, other = (make_decoder(config, INPUTS, OUTPUTS, seed) for seed in (3, 3, 4))
    for a, b in zip(first.trainable_variables, same.trainable_variables, strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(first.trainable_variables, other.trainable_variables, strict=True):
        assert np.any(a.numpy() != b.numpy()) == ("kernel" in a.name), a.name


@pytest.mark.parametrize("config", CONFIGS)
def test_variables_have_distinct_readable_names(config) -> None:
    names = [variable.name for variable in make_decoder(config, INPUTS, OUTPUTS).variables]
    assert len(set(names)) == len(names)
    assert all(name.startswith("decoder/") for name in names)
