"""The manifest's `network` section suffices to run a network without TensorFlow; weights round as in TF.js."""

import json

import numpy as np
import pytest
import tensorflow as tf

from models.instrument import Instrument
from models.saved_model.precision import fit_affine, round_array, round_weights
from models.saved_model.specification import describe_network, describe_synthesiser
from tests.bundles.test_weights import converters_quantization
from tests.models.test_instrument import AUDIO, DECODERS, make_model, randomise
from tests.player.playable_bundle import controls_of

STATISTICS = {
    "f0": {"mean": 61.5, "deviation": 5.5},
    "loudness": {"mean": -31.0, "deviation": 9.0},
    "rms": {"mean": -25.0, "deviation": 8.0},
}


def raw_features(frames: int) -> dict[str, np.ndarray]:
    time = np.arange(frames) / 250
    f0 = 250 * 2 ** (2 * np.sin(5 * time))  # up to 1000 Hz: some harmonics lie above Nyquist
    loudness = -35 + 20 * np.sin(11 * time)
    return {
        name: values.astype(np.float32)
        for name, values in {"f0_hz": f0, "loudness_db": loudness, "rms_energy": 10 ** (loudness / 20)}.items()
    }


def scaled(raw: dict[str, np.ndarray]) -> dict[str, tf.Tensor]:
    """Scale raw features as the Transform graph does."""
    values = {
        "f0": 69 + 12 * np.log2(raw["f0_hz"] / 440),
        "loudness": raw["loudness_db"],
        "rms": 20 * np.log10(raw["rms_energy"]),
    }
    features = {f"{k}_scaled": (v - STATISTICS[k]["mean"]) / STATISTICS[k]["deviation"] for k, v in values.items()}
    return {k: tf.constant(v[np.newaxis], tf.float32) for k, v in {**features, "f0_hz": raw["f0_hz"]}.items()}


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("inputs", [("loudness",), ("rms", "loudness")])
def test_an_engine_without_tensorflow_computes_the_same_controls(decoder, inputs) -> None:
    instrument = Instrument(make_model(decoder, inputs), AUDIO)
    randomise(instrument)
    network = json.loads(json.dumps(describe_network(instrument, STATISTICS)))  # as it comes out of a manifest
    arrays = {tensor["name"]: instrument.weights()[tensor["name"]] for tensor in network["tensors"]}
    raw = raw_features(80)
    expected = instrument.controls(scaled(raw))
    controls = controls_of(network, arrays, raw, {"sample_rate": AUDIO.sample_rate, "frame_rate": AUDIO.frame_rate})
    assert list(controls) == list(instrument.graph.raw_outputs)
    for name, values in controls.items():
        np.testing.assert_allclose(values, expected[name][0], atol=1e-5, err_msg=name)


@pytest.mark.parametrize("decoder", DECODERS)
def test_every_tensor_of_the_network_and_no_other_is_listed(decoder) -> None:
    instrument = Instrument(make_model(decoder), AUDIO)
    tensors = describe_network(instrument, STATISTICS)["tensors"]
    shapes = {tensor["name"]: tuple(tensor["shape"]) for tensor in tensors}
    assert shapes == {v.name.removesuffix(":0"): tuple(v.shape) for v in instrument.decoder.variables}
    roles = {"kernel", "bias", "gamma", "beta", "recurrent_kernel", "recurrent_bias"}
    assert {tensor["role"] for tensor in tensors} <= roles
    assert {tensor["precision"] for tensor in tensors} == {"float16"}


def test_the_synthesiser_is_described_for_other_engines() -> None:
    instrument = Instrument(make_model("cnn"), AUDIO)
    section = json.loads(json.dumps(describe_synthesiser(instrument)))
    assert [node["name"] for node in section["nodes"]] == ["harmonic", "noise", "dry", "reverb"]
    assert section["nodes"][0]["harmonics"] == 20
    assert (section["hop"], section["sample_rate"], section["dry"], section["audio"]) == (64, 16000, "dry", "reverb")
    assert section["latency"] == instrument.latency


ARRAYS = {
    "both signs": np.random.default_rng(0).standard_normal((7, 5)).astype(np.float32),
    "positive": np.random.default_rng(1).uniform(2, 3, 50).astype(np.float32),
    "negative": -np.random.default_rng(2).uniform(0.1, 3, 50).astype(np.float32),
    "zeros": np.zeros((3, 4), np.float32),
    "ones": np.ones(4, np.float32),
    "one value": np.array([0.3], np.float32),
    "tiny": (1e-6 * np.random.default_rng(3).standard_normal(30)).astype(np.float32),
}


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("precision", ["float16", "uint8"])
def test_rounding_gives_what_tensorflowjs_widens(name, precision) -> None:
    array = ARRAYS[name]
    quantization = converters_quantization()
    stored, metadata = quantization.quantize_weights(array, np.dtype(precision).type)
    np.testing.assert_array_equal(round_array(array, precision), quantization.dequantize_weights(stored, metadata))


@pytest.mark.parametrize("name", ARRAYS)
def test_uint8_values_stand_on_the_steps_that_the_manifest_names(name) -> None:
    array = ARRAYS[name]
    scale, minimum = fit_affine(array)
    steps = (round_array(array, "uint8").astype(np.float64) - minimum) / scale
    assert steps.min() > -0.01
    assert steps.max() < 255.01
    np.testing.assert_allclose(steps, np.round(steps), atol=0.01)


def test_a_network_that_is_not_a_number_stays_so() -> None:
    array = np.array([0.0, np.nan, 1.0], np.float32)
    assert np.isnan(round_array(array, "float16")).any()
    assert np.isnan(round_array(array, "uint8")).any()
    assert not np.isfinite(round_array(np.array([1e30, 0], np.float32), "float16")).all()


@pytest.mark.parametrize("precision", ["float16", "uint8"])
def test_a_rounded_instrument_is_a_copy_in_the_precision_that_ships(precision) -> None:
    instrument = Instrument(make_model("cnn", precision=precision), AUDIO)
    randomise(instrument)
    before = instrument.weights()
    after = round_weights(instrument).weights()
    for name, value in after.items():
        used = precision if name.startswith("decoder/") else "float16"
        np.testing.assert_array_equal(value, round_array(before[name], used), err_msg=name)
        np.testing.assert_array_equal(instrument.weights()[name], before[name], err_msg=name)
    assert any(np.any(after[name] != before[name]) for name in after)
    if precision == "uint8":
        for tensor in describe_network(instrument, STATISTICS)["tensors"]:
            q = tensor["quantization"]
            steps = np.round((after[tensor["name"]].astype(np.float64) - q["min"]) / q["scale"])
            widened = (steps * q["scale"] + q["min"]).astype(np.float32)
            np.testing.assert_array_equal(widened, after[tensor["name"]], err_msg=tensor["name"])
