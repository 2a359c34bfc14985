"""A tiny untrained instrument with the signatures that the exporter reads, for tests that need no real model.

It keeps to the ops that a real one uses: causal convolutions by shift and matmul or a GRU in a while loop, a constant
table, and a harmonic synthesiser whose phase is wrapped frame by frame.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

HARMONICS, BANDS, HOP, RATE = 8, 5, 64, 16000
FEATURES = {
    "f0_hz": tf.TensorSpec([1, None, 1], tf.float32, name="f0_hz"),
    "loudness_db": tf.TensorSpec([1, None, 1], tf.float32, name="loudness_db"),
}


class StandIn(tf.Module):
    """Features [1, T, 1] -> controls -> dry audio [1, T * hop]."""

    def __init__(self, kind: str, width: int = 16, layers: int = 3, taps: int = 2000):
        super().__init__()
        self.kind, self.taps = kind, taps
        draw = np.random.default_rng(3)
        self.named: dict[str, tf.Variable] = {}

        def add(name: str, *shape: int) -> None:
            value = draw.normal(size=shape) / np.sqrt(shape[0])
            self.named[name] = tf.Variable(value.astype(np.float16).astype(np.float32), name=name.replace("/", "_"))

        add("decoder/in/kernel", 2, width)
        add("decoder/in/bias", width)
        if kind == "cnn":
            for layer in range(layers):
                add(f"decoder/conv{layer}/kernel", 3 * width, width)
                add(f"decoder/conv{layer}/bias", width)
                # Every untrained gain is the same: what folding must not lose.
                self.named[f"decoder/conv{layer}/gain"] = tf.Variable(tf.ones([width]))
        else:
            add("decoder/gru/kernel", width, 3 * width)
            add("decoder/gru/recurrent", width, 3 * width)
            add("decoder/gru/bias", 3 * width)
        add("decoder/out/kernel", width, 1 + HARMONICS + BANDS)
        add("decoder/out/bias", 1 + HARMONICS + BANDS)
        decay = np.exp(-np.arange(taps) / 150.0)
        ir = draw.normal(size=taps) * decay * 0.1
        ir[:1] = 0.0
        self.ir = tf.Variable(ir.astype(np.float32))

    def controls(self, f0_hz: tf.Tensor, loudness_db: tf.Tensor) -> dict[str, tf.Tensor]:
        f0_scaled = (12.0 * tf.math.log(tf.maximum(f0_hz, 1e-5) / 440.0) / np.log(2.0) + 69.0) / 127.0
        x = tf.concat([f0_scaled, loudness_db / 80.0 + 1.0], -1)  # [1, T, 2]
        x = x @ self.named["decoder/in/kernel"] + self.named["decoder/in/bias"]
        x = self._convolve(x) if self.kind == "cnn" else self._recur(x)
        x = x @ self.named["decoder/out/kernel"] + self.named["decoder/out/bias"]
        positive = 2.0 * tf.sigmoid(x) ** np.log(10.0) + 1e-7
        amplitude, distribution, noise = tf.split(positive, [1, HARMONICS, BANDS], -1)
        audible = f0_hz * tf.range(1.0, HARMONICS + 1.0) < RATE / 2
        distribution = tf.where(audible, distribution, 0.0)
        distribution /= tf.reduce_sum(distribution, -1, keepdims=True)
        return {"amplitude": amplitude, "harmonic_distribution": distribution, "noise_magnitudes": noise * 0.01}

    def _convolve(self, x: tf.Tensor) -> tf.Tensor:
        for layer in range(sum("/conv" in name and name.endswith("kernel") for name in self.named)):
            dilation, width = 2**layer, x.shape[-1]
            past = tf.concat([tf.zeros([1, 2 * dilation, width]), x], 1)
            time = tf.shape(x)[1]
            taps = tf.concat([past[:, k * dilation : k * dilation + time] for k in range(3)], -1)
            y = taps @ self.named[f"decoder/conv{layer}/kernel"] + self.named[f"decoder/conv{layer}/bias"]
            x += tf.nn.leaky_relu(y) * self.named[f"decoder/conv{layer}/gain"]
        return x

    def _recur(self, x: tf.Tensor) -> tf.Tensor:
        inner = tf.transpose(x @ self.named["decoder/gru/kernel"] + self.named["decoder/gru/bias"], [1, 0, 2])
        recurrent, width = self.named["decoder/gru/recurrent"], x.shape[-1]

        def step(t: tf.Tensor, h: tf.Tensor, states: tf.TensorArray) -> tuple[Any, ...]:
            update, reset, _ = tf.split(h @ recurrent, 3, -1)
            from_x = tf.split(inner[t], 3, -1)
            z, r = tf.sigmoid(from_x[0] + update), tf.sigmoid(from_x[1] + reset)
            candidate = tf.tanh(from_x[2] + (r * h) @ recurrent[:, 2 * width :])
            h = z * h + (1.0 - z) * candidate
            return t + 1, h, states.write(t, h)

        time = tf.shape(inner)[0]
        start = (0, tf.zeros([1, width]), tf.TensorArray(tf.float32, time, element_shape=[1, width]))
        states = tf.while_loop(lambda t, *_: t < time, step, start)[2].stack()
        return tf.transpose(states, [1, 0, 2])

    def dry(self, f0_hz: tf.Tensor, loudness_db: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        controls = self.controls(f0_hz, loudness_db)
        turns = f0_hz[:, :, 0] * (HOP / RATE)  # [1, T] cycles a frame
        turns -= tf.floor(turns)
        start = tf.cumsum(turns, 1, exclusive=True)
        start -= tf.floor(start)
        within = f0_hz * tf.range(HOP, dtype=tf.float32) / RATE  # [1, T, hop]
        phase = (start[:, :, None] + within)[..., None] * tf.range(1.0, HARMONICS + 1.0)  # [1, T, hop, K]
        waves = tf.sin((phase - tf.floor(phase)) * (2.0 * np.pi))
        amplitudes = controls["amplitude"] * controls["harmonic_distribution"]  # [1, T, K]
        tone = tf.reduce_sum(waves * amplitudes[:, :, None], -1)  # [1, T, hop]
        # A table that is the same in every row, and one of zeros, as careless code leaves them.
        table = tf.constant(np.tile(np.hanning(HOP).astype(np.float32), (1, 16, 1)))
        hiss = tf.reshape(noise, [1, -1, HOP]) * tf.reduce_mean(controls["noise_magnitudes"], -1, keepdims=True)
        hiss *= tf.reduce_mean(table, 1, keepdims=True) + tf.constant(np.zeros([1, 1, HOP], np.float32))
        return tf.reshape(tone + hiss, [1, -1])

    def save(self, folder: Path) -> None:
        """Writes what the Trainer leaves: the SavedModel, instrument.json and the weights in full precision."""
        noise = tf.TensorSpec([1, None], tf.float32, name="noise")
        full = tf.function(lambda **inputs: {"audio": self.dry(**inputs)})
        ir = tf.function(lambda: {"ir": tf.identity(self.ir)})
        signatures = {
            "controls": tf.function(self.controls).get_concrete_function(**FEATURES),
            "full": full.get_concrete_function(**FEATURES, noise=noise),
            "impulse_response": ir.get_concrete_function(),
        }
        tf.saved_model.save(self, str(folder), signatures=signatures)
        tensors = [
            {"name": name, "shape": list(value.shape), "role": name.split("/")[-1]}
            for name, value in self.named.items()
        ]
        described = {
            "config": {},
            "network": {"architecture": self.kind, "tensors": tensors},
            "training": {"steps": 10, "examples": 40, "eval_loss": 7.5, "seconds": 3.2, "seed": 0},
        }
        (folder / "instrument.json").write_text(json.dumps(described))
        np.savez(folder / "weights.npz", **{name: value.numpy() for name, value in self.named.items()})
