"""The whole model: shapes, names, weights, gradients, and that live playing gives the samples of the whole clip."""

import numpy as np
import pytest
import tensorflow as tf

from common.audio import AudioConfig
from models.config import ModelConfig
from models.ddsp.losses import SpectralLoss
from models.ddsp.synths import white_noise
from models.instrument import Instrument

AUDIO = AudioConfig(sample_rate=16000, frame_rate=250, window_seconds=1.0)
DECODERS = {
    "gru": {"kind": "gru", "units": 16, "stack_units": 12, "stack_layers": 1, "hold": 1},
    "cnn": {"kind": "cnn", "channels": 12, "layers": 4, "kernel": 3, "dilation_cycle": 4, "hold": 1},
    "held": {"kind": "cnn", "channels": 12, "layers": 3, "kernel": 2, "dilation_cycle": 3, "hold": 4},
}
REVERB = {"name": "reverb", "type": "reverb_free", "seconds": 0.1, "inputs": ["dry"]}


def make_model(decoder: str, inputs=("loudness",), reverb: dict | None = REVERB, precision="float16") -> ModelConfig:
    processors = [
        {"name": "harmonic", "type": "harmonic", "harmonics": 20, "envelope": "window"},
        {"name": "noise", "type": "filtered_noise", "bands": 33, "initial_bias": -5.0},
        {"name": "dry", "type": "mix", "inputs": ["harmonic", "noise"]},
        *([reverb] if reverb else []),
    ]
    return ModelConfig.model_validate(
        {"inputs": list(inputs), "decoder": DECODERS[decoder], "processors": processors, "precision": precision}
    )


def make_features(frames: int, batch: int = 1, seed: int = 0) -> dict[str, tf.Tensor]:
    random = np.random.default_rng(seed)
    time = np.arange(frames) / 250
    f0 = 300 * 2 ** (0.5 * np.sin(3 * time) + random.uniform(0, 1, (batch, 1)))
    scaled = {name: random.standard_normal((batch, frames)) for name in ("loudness_scaled", "rms_scaled")}
    features = {"f0_hz": f0, "f0_scaled": np.log2(f0 / 400), **scaled}
    return {name: tf.constant(values, tf.float32) for name, values in features.items()}


def randomise(instrument: Instrument, seed: int = 5) -> None:
    """Set weights as of a model that has learned something: louder, with biases and a room."""
    random = np.random.default_rng(seed)
    for name, variable in instrument.variables_by_name.items():
        variable.assign_add((0.01 if "reverb" in name else 0.3) * random.standard_normal(variable.shape).astype("f"))


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("inputs", [("loudness",), ("rms", "loudness")])
def test_features_become_controls_and_audio_of_any_length(decoder, inputs) -> None:
    instrument = Instrument(make_model(decoder, inputs), AUDIO)
    features = make_features(37, batch=2)
    controls = instrument.controls(features)
    assert {name: tuple(value.shape) for name, value in controls.items()} == {
        "amplitude": (2, 37, 1),
        "harmonic_distribution": (2, 37, 20),
        "noise_magnitudes": (2, 37, 33),
        "f0_hz": (2, 37, 1),
    }
    noise = white_noise(2, 37 * 64, (0, 0))
    signals = instrument.signals(controls, noise)
    assert set(signals) == {"harmonic", "noise", "dry", "reverb"}
    np.testing.assert_array_equal(instrument(features, noise), signals["reverb"])
    assert instrument.feature_names == ("f0_scaled", *(f"{name}_scaled" for name in inputs))


STUDIO = AudioConfig(sample_rate=48000, frame_rate=100, window_seconds=1.0)


@pytest.mark.parametrize(
    ("decoder", "audio", "chunks"),
    [
        ("gru", AUDIO, (1,) * 60),
        ("cnn", AUDIO, (1,) * 60),
        ("cnn", AUDIO, (17, 1, 30, 12)),
        ("cnn", STUDIO, (5, 1, 24, 30)),
    ],
)
def test_live_playing_gives_the_samples_of_the_whole_clip(decoder, audio, chunks) -> None:
    instrument = Instrument(make_model(decoder), audio)
    randomise(instrument)
    features, noise = make_features(60, batch=2), white_noise(2, 60 * audio.hop, (1, 2))
    clip = instrument.signals(instrument.controls(features), noise)[instrument.graph.dry_name].numpy()
    state, pieces, start = instrument.initial_state(2), [], 0
    step = tf.function(instrument.step, reduce_retracing=True)
    for length in chunks:
        end = start + length
        part = {name: values[:, start:end] for name, values in features.items()}
        dry, state = step(part, state, noise[:, start * audio.hop : end * audio.hop])
        assert dry.shape == (2, length * audio.hop)
        pieces.append(dry.numpy())
        start = end
    live = np.concatenate(pieces, axis=1)[:, instrument.latency :]
    clip = clip[:, : live.shape[1]]
    assert np.abs(clip).max() > 0.05
    assert np.abs(live - clip).max() <= 1e-4
    assert 10 * np.log10(np.mean(clip**2) / np.mean((live - clip) ** 2)) >= 80


@pytest.mark.parametrize("decoder", DECODERS)
def test_every_variable_learns(decoder) -> None:
    instrument = Instrument(make_model(decoder), AUDIO)
    randomise(instrument)
    loss = SpectralLoss(fft_sizes=(256, 64))
    features, noise = make_features(50), white_noise(1, 50 * 64, (0, 1))
    target = loss.target(0.1 * white_noise(1, 50 * 64, (7, 7)))
    basis = instrument.basis(features["f0_hz"])
    variables = list(instrument.variables_by_name.values())
    assert {id(v) for v in variables} == {id(v) for v in instrument.trainable_variables}
    with tf.GradientTape() as tape:
        value = loss(target, instrument(features, noise, basis))
    for name, gradient in zip(instrument.variables_by_name, tape.gradient(value, variables), strict=True):
        assert gradient is not None, name
        assert np.all(np.isfinite(gradient)), name
        assert np.any(gradient), name


@pytest.mark.parametrize("decoder", DECODERS)
def test_weights_go_out_and_in_by_name(decoder) -> None:
    first, second = (Instrument(make_model(decoder), AUDIO, seed) for seed in (1, 2))
    second.set_weights(first.weights())
    features, noise = make_features(20), white_noise(1, 20 * 64, (0, 1))
    np.testing.assert_array_equal(first(features, noise), second(features, noise))
    assert "reverb/ir" in first.weights()


def test_weights_of_another_make_are_refused_with_what_differs() -> None:
    instrument = Instrument(make_model("cnn"), AUDIO)
    weights = instrument.weights()
    weights["decoder/input/bias"] = np.zeros(3, np.float32)
    del weights["reverb/ir"]
    with pytest.raises(ValueError, match=r"decoder/input/bias is \(3,\), not \(12,\); reverb/ir is absent"):
        instrument.set_weights(weights)


@pytest.mark.parametrize("kind", ["reverb_exponential", "reverb_filtered_noise", "reverb_early_late"])
def test_parametric_rooms_have_named_weights_too(kind) -> None:
    instrument = Instrument(make_model("cnn", reverb={**REVERB, "type": kind, "seconds": 0.2}), AUDIO)
    rooms = [name for name in instrument.weights() if name.startswith("reverb/")]
    assert rooms
    assert len(rooms) == len(instrument.graph.trainable_variables)


def test_a_room_of_filtered_noise_has_the_sizes_that_it_is_given_or_those_of_bundles_that_name_none() -> None:
    plain = {**REVERB, "type": "reverb_filtered_noise"}
    shapes = [
        Instrument(make_model("cnn", reverb=reverb), AUDIO).weights()["reverb/magnitudes"].shape
        for reverb in (plain, {**plain, "frames": 500, "bands": 32}, {**plain, "frames": 8, "bands": 9})
    ]
    assert shapes == [shapes[1], shapes[1], (8, 9)]
    for wrong in ({"frames": 0}, {"bands": 2}, {"frames": 2001}, {"bands": 258}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            make_model("cnn", reverb={**plain, **wrong})
    with pytest.raises(ValueError, match="bands"):
        make_model("cnn", reverb={**REVERB, "bands": 9})


def test_a_room_with_a_late_tail_has_the_sizes_that_it_is_given_and_a_tail() -> None:
    plain = {**REVERB, "type": "reverb_early_late", "seconds": 0.5}
    for given, sizes in (({}, (1600, 10)), ({"early_seconds": 0.05, "late_bands": 4}, (800, 4))):
        weights = Instrument(make_model("cnn", reverb={**plain, **given}), AUDIO).weights()
        assert (len(weights["reverb/early"]), len(weights["reverb/level"])) == sizes
        assert weights["reverb/decay"].shape == weights["reverb/level"].shape
    for wrong, named in (({"early_seconds": 0.5}, "early_seconds 0.5 must be less than seconds 0.5"),):
        with pytest.raises(ValueError, match=named):
            make_model("cnn", reverb={**plain, **wrong})


def test_a_chain_without_a_room_is_dry() -> None:
    instrument = Instrument(make_model("cnn", reverb=None), AUDIO)
    assert all(name.startswith("decoder/") for name in instrument.weights())
    assert instrument.graph.dry_name == instrument.graph.audio_name == "dry"
