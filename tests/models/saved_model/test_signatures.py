"""Signatures of an instrument's SavedModel, each against the instrument itself, and the files beside them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from components.tfjs_exporter.convert import use_bare_packages
from models.baseline import Baseline, fit_baseline
from models.ddsp.band_loss import BandLoss
from models.ddsp.spectral import loudness_db
from models.ddsp.synths import white_noise
from models.instrument import Instrument
from models.preprocessing import read_statistics
from models.saved_model import signatures
from models.saved_model.precision import round_weights
from models.saved_model.specification import describe_network
from models.saved_model.transform_graph import TransformGraph
from models.training.config import LossConfig
from tests.data.written_examples import serialized
from tests.models.saved_model.transform_graphs import Example, build_transform_graph
from tests.models.test_instrument import AUDIO, make_model, randomise

FRAMES, HOP = AUDIO.window_frames, AUDIO.hop
LOSS = LossConfig(fft_sizes=[512, 64], bands_per_octave=16, mag_weight=1.0, logmag_weight=1.0)
MODELS = {
    "gru": {"decoder": "gru", "inputs": ("rms", "loudness"), "reverb": None, "precision": "uint8"},
    "cnn": {"decoder": "cnn"},
}
SOURCES = {"loudness": "loudness_db", "rms": "rms_energy"}


def make_examples(count: int) -> list[Example]:
    """A line that glides and swells, with a little breath; the first window begins in silence."""
    examples = []
    for index in range(count):
        random = np.random.default_rng(index)
        time = np.arange(FRAMES * HOP) / 16000
        f0 = 300 * 2 ** (random.uniform(-1, 1) + 0.2 * np.sin(5 * time))
        phase = 2 * np.pi * np.cumsum(f0) / 16000
        swell = 0.3 * np.sin(np.pi * time) ** 2 * ((time > 0.3) | (index > 0))
        audio = swell * sum(np.sin(k * phase) / k for k in (1, 2, 3)) + 1e-4 * random.standard_normal(len(time))
        audio = audio.astype(np.float32)
        level = loudness_db(tf.constant(audio[np.newaxis]))[0, :FRAMES].numpy()
        examples.append(
            {
                "audio": audio,
                "f0_hz": f0[::HOP].astype(np.float32),
                "f0_confidence": np.full(FRAMES, 0.9, np.float32),
                "loudness_db": level,
                "rms_energy": (10 ** (level / 20)).astype(np.float32),
                "recording": np.array([b"line.wav"]),
                "start_seconds": np.array([float(index)], np.float32),
            }
        )
    return examples


def serialised(examples: list[Example]) -> tf.Tensor:
    return tf.constant([serialized(example) for example in examples])


class Saved:
    """An instrument, saved and loaded again, with its Transform graph and examples."""

    def __init__(self, kind: str, graph: Path, examples: list[Example], folder: Path):
        settings: dict[str, Any] = MODELS[kind]
        self.instrument = Instrument(make_model(**settings), AUDIO, seed=3)
        randomise(self.instrument)
        self.rounded = round_weights(self.instrument)
        self.graph, self.folder, self.examples = graph, folder, examples
        self.baseline: Baseline = fit_baseline(examples, self.instrument.graph)
        signatures.save(
            self.instrument,
            transform_graph=str(graph),
            baseline=self.baseline,
            loss=LOSS,
            folder=str(folder),
            training={"steps": 7, "eval_loss": 5.5},
        )
        self.loaded = tf.saved_model.load(str(folder))

    def features(self, frames: int) -> dict[str, np.ndarray]:
        """Raw features of the model, [1, frames, 1]."""
        window = self.examples[1]
        names = ["f0_hz", *(SOURCES[name] for name in self.instrument.model.inputs)]
        return {name: np.resize(window[name], frames)[np.newaxis, :, np.newaxis] for name in names}

    def network_inputs(self, features: dict[str, np.ndarray]) -> dict[str, tf.Tensor]:
        """The same, preprocessed by hand with the statistics of the Transform graph."""
        statistics = read_statistics(str(self.graph))
        flat = {name: values[..., 0] for name, values in features.items()}
        measured = {"f0": 69 + 12 * np.log2(flat["f0_hz"] / 440), "loudness": flat.get("loudness_db")}
        if "rms_energy" in flat:
            measured["rms"] = 20 * np.log10(np.maximum(flat["rms_energy"], 1e-4))
        scaled = {
            f"{name}_scaled": tf.constant(
                (values - statistics[name]["mean"]) / statistics[name]["deviation"], tf.float32
            )
            for name, values in measured.items()
            if values is not None
        }
        return {**scaled, "f0_hz": tf.constant(flat["f0_hz"])}

    def resynthesised(self, window: Example) -> tf.Tensor:
        """Audio [1, samples] of one window, with the noise that evaluation uses."""
        names = ("f0_hz", *(SOURCES[name] for name in self.instrument.model.inputs))
        inputs = self.network_inputs({name: window[name][np.newaxis, :, np.newaxis] for name in names})
        return self.rounded(inputs, white_noise(1, len(window["audio"]), signatures.NOISE_SEED))


def loss_of(audio: tf.Tensor, window: Example) -> float:
    """Spectral loss of audio [1, samples] against a window's recording."""
    loss = BandLoss(**LOSS.model_dump(), sample_rate=AUDIO.sample_rate)
    return float(loss(loss.target(window["audio"][np.newaxis]), audio))


@pytest.fixture(scope="module")
def everything(tmp_path_factory) -> dict[str, Saved]:
    examples = make_examples(4)
    folder = tmp_path_factory.mktemp("signatures")
    graph = build_transform_graph(folder, examples, ["loudness", "rms"])
    return {kind: Saved(kind, graph, examples, folder / kind) for kind in MODELS}


@pytest.fixture(params=MODELS)
def saved(request, everything) -> Saved:
    return everything[request.param]


def test_controls_of_any_length_are_those_of_the_rounded_instrument(saved) -> None:
    for frames in (1, FRAMES, FRAMES + 37):
        features = saved.features(frames)
        result = saved.loaded.signatures["controls"](**features)
        expected = saved.rounded.controls(saved.network_inputs(features))
        assert set(result) == {"amplitude", "harmonic_distribution", "noise_magnitudes"}
        for name, values in result.items():
            np.testing.assert_allclose(values, expected[name], atol=2e-5, err_msg=name)


def test_the_weights_that_are_served_are_not_the_full_ones(saved) -> None:
    features = saved.features(50)
    result = saved.loaded.signatures["controls"](**features)["amplitude"]
    full = saved.instrument.controls(saved.network_inputs(features))["amplitude"]
    assert np.abs(result - full).max() > 1e-6


def test_full_gives_the_dry_signal_and_render_the_room_too(saved) -> None:
    features = saved.features(100)
    noise = white_noise(1, 100 * HOP, (5, 5))
    signals = saved.rounded.signals(saved.rounded.controls(saved.network_inputs(features)), noise)
    dry, wet = (signals[name].numpy() for name in (saved.rounded.graph.dry_name, saved.rounded.graph.audio_name))
    full = saved.loaded.signatures["full"](**features, noise=noise)["audio"].numpy()
    render = saved.loaded.signatures["render"](**features, noise=noise)["audio"].numpy()
    assert full.shape == render.shape == (1, 100 * HOP)
    assert 10 * np.log10(np.mean(dry**2) / np.mean((full - dry) ** 2)) > 60
    np.testing.assert_allclose(render, wet, atol=2e-4)


def test_the_impulse_response_has_no_direct_path_and_no_taps_without_a_room(everything) -> None:
    ir = everything["cnn"].loaded.signatures["impulse_response"]()["ir"].numpy()
    assert ir.shape == (1600,)
    assert ir[0] == 0
    np.testing.assert_array_equal(ir[1:], everything["cnn"].rounded.weights()["reverb/ir"][1:])
    np.testing.assert_array_equal(ir, ir.astype(np.float16).astype(np.float32))
    assert everything["gru"].loaded.signatures["impulse_response"]()["ir"].shape == (0,)


def test_serving_default_sounds_the_same_every_time(saved) -> None:
    features = saved.features(60)
    first, second = (saved.loaded.signatures["serving_default"](**features)["audio"].numpy() for _ in range(2))
    assert first.shape == (1, 60 * HOP)
    assert np.abs(first).max() > 0.01
    np.testing.assert_array_equal(first, second)


def test_eval_losses_are_those_of_the_instrument_window_by_window(saved) -> None:
    result = saved.loaded.signatures["eval_losses"](examples=serialised(saved.examples))
    for index, window in enumerate(saved.examples):
        audio = saved.resynthesised(window)
        error = np.abs(loudness_db(audio)[0, :FRAMES].numpy() - window["loudness_db"])
        assert result["spectral_loss"][index].numpy() == pytest.approx(loss_of(audio, window), rel=1e-3)
        expected = error[window["loudness_db"] > -60.0].mean()  # where the recording is not silent
        assert result["loudness_l1_db"][index].numpy() == pytest.approx(expected, rel=1e-2)
        for name in ("f0_hz", "f0_confidence", "loudness_db"):
            np.testing.assert_array_equal(result[name][index], window[name])
    assert result["audio"].shape == (4, FRAMES * HOP)
    assert np.all(result["baseline_spectral_loss"] < result["spectral_loss"])  # random weights


def test_eval_losses_do_not_depend_on_the_rest_of_the_batch(saved) -> None:
    evaluate = saved.loaded.signatures["eval_losses"]
    together = evaluate(examples=serialised(saved.examples))
    for index, example in enumerate(saved.examples):
        alone = evaluate(examples=serialised([example]))
        for name in ("spectral_loss", "baseline_spectral_loss", "loudness_l1_db"):
            assert alone[name][0].numpy() == pytest.approx(together[name][index].numpy(), rel=1e-4), name


def test_eval_losses_are_of_windows_of_any_length(saved) -> None:
    """A blessed model may be compared with a model that was trained on windows of another length."""
    frames = FRAMES // 2
    halves = [{**window, "audio": window["audio"][: frames * HOP]} for window in saved.examples]
    for window in halves:
        window.update({name: window[name][:frames] for name in ("f0_hz", "f0_confidence", "loudness_db", "rms_energy")})
    result = saved.loaded.signatures["eval_losses"](examples=serialised(halves))
    assert result["audio"].shape == (4, frames * HOP)
    for index, window in enumerate(halves):
        expected = loss_of(saved.resynthesised(window), window)
        assert result["spectral_loss"][index].numpy() == pytest.approx(expected, rel=1e-3)


def test_a_broken_room_spoils_the_model_and_never_the_baseline(everything) -> None:
    saved = everything["cnn"]
    sound = saved.loaded.signatures["eval_losses"](examples=serialised(saved.examples))
    broken = round_weights(saved.instrument)
    module = signatures.ServingModule(
        broken,
        TransformGraph(str(saved.graph)),
        saved.baseline,
        BandLoss(**LOSS.model_dump(), sample_rate=AUDIO.sample_rate),
    )
    evaluate = module.signatures()["eval_losses"]
    for taps in (np.nan, 100.0, -1.0):
        broken.variables_by_name["reverb/ir"].assign(np.full(1600, taps))
        result = evaluate(examples=serialised(saved.examples))
        assert not np.any(result["spectral_loss"] < sound["spectral_loss"]), taps
        assert np.all(result["baseline_spectral_loss"] < 1.2 * sound["baseline_spectral_loss"]), taps


def test_a_silent_window_has_a_loudness_error_too(saved) -> None:
    silence = {**saved.examples[0], "audio": np.zeros(FRAMES * HOP, "f"), "loudness_db": np.full(FRAMES, -80, "f")}
    result = saved.loaded.signatures["eval_losses"](examples=serialised([silence]))
    assert all(np.isfinite(result[name][0]) for name in ("spectral_loss", "baseline_spectral_loss", "loudness_l1_db"))


def test_the_description_beside_it_is_complete(saved) -> None:
    described = json.loads((saved.folder / "instrument.json").read_text())
    assert set(described) == {"config", "network", "synthesiser", "statistics", "training"}
    assert described["config"]["model"] == saved.instrument.model.model_dump(mode="json")
    assert described["config"]["loss"]["fft_sizes"] == [512, 64]
    assert described["statistics"] == read_statistics(str(saved.graph))
    assert described["network"] == json.loads(json.dumps(describe_network(saved.instrument, described["statistics"])))
    assert described["training"] == {"steps": 7, "eval_loss": 5.5}


def test_the_instrument_comes_back_at_full_precision(saved) -> None:
    again = signatures.load_instrument(str(saved.folder))
    assert again.model == saved.instrument.model
    assert again.audio == saved.instrument.audio
    for name, value in saved.instrument.weights().items():
        np.testing.assert_array_equal(again.weights()[name], value, err_msg=name)


def test_errors_of_preprocessing_name_missing_inputs_and_unknown_outputs(everything) -> None:
    transform = TransformGraph(str(everything["cnn"].graph))
    with pytest.raises(ValueError, match="needs loudness_db"), tf.Graph().as_default():
        transform({"f0_hz": tf.zeros([1, 5])}, ["f0_scaled", "loudness_scaled"])
    with pytest.raises(ValueError, match="no vibrato"), tf.Graph().as_default():
        transform({"f0_hz": tf.zeros([1, 5])}, ["vibrato"])


@pytest.mark.slow
@pytest.mark.parametrize("signature", ["controls", "full"])
def test_tensorflowjs_converts_it_and_every_tensor_keeps_its_name_and_value(saved, signature, tmp_path) -> None:
    """Use the bundle's converter, and find constants that can be traced to the manifest's tensors."""
    use_bare_packages()
    from tensorflowjs import read_weights
    from tensorflowjs.converters.tf_saved_model_conversion_v2 import convert_tf_saved_model

    convert_tf_saved_model(str(saved.folder), str(tmp_path), signature_def=signature)
    model = json.loads((tmp_path / "model.json").read_text())
    nodes = model["modelTopology"]["node"]
    forbidden = {"FFT", "RFFT", "IRFFT", "Complex", "Real", "Imag", "Einsum", "EnsureShape", "ParseExampleV2", "Mod"}
    assert not {node["op"] for node in nodes} & forbidden
    assert not any("Random" in node["op"] or "Hash" in node["op"] for node in nodes)
    weights = {w["name"]: w["data"] for w in read_weights.read_weights(model["weightsManifest"], str(tmp_path))[0]}
    assert {str(data.dtype) for data in weights.values()} <= {"float32", "int32", "bool"}
    for name, value in saved.rounded.weights().items():
        if name.startswith("decoder/"):
            (found,) = [data for key, data in weights.items() if f"/{name}/" in key]
            np.testing.assert_array_equal(found, value, err_msg=name)
