"""Bundles that must be refused, each with its reason, on TensorFlow.js in Node: no browser is needed to see them."""

import json

import numpy as np
import pytest

from bundles.manifest import load
from bundles.seal import seal
from common.errors import UserError
from components.browser_validator import judge as judging
from components.browser_validator import tfjs
from components.browser_validator.validate import validate
from tests.components.browser_validator.exported import Exported, exported, settings


@pytest.fixture(autouse=True)
def no_browser(monkeypatch):
    monkeypatch.setenv("SWARA_CHROMIUM", "none")


@pytest.fixture
def good() -> Exported:
    return exported("cnn")


def judge(one: Exported, **changes):
    return validate(one.bundle, one.saved_model, one.eval_folder, settings(require_webgl=False, **changes))


def test_a_good_bundle_is_blessed_with_figures_and_says_that_webgl_went_unchecked(good):
    verdict = judge(good)
    assert verdict.reasons == ()
    figures = json.loads(json.dumps(verdict.figures, allow_nan=False))
    assert figures["webgl_checked"] is False
    assert figures["browser"] is None
    assert set(figures["snr_db"]) == {"wasm", "cpu"}
    for backend in ("wasm", "cpu"):
        assert set(figures["snr_db"][backend]) == {
            "amplitude",
            "harmonic_distribution",
            "noise_magnitudes",
            "audio",
        }
        assert min(figures["snr_db"][backend].values()) > 100.0
        assert figures["milliseconds"][backend]["full"]["warm"] > 0.0
    assert 1.0 < figures["bundle_kilobytes"] < 50.0


def test_without_a_browser_the_push_is_refused_where_webgl_is_required(good):
    verdict = validate(good.bundle, good.saved_model, good.eval_folder, settings(require_webgl=True))
    [reason] = verdict.reasons
    assert reason.startswith("WebGL went unchecked, because SWARA_CHROMIUM=none is not a program")
    assert "browser_validator.require_webgl=false" in reason


def test_a_flipped_bit_in_a_weight_file_is_refused(good, tmp_path):
    spoiled = good.spoiled(tmp_path, {})
    path = spoiled.bundle / "controls" / "weights.bin"
    stored = bytearray(path.read_bytes())
    stored[100] ^= 1
    path.write_bytes(stored)
    [reason] = judge(spoiled).reasons
    assert "controls/weights.bin: its bytes are not those" in reason


def test_a_truncated_weight_file_is_refused_even_where_the_manifest_agrees_with_it(good, tmp_path):
    spoiled = good.spoiled(tmp_path, {})
    path = spoiled.bundle / "controls" / "weights.bin"
    path.write_bytes(path.read_bytes()[:-10])
    seal(spoiled.bundle, load(spoiled.bundle))
    [reason] = judge(spoiled).reasons
    assert "weights cannot be read" in reason


def test_other_weights_than_the_savedmodels_are_refused_by_name_and_by_what_they_do(good, tmp_path):
    spoiled = good.spoiled(tmp_path, {"decoder/conv1/kernel": lambda kernel: kernel * 1.1})
    reasons = judge(spoiled).reasons
    assert any(
        reason.startswith("weight decoder/conv1/kernel: differs from the SavedModel's by up to") for reason in reasons
    )
    assert any(reason.startswith("controls on wasm: amplitude is") for reason in reasons)
    assert any(reason.startswith("full on cpu: audio is") for reason in reasons)


def test_a_graph_that_computes_something_else_with_the_right_weights_is_refused(good, tmp_path):
    spoiled = good.spoiled(tmp_path, {})
    path = spoiled.bundle / "controls" / "model.json"
    assert '"op":"Sigmoid"' in path.read_text()
    path.write_text(path.read_text().replace('"op":"Sigmoid"', '"op":"Tanh"'))
    seal(spoiled.bundle, load(spoiled.bundle))
    reasons = judge(spoiled).reasons
    assert {reason.split(":")[0] for reason in reasons} == {"controls on wasm", "controls on cpu"}


def test_a_graph_that_does_not_run_is_refused_in_tensorflow_js_own_words(good, tmp_path):
    spoiled = good.spoiled(tmp_path, {})
    path = spoiled.bundle / "full" / "model.json"
    path.write_text(path.read_text().replace('"op":"Sin"', '"op":"Einsum"'))
    seal(spoiled.bundle, load(spoiled.bundle))
    reasons = judge(spoiled).reasons
    assert any(reason.startswith("full on wasm: does not run: ") and "insum" in reason for reason in reasons)


def test_a_nan_model_is_refused(good, tmp_path):
    spoiled = good.spoiled(tmp_path, {"decoder/out/bias": lambda bias: bias * np.nan}, saved_model=True)
    reasons = judge(spoiled).reasons
    assert "the model's controls gives NaN in amplitude (loudest)" in reasons
    assert not any(reason.startswith("weight") for reason in reasons)


def test_a_silent_model_is_refused_though_the_bundle_does_just_the_same(good, tmp_path):
    spoiled = good.spoiled(tmp_path, {"decoder/out/bias": lambda bias: bias * 0.0 - 50.0}, saved_model=True)
    reasons = judge(spoiled).reasons
    assert any(reason.startswith("the model is silent: -") for reason in reasons)
    assert any(reason.startswith("full on wasm: silent: -") for reason in reasons)
    assert not any(reason.startswith("controls") for reason in reasons)


def test_a_bundle_that_is_too_big_is_refused_with_its_size(good):
    [reason] = judge(good, max_bundle_kilobytes=1.0).reasons
    assert reason.startswith("too big: a player downloads ")


def test_a_graph_that_takes_too_much_gpu_memory_is_refused_with_how_much(good, monkeypatch):
    measured = judging.figures
    monkeypatch.setattr(judging, "figures", lambda *run: {**measured(*run), "gpu_bytes": 250_000_000})
    [reason] = judge(good).reasons
    assert reason.startswith("too much GPU memory: 250 MB for 1 s of audio, at most 200 are allowed")


def test_something_that_is_no_bundle_is_refused(good, tmp_path):
    verdict = validate(tmp_path, good.saved_model, good.eval_folder, settings())
    assert "manifest.json: no such file" in verdict.reasons[0]


def test_missing_node_is_the_users_to_mend(good, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="Node 20 or newer: install it from"):
        judge(good)


def test_a_validator_that_was_never_built_is_the_users_to_mend(good, monkeypatch, tmp_path):
    monkeypatch.setattr(tfjs, "COMMAND", tmp_path / "cli.mjs")
    with pytest.raises(UserError, match="run `make setup`"):
        judge(good)
