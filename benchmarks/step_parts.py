"""What the parts of a training step cost, each by itself, forward and backward: CPU time.

    .venv/bin/python benchmarks/step_parts.py [--set audio.sample_rate=16000] [--times 8]

The default model of the violin on a batch as `benchmarks/train_step.py` makes it. One JSON line a part; parts overlap
in what they read from memory, so that they do not add up to the step.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import tensorflow as tf

from benchmarks.train_step import clock, notes
from common.features import AUDIO, F0_HZ
from models.ddsp.band_loss import BandLoss
from models.ddsp.synths import FilteredNoise, Harmonic, white_noise
from models.instrument import Instrument
from models.training.loop import TrainingGraphs, deterministic_ops
from pipeline.configuration.config import Config
from pipeline.configuration.loading import load

BATCH = 4


def with_gradient(compute: Callable[..., tf.Tensor], inputs: Sequence[tf.Tensor]) -> Callable[[], object]:
    """Compile the sum of a computation's output and its gradient by `inputs`."""

    @tf.function(autograph=False)
    def run() -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch([value for value in inputs if not isinstance(value, tf.Variable)])
            total = tf.reduce_sum(compute(*inputs))
        return tape.gradient(total, inputs)

    return run


def parts(config: Config) -> Iterator[tuple[str, Callable[[], object]]]:
    """Build the whole step, and each of its parts."""
    instrument = Instrument(config.model, config.audio)
    batch = {name: tf.constant(values) for name, values in notes(BATCH, config.audio).items()}
    features = {name: batch[name] for name in (F0_HZ, *instrument.feature_names)}
    lowest_hz = float(tf.reduce_min(batch[F0_HZ]))
    graphs = TrainingGraphs(instrument, config.trainer, config.loss, lowest_hz)
    loss = BandLoss(**config.loss.model_dump(), sample_rate=config.audio.sample_rate)
    noise = white_noise(BATCH, config.audio.window_samples, (0, 0))
    controls, targets = instrument.controls(features), loss.target(batch[AUDIO])
    graph = instrument.graph
    f0_hz, basis = controls[F0_HZ], instrument.basis(batch[F0_HZ], lowest_hz)
    harmonic, filtered, reverb = graph.synths["harmonic"], graph.synths["noise"], graph.reverb
    assert isinstance(harmonic, Harmonic)
    assert isinstance(filtered, FilteredNoise)
    assert reverb is not None
    weights = list(instrument.decoder.trainable_variables)

    @tf.function(autograph=False)
    def network() -> tf.Tensor:
        with tf.GradientTape() as tape:
            made = instrument.controls(features, training=True)
            total = tf.add_n([tf.reduce_sum(made[name]) for name in graph.control_names])
        return tape.gradient(total, weights)

    yield "step", lambda: graphs.train_step(batch, tf.constant(1), tf.constant(1e-4))
    yield "loss", with_gradient(lambda audio: loss(targets, audio), [noise])
    yield "targets of the loss", lambda: loss.target(batch[AUDIO])
    yield "network", network
    yield "sines", tf.function(lambda: instrument.basis(batch[F0_HZ], lowest_hz), autograph=False)
    yield (
        "harmonics",
        with_gradient(
            lambda amplitude, distribution: harmonic.get_signal(amplitude, distribution, f0_hz, basis),
            [controls["amplitude"], controls["harmonic_distribution"]],
        ),
    )
    yield "noise", with_gradient(lambda bands: filtered.get_signal(bands, noise), [controls["noise_magnitudes"]])

    learned = list(reverb.trainable_variables)
    yield "reverb", with_gradient(lambda audio, *_: reverb.get_signal(audio), [batch[AUDIO], *learned])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="a.b=value")
    parser.add_argument("--times", type=int, default=8)
    arguments = parser.parse_args()
    config = load("violin", arguments.settings)
    with deterministic_ops():
        for name, run in parts(config):
            run()
            seconds = statistics.median(clock(run)[1] for _ in range(arguments.times))
            print(json.dumps({"part": name, "sample_rate": config.audio.sample_rate, "cpu_seconds": round(seconds, 4)}))


if __name__ == "__main__":
    main()
