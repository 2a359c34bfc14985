"""The fingerprint that a cluster's cache is queried with changes with every recording that a run would read."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from tfx.orchestration.kubeflow.v2.file_based_example_gen import driver as stock

from pipeline.cluster.compile import Job, compile_job
from pipeline.cluster.driver import main
from pipeline.configuration.loading import load
from tests.integration.replay import Replay


def recording(path: Path, content: bytes = b"sound") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """Four spans; the newest has no recordings."""
    for span in (1, 2, 3):
        recording(tmp_path / "in" / f"span-{span}" / "evening" / "a.wav")
    recording(tmp_path / "in" / "span-4" / ".DS_Store")
    return tmp_path / "in"


def arguments_of(recordings: Path, folder: Path) -> tuple[list[str], Path]:
    """The arguments that the compiled pipeline and a cluster pass to the driver, and the file of its record."""
    job = Job(str(recordings), str(folder / "root"), "image", "span-{SPAN}/*")
    compiled = compile_job(load("violin", ["examples.span_window=2"]), job)
    executor = compiled["pipelineSpec"]["deploymentSpec"]["executors"]["RecordingExampleGen_executor"]
    given = Replay(compiled, folder / "steps").input_of("RecordingExampleGen")
    hook = executor["container"]["lifecycle"]["preCacheCheck"]
    arguments = [json.dumps(given) if word == "{{$}}" else word for word in hook["args"]]
    return arguments, Path(given["outputs"]["outputFile"])


def found(recordings: Path, folder: Path) -> dict[str, Any]:
    arguments, output = arguments_of(recordings, folder)
    assert main(arguments) == 0
    return dict(json.loads(output.read_text()))


def test_the_newest_span_with_recordings_is_found(recordings: Path, tmp_path: Path):
    values = found(recordings, tmp_path)["parameterValues"]
    assert (values["span"], "version" in values) == (3, False)
    assert json.loads(values["input_config"])["splits"][0]["pattern"] == "span-3/*"


def test_its_record_is_laid_out_as_that_of_tfxs_own_driver(recordings: Path, tmp_path: Path):
    (recordings / "span-4" / ".DS_Store").unlink()  # which would make it a span for TFX
    (recordings / "span-4").rmdir()
    ours = found(recordings, tmp_path)
    arguments, output = arguments_of(recordings, tmp_path)
    stock.main(stock._parse_flags(["driver", *arguments]))
    theirs = json.loads(output.read_text())
    for record in (ours, theirs):
        record["parameterValues"]["input_fingerprint"] = ""
        for artifact in record["artifacts"]["examples"]["artifacts"]:
            assert artifact["metadata"].pop("input_fingerprint")
    assert ours == theirs


def test_a_change_in_an_older_span_of_the_window_changes_the_fingerprint_and_one_before_it_does_not(
    recordings: Path, tmp_path: Path
):
    def fingerprint() -> str:
        return str(found(recordings, tmp_path)["parameterValues"]["input_fingerprint"])

    before = fingerprint()
    recording(recordings / "span-1" / "evening" / "a.wav", b"something else")
    os.utime(recordings / "span-3" / "evening" / "a.wav", (1, 1))  # fetched anew
    assert fingerprint() == before
    recording(recordings / "span-2" / "evening" / "a.wav", b"something else")
    assert fingerprint() != before


def test_without_recordings_it_stops_with_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    arguments, output = arguments_of(tmp_path / "none", tmp_path)
    assert (main(arguments), output.exists()) == (2, False)
    assert capsys.readouterr().err.endswith(f"error: {tmp_path / 'none'}: no such folder of recordings\n")
