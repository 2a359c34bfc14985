"""How much has to be recorded? Eval loss after as many steps on the first 30 seconds, 1, 2 and all minutes.

    .venv/bin/python benchmarks/data_curve.py OUTPUT/NAME [--minutes 0.5 1 2] [--steps 600] [--svg docs/data_curve.svg]

OUTPUT/NAME is where `run` made an instrument. An amount is the seconds that the training windows cover, taken from the
beginning of its recordings; all of them come last. Every training has the same weights to start from and the same
number of steps, and is judged after its last one on the same eval windows. Prints one JSON line an amount.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import matplotlib
import numpy as np
from matplotlib import pyplot

from benchmarks.sound import Variant, judge, read, resynthesise, train
from models.training.loop import deterministic_ops
from models.training.window_store import WindowStore
from pipeline.configuration.loading import load


def covered(keys: list[str], window_seconds: float) -> list[float]:
    """Sum up the seconds that the windows up to and with each cover; keys name recording and start, in order."""
    total, end, last, seconds = 0.0, 0.0, "", []
    for key in keys:
        recording, _, start = key.removesuffix(" s").rpartition(" at ")
        stop = float(start) + window_seconds
        total += min(window_seconds, stop - end) if recording == last else window_seconds
        end, last = stop, recording
        seconds.append(total)
    return seconds


def first(windows: WindowStore, count: int) -> WindowStore:
    """Take the first windows only."""
    return WindowStore(
        (windows.keys[n], {name: one[0] for name, one in windows.batch([n]).items()}) for n in range(count)
    )


def curve(folder: Path, amounts: list[float], settings: list[str]) -> Iterator[dict[str, Any]]:
    """Train on one amount after the other, and judge each."""
    config = load(folder.name, settings)
    windows, eval_windows = read(folder, config)
    seconds = covered(windows.keys, config.audio.window_seconds)
    for minutes in (*amounts, math.inf):
        count = int(np.searchsorted(seconds, 60.0 * minutes, side="right"))
        instrument, *_ = train(Variant(), config, first(windows, count))
        facts = {"instrument": folder.name, "minutes": round(seconds[count - 1] / 60, 2), "windows": count}
        made = resynthesise(instrument, eval_windows)
        yield {**facts, "steps": config.trainer.steps, **judge(made, eval_windows, config.audio)}


def plot(rows: list[dict[str, Any]], file: Path) -> None:
    """Draw loss over minutes as SVG, the same bytes for the same rows."""
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "swara", "font.size": 11})
    figure, axes = pyplot.subplots(figsize=(6, 3.2), layout="constrained")
    minutes, losses = ([row[name] for row in rows] for name in ("minutes", "spectral_loss"))
    axes.plot(minutes, losses, "o-", color="#3b6ea8")
    for x, y in zip(minutes, losses, strict=True):
        axes.annotate(f"{y:.2f}", (x, y), xytext=(0, 8), textcoords="offset points", ha="center")
    axes.set_xscale("log")
    axes.minorticks_off()
    axes.set_xticks(minutes, [f"{x:g}" for x in minutes])
    axes.set(xlabel=f"minutes of {rows[0]['instrument']} to train on", ylabel="eval loss")
    axes.margins(x=0.08, y=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", nargs="+", type=float, default=[0.5, 1.0, 2.0])
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--svg", type=Path, help="where to draw the curve")
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="a.b=value")
    arguments = parser.parse_args()
    settings, rows = [f"trainer.steps={arguments.steps}", *arguments.settings], []
    with deterministic_ops():
        for row in curve(arguments.folder, sorted(arguments.minutes), settings):
            rows.append(row)
            print(json.dumps(row), flush=True)
    if arguments.svg:
        plot(rows, arguments.svg)


if __name__ == "__main__":
    main()
