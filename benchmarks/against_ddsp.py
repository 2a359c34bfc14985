"""Does it sound better than ddsp's own trainer, after as many examples and after as many seconds?

    DDSP=.venv-ddsp/bin/python .venv/bin/python benchmarks/against_ddsp.py OUTPUT/NAME [--models cnn gru256]

OUTPUT/NAME is where `run` made an instrument: its transformed examples are the data. DDSP is the Python of an
environment made as $SWARA_SHARED/baseline/README.md describes; in it ddsp 3.7.0 trains its `tiny`, all as packaged
(`ddsp_worker.py`). Both train on the same windows in the same order, and both are judged on the same eval windows by
one function, whose spectral loss is ddsp's (what ddsp's own code computes of its resyntheses stands beside it).

ddsp and the first model take their steps in turns; the median of the ratios of their seconds gives the number of steps
that Swara has in the time that ddsp needs. Swara's learning rate falls to the end of the steps it is given, so each of
its rows is a training of its own. The row of equal time has as many steps as `run` takes by default, or fewer where the
time is up. Prints one JSON line a row; without DDSP, Swara's rows of equal examples alone.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import tensorflow as tf

from benchmarks.sound import judge, read, resynthesise
from benchmarks.train_step import AS_DDSP, MODELS
from common.features import AUDIO, F0_HZ, PITCH_AND_LOUDNESS
from models.instrument import Instrument
from models.training.loop import TrainingGraphs, deterministic_ops
from models.training.optimizer import learning_rate
from models.training.window_store import WindowStore, shuffled_indices
from pipeline.configuration.config import Config
from pipeline.configuration.loading import load

TINY = "papers/iclr2020/tiny_instrument.gin"
FEATURES = (AUDIO, *PITCH_AND_LOUDNESS)
WARM_UP = 5  # steps that do not count in the ratio of seconds

Row = dict[str, Any]


class Ddsp:
    """ddsp at work in its own Python: `ddsp_worker.py`."""

    def __init__(self, windows: Path):
        worker = [os.environ["DDSP"], str(Path(__file__).with_name("ddsp_worker.py")), str(windows), TINY]
        self._process = subprocess.Popen(worker, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._resyntheses = windows.with_name("resyntheses.npy")
        self._answer()

    def train(self) -> float:
        """Take a step. Returns its seconds."""
        return float(self._send("train").split()[0])

    def resynthesise(self) -> tuple[np.ndarray, float]:
        """Resynthesise the eval windows: audio [windows, samples], and its mean loss by ddsp's own code."""
        loss = float(self._send(f"resynthesise {self._resyntheses}"))
        return np.load(self._resyntheses), loss

    def __enter__(self) -> Ddsp:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate("quit\n")

    def _send(self, command: str) -> str:
        assert self._process.stdin
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> str:
        assert self._process.stdout
        answer = self._process.stdout.readline()
        if not answer:
            sys.exit(f"ddsp gave up: exit code {self._process.wait()}")
        return answer


class Trial:
    """One instrument's windows, and models that are trained and judged on them."""

    def __init__(self, folder: Path, settings: list[str]):
        self._folder, self._settings = folder, [*AS_DDSP, *settings]
        self.config = load(folder.name, self._settings)
        self.windows, self.eval_windows = read(folder, self.config)

    def configured(self, model: str, steps: int) -> Config:
        """Load Swara's configuration of a training of so many steps."""
        return load(self._folder.name, [*MODELS[model], *self._settings, f"trainer.steps={steps}"])

    def write(self, file: Path, steps: int) -> None:
        """Write what ddsp needs: all windows, and which of them each step takes."""
        arrays: dict[str, Any] = {
            f"{split}/{name}": values
            for split, windows in (("train", self.windows), ("eval", self.eval_windows))
            for name, values in windows.batch(range(len(windows))).items()
            if name in FEATURES
        }
        np.savez(file, order=np.stack([chosen(step, self.config, self.windows) for step in range(steps)]), **arrays)

    def row(self, model: str, steps: int, made: Any, seconds: list[float]) -> Row:
        """Judge a model's resyntheses (iterable of [samples]) after its steps, with its seconds a step."""
        facts = {"instrument": self._folder.name, "model": model, "examples": steps * self.config.trainer.batch_size}
        timed = {"seconds": round(sum(seconds), 1), "seconds_a_step": round(statistics.median(seconds), 4)}
        return {**facts, **timed, **judge(made, self.eval_windows, self.config.audio)}

    def trained(self, model: str, steps: int) -> Row:
        """Train Swara's model alone."""
        config = self.configured(model, steps)
        instrument = Instrument(config.model, config.audio, seed=config.trainer.seed)
        seconds = list(training(instrument, config, self.windows))
        return self.row(f"swara/{model}", steps, resynthesise(instrument, self.eval_windows), seconds)


def chosen(step: int, config: Config, windows: WindowStore) -> np.ndarray:
    """Return the indices [batch] of the windows that a step takes, the same for ddsp and for Swara."""
    return shuffled_indices(step, count=len(windows), batch=config.trainer.batch_size, seed=config.trainer.seed)


def training(instrument: Instrument, config: Config, windows: WindowStore) -> Iterator[float]:
    """Take the steps of a training one by one, each with its seconds, reading the windows included."""
    graphs = TrainingGraphs(instrument, config.trainer, config.loss, windows.minimum(F0_HZ))
    for step in range(config.trainer.steps):
        began = time.perf_counter()
        batch = windows.batch(chosen(step, config, windows))
        inputs = {name: batch[name] for name in (AUDIO, F0_HZ, *instrument.feature_names)}
        rate = tf.constant(learning_rate(step, config.trainer), tf.float32)
        float(graphs.train_step(inputs, tf.constant(step), rate)[0])
        yield time.perf_counter() - began


def in_turns(trial: Trial, model: str, marks: list[int]) -> Iterator[Row]:
    """Train ddsp and a model in turns; ddsp is judged at every mark, the model at the last. Its row has the ratio."""
    config = trial.configured(model, marks[-1])
    instrument = Instrument(config.model, config.audio, seed=config.trainer.seed)
    theirs, ours, steps = [], [], training(instrument, config, trial.windows)
    with tempfile.TemporaryDirectory() as folder:
        trial.write(Path(folder, "windows.npz"), marks[-1])
        with Ddsp(Path(folder, "windows.npz")) as ddsp:
            for step in range(1, marks[-1] + 1):
                theirs.append(ddsp.train())
                ours.append(next(steps))
                if step in marks:
                    made, own = ddsp.resynthesise()
                    yield {**trial.row("ddsp/tiny", step, made, theirs), "spectral_loss_by_ddsp": own}
    row = trial.row(f"swara/{model}", marks[-1], resynthesise(instrument, trial.eval_windows), ours)
    pairs = zip(theirs[WARM_UP:], ours[WARM_UP:], strict=True)
    yield {**row, "times_faster": round(statistics.median(their / our for their, our in pairs), 2)}


def equal_time(trial: Trial, model: str, marks: list[int], ratio: float) -> Iterator[Row]:
    """Train for the seconds that ddsp needed for its marks, or for the steps that `run` takes by default."""
    for steps in sorted({min(trial.config.trainer.steps, int(mark * ratio)) for mark in marks}):
        shares = {f"share_of_seconds_to_{mark}": round(steps / (mark * ratio), 2) for mark in marks}
        yield {**trial.trained(model, steps), **shares}


def compare(trial: Trial, models: list[str], marks: list[int]) -> Iterator[Row]:
    """Yield rows of equal examples, then of equal time; the first model beside ddsp where DDSP is set."""
    alone, ratio = [(model, mark) for model in models for mark in marks], 0.0
    if "DDSP" in os.environ:
        for row in in_turns(trial, models[0], marks):
            ratio = row.get("times_faster", ratio)
            yield row
        alone.remove((models[0], marks[-1]))
    for model, mark in alone:
        yield trial.trained(model, mark)
    if ratio:
        yield from equal_time(trial, models[0], marks, ratio)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--models",
        nargs="+",
        choices=[name for name in MODELS if name not in ("harmonic", "full-band")],
        default=["cnn"],
    )
    parser.add_argument("--marks", nargs="+", type=int, default=[600, 1000], help="steps of ddsp after which to judge")
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="a.b=value")
    arguments = parser.parse_args()
    with deterministic_ops():
        for row in compare(Trial(arguments.folder, arguments.settings), arguments.models, sorted(arguments.marks)):
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
