"""Names that shells, URLs and patterns give a meaning to are names of folders and recordings like all others."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bundles.publish import served_version
from data.demo.generate import generate
from tests.integration.conftest import ROOT, SMALL, webgl


@pytest.mark.soak(part="stack")
def test_recordings_may_be_named_as_patterns_and_results_as_anything_else(tmp_path: Path):
    recordings, output = tmp_path / "r[1]*?{SPAN}\\", tmp_path / "o {5}]%20#,;$&é"
    generate(recordings, minutes=1.0, seed=3, sample_rate=16000)
    for path in list(recordings.iterdir()):
        path.rename(path.with_name(f"x[y]*?{{}}\\ {path.name}"))
    settings = [argument for setting in (*SMALL, *webgl(), "trainer.steps=40") for argument in ("--set", setting)]
    command = ["run", "--instrument", "demo", "--recordings", str(recordings), "--output", str(output), *settings]
    done = subprocess.run(
        [sys.executable, str(ROOT / "local_runner.py"), *command], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert served_version(output / "pushed" / "demo")
