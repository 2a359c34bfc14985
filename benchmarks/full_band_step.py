"""A training step at 48 kHz beside one at 16 kHz of an earlier commit, in turns: what does the full band cost?

    .venv/bin/python benchmarks/full_band_step.py [--commit 2a85b24] [--steps 12]

Both are the default model with batches of four windows of 4 s, each in a process of its own. The commit is checked out
beside this one in a temporary folder. Prints one JSON line: medians of the seconds of a step, and of the ratios of
neighbouring steps, by the clock and by CPU time; and each process's peak memory.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BEFORE_FULL_BAND = "2a85b24"


class Worker:
    """A process of `benchmarks/train_step.py` that takes one step for each command."""

    def __init__(self, checkout: Path, model: str):
        command = [sys.executable, "benchmarks/train_step.py", "--model", model, "--worker"]
        self._process = subprocess.Popen(
            command, cwd=checkout, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.facts = json.loads(self._answer().removeprefix("READY "))

    def step(self) -> tuple[float, float]:
        """Take one training step. Returns its seconds by the clock, and of CPU time."""
        assert self._process.stdin
        print("train", file=self._process.stdin, flush=True)
        wall, cpu = self._answer().split()
        return float(wall), float(cpu)

    def quit(self) -> None:
        """End the process."""
        assert self._process.stdin
        print("quit", file=self._process.stdin, flush=True)
        self._process.wait()

    def _answer(self) -> str:
        assert self._process.stdout
        answer = self._process.stdout.readline()
        if not answer:
            sys.exit(f"{self._process.args!r} gave up: exit code {self._process.wait()}")
        return answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--commit", default=BEFORE_FULL_BAND)
    parser.add_argument("--steps", type=int, default=12)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="swara-step-") as folder:
        git = ["git", "-C", str(ROOT)]
        archive = subprocess.run([*git, "archive", arguments.commit], check=True, stdout=subprocess.PIPE).stdout
        subprocess.run(["tar", "-x", "-C", folder], input=archive, check=True)
        now, before = Worker(ROOT, "full-band"), Worker(Path(folder), "cnn")
        pairs = [(now.step(), before.step()) for _ in range(arguments.steps)]
        for worker in (now, before):
            worker.quit()
    line: dict[str, object] = {"name": "step at 48 kHz / at 16 kHz", "commit": arguments.commit}
    for index, clock in enumerate(("wall", "cpu")):
        line[clock] = {
            "now": round(statistics.median(new[index] for new, _ in pairs), 4),
            "before": round(statistics.median(old[index] for _, old in pairs), 4),
            "ratio": round(statistics.median(new[index] / old[index] for new, old in pairs), 3),
        }
    megabytes = [worker.facts["peak_megabytes"] for worker in (now, before)]
    print(json.dumps({**line, "peak_megabytes": megabytes}))


if __name__ == "__main__":
    main()
