"""Real instruments through the real converter; TensorFlow.js and an engine of its own play what comes out."""

import functools
import json
import sys

import numpy as np
import pytest
import tensorflow as tf
from tfx.types import channel_utils, standard_artifacts

from bundles import impulse_response as reverb
from bundles import weights as packing
from bundles.manifest import check_files, check_schema, content_hash, download
from components.tfjs_exporter.component import TfjsExporter
from components.tfjs_exporter.convert import convert
from models.saved_model.precision import round_array
from models.saved_model.trained_model import read_trained_model
from pipeline.configuration.loading import load as load_config
from tests.components.tfjs_exporter.exports import OVERRIDES, Exported, export, make_graph, make_windows
from tests.components.tfjs_exporter.tfjs import run_graphs, snr_db
from tests.player.playable_bundle import controls_of

pytestmark = pytest.mark.slow

NAMES = ("amplitude", "harmonic_distribution", "noise_magnitudes")


@pytest.fixture(scope="module")
def exports(tmp_path_factory) -> dict[str, Exported]:
    """Every kind of instrument, exported: a run of the converter each."""
    folder = tmp_path_factory.mktemp("exports")
    windows = make_windows(load_config("violin", OVERRIDES["cnn"]))
    graph = make_graph(windows, folder)
    return {kind: export(kind, windows, graph, folder / kind) for kind in OVERRIDES}


@pytest.fixture(params=list(OVERRIDES))
def exported(exports, request) -> Exported:
    return exports[request.param]


def features(frames: int, exported: Exported) -> dict[str, np.ndarray]:
    """A glide with vibrato, from soft to loud: the inputs of `controls`, each [1, T, 1]."""
    time = np.arange(frames) / 250
    loudness = -50 + 35 * np.sin(4 * time) ** 2
    made = {
        "f0_hz": 200 * 2 ** (1.7 * time) * (1 + 0.01 * np.sin(30 * time)),
        "loudness_db": loudness,
        "rms_energy": 10 ** (loudness / 20),
    }
    wanted = [one["name"] for one in exported.manifest["graphs"]["controls"]["inputs"]]
    return {name: made[name].astype(np.float32).reshape(1, -1, 1) for name in wanted}


def noise(frames: int) -> dict[str, np.ndarray]:
    return {"noise": np.random.default_rng(0).uniform(-1, 1, [1, frames * 64]).astype(np.float32)}


loaded = functools.cache(tf.saved_model.load)


def expected(exported: Exported, signature: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    function = loaded(str(exported.saved_model)).signatures[signature]
    return {name: value.numpy() for name, value in function(**inputs).items()}


def stored_tensors(exported: Exported) -> dict[str, np.ndarray]:
    """The network's tensors as an engine reads them: from the manifest and the bytes, without model.json."""
    found = {}
    for tensor in exported.manifest["network"]["tensors"]:
        stored = (exported.bundle / tensor["file"]).read_bytes()
        dtype = np.dtype(tensor["dtype"]).newbyteorder("<")
        value = np.frombuffer(stored, dtype, int(np.prod(tensor["shape"])), tensor["offset"]).astype(np.float64)
        if "scale" in tensor:
            value = value * tensor["scale"] + tensor["min"]
        found[tensor["name"]] = value.astype(np.float32).reshape(tensor["shape"])
    return found


def test_a_bundle_is_whole_and_follows_the_schema(exported):
    check_schema(dict(exported.manifest))
    check_files(exported.bundle, dict(exported.manifest))
    assert exported.artifact.get_string_custom_property("content_hash") == content_hash(exported.manifest)
    size = download(dict(exported.manifest), ["controls"])["gzip_bytes"]
    assert exported.artifact.get_int_custom_property("download_gzip_bytes") == size


def test_the_manifest_has_inputs_loops_and_the_origin_of_everything(exports):
    cnn, gru = exports["cnn"].manifest, exports["gru"].manifest
    assert [one["name"] for one in cnn["graphs"]["controls"]["inputs"]] == ["f0_hz", "loudness_db"]
    assert [one["name"] for one in gru["graphs"]["full"]["inputs"]] == ["f0_hz", "loudness_db", "noise", "rms_energy"]
    assert (cnn["graphs"]["controls"]["dynamic"], gru["graphs"]["controls"]["dynamic"]) == (False, True)
    assert [one["name"] for one in cnn["graphs"]["controls"]["outputs"]] == list(NAMES)
    assert [one["shape"] for one in cnn["graphs"]["controls"]["outputs"]] == [[1, None, n] for n in (1, 60, 65)]
    assert (cnn["precision"], gru["precision"]) == ("float16", "uint8")
    assert cnn["configuration_hash"] == load_config("violin", OVERRIDES["cnn"]).hash()
    assert cnn["source_revision"] == "0123abc"
    assert cnn["data"]["train_windows"] == 4
    assert cnn["data"]["seconds"] == 16.0
    assert cnn["training"] == {"steps": 7, "seconds": 1.5, "eval_loss": None}
    assert "power" in gru["statistics"]
    assert "power" not in cnn["statistics"]
    assert cnn["synthesiser"]["nodes"][0] == {
        "name": "harmonic",
        "type": "harmonic",
        "harmonics": 60,
        "envelope": "window",
    }


def test_every_tensor_of_the_network_is_there_bit_for_bit_in_bundle_precision(exported):
    weights = dict(np.load(exported.saved_model / "weights.npz"))
    by_engine = stored_tensors(exported)
    model = json.loads((exported.bundle / "controls" / "model.json").read_text())
    by_tensorflow_js = packing.read(exported.bundle / "controls", model["weightsManifest"])
    assert set(by_engine) == {name for name in weights if name.startswith("decoder/")}
    for name, value in by_engine.items():
        rounded = round_array(weights[name], exported.manifest["precision"])
        np.testing.assert_array_equal(value, rounded, err_msg=name)
        np.testing.assert_array_equal(by_tensorflow_js[name].reshape(-1), rounded.reshape(-1), err_msg=name)


def test_the_weight_files_hold_the_network_in_bundle_precision_and_little_else(exported):
    tensors = exported.manifest["network"]["tensors"]
    assert {tensor["dtype"] for tensor in tensors} == {exported.manifest["precision"]}
    sizes = [int(np.prod(tensor["shape"])) * np.dtype(tensor["dtype"]).itemsize for tensor in tensors]
    # The network comes first, in one piece.
    assert [tensor["offset"] for tensor in tensors] == [sum(sizes[:i]) for i in range(len(sizes))]
    assert sum(sizes) <= (exported.bundle / "controls" / "weights.bin").stat().st_size < sum(sizes) + 1000
    assert sum(sizes) <= (exported.bundle / "full" / "weights.bin").stat().st_size < sum(sizes) + 80_000


def test_tensorflow_js_gives_the_saved_models_controls_and_audio_for_any_length(exported):
    requests = []
    for frames in (60, 37):
        requests.append((exported.bundle / "controls", features(frames, exported)))
        requests.append((exported.bundle / "full", {**features(frames, exported), **noise(frames)}))
    for (folder, inputs), outputs in zip(requests, run_graphs(requests), strict=True):
        right = expected(exported, folder.name, inputs)
        assert outputs.keys() == right.keys()
        for name, value in outputs.items():
            assert value.shape == right[name].shape
            assert snr_db(right[name], value) > (100 if folder.name == "controls" else 60), name


def test_an_engine_of_its_own_computes_the_saved_models_controls_from_manifest_and_bytes(exported):
    inputs = features(80, exported)
    flat = {name: value[0, :, 0] for name, value in inputs.items()}
    manifest = exported.manifest
    controls = controls_of(manifest["network"], stored_tensors(exported), flat, manifest["audio"])
    right = expected(exported, "controls", inputs)
    assert list(controls) == list(NAMES)
    for name, value in controls.items():
        assert snr_db(right[name][0], value) > 100, name


def test_the_reverb_is_the_models_impulse_response_but_for_its_inaudible_end(exported):
    facts = exported.manifest["reverb"]
    taps = reverb.assemble((exported.bundle / facts["file"]).read_bytes(), facts)
    assert ("late" in facts) == (exported.config.model.processors[-1].type == "reverb_early_late")
    right = expected(exported, "impulse_response", {})["ir"]
    assert (facts["taps"], facts["trained_taps"]) == (taps.size, right.size)
    assert taps[0] == 0.0
    np.testing.assert_allclose(taps, right[: taps.size], rtol=1e-3, atol=2e-7)
    assert np.sum(np.square(right[taps.size :], dtype=np.float64)) < 1e-8 * (1 + np.sum(np.square(right)))


def test_what_shrinking_saved_is_in_the_manifest(exported):
    for name, saved in exported.manifest["optimisation"].items():
        assert saved["weight_bytes"]["after"] == (exported.bundle / name / "weights.bin").stat().st_size
        assert saved["model_bytes"]["after"] == (exported.bundle / name / "model.json").stat().st_size
        assert saved["model_bytes"]["after"] < saved["model_bytes"]["before"] / 3
        assert saved["nodes"]["after"] < saved["nodes"]["before"]
        assert saved["weight_bytes"]["after"] < saved["weight_bytes"]["before"]
    full = exported.manifest["optimisation"]["full"]
    assert full["folded"]["GatherV2"] >= 2  # the tables of sines and cosines
    assert full["weight_bytes"]["before"] - full["weight_bytes"]["after"] > 150_000


def test_the_graphs_that_a_page_downloads_are_small(exports):
    """In absolute figures: a share of the graph before shrinking would reward waste in it.

    A hundred nodes of `full` make the groups of harmonics that are not in GPU memory together.
    """
    most = {
        "cnn": {"controls": (380, 28_000), "full": (714, 48_500)},
        "gru": {"controls": (250, 21_000), "full": (581, 41_600)},
        "held": {"controls": (278, 22_700), "full": (609, 43_900)},
    }
    for kind, exported in exports.items():
        for name, saved in exported.manifest["optimisation"].items():
            nodes, size = most[kind][name]
            assert saved["nodes"]["after"] <= nodes, (kind, name)
            assert saved["model_bytes"]["after"] <= size, (kind, name)


def test_the_network_is_read_from_where_the_trainer_left_it(exported):
    trained = read_trained_model(exported.saved_model)
    assert trained.model == exported.config.model
    assert set(trained.affine) == (set(trained.tensors) if exported.manifest["precision"] == "uint8" else set())


def test_the_converter_is_kept_out_of_the_process_that_asks_for_it(exported):
    patched = {"tensorflow_decision_forests", "tensorflowjs", "tf_keras", "jax"}
    assert not patched & {name.split(".")[0] for name in exported.newly_imported}


def test_a_conversion_that_fails_says_which_and_why(tmp_path, monkeypatch):
    failing = tmp_path / "python"
    failing.write_text("#!/bin/sh\necho Unsupported Ops: Roll >&2\nexit 1\n")
    failing.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(failing))
    with pytest.raises(RuntimeError, match=r"converting .*model to TensorFlow.js failed:\nUnsupported Ops: Roll"):
        convert(tmp_path / "model", tmp_path / "out", ["controls"])


def test_nothing_that_the_cache_compares_depends_on_the_clock():
    def component() -> TfjsExporter:
        return TfjsExporter(
            model=channel_utils.as_channel([standard_artifacts.Model()]),
            examples=channel_utils.as_channel([standard_artifacts.Examples()]),
            config=load_config("violin").to_json(),
            source_revision="0123abc",
            source_fingerprint="f",
        )

    made = component()
    assert made.id == "TfjsExporter"
    assert made.outputs["bundle"].type is standard_artifacts.Model
    assert dict(made.spec.exec_properties) == dict(component().spec.exec_properties)
