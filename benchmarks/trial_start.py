"""Start of a sweep's trials: seconds until a configuration has taken its first step and evaluated its first batch.

    .venv/bin/python benchmarks/trial_start.py

The first trial of a process compiles what all of them need, the loss and the sines; `again` is a trial that finds
these compiled, `alone` a trial whose loss is compiled anew, as in a process of its own. Prints one JSON line.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from statistics import median

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import tensorflow as tf

from common.features import AUDIO, F0_HZ
from models.instrument import Instrument
from models.network.sizes import draw, resized, search_space
from models.training import loop as training
from models.training.loop import TrainingGraphs
from pipeline.configuration.loading import load

TRIALS = 6


def main() -> None:
    config = load("violin")
    space, random = search_space(config.model, config.tuner.space), np.random.default_rng(0)
    space["inputs"] = ["loudness"]
    size = (config.trainer.batch_size, config.audio.window_frames)
    batch = {name: np.zeros(size, np.float32) for name in ("f0_scaled", "loudness_scaled")}
    batch[F0_HZ] = random.uniform(200.0, 800.0, size).astype(np.float32)
    batch[AUDIO] = random.standard_normal((size[0], config.audio.window_samples)).astype(np.float32)

    def start() -> float:
        began = time.perf_counter()
        instrument = Instrument(resized(config.model, draw(space, random)), config.audio)
        graphs = TrainingGraphs(instrument, config.trainer, config.loss, lowest_hz=200.0)
        graphs.train_step(batch, tf.constant(0), tf.constant(1e-3))
        graphs.eval_step(batch, tf.constant(0))
        return time.perf_counter() - began

    start()
    again, alone = [], []
    for _ in range(TRIALS):  # in turns
        again.append(start())
        training._cached_loss.cache_clear()
        alone.append(start())
    rounded = {"again_s": round(median(again), 2), "alone_s": round(median(alone), 2)}
    print(json.dumps({"trials": TRIALS, **rounded, "share": round(median(again) / median(alone), 2)}))


if __name__ == "__main__":
    main()
