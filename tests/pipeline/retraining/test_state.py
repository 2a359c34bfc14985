"""The state that retraining keeps is small, can be moved, and marks what was removed as deleted."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import ml_metadata as mlmd
import pytest
from ml_metadata.proto import metadata_store_pb2 as pb

from common.errors import UserError
from pipeline.local.run import only_run
from pipeline.retraining.state import settle, thin
from pipeline.store.folders import RunFolders
from tests.pipeline.local.test_run import DIE_WHILE_WRITING
from tests.pipeline.store.recorded import Recorder


def store(metadata: Path) -> mlmd.MetadataStore:
    config = pb.ConnectionConfig()
    config.sqlite.filename_uri = str(metadata)
    return mlmd.MetadataStore(config)


def test_windows_and_logs_go_and_are_marked_as_gone_while_reports_and_models_stay(tmp_path: Path):
    root = tmp_path / "violin" / "pipeline"
    examples, model = root / "RecordingExampleGen" / "examples" / "3", root / "Trainer" / "model" / "9"
    log = root / "Trainer" / "model_run" / "9"
    left_by_a_crash = root / "Transform" / "transformed_examples" / "7" / "Split-eval"
    for folder in (examples / "Split-train", model, log, left_by_a_crash):
        folder.mkdir(parents=True)
        (folder / "file").write_bytes(b"something")
    (examples / "ingest_report.json").write_text("{}")
    recorded = Recorder(tmp_path / "violin" / "metadata.sqlite")
    recorded.artifact("Examples", examples)
    recorded.artifact("Model", model)
    recorded.artifact("ModelRun", log)
    assert thin(tmp_path) == 2
    states = {
        artifact.uri: artifact.state for artifact in store(tmp_path / "violin" / "metadata.sqlite").get_artifacts()
    }
    gone, there = pb.Artifact.DELETED, pb.Artifact.LIVE
    assert states == {str(examples): gone, str(log): gone, str(model): there}
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == [
        "file",
        "ingest_report.json",
        "metadata.sqlite",
        "run.lock",
    ]
    assert not left_by_a_crash.exists()
    assert thin(tmp_path) == 0


def test_artifacts_are_found_where_the_output_folder_is_now(tmp_path: Path):
    recorded = Recorder(tmp_path / "here" / "violin" / "metadata.sqlite")
    recorded.artifact("Model", "/elsewhere/out/violin/pipeline/Trainer/model/9")
    recorded.artifact("Model", "/elsewhere/imported")
    assert settle(tmp_path / "here") == 1
    found = {artifact.uri for artifact in store(tmp_path / "here" / "violin" / "metadata.sqlite").get_artifacts()}
    assert found == {str(tmp_path / "here" / "violin" / "pipeline" / "Trainer" / "model" / "9"), "/elsewhere/imported"}
    assert settle(tmp_path / "here") == 0


def test_a_damaged_store_is_one_clear_error(tmp_path: Path):
    (tmp_path / "violin").mkdir()
    (tmp_path / "violin" / "metadata.sqlite").write_bytes(b"not a database" * 100)
    with pytest.raises(UserError, match="not a readable metadata store"):
        thin(tmp_path)


@pytest.mark.parametrize("change", [thin, settle])
def test_what_a_killed_run_had_half_written_is_undone_and_one_that_had_hardly_begun_is_nothing(
    tmp_path: Path, change: Callable[[Path], int]
):
    recorded = Recorder(tmp_path / "violin" / "metadata.sqlite")
    for number in range(50):
        recorded.artifact("Examples", f"/elsewhere/out/violin/pipeline/RecordingExampleGen/examples/{number}")
    died = subprocess.run(
        [sys.executable, "-c", DIE_WHILE_WRITING, str(tmp_path / "violin" / "metadata.sqlite")], check=False
    )
    assert died.returncode == -signal.SIGKILL
    (tmp_path / "oboe").mkdir()
    (tmp_path / "oboe" / "metadata.sqlite").touch()
    assert change(tmp_path) == 50
    assert sorted(path.name for path in (tmp_path / "violin").iterdir()) == ["metadata.sqlite", "run.lock"]
    assert len(store(tmp_path / "violin" / "metadata.sqlite").get_artifacts()) == 50
    assert not (tmp_path / "oboe" / "metadata.sqlite").stat().st_size


@pytest.mark.parametrize("change", [thin, settle])
def test_a_store_whose_first_transaction_was_killed_has_no_records_and_stops_nothing(
    tmp_path: Path, change: Callable[[Path], int]
):
    (tmp_path / "oboe").mkdir()
    first = DIE_WHILE_WRITING.replace('store.execute("DELETE FROM Artifact")', "")
    subprocess.run([sys.executable, "-c", first, str(tmp_path / "oboe" / "metadata.sqlite")], check=False)
    assert (tmp_path / "oboe" / "metadata.sqlite").stat().st_size > 0
    assert change(tmp_path) == 0
    assert not (tmp_path / "oboe" / "metadata.sqlite").stat().st_size


@pytest.mark.parametrize("change", [thin, settle])
def test_beside_a_run_of_any_instrument_nothing_is_changed(tmp_path: Path, change: Callable[[Path], int]):
    for name in ("oboe", "violin"):
        recorded = Recorder(tmp_path / name / "metadata.sqlite")
        recorded.artifact("Examples", f"/elsewhere/out/{name}/pipeline/RecordingExampleGen/examples/3")
    before = {path: path.read_bytes() for path in tmp_path.rglob("metadata.sqlite")}
    with only_run(RunFolders(tmp_path, tmp_path, "violin")):
        with pytest.raises(UserError, match="another run of violin is using it"):
            change(tmp_path)
        assert {path: path.read_bytes() for path in tmp_path.rglob("metadata.sqlite")} == before
    assert change(tmp_path) == 2
