"""What the component does with artifacts; publication itself is tested in test_publish."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tfx import types
from tfx.dsl.components.base import base_component
from tfx.types import channel_utils, standard_artifacts

from bundles.manifest import load
from bundles.publish import served_version
from common.artifacts import serving_folder
from common.errors import UserError
from common.verdict import Verdict
from components.bundle_pusher import executor
from components.bundle_pusher.component import BundlePusher
from tests.bundles.small_bundle import write_small_bundle


def artifact(kind: type[types.Artifact], folder: Path, **properties: int) -> types.Artifact:
    made = kind()
    made.uri = str(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in properties.items():
        made.set_int_custom_property(name, value)
    return made


@pytest.fixture
def inputs(tmp_path, monkeypatch):
    """A bundle that every gate has blessed, with an evaluation of it."""
    write_small_bundle(serving_folder(str(tmp_path / "bundle")))
    metrics = {"spectral_loss": 6.0, "example_count": 12.0, "broken": float("nan")}
    monkeypatch.setattr(executor, "read_metrics", lambda _: {(): metrics})
    monkeypatch.setattr(executor, "read_verdict", lambda _: Verdict.of("Evaluator", [], metrics))
    infra = artifact(standard_artifacts.InfraBlessing, tmp_path / "infra", blessed=1)
    Verdict.of("BrowserValidator", [], {"controls_snr_db": 71.0}).write(infra.uri)
    return {
        "model": [artifact(standard_artifacts.Model, tmp_path / "bundle")],
        "evaluation": [artifact(standard_artifacts.ModelEvaluation, tmp_path / "evaluation")],
        "model_blessing": [artifact(standard_artifacts.ModelBlessing, tmp_path / "blessing", blessed=1)],
        "infra_blessing": [infra],
    }


@pytest.fixture
def push(tmp_path, inputs):
    """Runs the executor; returns the PushedModel."""

    def run(**settings: int | str) -> types.Artifact:
        pushed = artifact(standard_artifacts.PushedModel, tmp_path / "pushed_model")
        properties = {"destination": str(tmp_path / "pushed"), "source_fingerprint": "f", **settings}
        executor.Executor().Do(inputs, {"pushed_model": [pushed]}, properties)
        return pushed

    return run


def test_a_destination_that_is_no_folder_here_is_one_clear_error(tmp_path, push, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"^s3://bucket/pushed: bundles go to a folder, or to a gs:// URI"):
        push(destination="s3://bucket/pushed")
    assert not (tmp_path / "s3:").exists()


def test_a_blessed_bundle_is_published_with_its_metrics_and_marked_as_tfx_does(tmp_path, push):
    pushed = push()
    version = served_version(tmp_path / "pushed" / "violin")
    assert pushed.get_int_custom_property("pushed") == 1
    assert pushed.get_int_custom_property("new") == 1
    assert pushed.get_string_custom_property("pushed_version") == version
    assert pushed.get_string_custom_property("pushed_destination") == str(tmp_path / "pushed" / "violin" / version)
    assert load(tmp_path / "pushed" / "violin" / version)["metrics"] == {"spectral_loss": 6.0, "windows": 12.0}
    assert Verdict.read(pushed.uri).figures["version"] == version


def test_the_same_bundle_again_points_to_what_is_served_and_says_so(push):
    first, second = push(), push()
    assert second.get_int_custom_property("pushed") == 1
    assert second.get_int_custom_property("new") == 0
    assert second.get_string_custom_property("pushed_version") == first.get_string_custom_property("pushed_version")
    assert Verdict.read(second.uri).figures["new"] is False


def test_a_push_removes_what_is_too_old_and_says_so(tmp_path, push, inputs, monkeypatch):
    class Earlier(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) - timedelta(hours=1)

    with monkeypatch.context() as earlier:
        earlier.setattr(executor, "datetime", Earlier)
        first = push().get_string_custom_property("pushed_version")
    write_small_bundle(serving_folder(str(tmp_path / "other")), gain=0.9)
    inputs["model"] = [artifact(standard_artifacts.Model, tmp_path / "other")]
    assert Verdict.read(push(keep_versions=1).uri).figures["removed"] == [first]


def test_without_the_evaluators_blessing_nothing_is_published_and_its_reasons_are_kept(
    tmp_path, push, inputs, monkeypatch
):
    inputs["model_blessing"][0].set_int_custom_property("blessed", 0)
    refused = Verdict.of("Evaluator", ["loss_over_baseline is 1.2; at most 0.9 is allowed"], {})
    monkeypatch.setattr(executor, "read_verdict", lambda _: refused)
    pushed = push()
    assert pushed.get_int_custom_property("pushed") == 0
    assert not (tmp_path / "pushed").exists()
    reasons = ("Evaluator: loss_over_baseline is 1.2; at most 0.9 is allowed",)
    assert Verdict.read(pushed.uri) == Verdict("BundlePusher", False, reasons, {})
    assert pushed.get_string_custom_property("reasons") == reasons[0]


def test_without_the_browser_validators_blessing_nothing_is_published_and_its_reasons_are_kept(tmp_path, push, inputs):
    [infra] = inputs["infra_blessing"]
    infra.set_int_custom_property("blessed", 0)
    Verdict.of("BrowserValidator", ["webgl: controls at 12 dB SNR"], {}).write(infra.uri)
    assert Verdict.read(push().uri).reasons == ("BrowserValidator: webgl: controls at 12 dB SNR",)
    assert not (tmp_path / "pushed").exists()


def test_a_validator_that_died_without_a_word_refuses_too(tmp_path, push, inputs):
    [infra] = inputs["infra_blessing"]
    infra.set_int_custom_property("blessed", 0)
    (Path(infra.uri) / "verdict.json").unlink()
    assert Verdict.read(push().uri).reasons == ("BrowserValidator: the bundle was not blessed",)
    assert not (tmp_path / "pushed").exists()


def test_any_negative_verdict_beside_an_input_refuses_whatever_the_blessings_say(tmp_path, push, inputs):
    Verdict.of("SizeGate", ["300 kB is too much"], {}).write(inputs["model"][0].uri)
    assert Verdict.read(push().uri).reasons == ("SizeGate: 300 kB is too much",)
    assert not (tmp_path / "pushed").exists()


def test_the_component_fits_into_a_pipeline_and_nothing_in_it_depends_on_the_clock(tmp_path):
    def channel(kind: type[types.Artifact]) -> types.BaseChannel:
        return channel_utils.as_channel([kind()])

    def component() -> base_component.BaseComponent:
        return BundlePusher(
            bundle=channel(standard_artifacts.Model),
            evaluation=channel(standard_artifacts.ModelEvaluation),
            model_blessing=channel(standard_artifacts.ModelBlessing),
            infra_blessing=channel(standard_artifacts.InfraBlessing),
            destination=str(tmp_path),
            source_fingerprint="abc",
            keep_versions=3,
        )

    made = component()
    assert made.id == "BundlePusher"
    assert made.outputs["pushed_model"].type is standard_artifacts.PushedModel
    properties = dict(made.spec.exec_properties)
    assert properties == {"destination": str(tmp_path), "source_fingerprint": "abc", "keep_versions": 3}
    assert json.dumps(properties) == json.dumps(dict(component().spec.exec_properties))
