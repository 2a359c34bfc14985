"""An output folder that an earlier commit made goes on: it is the history, the rival and the start of the next run.

`earlier_output.tar.xz` holds what `local_runner.py run` of commit 2a85b24 left after two runs of the embedded
instrument, without windows of audio, logs and reports (`python -m pipeline.state thin` of that commit):

    python -m data.generate ... minutes=1.0 seed=3 sample_rate=16000
    local_runner.py run --instrument demo --set ... (SETTINGS) --set trainer.steps=60, then 90
"""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import threading
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest
import soundfile

from bundles.publish import served_version, versions
from components.evaluator.against_original import LAST_BLESSED
from components.evaluator.results import read_metrics
from data.demo.generate import generate
from pipeline.retraining.state import settle
from pipeline.store.folders import RunFolders
from pipeline.store.history import History
from pipeline.store.lineage import lineage
from pipeline.store.records import RunRecord, last_run, opened, properties
from pipeline.store.rollback import rollback
from player.render import render
from player.serve import listen, site
from tests.integration.conftest import ROOT, webgl

pytestmark = pytest.mark.slow

EARLIER = ["20261128T082547Z-074ea2e9", "20261128T082622Z-bdbb1ad0"]
SETTINGS = (
    "model.decoder.channels=4",
    "model.decoder.layers=2",
    "model.processors.harmonic.harmonics=10",
    "model.processors.noise.bands=9",
    "model.processors.reverb.type=reverb_exponential",
    "model.processors.reverb.seconds=0.05",
    "audio.window_seconds=2.0",
    "trainer.checkpoint_steps=20",
    "trainer.eval_steps=20",
    "trainer.batch_size=2",
    "trainer.warmup_steps=5",
    "trainer.learning_rate=0.01",
    "evaluator.max_loss_over_baseline=3.0",
    "evaluator.max_f0_error_cents=100.0",
    "evaluator.max_loudness_error_db=20.0",
    "evaluator.max_octave_error_db=60.0",
    "evaluator.min_visqol_over_baseline=-2.0",
    "evaluator.max_visqol_drop=1.0",
    "browser_validator.seconds=0.5",
)


@dataclass(frozen=True)
class Continued:
    """The earlier output after one more run.

    Attributes:
      folders: of the instrument.
      code: exit code of the run.
      printed: standard output and error of the run.
      record: of the run, from the metadata store.
    """

    folders: RunFolders
    code: int
    printed: str
    record: RunRecord


@pytest.fixture(scope="module")
def continued(tmp_path_factory: pytest.TempPathFactory) -> Continued:
    folder = tmp_path_factory.mktemp("earlier")
    with tarfile.open(Path(__file__).with_name("earlier_output.tar.xz")) as packed:
        packed.extractall(folder / "out")
    settle(folder / "out")
    generate(folder / "recordings", minutes=1.0, seed=3, sample_rate=16000)
    settings = (*SETTINGS, *webgl(), "trainer.steps=120", "trainer.warm_start=true")
    command = [sys.executable, str(ROOT / "local_runner.py"), "run", "--instrument", "demo", "--output"]
    command += [str(folder / "out"), "--recordings", str(folder / "recordings")]
    command += [argument for setting in settings for argument in ("--set", setting)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    folders = RunFolders(folder / "recordings", folder / "out", "demo")
    return Continued(folders, done.returncode, done.stdout + done.stderr, last_run(folders.metadata))


def test_a_run_recomputes_at_the_rate_of_the_last_blessed_model(continued: Continued) -> None:
    assert continued.code == 0, continued.printed
    assert "goes on at 16000 Hz, as the last blessed model" in continued.printed
    assert not {"RecordingExampleGen", "Transform", "Trainer", "TfjsExporter"} & continued.record.cached


def test_losses_by_another_loss_are_not_compared(continued: Continued) -> None:
    """The earlier models carry ddsp's loss within them, which is no measure for what is trained by Swara's."""
    assert "absolute limits alone: the last blessed model was judged by another loss" in continued.printed
    evaluation = continued.record.artifacts["Evaluator"]["evaluation"].uri
    assert read_metrics(evaluation, LAST_BLESSED) == {}


def test_training_starts_from_the_weights_of_the_last_blessed_model(continued: Continued) -> None:
    assert "warm start: from" in continued.printed
    assert "does not fit" not in continued.printed


def test_versions_and_lineage_are_whole(continued: Continued) -> None:
    published = versions(continued.folders.pushed / "demo")
    assert published[:2] == EARLIER
    assert len(published) == 3
    assert served_version(continued.folders.pushed / "demo") == published[2]
    traced = [lineage(continued.folders.output, "demo", version) for version in published]
    assert [one.data.recordings is not None for one in traced] == [True] * 3
    assert len({one.training.execution for one in traced}) == 3
    assert traced[2].training.started_from == traced[1].training.model
    assert all(all(one.blessings.values()) for one in traced)


def test_the_store_has_the_history_before_and_after(continued: Continued) -> None:
    with opened(continued.folders.metadata) as store:
        blessed = [one for one in store.get_artifacts_by_type("ModelBlessing") if properties(one).get("blessed") == 1]
        pushes = [History(store).push_of(version) for version in versions(continued.folders.pushed / "demo")]
        runs = store.get_contexts_by_type("pipeline_run")
    assert (len(blessed), len(pushes), len(runs)) == (3, 3, 3)
    assert None not in pushes


def test_an_earlier_version_is_served_beside_the_new_one(continued: Continued) -> None:
    with listen(site(continued.folders.output), "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            base = f"http://127.0.0.1:{server.server_port}/pushed"
            index = json.loads(urlopen(f"{base}/index.json").read())
            latest = json.loads(urlopen(f"{base}/demo/latest.json").read())
            manifests = [json.loads(urlopen(f"{base}/demo/{version}/manifest.json").read()) for version in EARLIER]
        finally:
            server.shutdown()
    assert [entry["name"] for entry in index["instruments"]] == ["demo"]
    assert latest["version"] not in EARLIER
    assert [manifest["instrument"]["name"] for manifest in manifests] == ["demo", "demo"]


def test_earlier_bundles_play_and_can_be_served_again(continued: Continued, tmp_path: Path) -> None:
    seconds = np.arange(16000) / 16000
    soundfile.write(tmp_path / "voice.wav", 0.3 * np.sin(2 * np.pi * 440 * seconds), 16000)
    for version in EARLIER:
        render(continued.folders.pushed / "demo" / version, tmp_path / "voice.wav", tmp_path / f"{version}.wav")
        sound, rate = soundfile.read(tmp_path / f"{version}.wav")
        assert len(sound) / rate == pytest.approx(1.0, abs=0.1)
        assert np.abs(sound).max() > 0.01
    served = served_version(continued.folders.pushed / "demo")
    try:
        rollback(continued.folders.output, "demo", EARLIER[0])
        latest = json.loads((continued.folders.pushed / "demo" / "latest.json").read_text())
        assert latest["version"] == EARLIER[0]
    finally:
        assert served is not None
        rollback(continued.folders.output, "demo", served)
