"""A pushed version leads back to the very recordings, settings, code and executions that made it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from ml_metadata.proto import metadata_store_pb2 as pb

import local_runner
from bundles.manifest import content_hash
from bundles.publish import publish
from common.artifacts import serving_folder
from common.errors import UserError
from data.ingest_report import IngestReport, RecordingEntry
from pipeline.store.lineage import lineage
from tests.bundles.small_bundle import write_small_bundle
from tests.bundles.test_publish import tamper
from tests.pipeline.store.recorded import Recorder

ROOT = Path(__file__).resolve().parents[3]
NOON = datetime(2025, 4, 5, 12, 0, 0, tzinfo=timezone.utc)


@dataclass
class Workshop:
    """An output folder with the versions that runs left there.

    Attributes:
      output: as given by `--output`.
      versions: pushed, in order.
      executions: of the Trainer, in order.
    """

    output: Path
    store: Recorder
    versions: list[str] = field(default_factory=list)
    executions: list[int] = field(default_factory=list)

    def push(self, span: int, gain: float, started_from: int | None = None) -> int:
        """Records a whole run; returns the id of its model."""
        number, store = len(self.versions) + 1, self.store
        run, folder = f"2025-04-0{number}T12:00:00", self.output / "violin" / "pipeline" / str(number)
        examples = store.artifact("Examples", folder / "examples", span=span)
        IngestReport(
            (
                RecordingEntry(f"span-{span}/a.wav", "used", recording_id=f"{span}a" * 32, seconds=61.0),
                RecordingEntry(f"span-{span}/b.wav", "set aside", "it is clipped", 2.5, f"{span}b" * 32, 30.0),
            )
        ).write(folder / "examples")
        base, fingerprint = f"/recordings/of/{number}", f"{number}f" * 32
        store.execution(run, {}, {"examples": examples}, input_base=base, span=span, input_fingerprint=fingerprint)
        model = store.artifact("Model", folder / "model")
        base_model = {} if started_from is None else {"base_model": started_from}
        self.executions.append(store.execution(run, base_model, {"model": model}))
        manifest = write_small_bundle(serving_folder(str(folder / "bundle")), gain=gain)
        bundle = store.artifact("Model", folder / "bundle", content_hash=content_hash(manifest))
        store.execution(run, {"model": model, "examples": examples}, {"bundle": bundle})
        self._publish(run, number, bundle)
        return model

    def _publish(self, run: str, number: int, bundle: int) -> None:
        store, folder = self.store, self.output / "violin" / "pipeline" / str(number)
        made = publish(
            serving_folder(str(folder / "bundle")),
            self.output / "pushed",
            NOON + timedelta(days=number),
            {"spectral_loss": 5.0 + number},
        )
        given = {
            "model": bundle,
            "model_blessing": store.artifact("ModelBlessing", folder / "blessing", blessed=1),
            "infra_blessing": store.artifact("InfraBlessing", folder / "infra", blessed=1),
        }
        pushed = store.artifact(
            "PushedModel", folder, pushed=1, pushed_version=made.version, pushed_destination=str(made.folder)
        )
        store.execution(run, given, {"pushed_model": pushed})
        store.execution("2025-06-01T00:00:00", given, {"pushed_model": pushed}, pb.Execution.CACHED)
        self.versions.append(made.version)


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    output = tmp_path / "out"
    made = Workshop(output, Recorder(output / "violin" / "metadata.sqlite"))
    first = made.push(span=1, gain=0.5)
    made.push(span=2, gain=0.75, started_from=first)
    return made


def test_a_version_leads_to_its_own_recordings_with_ids_seconds_and_verdicts(workshop: Workshop):
    traced = lineage(workshop.output, "violin", workshop.versions[0])
    assert (traced.data.folder, traced.data.span, traced.data.fingerprint) == ("/recordings/of/1", 1, "1f" * 32)
    assert traced.data.recordings is not None
    assert [(one.recording, one.verdict, one.seconds, one.recording_id) for one in traced.data.recordings] == [
        ("span-1/a.wav", "used", 61.0, "1a" * 32),
        ("span-1/b.wav", "set aside", 30.0, "1b" * 32),
    ]
    assert (traced.served, traced.kept) == (False, True)


def test_without_a_version_it_is_the_one_that_is_served(workshop: Workshop):
    traced = lineage(workshop.output, "violin")
    assert (traced.version, traced.served) == (workshop.versions[1], True)
    assert traced.data.span == 2
    assert traced.metrics == {"spectral_loss": 7.0}
    assert traced.blessings == {"Evaluator": True, "BrowserValidator": True}
    assert traced.source_revision == "a1b2c3"


def test_the_execution_is_the_one_that_trained_and_names_its_base_model(workshop: Workshop):
    first, second = (lineage(workshop.output, "violin", version).training for version in workshop.versions)
    assert [first.execution, second.execution] == workshop.executions
    assert first.run == "2025-04-01T12:00:00"
    assert (first.started_from, second.started_from) == (None, first.model)


def test_a_version_that_retention_removed_is_still_known(workshop: Workshop):
    shutil.rmtree(workshop.output / "pushed" / "violin" / workshop.versions[0])
    traced = lineage(workshop.output, "violin", workshop.versions[0])
    assert not traced.kept
    assert traced.source_revision == "a1b2c3"
    assert "removed from what is published" in traced.text()


def test_of_a_folder_that_was_moved_everything_is_found_where_it_is_now(workshop: Workshop, tmp_path: Path):
    moved = tmp_path / "elsewhere"
    workshop.output.rename(moved)
    traced = lineage(moved, "violin")
    assert traced.folder == str(moved / "pushed" / "violin" / workshop.versions[1])
    assert traced.data.recordings is not None
    assert {traced.training.model, traced.training.started_from} == {
        str(moved / "violin" / "pipeline" / number / "model") for number in "12"
    }
    assert str(workshop.output) not in traced.text()


def test_a_lost_report_of_the_recordings_is_noted_and_costs_nothing_else(workshop: Workshop):
    shutil.rmtree(workshop.output / "violin" / "pipeline" / "2" / "examples")
    traced = lineage(workshop.output, "violin")
    assert traced.data.recordings is None
    assert traced.data.fingerprint == "2f" * 32
    assert "the report of them is gone" in traced.text()


def test_the_text_holds_what_people_look_for(workshop: Workshop):
    text = lineage(workshop.output, "violin").text()
    for fact in ("span 2", "span-2/b.wav  0:30 (30.0 s)  2b2b2b2b2b2b  set aside at 0:02.5: it is clipped", "a1b2c3"):
        assert fact in text


def test_the_text_names_the_packages_that_trained_where_the_manifest_has_them(workshop: Workshop):
    traced = lineage(workshop.output, "violin")
    assert "packages     versions of TFX and TensorFlow were not recorded" in traced.text()  # a bundle of earlier
    record = {**traced.training.record, "tfx": "1.21.0", "tensorflow": "2.21.0"}
    recorded = replace(traced, training=replace(traced.training, record=record))
    assert "packages     TFX 1.21.0, TensorFlow 2.21.0" in recorded.text()


def test_the_command_prints_json_and_needs_no_tensorflow(workshop: Workshop):
    program = (
        "import sys, local_runner\n"
        f"code = local_runner.main(['lineage', 'violin', '--output', {str(workshop.output)!r}, '--json'])\n"
        "assert not {'tensorflow', 'tfx'} & set(sys.modules), 'slow to start'\n"
        "sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["data"]["recordings"][0]["recording_id"] == "2a" * 32
    assert answer["version"] == workshop.versions[1]


def test_a_version_that_was_never_pushed_is_one_clear_error(workshop: Workshop):
    with pytest.raises(
        UserError, match=r"no run that is recorded there pushed version '2024'; published versions: 2025"
    ):
        lineage(workshop.output, "violin", "2024")


def test_a_version_of_another_store_is_distinguished(workshop: Workshop):
    (workshop.output / "violin" / "metadata.sqlite").unlink()
    Recorder(workshop.output / "violin" / "metadata.sqlite").artifact("PushedModel", "x", pushed=0)
    with pytest.raises(UserError, match="it was pushed before that store was begun"):
        lineage(workshop.output, "violin", workshop.versions[0])


@pytest.mark.parametrize("bytes_left", [b"", b"no database" * 100])
def test_a_damaged_store_is_one_clear_error(workshop: Workshop, bytes_left: bytes, capsys: pytest.CaptureFixture[str]):
    store = workshop.output / "violin" / "metadata.sqlite"
    store.write_bytes(bytes_left)
    assert local_runner.main(["lineage", "violin", "--output", str(workshop.output)]) == 2
    assert f"error: {store}: not a readable metadata store" in capsys.readouterr().err


def test_an_exporters_copy_that_was_changed_proves_no_lineage_either(workshop: Workshop):
    version = workshop.versions[1]
    shutil.rmtree(workshop.output / "pushed" / "violin" / version)
    assert lineage(workshop.output, "violin", version).source_revision == "a1b2c3"
    tamper(serving_folder(workshop.output / "violin" / "pipeline" / "2" / "bundle"))
    with pytest.raises(UserError, match=f"violin {version}: no manifest is left of it as it was .* was changed after"):
        lineage(workshop.output, "violin", version)


def test_a_changed_manifest_proves_no_lineage(workshop: Workshop):
    version = workshop.versions[1]
    tamper(workshop.output / "pushed" / "violin" / version)
    with pytest.raises(UserError, match=f"violin {version}: no manifest is left of it as it was .* was changed after"):
        lineage(workshop.output, "violin", version)
