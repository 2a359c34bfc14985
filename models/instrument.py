"""The whole model: features -> decoder -> controls -> synthesiser -> audio, for whole clips and frame by frame.

Shapes: B batch, T frames, samples = T * hop. Features are [B, T], as in examples.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from common.audio import AudioConfig
from common.features import F0_HZ
from models.config import ModelConfig
from models.ddsp.graph import ProcessorGraph
from models.network.decoders import DECODER_PREFIX, make_decoder
from models.preprocessing import network_input_names

_DECODER, _SYNTHESISER = DECODER_PREFIX, "synthesiser/"  # parts of a state


class Instrument(tf.Module):
    """A playable model: decoder and processor graph.

    Attributes:
      model, audio: the settings it was built from.
      decoder: the network.
      graph: the processor graph, with the reverb's variables.
      feature_names: input features of the decoder, in its order; `f0_hz` is an input of the synthesiser besides.
      variables_by_name: all variables, trained together. A name is stable; the decoder's are those of the manifest.

    Args:
      model: architecture and signal chain.
      audio: rates.
      seed: of the initial weights.

    Raises:
      ValueError: the signal chain is not sound; the message names the entry and the key.
    """

    def __init__(self, model: ModelConfig, audio: AudioConfig, seed: int = 0):
        super().__init__(name="instrument")
        self.model, self.audio = model, audio
        entries = [entry.model_dump() for entry in model.processors]
        self.graph = ProcessorGraph(entries, sample_rate=audio.sample_rate, frame_rate=audio.frame_rate, seed=seed)
        self.feature_names = network_input_names(model.inputs)
        self.decoder = make_decoder(model.decoder, self.feature_names, self.graph.raw_outputs, seed)
        self.variables_by_name = {_name(variable): variable for variable in self.decoder.trainable_variables}
        for variable in self.graph.trainable_variables:
            self.variables_by_name[f"reverb/{_name(variable).rpartition('/')[2]}"] = variable

    def controls(self, features: Mapping[str, tf.Tensor], training: bool = False) -> dict[str, tf.Tensor]:
        """Convert features to synthesiser controls.

        Args:
          features: `f0_hz` in Hz and `feature_names`, standardised, each [B, T]; others are ignored.
          training: use operations with a cheap gradient; B and T must be known when the graph is traced.

        Returns:
          `graph.control_names`, each [B, T, channels], linear; and `f0_hz` in Hz, [B, T, 1].
        """
        raw = self.decoder(self._decoder_inputs(features), training)
        return self.graph.get_controls(raw, _column(features[F0_HZ]))

    def signals(
        self, controls: Mapping[str, tf.Tensor], noise: tf.Tensor | None = None, basis: tf.Tensor | None = None
    ) -> dict[str, tf.Tensor]:
        """Synthesise the signals of all nodes of the chain.

        Args:
          controls: as `controls` returns them.
          noise: [B, samples], uniform in [-1, 1); needed where the chain has filtered noise.
          basis: of the same f0, as `basis` returns it; computed where it is None.

        Returns:
          Name of a node -> [B, samples].
        """
        return self.graph.get_signal(controls, noise=noise, basis=basis)

    def audio_from(
        self, controls: Mapping[str, tf.Tensor], noise: tf.Tensor | None = None, basis: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Synthesise audio with reverb, the last node's signal. Shape [B, samples]; arguments as in `signals`."""
        return self.signals(controls, noise, basis)[self.graph.audio_name]

    def __call__(
        self,
        features: Mapping[str, tf.Tensor],
        noise: tf.Tensor | None = None,
        basis: tf.Tensor | None = None,
        training: bool = False,
    ) -> tf.Tensor:
        """Convert features to audio [B, samples]; arguments as in `controls` and `signals`."""
        return self.audio_from(self.controls(features, training), noise, basis)

    def basis(self, f0_hz: tf.Tensor, lowest_hz: float | None = None) -> tf.Tensor | None:
        """Compute the harmonics of f0 as sines, for `signals`.

        They depend on no trained variable, so they can be computed outside the gradient tape.

        Args:
          f0_hz: fundamental frequency in Hz, [B, T].
          lowest_hz: lower bound of f0 in Hz: where it is given, and B and T are known, this is quicker.

        Returns:
          [B, T, hop, audible harmonics]; None without a harmonic synthesiser.
        """
        return self.graph.basis(_column(f0_hz), lowest_hz)

    @property
    def latency(self) -> int:
        """Samples by which `step` lags behind its features."""
        return self.graph.latency

    def initial_state(self, batch: int | tf.Tensor = 1) -> dict[str, tf.Tensor]:
        """Return the state before the first frame, flat: the decoder's and the synthesiser's tensors, [B, ...]."""
        return {
            **_prefixed(_DECODER, self.decoder.initial_state(batch)),
            **_prefixed(_SYNTHESISER, self.graph.initial_state(batch)),
        }

    def step(
        self, features: Mapping[str, tf.Tensor], state: Mapping[str, tf.Tensor], noise: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Synthesise the next n >= 1 frames of a stream.

        Args:
          features: as in `controls`, each [B, n].
          state: after the frames before, or `initial_state`.
          noise: [B, n * hop], uniform in [-1, 1).

        Returns:
          The dry signal [B, n * hop], `latency` samples late, and the state after these frames.
        """
        raw, decoder_state = self.decoder.step(self._decoder_inputs(features), _stripped(_DECODER, state))
        controls = self.graph.get_controls(raw, _column(features[F0_HZ]))
        dry, synthesiser_state = self.graph.step(controls, _stripped(_SYNTHESISER, state), noise=noise)
        return dry, {**_prefixed(_DECODER, decoder_state), **_prefixed(_SYNTHESISER, synthesiser_state)}

    def weights(self) -> dict[str, np.ndarray]:
        """Return the value of every variable by its name, in its shape."""
        return {name: variable.numpy() for name, variable in self.variables_by_name.items()}

    def set_weights(self, weights: Mapping[str, np.ndarray]) -> None:
        """Assign the weights of an instrument with the same architecture.

        Raises:
          ValueError: names or shapes differ; the message names them.
        """
        own = {name: tuple(variable.shape) for name, variable in self.variables_by_name.items()}
        given = {name: np.shape(value) for name, value in weights.items()}
        differing = [
            f"{name} is {given.get(name, 'absent')}, not {own.get(name, 'expected')}"
            for name in sorted(own.keys() | given.keys())
            if own.get(name) != given.get(name)
        ]
        if differing:
            raise ValueError(f"weights of another instrument: {'; '.join(differing[:5])} ({len(differing)} differ)")
        for name, variable in self.variables_by_name.items():
            variable.assign(weights[name])

    def _decoder_inputs(self, features: Mapping[str, tf.Tensor]) -> list[tf.Tensor]:
        return [_column(features[name]) for name in self.feature_names]


def _column(feature: tf.Tensor) -> tf.Tensor:
    return tf.convert_to_tensor(feature)[..., tf.newaxis]  # [B, T] -> [B, T, 1]


def _name(variable: tf.Variable) -> str:
    return str(variable.name).removesuffix(":0")


def _prefixed(prefix: str, state: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    return {prefix + name: value for name, value in state.items()}


def _stripped(prefix: str, state: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
