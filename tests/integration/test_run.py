"""A folder of recordings becomes a published instrument with one command, and nothing is done twice."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from pipeline.store.folders import RunFolders
from pipeline.store.lineage import lineage
from tests.integration.conftest import ROOT, Workshop

pytestmark = pytest.mark.slow

WORK = ("RecordingExampleGen", "StatisticsGen", "Transform", "Trainer", "TfjsExporter")


def test_a_first_run_publishes_a_whole_bundle_and_a_report(workshop: Workshop):
    run, folders = workshop.first[0], workshop.folders
    assert run.figures["pushed"] is True
    assert set(run.figures["gates"]) == {"DataGate", "Evaluator", "BrowserValidator", "BundlePusher"}
    assert all(run.figures["gates"].values())
    latest = workshop.latest()
    bundle = folders.pushed / "demo" / latest["version"]
    manifest = json.loads((bundle / "manifest.json").read_text())
    schema = json.loads((ROOT / "bundles" / "manifest.schema.json").read_text())
    jsonschema.validate(manifest, schema)
    for name in ("controls/model.json", "full/model.json", "README.md"):
        assert (bundle / name).stat().st_size > 0
    index = json.loads((folders.pushed / "index.json").read_text())
    assert "demo" in json.dumps(index)
    page = folders.report.read_text()
    assert "<audio" in page
    assert "http://" not in page.replace("http://www.w3.org/", "")


def test_the_published_version_leads_back_to_its_recordings_settings_and_execution(workshop: Workshop):
    traced = lineage(workshop.folders.output, "demo", workshop.first[0].figures["version"])
    assert traced.data.folder == str(workshop.folders.recordings)
    assert traced.data.recordings
    lengths = [entry.seconds or 0.0 for entry in traced.data.recordings]
    assert sum(lengths) == pytest.approx(60.0, abs=5.0)
    assert {one.key: one.value for one in traced.differences}["trainer.steps"] == 40
    assert traced.training.model == str(workshop.made[0].artifacts["Trainer"]["model"].uri)
    assert traced.blessings == {"Evaluator": True, "BrowserValidator": True}
    assert traced.metrics["spectral_loss"] == workshop.first[0].figures["spectral_loss"]


def test_an_identical_run_trains_exports_and_publishes_nothing_again(workshop: Workshop):
    before = workshop.latest()
    again = workshop.run("trainer.steps=40")
    assert again.code == 0, again.output
    assert set(WORK) <= set(again.figures["cached"]), again.output
    assert workshop.latest() == before
    versions = [path for path in (workshop.folders.pushed / "demo").iterdir() if path.is_dir()]
    assert len(versions) == 1


def test_after_recordings_and_output_were_moved_nothing_is_made_again(workshop: Workshop, tmp_path: Path):
    moved = replace(workshop, folders=RunFolders(tmp_path / "takes", tmp_path / "results", workshop.folders.name))
    shutil.copytree(workshop.folders.recordings, moved.folders.recordings)
    shutil.move(workshop.folders.output, moved.folders.output)
    again = moved.run("trainer.steps=40")
    assert again.code == 0, again.output
    assert set(WORK) <= set(again.figures["cached"]), again.output
    assert again.figures["version"] == workshop.first[0].figures["version"]
    traced = lineage(moved.folders.output, moved.folders.name)
    assert traced.folder == str(moved.folders.pushed / traced.name / traced.version)
    assert Path(traced.training.model).is_relative_to(moved.folders.pipeline_root)
    assert str(workshop.folders.output) not in traced.text()


def test_a_changed_line_of_the_models_trains_again_but_extracts_nothing_again(workshop: Workshop):
    decoders = workshop.source / "models" / "network" / "decoders.py"
    as_it_was = decoders.read_text()
    decoders.write_text(as_it_was + "\n# a changed line\n")
    try:
        run = workshop.run("trainer.steps=40")
    finally:
        decoders.write_text(as_it_was)
    assert run.code == 0, run.output
    assert "Trainer" not in run.figures["cached"]
    assert "RecordingExampleGen" in run.figures["cached"]


def test_a_better_model_is_pushed(workshop: Workshop):
    before = workshop.latest()
    run = workshop.run("trainer.steps=160")
    assert run.code == 0, run.output
    assert run.figures["spectral_loss"] < workshop.first[0].figures["spectral_loss"]
    assert workshop.latest()["version"] == run.figures["version"] != before["version"]
