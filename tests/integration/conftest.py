"""One small instrument, trained for real and published, that the end-to-end tests share."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pytest
from tfx.dsl.components.common.importer import Importer

from data.demo.generate import generate
from pipeline.configuration.config import Config
from pipeline.configuration.loading import load
from pipeline.store.folders import RunFolders
from pipeline.store.records import RunRecord, last_run

ROOT = Path(__file__).resolve().parents[2]

# A network that learns something within seconds; limits that only a broken or a worse one misses.
SMALL = (
    "audio.sample_rate=16000",  # a third of the samples; test_full_band.py has the others
    "model.decoder.channels=16",
    "model.decoder.layers=4",
    "model.processors.harmonic.harmonics=20",
    "model.processors.noise.bands=17",
    "model.processors.reverb.seconds=0.2",
    "audio.window_seconds=2.0",
    "trainer.checkpoint_steps=20",
    "trainer.eval_steps=20",
    "trainer.batch_size=2",
    "trainer.warmup_steps=5",
    "trainer.learning_rate=0.01",
    "evaluator.max_loss_over_baseline=2.0",
    "evaluator.max_f0_error_cents=100.0",
    "evaluator.max_loudness_error_db=20.0",
    "evaluator.max_octave_error_db=60.0",
    "evaluator.min_visqol_over_baseline=-2.0",
    "evaluator.max_visqol_drop=1.0",
    "browser_validator.seconds=0.5",
)


@dataclass(frozen=True)
class Run:
    """One call of the command line.

    Attributes:
      code: its exit code.
      figures: the JSON on its last line.
      output: all that it printed.
    """

    code: int
    figures: dict[str, Any]
    output: str


@dataclass(frozen=True)
class Workshop:
    """A folder with recordings in which the instrument is made.

    Attributes:
      source: the checkout that runs, a copy of this one: a test may change a line in it.
      folders: that are read and written.
      first: the first run.
      made: its records in the metadata store.
    """

    source: Path
    folders: RunFolders
    first: list[Run] = field(default_factory=list)
    made: list[RunRecord] = field(default_factory=list)

    def run(self, *settings: str, verb: Sequence[str] = ("run",)) -> Run:
        """Calls `local_runner.py run`, or another verb, as a user would."""
        with self.started(*settings, verb=verb, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            out, errors = process.communicate()
        lines = out.strip().splitlines()
        figures = json.loads(lines[-1]) if lines and lines[-1].startswith("{") else {}
        return Run(process.returncode, figures, out + errors)

    def started(
        self, *settings: str, verb: Sequence[str] = ("run",), **streams: int | IO[str]
    ) -> subprocess.Popen[str]:
        """Starts what a user would type."""
        command: Sequence[str] = [
            *(sys.executable, str(self.source / "local_runner.py"), *verb, "--instrument", self.folders.name, "--json"),
            *("--recordings", str(self.folders.recordings), "--output", str(self.folders.output)),
            *(argument for setting in (*SMALL, *webgl(), *settings) for argument in ("--set", setting)),
        ]
        return subprocess.Popen(command, text=True, cwd=self.source, preexec_fn=_heed_ctrl_c, **streams)

    def latest(self) -> dict[str, Any]:
        """What is served."""
        return json.loads((self.folders.pushed / self.folders.name / "latest.json").read_text())


def _heed_ctrl_c() -> None:
    """A shell starts background jobs, such as these tests may be, with SIGINT ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def webgl() -> tuple[str, ...]:
    """WebGL may go unchecked only where there is no Chromium, and never in CI."""
    from components.browser_validator.chromium import find_chromium

    if find_chromium().program or os.environ.get("CI") == "true":
        return ()
    return ("browser_validator.require_webgl=false",)


def small_config(*settings: str) -> Config:
    """Returns the configuration of the instrument that the tests make."""
    return load("demo", [*SMALL, *webgl(), *settings])


def imported(kind: type, uri: Path, name: str, **properties: str) -> Importer:
    """An artifact that another pipeline made, as a node of that name, which gives it as `result`."""
    return Importer(source_uri=str(uri), artifact_type=kind, properties=properties or None, reimport=True).with_id(name)


def checkout(folder: Path) -> Path:
    """A copy of the sources. What npm installed and built is shared."""
    made = ("node_modules", "dist")
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(".*", "out", "recordings", "__pycache__", *made))
    for name in ("node_modules", "dist", "engine/dist"):
        (folder / "web" / name).symlink_to(ROOT / "web" / name)
    return folder


@pytest.fixture(scope="session")
def made_workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """Recordings, and a first, hardly trained version of the instrument, pushed; a copy of its output beside it."""
    folder = tmp_path_factory.mktemp("workshop")
    generate(folder / "recordings", minutes=1.0, seed=3, sample_rate=16000)
    made = Workshop(checkout(folder / "source"), RunFolders(folder / "recordings", folder / "out", "demo"))
    made.first.append(made.run("trainer.steps=40"))
    assert made.first[0].code == 0, made.first[0].output
    made.made.append(last_run(made.folders.metadata))
    shutil.copytree(made.folders.output, folder / "first")
    return made


@pytest.fixture
def workshop(made_workshop: Workshop) -> Workshop:
    """The workshop as its first run left it, whatever an earlier test did to its output folder."""
    output = made_workshop.folders.output
    shutil.rmtree(output, ignore_errors=True)
    shutil.copytree(output.with_name("first"), output)
    return made_workshop
