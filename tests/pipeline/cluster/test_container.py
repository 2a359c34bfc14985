"""A step in a container works on mounted files, and reports URIs to the cluster."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.cluster.container import EXECUTOR, INVOCATION, check_accelerator, main, mounted, restore, uses_files

ROOT = Path(__file__).resolve().parents[3]


def invocation(output: Path | str, uri: str) -> dict[str, Any]:
    """The arguments that a cluster passes to SchemaImporter."""
    schema = {"instanceSchema": "title: tfx.Schema\ntype: object\n"}
    audio = json.dumps({"sample_rate": 16000, "frame_rate": 250, "window_seconds": 2.0})
    return {
        "inputs": {"parameterValues": {"audio": audio, "source_fingerprint": "f"}},
        "outputs": {
            "outputFile": str(output),
            "artifacts": {
                name: {"artifacts": [{"name": name, "uri": f"{uri}/{name}", "type": schema}]}
                for name in ("schema", "statistics")
            },
        },
    }


def test_every_uri_of_a_bucket_becomes_a_mounted_path_but_that_of_the_record():
    given = {
        "inputs": {"parameterValues": {"custom_config": json.dumps({"checkpoint_root": "gs://b/c"})}},
        "outputs": {"outputFile": "gs://b/out.json", "artifacts": {"model": {"artifacts": [{"uri": "gs://b/model"}]}}},
    }
    changed = json.loads(mounted([INVOCATION, json.dumps(given), "--runner=DirectRunner"])[1])
    assert json.loads(changed["inputs"]["parameterValues"]["custom_config"]) == {"checkpoint_root": "/gcs/b/c"}
    assert changed["outputs"]["artifacts"]["model"]["artifacts"][0]["uri"] == "/gcs/b/model"
    assert changed["outputs"]["outputFile"] == "gs://b/out.json"
    assert (
        restore('{"uri": "/gcs/b/model", "note": "not/gcs/this"}') == '{"uri": "gs://b/model", "note": "not/gcs/this"}'
    )


def test_a_step_runs_in_a_process_of_its_own_and_leaves_its_record(tmp_path: Path):
    given = invocation(tmp_path / "out.json", str(tmp_path))
    spec = {"parameters": {"audio": {"parameterType": "STRING"}, "source_fingerprint": {"parameterType": "STRING"}}}
    command = [
        *(sys.executable, "-m", "pipeline.cluster.container"),
        *(EXECUTOR, executor_class(), INVOCATION, json.dumps(given)),
        *("--json_serialized_inputs_spec_args", json.dumps(spec), "--runner=DirectRunner"),
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    record = json.loads((tmp_path / "out.json").read_text())
    assert record["artifacts"]["schema"]["artifacts"][0]["uri"] == f"{tmp_path}/schema"
    assert list((tmp_path / "schema").iterdir())


def test_a_bucket_that_is_not_mounted_stops_the_step_before_it_writes_into_the_void(tmp_path: Path):
    given = json.dumps(invocation(tmp_path / "out.json", "gs://no-such-bucket"))
    arguments = [EXECUTOR, executor_class(), INVOCATION, given]
    with pytest.raises(SystemExit, match="/gcs/: no buckets are mounted there"):
        main(arguments)
    assert not (tmp_path / "out.json").exists()


def test_an_accelerator_that_is_not_found_stops_the_step(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tensorflow.config.list_physical_devices", lambda _: [])
    check_accelerator(None)
    with pytest.raises(SystemExit, match=r"NVIDIA_TESLA_T4: this step has one, and TensorFlow finds none"):
        check_accelerator("NVIDIA_TESLA_T4")


def test_beam_steps_keep_uris_since_their_workers_may_be_elsewhere():
    assert not uses_files("components.recording_example_gen.executor.Executor")
    assert not uses_files("tfx.components.transform.executor.Executor")
    assert uses_files("components.bundle_pusher.executor.Executor")
    assert uses_files("tfx.components.trainer.executor.GenericExecutor")


def executor_class() -> str:
    """As the compiled pipeline names it."""
    from tfx.utils import name_utils

    from components.schema_importer.component import SchemaImporter

    return name_utils.get_full_name(SchemaImporter.EXECUTOR_SPEC.executor_class)
