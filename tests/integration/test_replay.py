"""The compiled pipeline, step by step in processes of their own, turns spans of recordings into a published bundle."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile

from bundles.manifest import check_files, load
from bundles.publish import served_version
from components.evaluator.against_original import LAST_BLESSED
from components.evaluator.results import read_metrics
from data.demo.generate import generate
from data.ingest_report import IngestReport
from pipeline.cluster.compile import Job, compile_job
from tests.conftest import SHARED
from tests.integration.conftest import small_config
from tests.integration.replay import Replay

pytestmark = pytest.mark.slow


def excerpts(recording: Path, span: Path, seconds: int = 15) -> None:
    """Writes two pieces: as short as these they are not cut: one goes to training, one to evaluation."""
    rate = soundfile.info(recording).samplerate
    span.mkdir(parents=True)
    for part in range(2):
        audio, _ = soundfile.read(recording, start=30 * part * rate, frames=seconds * rate)
        soundfile.write(span / f"{part}.flac", audio, rate)


def two_recordings(folder: Path) -> list[Path]:
    """The violin's; where those are absent, takes of more than a minute of the synthetic flute."""
    real = sorted((SHARED / "recordings" / "violin").glob("*.flac"))
    return (real or generate(folder, minutes=4.0, seed=3, sample_rate=16000)[::2])[:2]


def test_every_step_of_the_compiled_spec_runs_and_a_bundle_is_pushed(tmp_path: Path):
    for span, recording in enumerate(two_recordings(tmp_path / "made"), 1):
        excerpts(recording, tmp_path / "recordings" / f"span-{span}")
    job = Job(str(tmp_path / "recordings"), str(tmp_path / "root"), "image", "span-{SPAN}/*")
    replay = Replay(compile_job(small_config("trainer.steps=40", "examples.span_window=2"), job), tmp_path / "steps")
    replay.run()
    examples = replay.made["RecordingExampleGen"]["examples"]
    assert examples["metadata"]["span"] == 2
    report = IngestReport.read(examples["uri"])
    assert {entry.recording for entry in report.used} == {
        f"span-{span}/{part}.flac" for span in (1, 2) for part in (0, 1)
    }
    pushed = replay.made["BundlePusher"]["pushed_model"]["metadata"]
    assert pushed["pushed"] == 1
    version = served_version(tmp_path / "root" / "pushed" / "demo")
    assert version == pushed["pushed_version"]
    bundle = tmp_path / "root" / "pushed" / "demo" / str(version)
    check_files(bundle, load(bundle))


@pytest.mark.soak(part="stack")
def test_a_second_replay_starts_from_the_model_that_the_first_one_blessed_and_is_compared_with_it(tmp_path: Path):
    first_recording, second_recording = two_recordings(tmp_path / "made")
    excerpts(first_recording, tmp_path / "recordings" / "span-1", seconds=28)
    job = Job(str(tmp_path / "recordings"), str(tmp_path / "root"), "image", "span-{SPAN}/*")
    config = small_config("trainer.steps=40", "trainer.warm_start=true", "examples.span_window=2")
    first = Replay(compile_job(config, job), tmp_path / "first")
    first.run()
    assert first.made["LastBlessedModel-model-resolver"] == {}
    excerpts(second_recording, tmp_path / "recordings" / "span-2")

    second = Replay(compile_job(config, job), tmp_path / "second", earlier=first)
    second.run()

    trained = first.made["Trainer"]["model"]
    assert second.made["LastBlessedModel-model-resolver"]["model"]["uri"] == trained["uri"]
    assert second.made["LastAcceptedData"]["accepted_data"] == first.made["DataGate"]["accepted_data"]
    assert "warm start: from" in second.errors["Trainer"]
    assert () in read_metrics(second.made["Evaluator"]["evaluation"]["uri"], LAST_BLESSED)
    versions = [replay.made["BundlePusher"]["pushed_model"]["metadata"]["pushed_version"] for replay in (first, second)]
    assert served_version(tmp_path / "root" / "pushed" / "demo") == versions[1] != versions[0]
