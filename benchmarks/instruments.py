"""Trains, judges and publishes real instruments with both kinds of network: a table of docs/results.md.

    .venv/bin/python benchmarks/instruments.py [--instruments violin oboe saxophone] [--models cnn gru] [--output DIR]

The recordings are found through SWARA_SHARED (default: ../shared), in `recordings/NAME`; `docs/recordings.md` lists
their sources. One JSON line a run; `--table FILE` turns such lines into the table.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
COLUMNS = {
    "instrument": "instrument",
    "model": "network",
    "minutes_of_audio": "audio, min",
    "pushed": "pushed",
    "spectral_loss": "loss",
    "baseline_spectral_loss": "baseline's loss",
    "visqol": "ViSQOL",
    "baseline_visqol": "baseline's ViSQOL",
    "octave_error_db": "octave, dB",
    "f0_error_cents": "f0, cents",
    "loudness_l1_db": "loudness, dB",
    "bundle_kilobytes": "kB gzip",
    "minutes": "minutes",
}


def measure(instrument: str, model: str, output: Path, settings: list[str]) -> dict[str, Any]:
    """Run the whole pipeline with an output folder of its own; return its figures."""
    shared = Path(os.environ.get("SWARA_SHARED", ROOT.parent / "shared"))
    command = [sys.executable, str(ROOT / "local_runner.py"), "run", "--instrument", instrument, "--json"]
    command += ["--recordings", str(shared / "recordings" / instrument), "--output", str(output / model)]
    for setting in (f"model={model}", *settings):
        command += ["--set", setting]
    began = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if not done.stdout.strip():
        sys.exit(f"{instrument} {model}: exit code {done.returncode} and no figures")
    figures = json.loads(done.stdout.strip().splitlines()[-1])
    return {
        "instrument": instrument,
        "model": model,
        "exit_code": done.returncode,
        "minutes": round((time.monotonic() - began) / 60, 1),
        "minutes_of_audio": figures.pop("minutes", None),
        **figures,
    }


def table(lines: list[dict[str, Any]]) -> Iterator[str]:
    """Format the lines as a Markdown table."""
    yield "| " + " | ".join(COLUMNS.values()) + " |"
    yield "|" + "---|" * len(COLUMNS)
    for line in lines:
        yield "| " + " | ".join(_cell(line.get(key)) for key in COLUMNS) + " |"


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--instruments", nargs="+", default=["violin", "oboe", "saxophone"])
    parser.add_argument("--models", nargs="+", default=["cnn", "gru"])
    parser.add_argument("--output", type=Path, default=ROOT / "out" / "benchmark")
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="a.b=value")
    parser.add_argument("--table", type=Path, help="only print the table of a file of JSON lines")
    arguments = parser.parse_args()
    if arguments.table:
        print(*table([json.loads(line) for line in arguments.table.read_text().splitlines()]), sep="\n")
        return
    for instrument in arguments.instruments:
        for model in arguments.models:
            print(json.dumps(measure(instrument, model, arguments.output, arguments.settings)), flush=True)


if __name__ == "__main__":
    main()
