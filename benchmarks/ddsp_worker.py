"""ddsp 3.7.0's own trainer at work on given windows: the other side of `against_ddsp.py`, which starts it.

    $DDSP benchmarks/ddsp_worker.py WINDOWS.npz CONFIGURATION.gin

Runs in ddsp's environment and imports nothing of Swara; $SWARA_SHARED/baseline stands in for what ddsp imports and
does not need. Everything is as packaged, read in the order of ddsp_run.py: optimiser, learning rate, gradient clip,
model and loss; the batch's size is that of the windows' order. Answers on standard output, a line each: `train` (the
next step) with wall and CPU seconds, `resynthesise FILE` (the eval windows into FILE.npy, [windows, samples]) with the
mean of ddsp's own loss, until `quit`.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, os.environ.get("SWARA_SHARED", str(Path(__file__).resolve().parents[2] / "shared")) + "/baseline")

import ddsp_stubs  # noqa: F401 - before ddsp
import gin
import numpy as np
import tensorflow as tf
from ddsp import training

FEATURES = ("audio", "f0_hz", "f0_confidence", "loudness_db")


def make_trainer(configuration: str) -> Any:
    """Build the model of a packaged configuration and ddsp's trainer of it, as ddsp_run.py does."""
    gin.add_config_file_search_path(str(Path(training.__file__).parent / "gin"))
    with gin.unlock_config():
        gin.parse_config_files_and_bindings(["optimization/base.gin", configuration], [], skip_unknown=True)
    tf.random.set_seed(0)
    return training.trainers.Trainer(training.models.get_model(), tf.distribute.get_strategy())


def batches(windows: dict[str, np.ndarray]) -> Iterator[dict[str, tf.Tensor]]:
    """Yield the batches of training windows in their order: `audio` [batch, samples], features [batch, frames]."""
    for chosen in windows["order"]:
        yield {name: tf.constant(windows[f"train/{name}"][chosen]) for name in FEATURES}


def train(trainer: Any, coming: Iterator[dict[str, tf.Tensor]]) -> str:
    """Take one step of training; return its wall and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    float(trainer.train_step(next(coming))["total_loss"])
    return f"{time.perf_counter() - wall:.6f} {time.process_time() - cpu:.6f}"


def make_resynthesiser(trainer: Any, windows: dict[str, np.ndarray]) -> Callable[[str], str]:
    """Return a function that resynthesises the eval windows into a file and returns their mean loss."""
    loss = trainer.model.loss_objs[0]

    @tf.function
    def resynthesised(features: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        made = trainer.model(features, training=False)["audio_synth"]
        return made, loss(features["audio"], made)

    def resynthesise(file: str) -> str:
        every = [
            resynthesised({name: tf.constant(windows[f"eval/{name}"][[number]]) for name in FEATURES})
            for number in range(len(windows["eval/audio"]))
        ]
        np.save(file, np.concatenate([made for made, _ in every]))
        return f"{np.mean([value for _, value in every]):.4f}"

    return resynthesise


def serve(windows: dict[str, np.ndarray], configuration: str, answers: TextIO) -> None:
    """Read commands from standard input and answer them."""
    trainer, coming = make_trainer(configuration), batches(windows)
    trainer.build(next(batches(windows)))
    resynthesise = make_resynthesiser(trainer, windows)
    print("READY", file=answers, flush=True)
    for line in sys.stdin:
        command, _, file = line.strip().partition(" ")
        if command == "quit":
            return
        print(train(trainer, coming) if command == "train" else resynthesise(file), file=answers, flush=True)


if __name__ == "__main__":
    answers, sys.stdout = sys.stdout, sys.stderr  # ddsp prints of its own accord
    serve(dict(np.load(sys.argv[1])), sys.argv[2], answers)
