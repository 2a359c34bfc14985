"""Audio 1000 times faster than autoregressive models, with 100 times fewer parameters? A WaveNet beside Swara.

    .venv/bin/python benchmarks/autoregressive.py RECORDING [--steps 100] [--samples 4000]

The WaveNet (van den Oord et al. 2016): dilated causal convolutions of two taps, gated units, skip connections, a
softmax over 256 mu-law levels, conditioned on f0 and loudness. It is trained on RECORDING for a while, so that it is a
real model, and generates with cached activations (Paine et al. 2016): each sample costs one column of every layer,
compiled by XLA, never a pass over its receptive field. Everything runs on one core. Prints one JSON line a model.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import tensorflow as tf

from benchmarks.process import keep_to_one_core
from benchmarks.train_step import MODELS, notes
from common.features import F0_HZ
from data.analysis import analyse, make_tracker
from data.files.decode import Spool, decode
from models.ddsp.synths import white_noise
from models.instrument import Instrument
from pipeline.configuration.config import Config
from pipeline.configuration.loading import load

LEVELS = 256
CONDITIONS = 2


class WaveNet(tf.Module):
    """Predicts each sample from those before it.

    Args:
      cycles, layers: `cycles` times dilations 1, 2, 4 ... 2 ** (layers - 1); three cycles of ten span 0.19 s at 16 kHz.
      channels, gates, skips: widths of the residual path, of the gated units and of the skip connections.
    """

    def __init__(self, cycles: int = 3, layers: int = 10, channels: int = 128, gates: int = 256, skips: int = 256):
        super().__init__()
        self.dilations = [2**layer for _ in range(cycles) for layer in range(layers)]
        self.channels = channels
        random = np.random.default_rng(0)

        def weights(rows: int, columns: int) -> tuple[tf.Variable, tf.Variable]:
            values = random.standard_normal((rows, columns)) / np.sqrt(rows)
            return tf.Variable(values.astype(np.float32)), tf.Variable(tf.zeros([columns]))

        self.embedding, _ = weights(LEVELS, channels)
        # inputs of a gated unit: the earlier sample, this sample and the conditions
        self.gated = [weights(2 * channels + CONDITIONS, 2 * gates) for _ in self.dilations]
        self.onward = [weights(gates, channels + skips) for _ in self.dilations]
        self.hidden, self.output = weights(skips, skips), weights(skips, LEVELS)

    @property
    def parameters(self) -> int:
        """Number of trained parameters."""
        return sum(variable.shape.num_elements() for variable in self.trainable_variables)

    def layer(self, index: int, x: tf.Tensor, past: tf.Tensor, conditions: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Apply one layer: x and x a dilation ago [..., channels] -> the next x and a skip connection."""
        gates = _affine(tf.concat([past, x, conditions], axis=-1), self.gated[index])
        signal, gate = tf.split(gates, 2, axis=-1)
        onward = _affine(tf.tanh(signal) * tf.sigmoid(gate), self.onward[index])
        return x + onward[..., : self.channels], onward[..., self.channels :]

    def head(self, skips: tf.Tensor) -> tf.Tensor:
        """Convert the sum of all skip connections [..., skips] to logits [..., LEVELS]."""
        return _affine(tf.nn.relu(_affine(tf.nn.relu(skips), self.hidden)), self.output)

    def __call__(self, levels: tf.Tensor, conditions: tf.Tensor) -> tf.Tensor:
        """Predict from levels [batch, time] and the next samples' conditions [batch, time, CONDITIONS]: logits."""
        x = tf.gather(self.embedding, levels)
        total = tf.constant(0.0)
        for index, dilation in enumerate(self.dilations):
            past = tf.pad(x, [[0, 0], [dilation, 0], [0, 0]])[:, : tf.shape(x)[1]]
            x, skip = self.layer(index, x, past, conditions)
            total += skip
        return self.head(total)

    @tf.function(autograph=False, jit_compile=True)
    def generate(self, conditions: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Draw levels [time] under conditions [time, CONDITIONS], sample by sample, with cached activations."""
        caches = [
            tf.zeros([dilation, self.channels]) for dilation in self.dilations
        ]  # rings: what x was, layer by layer
        result = tf.TensorArray(tf.int32, size=conditions.shape[0], element_shape=[])

        def sample(
            t: tf.Tensor, level: tf.Tensor, caches: list[tf.Tensor], result: tf.TensorArray
        ) -> tuple[tf.Tensor, tf.Tensor, list[tf.Tensor], tf.TensorArray]:
            x = tf.gather(self.embedding, level)[tf.newaxis]
            total, kept = tf.constant(0.0), []
            for index, (dilation, cache) in enumerate(zip(self.dilations, caches, strict=True)):
                slot = t % dilation
                kept.append(tf.tensor_scatter_nd_update(cache, [[slot]], x))
                x, skip = self.layer(index, x, cache[slot][tf.newaxis], conditions[t][tf.newaxis])
                total += skip
            logits = self.head(total)[0]
            noise = tf.random.stateless_uniform([LEVELS], seed + t, minval=1e-9)
            level = tf.argmax(logits - tf.math.log(-tf.math.log(noise)), output_type=tf.int32)  # Gumbel: a fair draw
            return t + 1, level, kept, result.write(t, level)

        start = (tf.constant(0), tf.constant(LEVELS // 2), caches, result)
        return tf.while_loop(lambda t, *_: t < conditions.shape[0], sample, start)[-1].stack()


def _affine(x: tf.Tensor, weights: tuple[tf.Variable, tf.Variable]) -> tf.Tensor:
    kernel, bias = weights
    flat = tf.matmul(tf.reshape(x, [-1, x.shape[-1]]), kernel) + bias
    return tf.reshape(flat, tf.concat([tf.shape(x)[:-1], [kernel.shape[1]]], axis=0))


def mu_law(audio: np.ndarray) -> np.ndarray:
    """Convert audio in [-1, 1] to levels 0 to 255 of the same shape (ITU-T G.711's curve, mu = 255)."""
    curved = np.sign(audio) * np.log1p(255 * np.abs(audio)) / np.log(256)
    return np.clip(np.round((curved + 1) / 2 * 255), 0, 255).astype(np.int32)


def read_recording(recording: Path, config: Config) -> tuple[np.ndarray, np.ndarray]:
    """Read a recording: mu-law levels [samples], f0 and loudness at every sample [samples, CONDITIONS]."""
    analysis = analyse(str(recording.parent), recording.name, config.extraction, make_tracker(config.extraction))
    if analysis.features is None:
        sys.exit(f"{recording}: {analysis.entry.reason}")
    with Spool() as spool:
        decode(recording, config.audio.sample_rate, spool)
        audio = spool.read(0, spool.samples)
    features = analysis.features
    frames = np.stack([np.log2(features.f0_hz / 440.0), features.loudness_db / 80.0 + 1.0], axis=-1)
    conditions = np.repeat(frames, config.audio.hop, axis=0).astype(np.float32)
    samples = min(len(audio), len(conditions))
    return mu_law(audio[:samples] / np.max(np.abs(audio))), conditions[:samples]


def train(net: WaveNet, levels: np.ndarray, conditions: np.ndarray, steps: int) -> Iterator[float]:
    """Train on quarter seconds drawn at random. Yields the cross entropy of every step, in bits a sample."""
    optimiser = tf.keras.optimizers.Adam(1e-3)
    random, length = np.random.default_rng(0), 4000

    @tf.function(autograph=False)
    def step(x: tf.Tensor, c: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            logits = net(x[:, :-1], c[:, 1:])
            nats = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=x[:, 1:], logits=logits)
            loss = tf.reduce_mean(nats) / np.log(2.0)
        optimiser.apply_gradients(
            zip(tape.gradient(loss, net.trainable_variables), net.trainable_variables, strict=True)
        )
        return loss

    for _ in range(steps):
        start = int(random.integers(0, len(levels) - length))
        part = slice(start, start + length)
        yield float(step(levels[np.newaxis, part], conditions[np.newaxis, part]))


def ours(model: str) -> dict[str, float | str]:
    """Measure one of Swara's models, reverb included, on clips of four seconds: samples a second, parameters."""
    config = load("violin", MODELS[model])
    instrument = Instrument(config.model, config.audio)
    inputs = {name: tf.constant(value) for name, value in notes(1, config.audio).items()}
    noise = white_noise(1, config.audio.window_samples, (0, 0))
    play = tf.function(lambda: instrument(inputs, noise, instrument.basis(inputs[F0_HZ], 100.0)), autograph=False)
    play()
    times = []
    for _ in range(8):
        began = time.perf_counter()
        play()
        times.append(time.perf_counter() - began)
    parameters = sum(variable.shape.num_elements() for variable in instrument.trainable_variables)
    return _facts(f"swara/{model}", config.audio.window_samples / float(np.median(times)), parameters)


def _facts(name: str, samples_per_second: float, parameters: int) -> dict[str, float | str]:
    return {
        "name": name,
        "samples_per_second": float(f"{samples_per_second:.3g}"),
        "real_time_factor": float(f"{samples_per_second / 16000:.3g}"),
        "parameters": parameters,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recording", type=Path)
    parser.add_argument("--steps", type=int, default=100, help="training steps of the WaveNet")
    parser.add_argument("--samples", type=int, default=4000, help="that it generates while the clock runs")
    arguments = parser.parse_args()
    keep_to_one_core()  # TensorFlow has not started its threads yet
    levels, conditions = read_recording(arguments.recording, load("violin"))
    net = WaveNet()
    bits = list(train(net, levels, conditions, arguments.steps))
    given = tf.constant(conditions[: arguments.samples])
    net.generate(given, tf.constant([0, 0]))  # compiles
    began = time.perf_counter()
    made = net.generate(given, tf.constant([0, 1])).numpy()
    rate = arguments.samples / (time.perf_counter() - began)
    learned = {"bits_at_first": round(bits[0], 2), "bits_at_last": round(float(np.mean(bits[-20:])), 2)}
    print(json.dumps({**_facts("WaveNet", rate, net.parameters), **learned, "distinct_levels": len(np.unique(made))}))
    for model in ("cnn", "gru256"):
        facts = ours(model)
        faster = {"times_faster": round(float(facts["samples_per_second"]) / rate, 1)}
        smaller = {"times_fewer_parameters": round(net.parameters / float(facts["parameters"]), 1)}
        print(json.dumps({**facts, **faster, **smaller}), flush=True)


if __name__ == "__main__":
    main()
