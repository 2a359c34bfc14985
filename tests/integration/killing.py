"""Runs that are killed at any moment: as a machine out of memory kills, as a service stops, as Ctrl-C interrupts."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from bundles.manifest import check_files, load
from bundles.publish import INDEX_FILE, LATEST_FILE, served_version, versions
from tests.integration.conftest import Workshop

BEGUN, DONE = re.compile(r"^(\w+) \.\.\.$", re.MULTILINE), re.compile(r"^(\w+): (?:([\d.]+) s|cached)$", re.MULTILINE)
LONGEST_RUN = 600.0  # s
ORPHANS_END = 5.0  # s
EXIT_CODES = {signal.SIGKILL: -signal.SIGKILL, signal.SIGTERM: 143, signal.SIGINT: 130}
MARK = "SWARA_TEST_RUN"  # in the environment of a run and of all that it starts


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


def killed(
    workshop: Workshop, log: Path, component: str, after: float, *settings: str, by: signal.Signals = signal.SIGKILL
) -> Killed:
    """Starts a run and kills it, and all that it had started has to end too.

    Args:
      workshop: where it runs.
      log: file for what it prints.
      component: that must have begun.
      after: seconds from then on.
      settings: of the run.
      by: the signal.
    """
    with log.open("w") as out, workshop.started(*settings, stdout=out, stderr=subprocess.STDOUT) as process:
        deadline = time.monotonic() + LONGEST_RUN
        while component not in BEGUN.findall(log.read_text()):
            assert process.poll() is None, f"the run ended before {component} began: {log.read_text()}"
            assert time.monotonic() < deadline, f"{component} does not begin: {log.read_text()}"
            time.sleep(0.002)
        time.sleep(after)
        process.send_signal(by)
    assert process.returncode == EXIT_CODES[by], f"exit code {process.returncode} of {by.name}: {log.read_text()}"
    end = time.monotonic() + ORPHANS_END
    while orphans():
        assert time.monotonic() < end, f"{by.name} {after:.2f} s after {component} began left {orphans()}"
        time.sleep(0.1)
    printed = log.read_text()
    return Killed(BEGUN.findall(printed)[-1], seconds(printed))


@contextmanager
def one_temporary_folder(folder: Path) -> Iterator[Path]:
    """Gives the runs of a test a folder of temporary files, and a mark by which what they start is known."""
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(folder))
        patch.setenv(MARK, uuid.uuid4().hex)
        yield folder


def orphans() -> list[str]:
    """The processes that a run of this test has started, and that run now."""
    running = psutil.process_iter(["pid", "environ", "cmdline"])  # None for what has ended, or is another user's
    return [
        f"{one.pid} {' '.join(one.info['cmdline'] or [])[:200]}"
        for one in running
        if one.pid != os.getpid() and (one.info["environ"] or {}).get(MARK, "") == os.environ[MARK]
    ]


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
