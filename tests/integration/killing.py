"""Runs that are killed at work, as a machine that runs out of memory kills: SIGKILL, at any moment."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from bundles.manifest import check_files, load
from bundles.publish import INDEX_FILE, LATEST_FILE, served_version, versions
from tests.integration.conftest import Workshop

BEGUN, DONE = re.compile(r"^(\w+) \.\.\.$", re.MULTILINE), re.compile(r"^(\w+): (?:([\d.]+) s|cached)$", re.MULTILINE)
LONGEST_RUN = 600.0  # s


@dataclass(frozen=True)
class Killed:
    """A run that came to a sudden end.

    Attributes:
      component: that was at work.
      done: components that had ended, with the seconds that they took; 0 of those that came from the cache.
    """

    component: str
    done: dict[str, float]


def seconds(output: str) -> dict[str, float]:
    """The seconds that a finished run took, by component, in order; 0 of those from the cache."""
    return {name: float(took or 0.0) for name, took in DONE.findall(output)}


def killed(workshop: Workshop, log: Path, component: str, after: float, *settings: str) -> Killed:
    """Starts a run and kills it.

    Args:
      workshop: where it runs.
      log: file for what it prints.
      component: that must have begun.
      after: seconds from then on.
      settings: of the run.
    """
    with log.open("w") as out, workshop.started(*settings, stdout=out, stderr=subprocess.STDOUT) as process:
        deadline = time.monotonic() + LONGEST_RUN
        while component not in BEGUN.findall(log.read_text()):
            assert process.poll() is None, f"the run ended before {component} began: {log.read_text()}"
            assert time.monotonic() < deadline, f"{component} does not begin: {log.read_text()}"
            time.sleep(0.002)
        time.sleep(after)
        process.kill()
    assert process.returncode == -signal.SIGKILL, f"the run ended by itself: {log.read_text()}"
    printed = log.read_text()
    return Killed(BEGUN.findall(printed)[-1], seconds(printed))


def whole_versions(root: Path, name: str) -> set[str]:
    """Every version of an instrument in `pushed/`, after a check of all its bytes and of the files that name it."""
    found = versions(root / name)
    for version in found:
        check_files(root / name / version, load(root / name / version))
    assert (root / name / LATEST_FILE).exists() == (served_version(root / name) is not None)
    assert not (root / INDEX_FILE).exists() or _listed(root, name) in found
    return set(found)


def _listed(root: Path, name: str) -> str:
    """The version that `index.json` leads a page to; the next push renews it where a kill came before that."""
    [entry] = [entry for entry in json.loads((root / INDEX_FILE).read_text())["instruments"] if entry["name"] == name]
    return str(entry["version"])
