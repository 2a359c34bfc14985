"""Both sets of packages in pairs: training steps, their memory, start-up, and tests. One JSON line a measurement.

    .venv/bin/python benchmarks/stacks.py --other 'scripts/debian_root.sh .venv/bin/python' [--only train] [--turns 5]

The Python that runs this has one set, the command after --other starts that of the other one. Both take turns, and
change who begins, so what else the machine does meets both. Seconds are of CPU, medians; `ratio` is the median of the
ratios of each pair, the other set over this one.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CLOCK = "; import time; print(time.process_time())"
STARTS = {
    "start/tensorflow": "import tensorflow",
    "start/pipeline": "import pipeline.pipeline",
    "start/command_line": "import local_runner",
}
TRAINED = ("cnn", "gru256")
TESTS = ("tests/models/ddsp", "tests/bundles")
STEPS = 30

Command = list[str]
Pythons = tuple[Command, Command]
Facts = dict[str, Any]


class Worker:
    """A process of `train_step.py --worker` in one of the sets."""

    def __init__(self, python: Command, model: str) -> None:
        command = [*python, "benchmarks/train_step.py", "--worker", "--model", model]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._write, self._read = self._process.stdin, self._process.stdout
        while not (line := self._read.readline()).startswith("READY "):
            if not line:
                raise SystemExit(f"{shlex.join(command)} ended before it was ready")
        self.facts = json.loads(line.removeprefix("READY "))

    def step(self) -> float:
        """Take a training step; return its CPU seconds."""
        self._write.write("train\n")
        self._write.flush()
        return float(self._read.readline().split()[1])

    def end(self) -> None:
        self._write.write("quit\n")
        self._write.flush()
        self._process.wait()


def in_turns(these: tuple[Callable[[], float], Callable[[], float]], turns: int) -> Facts:
    """Measure two things in pairs, the second one first in every other pair."""
    pairs = []
    for turn in range(turns):
        order = (0, 1) if turn % 2 == 0 else (1, 0)
        measured = {which: these[which]() for which in order}
        pairs.append((measured[0], measured[1]))
    ratios = sorted(other / this for this, other in pairs)
    return {
        "this": statistics.median(this for this, _ in pairs),
        "other": statistics.median(other for _, other in pairs),
        "ratio": statistics.median(ratios),
        "ratio_least": ratios[0],
        "ratio_most": ratios[-1],
        "pairs": turns,
    }


def train(pythons: Pythons, model: str) -> Facts:
    """Take training steps in turns."""
    this, other = (Worker(python, model) for python in pythons)
    try:
        steps = in_turns((this.step, other.step), STEPS)
    finally:
        this.end()
        other.end()
    memory = [worker.facts["peak_megabytes"] for worker in (this, other)]
    return {**steps, "megabytes": memory, "tensorflow": [worker.facts["tf"] for worker in (this, other)]}


def paired(measure: Callable[[Command, str], float], pythons: Pythons, what: str, turns: int) -> Facts:
    """Measure the same with both Pythons in turns."""
    this, other = pythons
    return in_turns((lambda: measure(this, what), lambda: measure(other, what)), turns)


def start(python: Command, imports: str) -> float:
    """Start Python and import something; return its CPU seconds."""
    done = subprocess.run([*python, "-c", imports + CLOCK], cwd=ROOT, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def test(python: Command, folder: str) -> float:
    """Run the quick tests of a folder; return the CPU seconds of all its processes."""
    command = [*python, "-m", "pytest", "-q", "-p", "no:xdist", "-m", "not slow and not soak", folder]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    printed = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{shlex.join(command)} failed:\n{printed[-2000:]}")
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--other", required=True, type=shlex.split)
    parser.add_argument("--turns", type=int, default=5, help="pairs of starts and of tests")
    parser.add_argument("--only", default="", help="measurements whose names begin so")
    given = parser.parse_args()
    pythons: Pythons = ([sys.executable], given.other)

    measurements: dict[str, Callable[[], Facts]] = {
        **{f"train/{model}": partial(train, pythons, model) for model in TRAINED},
        **{name: partial(paired, start, pythons, imports, given.turns) for name, imports in STARTS.items()},
        **{f"quick/{folder}": partial(paired, test, pythons, folder, given.turns) for folder in TESTS},
    }
    for name, measurement in measurements.items():
        if name.startswith(given.only):
            facts = {
                key: round(value, 4) if isinstance(value, float) else value for key, value in measurement().items()
            }
            print(json.dumps({"name": f"swara/stacks/{name}", **facts}), flush=True)


if __name__ == "__main__":
    main()
