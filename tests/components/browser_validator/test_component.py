"""The TFX side: which artifacts it reads and what a stock Pusher makes of its blessing."""

import shutil
from pathlib import Path

import pytest
from tfx.components.util import model_utils
from tfx.types import artifact_utils, standard_artifacts
from tfx.types.channel import Channel

from common.verdict import Verdict
from components.browser_validator.component import BrowserValidator, BrowserValidatorExecutor
from tests.components.browser_validator.exported import exported, settings


@pytest.fixture(autouse=True)
def no_browser(monkeypatch):
    monkeypatch.setenv("SWARA_CHROMIUM", "none")


def artifacts(folder: Path) -> tuple[dict, dict]:
    good = exported("cnn")
    bundle, model = standard_artifacts.Model(), standard_artifacts.Model()
    examples, blessing = standard_artifacts.Examples(), standard_artifacts.InfraBlessing()
    for name, one in (("bundle", bundle), ("model", model), ("examples", examples), ("blessing", blessing)):
        one.uri = str(folder / name)
    examples.split_names = artifact_utils.encode_split_names(["train", "eval"])
    shutil.copytree(good.bundle, folder / "bundle" / "Format-Serving")
    shutil.copytree(good.saved_model, folder / "model" / "Format-Serving")
    shutil.copytree(good.eval_folder, folder / "examples" / "Split-eval")
    return {"bundle": [bundle], "model": [model], "examples": [examples]}, {"blessing": [blessing]}


@pytest.mark.parametrize("blessed", [True, False])
def test_a_stock_pusher_honours_the_blessing_and_the_verdict_lies_beside_it(tmp_path, blessed):
    inputs, outputs = artifacts(tmp_path)
    config = settings(require_webgl=not blessed)
    BrowserValidatorExecutor().Do(inputs, outputs, {"config": config.model_dump_json()})
    [blessing] = outputs["blessing"]
    assert model_utils.is_infra_validated(blessing) is blessed
    verdict = Verdict.read(blessing.uri)
    assert verdict.gate == "BrowserValidator"
    assert verdict.blessed is blessed
    assert "snr_db" in verdict.figures


def make() -> BrowserValidator:
    return BrowserValidator(
        bundle=Channel(type=standard_artifacts.Model),
        model=Channel(type=standard_artifacts.Model),
        examples=Channel(type=standard_artifacts.Examples),
        config=settings(),
        source_fingerprint="f",
    )


def test_the_cache_distinguishes_a_machine_with_a_browser_from_one_without(monkeypatch, tmp_path):
    without = make().exec_properties
    browser = tmp_path / "chromium"
    browser.write_text("#!/bin/sh\n")
    browser.chmod(0o755)
    monkeypatch.setenv("SWARA_CHROMIUM", str(browser))
    assert make().exec_properties != without
    monkeypatch.setenv("SWARA_CHROMIUM", "none")
    assert make().exec_properties == without
