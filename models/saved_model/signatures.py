"""The SavedModel of a trained instrument: one signature for each use, and files that describe it beside them.

    controls          features -> controls: the network, for browsers (no FFT, complex, random or string operations)
    full              features, noise -> dry audio, with operations that any TF.js program has
    render            features, noise -> audio with reverb, by the exact synthesiser
    impulse_response  -> taps of the reverb, and the parameters of its late tail
    eval_losses       serialized examples -> losses of the model and of the network-free baseline, window by window;
                      beside them the mean loss of the full-size model of the sweep, or NaN
    serving_default   features -> audio with reverb and seeded noise, for servers

Features are `f0_hz` and, as configured, `loudness_db` and/or `rms_energy`, [1, T, 1] for any T. The Transform graph is
part of every signature that takes features or examples. Weights are rounded to the precision that ships.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from common.audio import AudioConfig
from common.features import AUDIO, F0_HZ, FRAME_FEATURES, LOUDNESS_DB, PITCH_AND_LOUDNESS
from models.baseline import Baseline
from models.config import ModelConfig
from models.ddsp import portable
from models.ddsp.band_loss import BandLoss
from models.ddsp.spectral import loudness_db
from models.ddsp.synths import white_noise
from models.instrument import Instrument
from models.preprocessing import SOURCES, read_statistics
from models.saved_model.precision import round_weights
from models.saved_model.specification import describe_network, describe_synthesiser
from models.saved_model.trained_model import INSTRUMENT_FILE, WEIGHTS_FILE
from models.saved_model.transform_graph import TransformGraph
from models.training.config import LossConfig

NOISE_SEED = (20, 20)  # of the noise in eval_losses and serving_default: the same in every window of every run
AUDIBLE_DB = -60.0  # frames of a recording at or below this loudness do not count in the loudness error
_EVALUATED = (AUDIO, *FRAME_FEATURES)
_LOSSES = ("spectral_loss", "baseline_spectral_loss", "reference_spectral_loss", "loudness_l1_db")

Tensors = dict[str, tf.Tensor]


def save(
    instrument: Instrument,
    *,
    transform_graph: str,
    baseline: Baseline,
    loss: LossConfig,
    folder: str,
    training: Mapping[str, Any],
    reference_loss: float | None = None,
) -> None:
    """Save a trained instrument: the SavedModel, `instrument.json` and `weights.npz` (full precision).

    Args:
      instrument: with its weights at full precision; it is not changed.
      transform_graph: folder of the TransformGraph artifact that it was trained with.
      baseline: fitted to the training windows.
      loss: settings of the spectral loss.
      folder: of the SavedModel.
      training: summary of the training, JSON values.
      reference_loss: eval loss of the full-size model that the Tuner trained beside it; None without a Tuner.
    """
    module = ServingModule(
        round_weights(instrument),
        TransformGraph(transform_graph),
        baseline,
        BandLoss(**loss.model_dump(), sample_rate=instrument.audio.sample_rate),
        math.nan if reference_loss is None else reference_loss,
    )
    # The loss has custom gradients, which a saved model does not need.
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    tf.saved_model.save(module, folder, signatures=module.signatures(), options=options)
    statistics = read_statistics(transform_graph)
    described = {
        "config": {
            "model": instrument.model.model_dump(mode="json"),
            "audio": instrument.audio.model_dump(mode="json"),
            "loss": loss.model_dump(mode="json"),
        },
        "network": describe_network(instrument, statistics),
        "synthesiser": describe_synthesiser(instrument),
        "statistics": statistics,
        "training": dict(training),
    }
    with tf.io.gfile.GFile(f"{folder}/{INSTRUMENT_FILE}", "w") as file:
        file.write(json.dumps(described, indent=1))
    stored, weights = io.BytesIO(), dict[str, Any](instrument.weights())
    np.savez(stored, **weights)
    with tf.io.gfile.GFile(f"{folder}/{WEIGHTS_FILE}", "wb") as file:
        file.write(stored.getvalue())


def load_instrument(folder: str) -> Instrument:
    """Load the instrument that `save` wrote, at full precision.

    Raises:
      ValueError: the weights do not fit the description.
    """
    with tf.io.gfile.GFile(f"{folder}/{INSTRUMENT_FILE}", "r") as file:
        config = json.loads(file.read())["config"]
    instrument = Instrument(ModelConfig.model_validate(config["model"]), AudioConfig.model_validate(config["audio"]))
    with tf.io.gfile.GFile(f"{folder}/{WEIGHTS_FILE}", "rb") as file:
        instrument.set_weights(dict(np.load(io.BytesIO(file.read()))))
    return instrument


class ServingModule(tf.Module):
    """The module that is saved: an instrument with its preprocessing, its loss and the baseline.

    Args:
      instrument: with weights in the precision that ships.
      transform: its preprocessing.
      baseline: the network-free baseline.
      loss: the spectral loss of the evaluation.
      reference_loss: eval loss of the full-size model; NaN where there is none.
    """

    def __init__(
        self,
        instrument: Instrument,
        transform: TransformGraph,
        baseline: Baseline,
        loss: BandLoss,
        reference_loss: float = math.nan,
    ):
        super().__init__()
        self.instrument = instrument
        self._transform, self._baseline, self._loss = transform, baseline, loss
        self._reference_loss = reference_loss

    def signatures(self) -> dict[str, Any]:
        """Trace the functions of all signatures. Returns name -> concrete function."""
        column = tf.TensorSpec([1, None, 1], tf.float32)
        features = dict.fromkeys((F0_HZ, *(SOURCES[name] for name in self.instrument.model.inputs)), column)
        noise = {"noise": tf.TensorSpec([1, None], tf.float32)}
        return {
            "controls": _traced(self._controls, features),
            "full": _traced(self._full, {**features, **noise}),
            "render": _traced(self._render, {**features, **noise}),
            "impulse_response": _traced(self._impulse_response, {}),
            "eval_losses": _traced(self._eval_losses, {"examples": tf.TensorSpec([None], tf.string)}),
            "serving_default": _traced(self._serve, features),
        }

    def _controls(self, **features: tf.Tensor) -> Tensors:
        controls = self._controls_of(_flat(features))
        return {name: controls[name] for name in self.instrument.graph.control_names}

    def _full(self, noise: tf.Tensor, **features: tf.Tensor) -> Tensors:
        return {"audio": portable.dry_signal(self.instrument.graph, self._controls_of(_flat(features)), noise)}

    def _render(self, noise: tf.Tensor, **features: tf.Tensor) -> Tensors:
        return {"audio": self.instrument.audio_from(self._controls_of(_flat(features)), noise)}

    def _serve(self, **features: tf.Tensor) -> Tensors:
        samples = tf.shape(features[F0_HZ])[1] * self.instrument.audio.hop
        return self._render(white_noise(1, samples, NOISE_SEED), **features)

    def _impulse_response(self) -> Tensors:
        reverb = self.instrument.graph.reverb
        return {"ir": tf.zeros([0])} if reverb is None else reverb.shipped()

    def _eval_losses(self, examples: tf.Tensor) -> Tensors:
        """Compute losses [B], audio and baseline_audio [B, samples]; add f0_hz, f0_confidence, loudness_db [B, T]."""
        # Of any length: models that were trained on windows of 4 s and of 2 s may be compared.
        spec = dict.fromkeys(_EVALUATED, tf.io.FixedLenSequenceFeature([], tf.float32, allow_missing=True))
        windows = tf.io.parse_example(examples, spec)
        signature = {name: tf.TensorSpec([], tf.float32) for name in _LOSSES}
        signature |= dict.fromkeys(("audio", "baseline_audio"), tf.TensorSpec([None], tf.float32))
        # One by one: an evaluation may send a thousand windows, and the harmonics of a single one take 15 MB.
        evaluated = tf.map_fn(self._evaluate, windows, fn_output_signature=signature, parallel_iterations=1)
        return {**evaluated, **{name: windows[name] for name in PITCH_AND_LOUDNESS}}

    def _evaluate(self, window: Tensors) -> Tensors:
        """Compute losses [], audio and the baseline's [samples] of one window."""
        batch = {name: values[tf.newaxis] for name, values in window.items()}
        recording = batch[AUDIO]
        noise = white_noise(1, tf.shape(recording)[1], NOISE_SEED)
        audio = self.instrument.audio_from(self._controls_of(batch), noise)
        targets = self._loss.target(recording)
        baseline_loss, baseline_audio = self._baseline_of(batch, targets, noise)
        losses = {
            "spectral_loss": self._loss.per_example(targets, audio),
            "baseline_spectral_loss": baseline_loss,
            "reference_spectral_loss": tf.constant([self._reference_loss], tf.float32),
            "loudness_l1_db": self._loudness_error(batch[LOUDNESS_DB], audio),
        }
        sounds = {"audio": audio, "baseline_audio": baseline_audio}
        return {name: values[0] for name, values in {**losses, **sounds}.items()}

    def _controls_of(self, features: Mapping[str, tf.Tensor]) -> Tensors:
        """Convert raw features [B, T] to controls [B, T, channels] and f0_hz."""
        scaled = self._transform(features, self.instrument.feature_names)
        return self.instrument.controls({**scaled, F0_HZ: features[F0_HZ]})

    def _baseline_of(self, window: Tensors, targets: Any, noise: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Compute the baseline's loss [1] and audio [1, samples], dry or with the model's reverb: the lower loss.

        So no reverb can make the baseline easy to beat.
        """
        graph = self.instrument.graph
        dry, wet = self._baseline.audio(graph, window[F0_HZ], window[LOUDNESS_DB], noise)
        dry_loss = self._loss.per_example(targets, dry)
        if graph.reverb is None:
            return dry_loss, dry
        wet_loss = self._loss.per_example(targets, wet)
        is_wet = wet_loss < dry_loss  # NaN is not less
        return tf.where(is_wet, wet_loss, dry_loss), tf.where(is_wet[:, tf.newaxis], wet, dry)

    def _loudness_error(self, target_db: tf.Tensor, audio: tf.Tensor) -> tf.Tensor:
        """Compute the mean |dB| over audible frames (over all frames of a window that has none). Shape [B]."""
        settings = self.instrument.audio
        value_db = loudness_db(audio, settings.sample_rate, settings.frame_rate)[:, : tf.shape(target_db)[1]]
        audible = target_db > AUDIBLE_DB
        mask = tf.cast(audible | ~tf.reduce_any(audible, axis=1, keepdims=True), tf.float32)
        return tf.reduce_sum(mask * tf.abs(value_db - target_db), axis=1) / tf.reduce_sum(mask, axis=1)


def _traced(function: Callable[..., Tensors], specs: Mapping[str, tf.TensorSpec]) -> Any:
    named = {name: tf.TensorSpec(spec.shape, spec.dtype, name=name) for name, spec in specs.items()}
    return tf.function(function, autograph=False).get_concrete_function(**named)


def _flat(features: Mapping[str, tf.Tensor]) -> Tensors:
    return {name: tf.squeeze(values, axis=-1) for name, values in features.items()}  # [1, T, 1] -> [1, T]
