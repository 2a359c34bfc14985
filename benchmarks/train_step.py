"""One training step as `run` takes it: seconds, peak memory and, under --worker, step by step beside another program.

    .venv/bin/python benchmarks/train_step.py --model cnn|gru256|gru512|harmonic [--batch 4] [--seconds 4] [--steps 12]
    .venv-ddsp/bin/python ../shared/baseline/bench_ddsp.py --config tiny --batch 4 --seconds 4 --steps 12 \\
        --pair '.venv/bin/python benchmarks/train_step.py --worker --model cnn --batch 4 --seconds 4'

`cnn` is the model that `run` trains by default; `gru256` has the network of ddsp's tiny and `gru512` that of its
solo_instrument, both with its 3 s reverb; `harmonic` is one forward and backward pass of the synthesiser alone. A
worker prints `READY {json}`, then answers `train` (one step) and `infer` (one forward pass of batch 1) with wall and
CPU seconds, until `quit`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import tensorflow as tf

from benchmarks.process import peak_megabytes
from common.audio import AudioConfig
from common.features import AUDIO, F0_HZ
from models.ddsp.synths import Harmonic, white_noise
from models.instrument import Instrument
from models.training.loop import TrainingGraphs, deterministic_ops
from pipeline.configuration.config import Config
from pipeline.configuration.loading import load

AS_DDSP = [
    *("audio.sample_rate=16000", "model.processors.harmonic.harmonics=60"),
    *("model.processors.noise.spacing=linear", "model.processors.reverb.type=reverb_free"),
]
GRU = [*AS_DDSP, "model=gru", "model.processors.reverb.seconds=3.0"]
MODELS = {
    "cnn": [*AS_DDSP, "model=cnn"],
    "gru256": [*GRU, "model.decoder.units=256", "model.decoder.stack_layers=0"],
    "gru512": [*GRU, "model.decoder.units=512", "model.decoder.stack_units=512", "model.decoder.stack_layers=3"],
    "harmonic": AS_DDSP,
    "full-band": [],  # as `run` trains it
}
Action = Callable[[], object]


def notes(batch: int, audio: AudioConfig) -> dict[str, np.ndarray]:
    """Make a seeded, note-like batch: tones of 24 harmonics with vibrato, gaps and a little noise.

    Returns:
      `audio` [batch, samples]; `f0_hz`, `f0_scaled` and `loudness_scaled` [batch, frames].
    """
    random = np.random.default_rng(0)
    seconds = np.arange(audio.window_samples) / audio.sample_rate
    midi = random.uniform(55, 76, (batch, 1 + int(seconds[-1] / 0.5)))[:, (seconds // 0.5).astype(int)]
    f0 = 440.0 * 2.0 ** ((midi + 0.3 * np.sin(2 * np.pi * 5.5 * seconds) - 69) / 12)  # [batch, samples]
    level = np.clip((seconds % 0.5) / 0.03, 0, 1) * np.clip((0.5 - seconds % 0.5) / 0.06, 0, 1)
    phase = 2 * np.pi * np.cumsum(f0, axis=1) / audio.sample_rate
    tone = np.sum([np.sin(k * phase) / k * (k * f0 < audio.sample_rate / 2) for k in range(1, 25)], axis=0)
    sound = 0.2 * level * tone + 1e-3 * random.standard_normal(tone.shape)
    frames = f0[:, :: audio.hop]
    scaled = {"f0_scaled": np.log2(frames / 440), "loudness_scaled": np.broadcast_to(level[:: audio.hop], frames.shape)}
    return {name: value.astype(np.float32) for name, value in ({AUDIO: sound, F0_HZ: frames} | scaled).items()}


def whole_model(config: Config, batch: int) -> tuple[Action, Action, int]:
    """Build a training step and a forward pass of batch 1; return them and the number of parameters."""
    instrument = Instrument(config.model, config.audio)
    inputs = notes(batch, config.audio)
    trainer = config.trainer.model_copy(update={"batch_size": batch})
    graphs = TrainingGraphs(instrument, trainer, config.loss, float(inputs[F0_HZ].min()))
    first = {name: tf.constant(value[:1]) for name, value in inputs.items()}
    noise = white_noise(1, config.audio.window_samples, (0, 0))
    infer = tf.function(lambda: instrument(first, noise), autograph=False)
    rate = tf.constant(1e-4)

    def train() -> object:
        return float(graphs.train_step(inputs, tf.constant(1), rate)[0])

    return train, infer, sum(variable.shape.num_elements() for variable in instrument.trainable_variables)


def synthesiser_alone(config: Config, batch: int) -> tuple[Action, Action, int]:
    """Build both passes through the harmonic synthesiser, the basis of sines included, and a forward of batch 1."""
    synth = Harmonic(harmonics=60, envelope="window", sample_rate=config.audio.sample_rate, hop=config.audio.hop)
    f0 = tf.constant(notes(batch, config.audio)[F0_HZ])[..., tf.newaxis]
    lowest_hz = float(tf.reduce_min(f0))
    shape = [batch, config.audio.window_frames]
    controls = [tf.random.stateless_uniform([*shape, width], (0, width)) for width in (1, 60)]

    @tf.function(autograph=False)
    def train() -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(controls)
            value = tf.reduce_sum(synth.get_signal(controls[0], controls[1], f0, synth.basis(f0, lowest_hz)))
        return tf.add_n([tf.reduce_sum(gradient) for gradient in tape.gradient(value, controls)])

    infer = tf.function(lambda: synth.get_signal(controls[0][:1], controls[1][:1], f0[:1]), autograph=False)
    return lambda: float(train()), infer, 0


def clock(action: Action) -> tuple[float, float]:
    """Measure wall and CPU seconds of one call."""
    wall, cpu = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - wall, time.process_time() - cpu


def answer(actions: dict[str, Action], ready: str) -> None:
    """Answer commands of the worker protocol on standard input and output."""
    print(f"READY {ready}", flush=True)
    for line in sys.stdin:
        if line.strip() == "quit":
            return
        wall, cpu = clock(actions[line.strip()])
        print(f"{wall:.6f} {cpu:.6f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=MODELS, default="cnn")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--worker", action="store_true")
    arguments = parser.parse_args()
    config = load("violin", [*MODELS[arguments.model], f"audio.window_seconds={arguments.seconds}"])
    build = synthesiser_alone if arguments.model == "harmonic" else whole_model
    with deterministic_ops():
        train, infer, parameters = build(config, arguments.batch)
        for _ in range(3):
            train(), infer()
        facts = {
            "name": f"swara/{arguments.model}",
            "tf": tf.__version__,
            "parameters": parameters,
            "batch": arguments.batch,
            "seconds": arguments.seconds,
            "peak_megabytes": peak_megabytes(),
        }
        if arguments.worker:
            answer({"train": train, "infer": infer}, json.dumps(facts))
            return
        times = [clock(train) for _ in range(arguments.steps)]
    wall, cpu = ([time[i] for time in times] for i in (0, 1))
    seconds = {"median": statistics.median(wall), "least": min(wall), "cpu_median": statistics.median(cpu)}
    print(json.dumps({**facts, "step": {name: round(value, 4) for name, value in seconds.items()}}))


if __name__ == "__main__":
    main()
