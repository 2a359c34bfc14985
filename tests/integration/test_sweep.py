"""Sizes are swept, the smallest that is as good as the best is trained and pushed, and a page shows what was tried."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml

from data.demo.generate import generate
from models.network.sizes import resized
from pipeline.store.folders import RunFolders
from tests.integration.conftest import Workshop, checkout, small_config

pytestmark = pytest.mark.slow

SPACE = (
    "tuner.rungs=[40]",
    "tuner.reference.decoder={kind: cnn, channels: 24, layers: 4, kernel: 3, dilation_cycle: 8, hold: 1}",
    "tuner.tolerance=0.2",
    "tuner.space.channels=[4, 8]",
    "tuner.space.layers=[2, 3]",
    "tuner.space.units=[8]",
    "tuner.space.stack_units=[8]",
    "tuner.space.harmonics=[20]",
    "tuner.space.reverb=[reverb_free 0.1]",
)


def test_a_sweep_pushes_the_smallest_size_and_records_its_reference(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", str(max(1, (os.cpu_count() or 1) // 2)))  # as the workers', of 2
    generate(tmp_path / "recordings", minutes=1.0, seed=3, sample_rate=16000)
    workshop = Workshop(checkout(tmp_path / "source"), RunFolders(tmp_path / "recordings", tmp_path / "out", "demo"))
    run = workshop.run("trainer.steps=100", *SPACE, verb=("sweep", "--trials", "4", "--workers", "2"))
    assert run.code == 0, run.output

    found = run.figures["sweep"]
    winner, reference = found["winner"], found["reference"]
    assert found["trials"] == 4
    assert (winner["status"], reference["status"]) == ("finished", "finished")
    assert (winner["exact"], reference["exact"]) == (True, True)
    assert all(1 < each["visqol"] < 4.74 for each in (winner, reference))
    assert run.figures["visqol"] == pytest.approx(winner["visqol"], abs=0.1)  # the same training, in the Evaluator
    assert winner["gzip_bytes"] < reference["gzip_bytes"]
    assert run.figures["loss_over_reference"] == pytest.approx(
        run.figures["spectral_loss"] / reference["loss"], rel=1e-3
    )

    pushed = workshop.folders.pushed / "demo" / run.figures["version"]
    manifest = json.loads((pushed / "manifest.json").read_text())
    assert manifest["training"]["reference"]["parameters"] == reference["parameters"]
    assert manifest["model"] == resized(small_config().model, winner["hyperparameters"]).model_dump(mode="json")
    # the same training again: the Trainer comes to what the trial came to
    assert manifest["training"]["eval_loss"] == pytest.approx(winner["loss"], rel=0.01)
    size = run.figures["bundle_kilobytes"] * 1000
    assert winner["gzip_bytes"] == pytest.approx(size, abs=1500)  # all but some settings that the manifest quotes

    chosen = yaml.safe_load(workshop.folders.report.with_name("sizes.yaml").read_text())
    assert chosen["model"] == manifest["model"]

    table = json.loads(workshop.folders.report.with_name("pareto.json").read_text())
    assert len(table["trials"]) == 4
    page = workshop.folders.report.read_text()
    assert "Full-size reference" in page
    assert "Sizes that were tried" in page
