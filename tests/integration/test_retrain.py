"""The steps of the retraining workflow, in a checkout of their own: what is good is pushed, what is bad never is."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import yaml

from data.demo.generate import generate
from tests.integration.conftest import ROOT, SMALL, checkout, webgl

pytestmark = pytest.mark.slow

BRANCH = "swara-state"
AFTER_RETRAINING = "${{ always() && steps.retrain.outcome != 'skipped' }}"
SETTINGS = (*SMALL, "trainer.steps=80", "examples.span_window=3")


@dataclass(frozen=True)
class Ran:
    """One run of the workflow.

    Attributes:
      codes: exit codes by script; of a step that was skipped, none.
      output: all that was printed.
    """

    codes: dict[str, int]
    output: str


@dataclass(frozen=True)
class Machine:
    """What the workflow runs on: a fresh checkout each time, and a repository that outlives it.

    Attributes:
      source: the checkout.
      origin: the repository.
      archives: folder from which recordings can be fetched.
    """

    source: Path
    origin: Path
    archives: Path

    def announce(self, span: str, make: Callable[[Path], object]) -> None:
        """Packs an archive of new recordings, and adds a line to the list."""
        make(self.archives / span)
        packed = self.archives / f"{span}.tar"
        with tarfile.open(packed, "w") as tar:
            tar.add(self.archives / span, arcname=".")
        digest = hashlib.sha256(packed.read_bytes()).hexdigest()
        with (self.source / "configs" / "recordings.txt").open("a") as listed:
            listed.write(f"{digest}  demo/{span}  {packed.as_uri()}\n")

    def retract(self) -> None:
        """Takes the last line out of the list."""
        listed = self.source / "configs" / "recordings.txt"
        listed.write_text("".join(listed.read_text().splitlines(keepends=True)[:-1]))

    def run(self) -> Ran:
        """Runs the workflow, step by step, with nothing left of earlier runs but the state that it keeps itself."""
        for folder in ("out", "data/recordings"):
            shutil.rmtree(self.source / folder, ignore_errors=True)
        git(self.source, "update-ref", "-d", "refs/swara/state")
        codes: dict[str, int] = {}
        output, failed = "", False
        for step in workflow_steps():
            if "retrain" not in codes if step.get("if") == AFTER_RETRAINING else failed:
                continue
            done = subprocess.run(
                ["bash", "-e", "-c", step["run"]],
                cwd=self.source,
                env=environment(),
                capture_output=True,
                text=True,
                check=False,
            )
            codes[script(step).stem] = done.returncode
            output += done.stdout + done.stderr
            failed = failed or done.returncode != 0
        return Ran(codes, output)

    def kept(self, path: str) -> Any:
        """A JSON file as the workflow kept it."""
        return json.loads(git(self.origin, "show", f"{BRANCH}:{path}"))

    def versions(self) -> list[str]:
        """What is published in what the workflow kept."""
        return git(self.origin, "ls-tree", "-d", "--name-only", f"{BRANCH}:pushed/demo").split()


def workflow_steps() -> Iterable[dict[str, Any]]:
    """The steps that are scripts, as they stand in the workflow."""
    parsed = yaml.safe_load((ROOT / ".github" / "workflows" / "retrain.yml").read_text(encoding="utf-8"))
    return [one for one in parsed["jobs"]["retrain"]["steps"] if "scripts/" in one.get("run", "")]


def script(step: dict[str, Any]) -> Path:
    """The script that a step calls, with whatever stands before and behind it."""
    [path] = [word for word in step["run"].split() if word.startswith("scripts/")]
    return Path(path)


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], env=environment(), capture_output=True, text=True, check=True
    )
    return done.stdout


def nested(settings: Iterable[str]) -> dict[str, Any]:
    """`a.b=value` as a configuration file has it."""
    tree: dict[str, Any] = {}
    for setting in settings:
        path, _, value = setting.partition("=")
        *groups, last = path.split(".")
        inner = tree
        for group in groups:
            inner = inner.setdefault(group, {})
        inner[last] = yaml.safe_load(value)
    return tree


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A checkout with a small instrument, and an origin to which nothing has been pushed."""
    folder = tmp_path_factory.mktemp("retraining")
    made = Machine(checkout(folder / "source"), folder / "origin.git", folder / "archives")
    (made.source / ".venv").symlink_to(ROOT / ".venv")
    with (made.source / "configs" / "instruments" / "demo.yaml").open("a") as file:
        yaml.safe_dump(nested((*SETTINGS, *webgl())), file)
    subprocess.run(["git", "init", "--quiet", "--bare", str(made.origin)], env=environment(), check=True)
    subprocess.run(["git", "init", "--quiet", str(made.source)], env=environment(), check=True)
    git(made.source, "remote", "add", "origin", str(made.origin))
    return made


def hissing(folder: Path, seed: int) -> None:
    """The same flute on another evening, with the fan of a machine beside the microphone."""
    random = np.random.default_rng(seed)
    for path in generate(folder, minutes=1.0, seed=seed, sample_rate=16000):
        sound, rate = soundfile.read(path)
        soundfile.write(path, np.clip(sound + random.normal(0.0, 0.05, len(sound)), -1.0, 1.0), rate)


def unusable(folder: Path) -> None:
    """Files that were cut off while they were copied."""
    for path in generate(folder, minutes=0.2, seed=5, sample_rate=16000):
        path.write_bytes(path.read_bytes()[:1000])


def test_a_good_span_is_pushed_once_and_a_bad_one_is_refused_while_the_earlier_version_stays_served(machine: Machine):
    nothing = machine.run()
    assert nothing.codes == {"fetch_recordings": 2}
    assert "names no recordings yet" in nothing.output

    machine.announce("span-1", lambda folder: generate(folder, minutes=1.0, seed=3, sample_rate=16000))
    first = machine.run()
    assert first.codes == {"fetch_recordings": 0, "restore_state": 0, "retrain": 0, "keep_state": 0}, first.output
    served = machine.kept("pushed/demo/latest.json")
    assert machine.versions() == [served["version"]]
    assert f"pushed {served['version']}" in first.output

    again = machine.run()
    assert again.codes["retrain"] == 0, again.output
    assert f"nothing new: {served['version']} was made of these recordings" in again.output
    assert machine.kept("pushed/demo/latest.json") == served

    machine.announce("span-2", lambda folder: hissing(folder, seed=4))
    machine.announce("span-3", lambda folder: hissing(folder, seed=6))
    refused = machine.run()
    assert refused.codes == {"fetch_recordings": 0, "restore_state": 0, "retrain": 3, "keep_state": 0}, refused.output
    assert "warm start: from" in refused.output
    assert "Evaluator: span-1: spectral_loss is" in refused.output
    assert machine.kept("pushed/demo/latest.json") == served
    assert machine.versions() == [served["version"]]

    machine.retract()
    machine.announce("span-4", unusable)
    unread = machine.run()
    assert (unread.codes["retrain"], unread.codes["keep_state"]) == (2, 0), unread.output
    assert "none of the recordings in span-4, the newest span, can be used" in unread.output
    assert "Traceback" not in unread.output
    assert machine.kept("pushed/demo/latest.json") == served
