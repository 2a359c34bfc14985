"""The compiled pipeline, step by step in processes of their own, turns a span of recordings into a published bundle."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.bundle_pusher.publish import served_version
from components.tfjs_exporter.manifest import check_files, load
from data.generate import generate
from pipeline.cluster import Job, compile_job
from tests.integration.conftest import small_config
from tests.integration.replay import Replay

pytestmark = pytest.mark.slow


def test_every_step_of_the_compiled_spec_runs_and_a_bundle_is_pushed(tmp_path: Path):
    generate(tmp_path / "recordings" / "span-3", minutes=1.0, seed=3, sample_rate=16000)
    job = Job(str(tmp_path / "recordings"), str(tmp_path / "root"), "image", "span-{SPAN}/*")
    replay = Replay(compile_job(small_config("trainer.steps=40"), job), tmp_path / "steps")
    replay.run()
    assert replay.made["RecordingExampleGen"]["examples"]["metadata"]["span"] == 3
    pushed = replay.made["BundlePusher"]["pushed_model"]["metadata"]
    assert pushed["pushed"] == 1
    version = served_version(tmp_path / "root" / "pushed" / "demo")
    assert version == pushed["pushed_version"]
    bundle = tmp_path / "root" / "pushed" / "demo" / str(version)
    check_files(bundle, load(bundle))
