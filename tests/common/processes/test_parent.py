"""A process that nobody ends, because its parent was killed, ends itself."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[3]
CHILD = "import sys, time; from common.processes.parent import end_with; end_with(int(sys.argv[1])); time.sleep(600)"
PARENT = """
import os, subprocess, sys, time
print(subprocess.Popen([sys.executable, "-c", sys.argv[1], str(os.getpid())]).pid, flush=True)
time.sleep(600)
"""


def gone(pid: int, seconds: float) -> bool:
    """Whether a process ends within a time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


def test_it_ends_within_seconds_of_its_parent_and_not_before():
    command = [sys.executable, "-c", PARENT, CHILD]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        time.sleep(1.5)
        assert psutil.pid_exists(child)
        parent.kill()
        parent.wait()
        assert gone(child, 5.0)
